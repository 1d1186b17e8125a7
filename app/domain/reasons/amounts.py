"""What may be the matter with a document's sums, its currency and its rate: the claim is the document's or waits."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.TOTALS_DIFFER,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The sums differ between RecMan and Unimicro."),
        fix=Text(
            "Compare the lines of the two (POST /v1/invoices/dry-run). If a product has another VAT in "
            "Unimicro, set it right there or make a rule (PUT /v1/rules), then retry; else enter the document "
            "in Unimicro by hand with RecMan's sums and link it (POST "
            "/v1/invoices/{transfer_id}/done-elsewhere)."
        ),
        cases={
            "long_price": Text(
                "Have Unimicro calculate invoices with ten decimals (company settings), then retry; else enter the "
                "document in Unimicro by hand with RecMan's sums and link it (POST "
                "/v1/invoices/{transfer_id}/done-elsewhere)."
            ),
            "rounds_by_itself": Text(
                "Have Unimicro's company settings round what is to be paid to two decimals, then retry; else enter the "
                "document in Unimicro by hand with RecMan's sums and link it (POST "
                "/v1/invoices/{transfer_id}/done-elsewhere)."
            ),
            "base": Text(
                "Compare the rate of the day in Unimicro with the document's and set it right there, then retry; else "
                "enter the document in Unimicro by hand and link it (POST /v1/invoices/{transfer_id}/done-elsewhere)."
            ),
        },
        menders={
            "long_price": Mender.UNIMICRO_ADMINISTRATOR,
            "rounds_by_itself": Mender.UNIMICRO_ADMINISTRATOR,
        },
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.TOTALS_ROUNDED,
        mender=Mender.NOBODY,
        sentence=Text("Rounding was levelled: the claim is the document's, net or VAT are apart by øre."),
        fix=Text("Nothing to do: the claim in Unimicro is the document's to the øre."),
    ),
    Row(
        code=Code.ROUNDING,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Rounding alone has the claims apart, and no account for it is named."),
        fix=Text(
            "Name an account for rounding in the rules (PUT /v1/rules), for example `rounding: {account: 7740}`: then "
            "it goes on by itself, with a line without VAT for the difference."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.VAT_BOOKED_OTHERWISE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro has put lines on another VAT code than they were sent with."),
        fix=Text(
            "Look at the VAT code of the lines' products and their accounts in Unimicro. If it is right, make a rule "
            "(PUT /v1/rules) that says so; if not, set it right there, then retry; else enter the document in Unimicro "
            "by hand with these VAT codes and link it (POST /v1/invoices/{transfer_id}/done-elsewhere)."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.CURRENCY_UNKNOWN,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro lacks the document's currency."),
        fix=Text("Add the currency in Unimicro, then retry."),
    ),
    Row(
        code=Code.RATE_UNUSABLE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro has no usable rate of exchange for the day."),
        fix=Text("Enter the day's rate of the currency in Unimicro, then retry."),
        cases={
            "lists": Text(
                "Enter the document in Unimicro by hand and ignore it here (POST /v1/transfers/{transfer_id}/ignore); "
                "a key with a sign-in would ask Unimicro for the rate."
            ),
        },
    ),
    Row(
        code=Code.RATE_DOUBTFUL,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro's rate of exchange is far from what it should be."),
        fix=Text(
            "Look up the day's rate. If Unimicro's is wrong, set it right there, then retry. If it is right, or told "
            "for a hundred units, say in the rules what one unit is about worth (PUT /v1/rules, for example "
            "`rates: {{currency}: 1.55}`): then it goes on by itself."
        ),
        cases={
            "recman": Text(
                "Enter RecMan's rate for that day in Unimicro, then retry; else enter the document in Unimicro by hand "
                "with RecMan's rate and link it (POST /v1/invoices/{transfer_id}/done-elsewhere)."
            ),
            "sent": Text(
                "Enter the document in Unimicro by hand and link it (POST "
                "/v1/invoices/{transfer_id}/done-elsewhere). Where there are many, choose the booking `voucher`, which "
                "brings both sums; if Unimicro has changed, ask once more (`recman-unimicro golive run --key NAME "
                "--only rate_sent`), then retry."
            ),
            "credit_note": Text(
                "A credit note has its invoice's rate. Find out which rate is right; then credit the invoice in "
                "Unimicro by hand and link that credit note (POST /v1/invoices/{transfer_id}/done-elsewhere)."
            ),
        },
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
)
