"""The decision about a document that is booked as a voucher, and whether what came of it is the document. Pure.

A voucher cannot be a draft first, nor be changed or deleted afterwards: whatever can be compared is compared before it
is sent, and nothing is sent as long as anything in the books may be it already.
Source: docs/facts/unimicro.md §4.3 D, §11 rows 3 and 4, §12.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.answers import Question, Way
from app.domain.documents import Document, DocumentKind, LineKey
from app.domain.money import ZERO, show_money
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, Reference, RemoteDocument, RemoteLine, RemoteProduct
from app.domain.rounding import choose_rounding_product
from app.domain.rules import Rules
from app.domain.vouchers import RemoteVoucher, Share, fit_shares, share_out, split_gross
from app.transfer.plan.amounts import compare_totals, show_sums
from app.transfer.plan.basics import name_document
from app.transfer.plan.credit import Credited
from app.transfer.plan.parts import find_line_departments
from app.transfer.plan.products import choose_products
from app.transfer.plan.sale import Sale
from app.transfer.plan.situation import DocumentSituation
from app.transfer.plan.steps import AdoptVoucher, BookVoucher, Decision, Go, Hold, LookAgain
from app.transfer.plan.vat_sums import CodeSum, VatSums, compare_codes, sum_by_code


def plan_known_voucher(document: Document, situation: DocumentSituation) -> Decision | None:
    """What to do where something in the books has the document's number or reference, or may have; None: book it."""
    past = situation.past
    ours = [one for one in situation.vouchers if _is_ours(one, document, situation)]
    if len(ours) > 1:
        numbers = ", ".join(_name(one) for one in ours)
        cause = f"Unimicro has more than one document for {name_document(document)} ({numbers})"
        return Hold((Reason(code=Code.DOCUMENT_TWICE, cause=cause, fix=fix_for(Code.DOCUMENT_TWICE)),))
    if ours and ours[0].document is None:
        return Hold((without_head(document, ours[0]),))
    if ours:
        reason = "it was found in Unimicro after an unclear answer"
        return Go((AdoptVoucher(document=document, voucher=ours[0], reason=reason),))
    taken = [one for one in situation.vouchers if one.document is not None]
    if taken:
        return Hold((_taken(document, taken[0]),))
    if past is not None and past.unclear and not past.looked_twice:
        return LookAgain()
    if past is not None and past.guid_spent:
        cause = f"Unimicro says that it has {name_document(document)} already, but no voucher of it is found"
        return Hold((Reason(code=Code.VOUCHER_LOST, cause=cause, fix=fix_for(Code.VOUCHER_LOST)),))
    return None


def _is_ours(voucher: RemoteVoucher, document: Document, situation: DocumentSituation) -> bool:
    """Whether we have booked it: by its reference; where Unimicro kept none, by all that it says.

    Before we send, nothing has the number: what has it after our call is ours, or another's within the same minutes.
    Source: assumed (docs/facts/unimicro.md §12: whether a reference is kept is unknown).
    """
    if voucher.external_reference or not voucher.is_made:
        return voucher.external_reference == situation.external_reference
    past, remote = situation.past, voucher.document
    if past is None or not past.unclear:
        return False
    if remote is None:
        # It has the number and no head: whoever booked it, another one would be one too many.
        return True
    customer = situation.customer.past if situation.customer is not None else None
    return (
        remote.kind is document.kind
        and remote.number == document.number
        and remote.invoice_date == document.invoice_date
        and remote.totals.gross_amount == document.totals.gross_amount
        and customer is not None
        and remote.customer_id == customer.remote_id
    )


def _name(voucher: RemoteVoucher) -> str:
    if voucher.number:
        return f"voucher {voucher.number}"
    return f"id {voucher.document.remote_id}" if voucher.document is not None else f"journal entry {voucher.entry_id}"


def without_head(document: Document, voucher: RemoteVoucher) -> Reason:
    """Why a document is for a person whose voucher made no invoice."""
    cause = f"{name_document(document)} is booked as {_name(voucher)}, but no invoice with its number was made"
    return Reason(code=Code.VOUCHER_WITHOUT_HEAD, cause=cause, fix=fix_for(Code.VOUCHER_WITHOUT_HEAD))


def _taken(document: Document, voucher: RemoteVoucher) -> Reason:
    remote = voucher.document
    what = "a document" if remote is None else remote.kind.value.replace("_", " ")
    amount = "" if remote is None else f" over {show_money(remote.totals.gross_amount)}"
    reference = voucher.external_reference or "none"
    cause = (
        f"Unimicro has {what} with number {document.number} already ({_name(voucher)}{amount}, reference {reference})"
    )
    return Reason(code=Code.NUMBER_IN_BOOKS, cause=cause, fix=fix_for(Code.NUMBER_IN_BOOKS))


def list_voucher_gaps(sale: Sale, situation: DocumentSituation) -> list[Reason]:
    """What keeps a document from being booked as a voucher: nobody has proven it, or its sums do not come out."""
    # What a company's API makes of a voucher is no word about an import; that is proven by `confirm`.
    gaps = [] if situation.by_file else _list_unproven(sale, situation)
    try:
        bookings = choose_products(sale)
    except LookupError:
        # A product is made first, or missing; the sums are looked at once more when it is there.
        return gaps
    designed = design_voucher(sale.document, bookings, sale.reference, sale.rules)
    return [*gaps, designed] if isinstance(designed, Reason) else gaps


def _list_unproven(sale: Sale, situation: DocumentSituation) -> list[Reason]:
    document, code = sale.document, Code.VOUCHER_UNPROVEN
    gaps = []
    if document.kind is DocumentKind.CREDIT_NOTE and not _is_proven(
        situation, Question.VOUCHER_CREDIT_NOTES, Way.ONE_HEAD
    ):
        cause = f"Nobody has proven that this company's vouchers make credit notes, as {document.number} would be"
        gaps.append(Reason(code=code, cause=cause, fix=fix_for(code)))
    is_foreign = document.currency != sale.reference.base_currency
    if is_foreign and not _is_proven(situation, Question.VOUCHER_CURRENCY, Way.KEPT):
        cause = f"Nobody has proven that this company's vouchers keep {document.currency}"
        gaps.append(Reason(code=code, cause=cause, fix=fix_for(code, "currency")))
    return gaps


def _is_proven(situation: DocumentSituation, question: Question, way: Way) -> bool:
    answer = situation.answers.get(question)
    return answer is not None and answer.is_known and answer.answer == way


@dataclass(frozen=True, slots=True)
class VoucherDesign:
    """The shares of a voucher, whose claim is the document's, and what they come to on each VAT code."""

    shares: tuple[Share, ...]
    vat: VatSums


def design_voucher(
    document: Document, bookings: Mapping[LineKey, RemoteProduct], reference: Reference, rules: Rules
) -> VoucherDesign | Reason:
    """How the document's claim is shared out, to the øre; why it cannot be."""
    shares = share_out(document, bookings, find_line_departments(document.lines, reference))
    claim = document.totals.gross_amount
    if claim <= 0 or not shares:
        cause = f"{name_document(document)} comes to {show_money(claim)} {document.currency}"
        return Reason(code=Code.VOUCHER_WITHOUT_CLAIM, cause=cause, fix=fix_for(Code.VOUCHER_WITHOUT_CLAIM))
    vat = sum_by_code(document, bookings, reference)
    rest = claim - sum((share.amount for share in shares), ZERO)
    fitted = fit_shares(shares, rest, document.totals) if rest else shares
    if fitted is not None:
        shares = fitted
    else:
        levelling = _level(document, rest, reference, rules)
        if isinstance(levelling, Reason):
            return levelling
        shares, vat = (*shares, levelling), _add_levelling(vat, levelling, reference)
    return _find_odd_vat(document, shares, vat, reference) or VoucherDesign(shares, vat)


def _level(document: Document, rest: Decimal, reference: Reference, rules: Rules) -> Share | Reason:
    """What makes the lines' sum the claim: a share without VAT, where rounding explains it and an account is named."""
    lines = document.computed_totals
    imagined = _imagine(document, lines.gross_amount, ())
    difference = compare_totals(document, replace(imagined, totals=lines))
    if difference is not None and difference.code == Code.TOTALS_DIFFER:
        return difference
    cause = f"Rounding has the lines apart from the claim: claim {show_sums(document.totals)}, lines {show_sums(lines)}"
    if rules.rounding is None:
        return Reason(code=Code.ROUNDING, cause=cause, fix=fix_for(Code.ROUNDING))
    product = choose_rounding_product(rules.rounding, reference)
    if isinstance(product, Reason):
        return product
    return Share(account_id=product.account_id, vat_type_id=product.vat_type_id, vat_rate=ZERO, amount=rest)


def _add_levelling(vat: VatSums, share: Share, reference: Reference) -> VatSums:
    code = reference.code_of(share.vat_type_id) or ""
    own = CodeSum(code=code, net_amount=ZERO, vat_amount=ZERO, allowed=ZERO)
    same = next((one for one in vat.sums if one.code == code), own)
    added = replace(same, net_amount=same.net_amount + share.amount)
    codes = vat.codes if share.vat_type_id is None else {**vat.codes, share.vat_type_id: code}
    return replace(vat, sums=(*(one for one in vat.sums if one.code != code), added), codes=codes)


def _find_odd_vat(document: Document, shares: tuple[Share, ...], vat: VatSums, reference: Reference) -> Reason | None:
    """How VAT out of the gross would be apart from the document's by more than rounding explains."""
    lines = tuple(_imagine_line(share) for share in shares)
    difference = compare_codes(vat, _imagine(document, document.totals.gross_amount, lines), reference)
    if difference is None:
        return None
    cause = f"VAT taken out of the gross is not the document's. {difference.cause}"
    return Reason(code=Code.TOTALS_DIFFER, cause=cause, fix=fix_for(Code.TOTALS_DIFFER))


def _imagine_line(share: Share) -> RemoteLine:
    net, vat = split_gross(share.amount, share.vat_rate)
    return RemoteLine(product_id=None, vat_type_id=share.vat_type_id, net_amount=net, vat_amount=vat)


def _imagine(document: Document, gross: Decimal, lines: tuple[RemoteLine, ...]) -> RemoteDocument:
    return RemoteDocument(
        remote_id=0,
        kind=document.kind,
        state=DocumentState.ISSUED,
        number=document.number,
        external_reference="",
        customer_id=None,
        totals=replace(document.totals, gross_amount=gross),
        lines=lines,
    )


def design_step(sale: Sale, situation: DocumentSituation, credited: Credited | None) -> BookVoucher:
    """The step that books it, with what the look knows of departments and of the invoice that is credited."""
    reason = f"{name_document(sale.document)} is not in Unimicro yet"
    step = BookVoucher(document=sale.document, reason=reason, buyer=sale.buyer)
    department = situation.department
    if department is not None:
        own = department.matches[0].remote_id if department.by_rule else None
        step = replace(step, department_id=own, dimensions={n: ids[0] for n, _, ids in department.dimensions})
    if credited is None:
        return step
    remote = credited.remote
    reason = f"credits invoice {remote.number} in Unimicro"
    return replace(
        step,
        reason=reason,
        credited_id=remote.remote_id,
        credited_number=remote.number,
        credited_rate=remote.rate,
    )
