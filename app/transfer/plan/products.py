"""Planning the products of a document's lines: match by number alone, as the rules map it. Pure.

Where the line is booked then is the matter of `plan.vat`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from app.domain.documents import Line, LineKey
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteProduct
from app.domain.rules import Rules
from app.transfer.plan.sale import Sale
from app.transfer.plan.steps import CreateProduct
from app.transfer.plan.vat import book_line

Chosen = RemoteProduct | tuple[Reason, ...]


def plan_products(sale: Sale) -> tuple[tuple[CreateProduct, ...], tuple[Reason, ...]]:
    """The products to make, and everything that keeps lines from being booked."""
    steps: dict[str, CreateProduct] = {}
    gaps: list[Reason] = []
    for line in sale.document.lines:
        if line.is_text:
            continue
        matched = _match_line(line, sale)
        if not isinstance(matched, RemoteProduct) and _may_be_made(line, sale):
            design = _design_product(line, sale)
            reason = f"no product {design.number} in Unimicro yet"
            # Further lines of it are planned on what will be there then.
            matched = steps.setdefault(design.number, CreateProduct(product=design, reason=reason)).product
        gaps += book_line(line, matched, sale)[1] if isinstance(matched, RemoteProduct) else matched
    # What is wrong with a product is so on each of its lines, and said once.
    return tuple(steps.values()), tuple(dict.fromkeys(gaps))


def list_unknown_products(numbers: Iterable[str], reference: Reference, rules: Rules) -> tuple[Reason, ...]:
    """What is wrong with products of which nothing but the number is known."""
    found = (_match(number, reference, rules) for number in dict.fromkeys(numbers))
    return tuple(gap for chosen in found if not isinstance(chosen, RemoteProduct) for gap in chosen)


def choose_products(sale: Sale) -> Mapping[LineKey, RemoteProduct]:
    """Every line's product by what decides about the line, with the account and VAT that it is booked on.

    Raises:
        LookupError: one cannot be booked; `plan_products` lists why.
    """
    chosen: dict[LineKey, RemoteProduct] = {}
    for line in sale.document.lines:
        if line.is_text or line.key in chosen:
            continue
        product = choose_product(line, sale)
        if not isinstance(product, RemoteProduct):
            raise LookupError(f"the product of line {line.position} went missing between plan and run")  # noqa: TRY004 - not its type
        chosen[line.key] = product
    return chosen


def choose_product(line: Line, sale: Sale) -> Chosen:
    """The product that a line is booked on, with account and VAT, or why it cannot be."""
    matched = _match_line(line, sale)
    if not isinstance(matched, RemoteProduct):
        return matched
    booked, gaps = book_line(line, matched, sale)
    return tuple(gaps) or booked


def _match_line(line: Line, sale: Sale) -> Chosen:
    if line.product_number:
        return _match(line.product_number, sale.reference, sale.rules)
    number = sale.rules.fallback_product(line.vat_rate)
    if number is not None:
        return _match_in_unimicro(number, f"{number} (the rule for lines without product)", sale.reference)
    rate = "no VAT" if line.vat_rate is None else f"{line.vat_rate:f} % VAT"
    cause = f"Line {line.position}: the product number is missing, and no rule names a product for lines with {rate}"
    return (Reason(code=Code.PRODUCT_MISSING, cause=cause, fix=fix_for(Code.PRODUCT_MISSING)),)


def _match(number: str, reference: Reference, rules: Rules) -> Chosen:
    wanted = rules.product_number(number)
    name = wanted if wanted == number else f"{wanted} (the rule for RecMan's {number})"
    return _match_in_unimicro(wanted, name, reference)


def _match_in_unimicro(wanted: str, name: str, reference: Reference) -> Chosen:
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


def _may_be_made(line: Line, sale: Sale) -> bool:
    if not line.product_number or sale.rules.product_policy != "create":
        return False
    return not sale.reference.products.get(sale.rules.product_number(line.product_number))


def _design_product(line: Line, sale: Sale) -> RemoteProduct:
    """The product that would be made: number, name, and the company's standard account with the VAT that it brings.

    What the rules say of this line is no matter of the product's: it would be every other line's too.
    """
    reference, number = sale.reference, line.product_number or ""
    account = reference.find_account(reference.default_account_id)
    product = RemoteProduct(
        remote_id=0,
        number=sale.rules.product_number(number),
        name=line.text or number,
        active=True,
        account_id=account.remote_id if account is not None else None,
        vat_type_id=account.vat_type_id if account is not None else None,
        vat_rate=None,
    )
    plain = replace(sale, rules=sale.rules.model_copy(update={"accounting": []}))
    return book_line(line, product, plain)[0]
