"""Documents as vouchers in Unimicro's JSON, and booked vouchers back. Pure.

Source: docs/facts/unimicro.md §4.3 D and §12.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import VOUCHER_CREDITED, fit_texts, guid_for, to_day, to_text
from app.accounting.unimicro.translate_documents import from_invoice, to_dimensions
from app.domain.documents import Document, DocumentKind, Totals
from app.domain.money import ZERO, round_money, to_decimal
from app.domain.reasons.codes import Reason
from app.domain.reference import Links, RemoteDocument, RemoteLine
from app.domain.vouchers import RemoteVoucher, Share, to_base_amounts

_ORIGIN = "RecMan"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVoucher:
    """What a voucher is booked with.

    `rate` is what one unit of the document's currency is worth; `credited_number`: the invoice that is credited, as it
    is called there. Shape: `shares` sum up to the document's claim.
    """

    document: Document
    links: Links
    guid: str
    external_reference: str
    shares: Sequence[Share]
    currency_id: int
    rate: Decimal
    credited_number: str = ""


def to_voucher(new: NewVoucher, *, account_id: int) -> tuple[dict[str, Any], list[Reason]]:
    """One journal entry: the claim on the customer's own account, and a line against it for each share.

    The claim alone carries number, KID and due date: how many heads several lines with a number make is unknown. It is
    the amount with VAT, which Unimicro takes out itself (§12 [o]). A credit note has every sign turned round.
    Source: docs/facts/unimicro.md §12 [O] for the fields; what makes a head of it is assumed.
    """
    document, sign = new.document, -1 if new.document.kind is DocumentKind.CREDIT_NOTE else 1
    parts = to_base_amounts(new.shares, new.rate)
    claim = {
        "AccountID": account_id,
        **_to_amounts(new, document.totals.gross_amount * sign, sum(parts, ZERO) * sign),
        "InvoiceNumber": document.number,
        "DueDate": to_day(document.due_date),
        **({"PaymentID": document.kid} if document.kid else {}),
    }
    lines = [claim]
    for share, part in zip(new.shares, parts, strict=True):
        guid = _name_line(new, len(lines))
        lines.append(_to_line(new, share, amount=share.amount * -sign, base_amount=part * -sign, guid=guid))
    text = _describe(new)
    entry = {
        "_createguid": new.guid,
        "Description": text,
        "ExternalReference": new.external_reference,
        "ExternalSource": _ORIGIN,
    }
    where = f"Voucher of {document.number}"
    warnings = fit_texts(entry, "JournalEntry", where=where)
    days = {"FinancialDate": to_day(document.invoice_date), "VatDate": to_day(document.invoice_date)}
    drafts = [
        {"ID": 0, "_createguid": _name_line(new, index), "Description": text, **days, **line}
        for index, line in enumerate(lines)
    ]
    for draft in drafts:
        warnings += fit_texts(draft, "JournalEntryLineDraft", where=where)
    return {**entry, "DraftLines": drafts}, warnings


def _name_line(new: NewVoucher, index: int) -> str:
    return guid_for(new.guid, "line", str(index))


def _describe(new: NewVoucher) -> str:
    document = new.document
    if document.kind is DocumentKind.INVOICE:
        return f"RecMan invoice {document.number}"
    return f"RecMan credit note {document.number}, credits invoice {new.credited_number}"


def _to_amounts(new: NewVoucher, amount: Decimal, base_amount: Decimal) -> dict[str, Any]:
    return {
        "Amount": base_amount,
        "AmountCurrency": amount,
        "CurrencyCodeID": new.currency_id,
        "CurrencyExchangeRate": new.rate,
    }


def _to_line(new: NewVoucher, share: Share, *, amount: Decimal, base_amount: Decimal, guid: str) -> dict[str, Any]:
    links = new.links
    department_id = links.line_departments.get(share.department_number, links.department_id)
    dimensions = to_dimensions(replace(links, department_id=department_id), guid_for(guid, "dimensions"))
    line = {"AccountID": share.account_id, **_to_amounts(new, amount, base_amount)}
    if share.vat_type_id is not None:
        line["VatTypeID"] = share.vat_type_id
    return {**line, "Dimensions": dimensions} if dimensions else line


def from_voucher(
    entry: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], head: Mapping[str, Any] | None
) -> RemoteVoucher:
    """A booked voucher; its invoice has the sums that the voucher's lines come to, whatever the head says of VAT."""
    reference = to_text(entry.get("ExternalReference"))
    there = [line for line in lines if not line.get("Deleted")]
    number = to_text(entry.get("JournalEntryNumber"))
    return RemoteVoucher(
        entry_id=entry["ID"],
        number=number or next((to_text(line.get("JournalEntryNumber")) for line in there), ""),
        external_reference=reference,
        document=None if head is None else _to_document(head, there, reference),
        is_credited=bool(there) and all(line.get("StatusCode") == VOUCHER_CREDITED for line in there),
    )


def _to_document(head: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], reference: str) -> RemoteDocument:
    document = from_invoice(head)
    sign = -1 if document.kind is DocumentKind.CREDIT_NOTE else 1
    return replace(
        document,
        external_reference=reference,
        totals=_sum(lines, "AmountCurrency", sign),
        base_totals=_sum(lines, "Amount", sign),
        lines=tuple(_to_remote_line(line, sign) for line in lines if not _is_claim(line)),
    )


def _sum(lines: Sequence[Mapping[str, Any]], name: str, sign: int) -> Totals:
    gross = sum((_read(line, name) for line in lines if _is_claim(line)), ZERO) * sign
    vat = sum((_read(line, name) for line in lines if _is_vat(line)), ZERO) * -sign
    return Totals(net_amount=round_money(gross - vat), vat_amount=round_money(vat), gross_amount=round_money(gross))


def _is_claim(line: Mapping[str, Any]) -> bool:
    """Whether it stands on a customer's account. Source: docs/facts/unimicro.md §12 [O]."""
    return bool(line.get("SubAccountID"))


def _is_vat(line: Mapping[str, Any]) -> bool:
    """Whether it is the VAT of another line: it alone tells of what. Source: docs/facts/unimicro.md §12 [O]."""
    return bool(line.get("TaxBasisAmount"))


def _to_remote_line(line: Mapping[str, Any], sign: int) -> RemoteLine:
    amount = _read(line, "AmountCurrency") * -sign
    is_vat = _is_vat(line)
    return RemoteLine(
        product_id=None,
        vat_type_id=line.get("VatTypeID") or None,
        net_amount=ZERO if is_vat else amount,
        vat_amount=amount if is_vat else ZERO,
    )


def _read(line: Mapping[str, Any], name: str) -> Decimal:
    """An amount; where a line tells none in its currency, it is the company's (assumed, as for invoices)."""
    told = line.get(name)
    return to_decimal((line.get("Amount") if told is None else told) or 0)
