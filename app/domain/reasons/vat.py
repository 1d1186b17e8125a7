"""Reasons about VAT codes and accounts: of lines, of products, and of the rules that decide between them. Pure."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text
from app.domain.vat import Treatment

ROWS = (
    Row(
        code=Code.VAT_DIFFERS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Line and product have different VAT."),
        fix=Text(
            "Set the VAT of product {number} right in Unimicro, then retry; or make a rule (PUT /v1/rules): "
            "then it goes on by itself. If RecMan's line is wrong, credit the invoice in RecMan, write a new "
            "one there, and ignore the two here."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.RULE_UNUSABLE,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("A rule names what cannot be used in Unimicro."),
        fix=Text(
            "Set the rule right (PUT /v1/rules): then it goes on by itself; or add what it names in Unimicro, "
            "then retry."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.VAT_CODE_UNMAPPED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("RecMan states a VAT code of which nobody has said what it is in Unimicro."),
        fix=Text(
            "Say under `vat_codes` of the rules which of Unimicro's codes RecMan's {recman} is (PUT /v1/rules; GET "
            "/v1/rules/vat-codes lists all), or make a rule under `accounting` that names the VAT code of such lines: "
            "then it goes on by itself."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.VAT_CODE_DIFFERS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("RecMan's line and Unimicro's product have different VAT codes."),
        fix=Text(
            "Make a rule under `accounting` that names the VAT code of such lines (PUT /v1/rules): then it goes on by "
            "itself; or set the VAT of product {number} right in Unimicro, then retry."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.VAT_CODE_UNUSABLE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("No sale may be booked on the VAT code."),
        fix=Text(
            "Make a rule under `accounting` that names another VAT code for such lines (PUT /v1/rules): then it goes "
            "on by itself; or give product {number} a VAT code for sales in Unimicro, or open this one there, then "
            "retry."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.VAT_TREATMENT,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The VAT code does not suit where the buyer is, and no rule allows it."),
        fix=Text("Make a rule under `accounting` (PUT /v1/rules) that names the VAT code."),
        cases={
            Treatment.ABROAD: Text(
                "Make a rule under `accounting` that names the VAT code for this product, country, department or text "
                "(PUT /v1/rules), mostly 52, or this one if it is right: then it goes on by itself. If the country is "
                "wrong, correct the company's address in RecMan, then retry."
            ),
            Treatment.AT_HOME: Text(
                "Make a rule under `accounting` that names the VAT code for this product, country, department or text "
                "(PUT /v1/rules), be it this one: then it goes on by itself. If the buyer is abroad, enter the country "
                "in the company's address in RecMan, then retry."
            ),
            Treatment.REVERSE_CHARGE: Text(
                "If the buyer pays the VAT, make a rule under `accounting` that names code 51 for this product, "
                "department or text (PUT /v1/rules); if not, one that names the right code: then it goes on by itself."
            ),
        },
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.ACCOUNT_DIFFERS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("RecMan's line and Unimicro's product have different accounts."),
        fix=Text(
            "Make a rule under `accounting` that names the account of such lines, or say under `accounts` which of "
            "Unimicro's accounts RecMan's is (PUT /v1/rules): then it goes on by itself; or set the account of product "
            "{number} right in Unimicro, then retry."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.ACCOUNT_UNUSABLE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("No sale may be booked on the account."),
        fix=Text(
            "Make a rule under `accounting` that names an account of sales for such lines, or, if sales belong on this "
            "one, name it under `sales_accounts` (PUT /v1/rules): then it goes on by itself; or give product {number} "
            "an account of sales in Unimicro, then retry."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
)
