"""Where a line is booked: account and VAT code. Rule before RecMan's line before Unimicro's product. Pure.

Codes are compared, not rates: equal rates are different treatment.
Source: docs/facts/unimicro.md §11 row 15 [O].
"""

from dataclasses import dataclass, replace

from app.domain.documents import DocumentKind, Line
from app.domain.money import ZERO, is_same_rate
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteAccount, RemoteProduct, RemoteVatType
from app.domain.rules import AccountingRule
from app.domain.vat import REGISTERED_ONLY, Treatment, VatCode, find_treatment
from app.transfer.plan.sale import Sale

_TREATMENTS = {
    Treatment.ABROAD: "is for buyers in Norway",
    Treatment.AT_HOME: "is for buyers outside of Norway's VAT area",
    Treatment.REVERSE_CHARGE: "has the buyer pay the VAT, which only a rule can say",
}


@dataclass(frozen=True, slots=True)
class _Choice:
    """A VAT code, and who has chosen it, as sentences say it."""

    code: str
    chooser: str
    is_by_rules: bool


def book_line(line: Line, product: RemoteProduct, sale: Sale) -> tuple[RemoteProduct, list[Reason]]:
    """The product with the account and VAT that the line is booked on, and everything that keeps it from there."""
    rule = sale.rules.accounting_of(line, sale.document, sale.buyer)
    booked, gaps = _choose_account(line, product, rule, sale)
    if not sale.is_registered and not sale.reference.vat_planned:
        # Source: docs/facts/unimicro.md §3.7 (TaxMandatoryType 1: VatTypeID must be null) [o].
        booked = replace(booked, vat_type_id=None, vat_rate=ZERO)
        return booked, [*gaps, *_list_rate_gaps(line, booked, None, sale)]
    choice, code_gaps = _choose_code(line, booked, rule, sale)
    if choice is None:
        return booked, [*gaps, *code_gaps, *_list_rate_gaps(line, booked, None, sale)]
    vat_type = sale.reference.find_vat_type(choice.code, sale.document.invoice_date)
    gaps += [*code_gaps, *_list_type_gaps(line, booked, choice, vat_type, sale)]
    gaps += _list_treatment_gaps(line, choice, rule, sale)
    if vat_type is None:
        return booked, gaps
    rate = vat_type.rate_on(sale.document.invoice_date)
    booked = replace(booked, vat_type_id=vat_type.remote_id, vat_rate=rate)
    return booked, gaps if rate is None else [*gaps, *_list_rate_gaps(line, booked, choice, sale)]


def _choose_account(
    line: Line, product: RemoteProduct, rule: AccountingRule | None, sale: Sale
) -> tuple[RemoteProduct, list[Reason]]:
    """The product on its account; one that a rule names brings its own VAT."""
    accounts, named = sale.reference.accounts, sale.rules.sales_accounts
    if rule is not None and rule.account is not None:
        account = accounts.get(rule.account)
        if account is None:
            return product, [_rule_gap(f"A rule names account {rule.account}, which Unimicro does not have")]
        fault = account.find_fault(named)
        gaps = [_rule_gap(f"A rule names account {rule.account}, which {fault}")] if fault else []
        return _put_on(product, account), gaps
    own = sale.reference.find_account(product.account_id)
    number = sale.rules.account_number(line.account)
    if line.account and (own is None or str(own.number) != number):
        return _follow_line(line, product, own, sale)
    fault = "" if own is None else own.find_fault(named)
    where = f"is on account {own.number} in Unimicro" if own is not None else "is on an account in Unimicro"
    if own is None and accounts:
        fault = "is not among Unimicro's accounts"
        if product.account_id is None:
            where, fault = "and the company have no account of sales in Unimicro", "would choose one itself"
    if not fault:
        return product, []
    cause = f"Product {product.number} {product.name} {where}, which {fault}"
    return product, [_gap(Code.ACCOUNT_UNUSABLE, cause, number=product.number)]


def _put_on(product: RemoteProduct, account: RemoteAccount) -> RemoteProduct:
    return replace(product, account_id=account.remote_id, vat_type_id=account.vat_type_id, vat_rate=None)


def _follow_line(
    line: Line, product: RemoteProduct, own: RemoteAccount | None, sale: Sale
) -> tuple[RemoteProduct, list[Reason]]:
    """What RecMan's line says of the account where Unimicro's product says another one, or none."""
    number = sale.rules.account_number(line.account)
    where = f"Line {line.position}: RecMan has account {line.account}"
    if number != line.account:
        where += f" ({number} in Unimicro by a rule)"
    if own is not None:
        cause = f"{where}, product {product.number} is on {own.number} in Unimicro"
        return product, [_gap(Code.ACCOUNT_DIFFERS, cause, number=product.number)]
    account = sale.reference.accounts.get(int(number)) if number.isdecimal() else None
    fault = "Unimicro does not have" if account is None else account.find_fault(sale.rules.sales_accounts)
    if account is None or fault:
        return product, [_gap(Code.ACCOUNT_UNUSABLE, f"{where}, which {fault}", number=product.number)]
    return replace(product, account_id=account.remote_id), []


def _choose_code(
    line: Line, product: RemoteProduct, rule: AccountingRule | None, sale: Sale
) -> tuple[_Choice | None, list[Reason]]:
    """The code by precedence; None where nothing names one that we know."""
    if rule is not None and rule.vat_code is not None:
        return _to_registered(_Choice(rule.vat_code, "A rule names", is_by_rules=True), sale), []
    chooser = "The rule's account has" if rule is not None and rule.account is not None else ""
    chooser = chooser or f"Product {product.number} {product.name} has"
    code = sale.reference.code_of(product.vat_type_id)
    own = None if code is None else _to_registered(_Choice(code, chooser, is_by_rules=False), sale)
    if not line.vat_code:
        return own, []
    there = f"product {product.number} has {'none' if own is None else own.code}"
    where = f"Line {line.position}: RecMan has VAT code {line.vat_code}"
    mapped = sale.rules.find_vat_code(line.vat_code)
    if mapped is None:
        cause = f"{where}, of which nobody has said what it is in Unimicro, where {there}"
        return own, [_gap(Code.VAT_CODE_UNMAPPED, cause, recman=line.vat_code)]
    if mapped.unimicro is None:
        return own, []
    said = f"The rules map RecMan's VAT code {line.vat_code} to"
    choice = _to_registered(_Choice(mapped.unimicro, said, is_by_rules=True), sale)
    if own is None or own.code == choice.code:
        return choice, []
    cause = f"{where}, which is {choice.code} in Unimicro, where {there}"
    return choice, [_gap(Code.VAT_CODE_DIFFERS, cause, number=product.number)]


def _to_registered(choice: _Choice, sale: Sale) -> _Choice:
    """Before the company is registered, sales with VAT are outside of the act.

    Source: docs/facts/unimicro.md §3.7 (TaxMandatoryType 2) [o].
    """
    if sale.is_registered or choice.code not in REGISTERED_ONLY:
        return choice
    return _Choice(VatCode.OUTSIDE_ACT, "A company that is not registered for VAT yet needs", is_by_rules=False)


def _list_type_gaps(
    line: Line, product: RemoteProduct, choice: _Choice, vat_type: RemoteVatType | None, sale: Sale
) -> list[Reason]:
    fault = "Unimicro does not have" if vat_type is None else vat_type.find_fault(sale.document.invoice_date)
    if not fault:
        return []
    cause = f"{choice.chooser} VAT code {choice.code}, which {fault}"
    if choice.is_by_rules:
        return [_rule_gap(cause)]
    return [_gap(Code.VAT_CODE_UNUSABLE, f"Line {line.position}: {cause}", number=product.number)]


def _list_treatment_gaps(line: Line, choice: _Choice, rule: AccountingRule | None, sale: Sale) -> list[Reason]:
    if rule is not None and rule.settles_treatment:
        return []
    treatment = find_treatment(choice.code, is_abroad=sale.buyer.is_abroad, is_registered=sale.is_registered)
    if treatment is None:
        return []
    country = sale.buyer.country or "not known"
    cause = f"Line {line.position}: VAT code {choice.code} {_TREATMENTS[treatment]}; this buyer's country is {country}"
    return [Reason(code=Code.VAT_TREATMENT, cause=cause, fix=fix_for(Code.VAT_TREATMENT, treatment))]


def _list_rate_gaps(line: Line, product: RemoteProduct, choice: _Choice | None, sale: Sale) -> list[Reason]:
    """Whether the line's VAT is the code's."""
    rate = product.vat_rate if product.vat_rate is not None or sale.is_registered else ZERO
    if rate is None:
        cause = f"Product {product.number} {product.name} has neither a VAT type nor an account with one in Unimicro"
        return [_gap(Code.PRODUCT_WITHOUT_VAT, cause, number=product.number)]
    if line.vat_rate is None or is_same_rate(line.vat_rate, rate) or _is_company_to_blame(sale):
        return []
    code = "" if choice is None else f" (code {choice.code})"
    there = f"product {product.number} has {rate:f} % VAT{code} in Unimicro"
    if choice is not None and choice.is_by_rules:
        there = f"product {product.number} has {rate:f} % VAT by the rules (code {choice.code})"
    cause = f"Line {line.position}: {there}, RecMan's line has {line.vat_rate:f} %"
    return [_gap(Code.VAT_DIFFERS, cause, number=product.number)]


def _is_company_to_blame(sale: Sale) -> bool:
    """Whether an invoice has VAT that its company must not take: that is said once, for the whole of it."""
    is_invoice = sale.document.kind is DocumentKind.INVOICE
    return is_invoice and not sale.is_registered and bool(sale.document.totals.vat_amount)


def _rule_gap(cause: str) -> Reason:
    return _gap(Code.RULE_UNUSABLE, cause)


def _gap(code: Code, cause: str, **values: str) -> Reason:
    return Reason(code=code, cause=cause, fix=fix_for(code, **values))
