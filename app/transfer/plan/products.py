"""Planning the products of a document's lines: match by number alone, as the rules map it; account and VAT. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from app.domain.documents import Document, Line
from app.domain.money import ZERO, is_same_rate
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteProduct
from app.domain.rules import AccountingRule, Rules
from app.transfer.plan.steps import CreateProduct

Chosen = RemoteProduct | tuple[Reason, ...]


def plan_products(
    document: Document, reference: Reference, rules: Rules
) -> tuple[tuple[CreateProduct, ...], tuple[Reason, ...]]:
    """The products to make, and everything that keeps lines from being booked."""
    steps: list[CreateProduct] = []
    gaps: list[Reason] = []
    for number, lines in _group(document.lines).items():
        chosen = choose_product(number, document, reference, rules)
        if not isinstance(chosen, RemoteProduct) and _may_be_made(number, reference, rules):
            chosen = _design_product(number, lines[0], document, reference, rules)
            if isinstance(chosen, RemoteProduct):
                steps.append(CreateProduct(product=chosen, reason=f"no product {chosen.number} in Unimicro yet"))
        gaps += _list_vat_gaps(chosen, lines, reference) if isinstance(chosen, RemoteProduct) else chosen
    return tuple(steps), tuple(gaps)


def list_unknown_products(numbers: Iterable[str], reference: Reference, rules: Rules) -> tuple[Reason, ...]:
    """What is wrong with products of which nothing but the number is known."""
    found = (_match(number, reference, rules) for number in dict.fromkeys(numbers))
    return tuple(gap for chosen in found if not isinstance(chosen, RemoteProduct) for gap in chosen)


def choose_products(document: Document, reference: Reference, rules: Rules) -> Mapping[str, RemoteProduct]:
    """Every product of the lines by RecMan's number, with the account and VAT that the rules give it.

    Raises:
        LookupError: one cannot be booked; `plan_products` lists why.
    """
    chosen: dict[str, RemoteProduct] = {}
    for number in _group(document.lines):
        product = choose_product(number, document, reference, rules)
        if not isinstance(product, RemoteProduct):
            raise LookupError(f"product {number} went missing between plan and run")  # noqa: TRY004 - not its type
        chosen[number] = product
    return chosen


def choose_product(number: str, document: Document, reference: Reference, rules: Rules) -> Chosen:
    """The product that lines with this RecMan number are booked on, or why there is none."""
    matched = _match(number, reference, rules)
    rule = rules.accounting_of(number, document)
    if rule is None or not isinstance(matched, RemoteProduct):
        return matched
    return _apply(rule, matched, reference)


def _group(lines: Iterable[Line]) -> dict[str, list[Line]]:
    grouped: dict[str, list[Line]] = {}
    for line in lines:
        if line.product_number is not None:
            grouped.setdefault(line.product_number, []).append(line)
    return grouped


def _match(number: str, reference: Reference, rules: Rules) -> Chosen:
    wanted = rules.product_number(number)
    name = wanted if wanted == number else f"{wanted} (the rule for RecMan's {number})"
    products = reference.products.get(wanted, ())
    active = [product for product in products if product.active]
    if not products:
        return (
            Reason(
                code=Code.PRODUCT_UNKNOWN,
                cause=f"Product {name} is not in Unimicro",
                fix=fix_for(Code.PRODUCT_UNKNOWN, number=wanted),
            ),
        )
    if not active:
        cause = f"Product {name} {products[0].name} is inactive in Unimicro"
        return (Reason(code=Code.PRODUCT_INACTIVE, cause=cause, fix=fix_for(Code.PRODUCT_INACTIVE, number=wanted)),)
    if len(active) > 1:
        cause = f"Unimicro has more than one product with number {wanted}"
        return (Reason(code=Code.PRODUCT_AMBIGUOUS, cause=cause, fix=fix_for(Code.PRODUCT_AMBIGUOUS)),)
    return active[0]


def _apply(rule: AccountingRule, product: RemoteProduct, reference: Reference) -> Chosen:
    """The product with the rule's account and VAT; an account brings its own VAT unless the rule names one."""
    gaps = []
    if rule.account is not None:
        account = reference.accounts.get(rule.account)
        if account is None:
            gaps.append(_rule_gap(f"account {rule.account}"))
        else:
            rate = reference.rate_of(account.vat_type_id)
            product = replace(product, account_id=account.remote_id, vat_type_id=account.vat_type_id, vat_rate=rate)
    if rule.vat_code is not None:
        vat_type = reference.vat_types.get(rule.vat_code)
        if vat_type is None:
            gaps.append(_rule_gap(f"VAT code {rule.vat_code}"))
        else:
            product = replace(product, vat_type_id=vat_type.remote_id, vat_rate=vat_type.rate)
    return tuple(gaps) or product


def _rule_gap(what: str) -> Reason:
    cause = f"A rule names {what}, which Unimicro does not have"
    return Reason(code=Code.RULE_UNUSABLE, cause=cause, fix=fix_for(Code.RULE_UNUSABLE))


def _may_be_made(number: str, reference: Reference, rules: Rules) -> bool:
    return rules.product_policy == "create" and not reference.products.get(rules.product_number(number))


def _design_product(number: str, line: Line, document: Document, reference: Reference, rules: Rules) -> Chosen:
    """The product that would be made: number, name, and the company's standard account unless a rule names another."""
    account = next((one for one in reference.accounts.values() if one.remote_id == reference.default_account_id), None)
    vat_type_id = account.vat_type_id if account is not None else None
    product = RemoteProduct(
        remote_id=0,
        number=rules.product_number(number),
        name=line.text or number,
        active=True,
        account_id=account.remote_id if account is not None else None,
        vat_type_id=vat_type_id,
        vat_rate=reference.rate_of(vat_type_id),
    )
    rule = rules.accounting_of(number, document)
    return product if rule is None else _apply(rule, product, reference)


def _list_vat_gaps(product: RemoteProduct, used: list[Line], reference: Reference) -> list[Reason]:
    # A company without VAT has no VAT types on its products.
    # Source: docs/facts/unimicro.md §3.7 (TaxMandatoryType 1) [o].
    rate = product.vat_rate if product.vat_rate is not None or reference.vat_registered else ZERO
    if rate is None:
        cause = f"Product {product.number} {product.name} has neither a VAT type nor an account with one in Unimicro"
        return [
            Reason(
                code=Code.PRODUCT_WITHOUT_VAT, cause=cause, fix=fix_for(Code.PRODUCT_WITHOUT_VAT, number=product.number)
            )
        ]
    return [
        Reason(
            code=Code.VAT_DIFFERS,
            cause=f"Line {line.position}: product {product.number} has {rate:f} % VAT in Unimicro, "
            f"RecMan's line has {line.vat_rate:f} %",
            fix=fix_for(Code.VAT_DIFFERS, number=product.number),
        )
        for line in used
        if line.vat_rate is not None and not is_same_rate(line.vat_rate, rate)
    ]
