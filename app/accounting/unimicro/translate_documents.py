"""Where the two vocabularies meet for documents: invoices to Unimicro's JSON and back. Pure.

Credit notes and orders have modules of their own: `translate_credits`, `translate_orders`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import (
    CREDIT_NOTE_TYPE,
    DRAFT_ON_CREATE,
    EXTERNAL_REFERENCE_LENGTH,
    INVOICE_CREDITED,
    INVOICE_DRAFT,
    LENGTHS,
    fit_texts,
    guid_for,
    split_text,
    to_day,
    to_text,
)
from app.accounting.unimicro.translate_settings import read_number
from app.accounting.unimicro.translate_stops import read_quiet
from app.accounting.unimicro.translate_sums import from_sums, read_sum
from app.domain.documents import Document, DocumentKind, Line
from app.domain.money import TEN_THOUSANDTH, ZERO, round_money
from app.domain.parties import Address, Recipient
from app.domain.reasons.codes import Reason
from app.domain.reference import DocumentState, Links, RemoteDocument, RemoteProduct

# Prices in the company's currency are computed: so many decimals are beyond any sum, and as many as Unimicro may keep.
_PRICE_STEP = Decimal("1e-10")
# Behind every line of a document, and the words in which lines go on.
_BEHIND_ALL = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """A document's currency there; `rate` is base currency per unit, 1 for the base currency itself."""

    currency_id: int
    rate: Decimal


def to_invoice(
    document: Document,
    links: Links,
    *,
    guid: str,
    external_reference: str,
    currency: Currency,
    recipient: Recipient | None = None,
) -> tuple[dict[str, Any], list[Reason]]:
    """A draft invoice with computed sums as the UI sends them, and the warnings about texts that were cut.

    `recipient` None leaves name and addresses to Unimicro.
    Source: docs/facts/unimicro.md §3.2, §3.3 and §6; sending the sums is assumed to do no harm where the
    server computes its own.
    """
    if len(external_reference) > EXTERNAL_REFERENCE_LENGTH:
        raise ValueError(f"external reference too long: {external_reference}")
    payload = {
        "_createguid": guid,
        "StatusCode": DRAFT_ON_CREATE,
        "InvoiceType": 0,
        "CustomerID": links.customer_id,
        # A nested customer would overwrite the customer's own record. Source: docs/facts/unimicro.md §4.1 [o].
        "Customer": None,
        **_to_recipient(recipient or Recipient()),
        **to_own_recipient(document),
        "CurrencyCodeID": currency.currency_id,
        "CurrencyExchangeRate": currency.rate,
        "CreditDays": (document.due_date - document.invoice_date).days,
        **to_head_texts(document, external_reference),
        **to_series(links),
    }
    dimensions = to_dimensions(links, guid_for(guid, "dimensions"))
    if dimensions:
        payload["DefaultDimensions"] = dimensions
    warnings = fit_texts(payload, "CustomerInvoice", where=f"Invoice {document.number}")
    items = []
    for index, (line, own) in enumerate(continue_texts(document.lines), start=1):
        line_guid = guid_for(guid, "line", str(index))
        item = {**to_item(line, links, of=own, guid=line_guid, currency=currency), "SortIndex": index}
        warnings += fit_texts(item, "CustomerInvoiceItem", where=f"Line {line.position}")
        items.append(item)
    return {**payload, **to_sums(items), "Items": items}, warnings


def to_series(links: Links) -> dict[str, Any]:
    """The series that numbers the document. Source: docs/facts/unimicro.md §3.2 (InvoiceNumberSeriesID [O])."""
    return {} if links.series_id is None else {"InvoiceNumberSeriesID": links.series_id}


def list_cuts(document: Document) -> list[Reason]:
    """What has to be cut of the document's own texts, whatever they are booked on."""
    blank = RemoteProduct(
        remote_id=0, number="", name="", active=True, account_id=None, vat_type_id=None, vat_rate=None
    )
    links = Links(customer_id=0, bookings=dict.fromkeys((line.key for line in document.lines), blank))
    nothing = Currency(currency_id=0, rate=Decimal(1))
    return to_invoice(document, links, guid=guid_for("cuts"), external_reference="", currency=nothing)[1]


def _to_recipient(recipient: Recipient) -> dict[str, str]:
    """The customer as the head shows it, blank fields left out: the UI copies them the same way.

    Source: docs/facts/unimicro.md §3.2 [O].
    """
    texts = {
        "CustomerName": recipient.name,
        "CustomerOrgNumber": recipient.org_number,
        "EmailAddress": recipient.email,
        **_to_head_address("Invoice", recipient.invoice_address),
        **_to_head_address("Shipping", recipient.delivery_address),
    }
    return {name: text for name, text in texts.items() if text}


def to_own_recipient(document: Document) -> dict[str, str]:
    """Whom the document itself names; its address stands whole in place of the customer's.

    Source: docs/facts/unimicro.md §3.2 [O] for the names.
    """
    name = {"InvoiceReceiverName": document.recipient_name} if document.recipient_name else {}
    if document.recipient_address.is_empty:
        return name
    return name | _to_head_address("Invoice", document.recipient_address)


def _to_head_address(prefix: str, address: Address) -> dict[str, str]:
    return {
        f"{prefix}AddressLine1": address.line1,
        f"{prefix}AddressLine2": address.line2,
        f"{prefix}PostalCode": address.postal_code,
        f"{prefix}City": address.city,
        f"{prefix}CountryCode": address.country_code,
    }


def to_own_number(document: Document, *, keeps: bool) -> dict[str, str]:
    """The number that a draft is sent with where it keeps its own; whether it is taken is unknown."""
    return {"InvoiceNumber": document.number} if keeps else {}


def to_head_texts(document: Document, external_reference: str) -> dict[str, Any]:
    """What a head says of the document itself; blank fields are left out."""
    what = "invoice" if document.kind is DocumentKind.INVOICE else "credit note"
    texts = {
        "ExternalReference": external_reference,
        "InvoiceDate": to_day(document.invoice_date),
        "PaymentDueDate": to_day(document.due_date),
        "DeliveryDate": to_day(document.delivery_date),
        "YourReference": document.your_reference,
        "OurReference": document.our_reference,
        "Requisition": document.requisition,
        "PaymentID": document.kid,
        "FreeTxt": document.note,
        "InternalNote": "\n".join(filter(None, (f"RecMan {what} {document.number}", document.internal_note))),
    }
    return {name: value for name, value in texts.items() if value}


def to_sums(items: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """The head's sums: what its lines make, in both currencies, so that head and lines always agree."""
    names = {"TaxExclusiveAmount": "SumTotalExVat", "VatTotalsAmount": "SumVat", "TaxInclusiveAmount": "SumTotalIncVat"}
    priced = [item for item in items if item["ProductID"] is not None]
    return {
        f"{total}{suffix}": round_money(sum((item[f"{part}{suffix}"] for item in priced), ZERO))
        for suffix in ("", "Currency")
        for total, part in names.items()
    }


def continue_texts(lines: Iterable[Line]) -> Iterator[tuple[Line, Line]]:
    """The lines in their order, each with as much text as one takes and the rest in text lines behind it.

    Shape: (what is sent, the line that it is of), for rules decide by the whole text.
    """
    for line in lines:
        first, *others = split_text(line.text, LENGTHS["CustomerInvoiceItem"]["ItemText"])
        yield replace(line, text=first), line
        yield from ((Line(position=line.position, text=text), line) for text in others)


def to_item(line: Line, links: Links, *, of: Line, guid: str, currency: Currency) -> dict[str, Any]:
    """A new line with prices and sums; a negative quantity makes a credit note's. `of`: the document's own line."""
    item: dict[str, Any] = {"ID": 0, "_createguid": guid, "ItemText": line.text, "DiscountPercent": ZERO}
    if line.comment:
        item["Comment"] = line.comment
    if line.product_number is None:
        # A line without product is a pure text line. Source: docs/facts/unimicro.md §3.3 [o].
        return item | {"ProductID": None, "NumberOfItems": ZERO}
    product = links.product_of(of)
    own_department = links.line_departments.get(line.department_number, links.department_id)
    dimensions = to_dimensions(replace(links, department_id=own_department), guid_for(guid, "dimensions"))
    if dimensions:
        item["Dimensions"] = dimensions
    if line.unit:
        item["Unit"] = line.unit
    if line.period_start is not None and line.period_end is not None:
        item |= {
            "InvoicePeriodStartDate": to_day(line.period_start),
            "InvoicePeriodEndDate": to_day(line.period_end),
        }
    return item | {
        # A line without words says what it is about all the same.
        "ItemText": line.text or product.name,
        "ProductID": product.remote_id,
        "AccountID": product.account_id,
        "VatTypeID": product.vat_type_id,
        "NumberOfItems": line.quantity,
        "CurrencyCodeID": currency.currency_id,
        "CurrencyExchangeRate": currency.rate,
        **_to_prices(line, currency.rate),
        **_to_line_sums(line, currency.rate),
    }


def to_rounding(
    remote: RemoteDocument, line: Line, product: RemoteProduct, *, guid: str, rate: Decimal
) -> dict[str, Any]:
    """A change that adds the line to a draft, with the sums that come of it; on a credit note it counts downwards."""
    sign = -1 if remote.kind is DocumentKind.CREDIT_NOTE else 1
    signed = replace(line, quantity=line.quantity * sign)
    currency = Currency(currency_id=remote.currency_id or 0, rate=rate)
    links = Links(customer_id=0, products={product.number: product})
    item = {**to_item(signed, links, of=signed, guid=guid, currency=currency), "SortIndex": _BEHIND_ALL}
    if not remote.currency_id:
        item.pop("CurrencyCodeID")
    totals = {"Currency": remote.totals, "": remote.base_totals}
    sums = {}
    for suffix, there in totals.items():
        if there is not None:
            added = item[f"SumTotalExVat{suffix}"]
            sums[f"TaxExclusiveAmount{suffix}"] = there.net_amount * sign + added
            sums[f"VatTotalsAmount{suffix}"] = there.vat_amount * sign
            sums[f"TaxInclusiveAmount{suffix}"] = there.gross_amount * sign + added
    return {"ID": remote.remote_id, **sums, "Items": [item]}


def _to_prices(line: Line, rate: Decimal) -> dict[str, Any]:
    """Price and discount; the gross price is in base currency.

    Source: docs/facts/unimicro.md §3.3 [o] for names and rounding.
    """
    vat_rate = line.vat_rate or ZERO
    price = _to_base_price(line, rate)
    return {
        "PriceExVat": price,
        "PriceExVatCurrency": line.unit_price_net,
        "PriceIncVat": round_money(price * (1 + vat_rate / 100), TEN_THOUSANDTH),
        "PriceSetByUser": True,
        "VatPercent": vat_rate,
        "DiscountPercent": line.discount_percent,
        "Discount": round_money(line.discount_amount * rate, TEN_THOUSANDTH),
        "DiscountCurrency": line.discount_amount,
    }


def _to_base_price(line: Line, rate: Decimal) -> Decimal:
    """The price in the company's currency, which is RecMan's own at a rate of 1.

    At any other it has four decimals, unless the line's sum needs more of them to be right.
    """
    exact = line.unit_price_net if rate == 1 else round_money(line.unit_price_net * rate, _PRICE_STEP)
    short = round_money(exact, TEN_THOUSANDTH)
    is_right = rate != 1 and round_money(line.quantity * short) == round_money(line.quantity * exact)
    return short if is_right or short == exact else exact


def _to_line_sums(line: Line, rate: Decimal) -> dict[str, Decimal]:
    net, vat = round_money(line.net_amount * rate), round_money(line.vat_amount * rate)
    return {
        "SumTotalExVat": net,
        "SumVat": vat,
        "SumTotalIncVat": net + vat,
        "SumTotalExVatCurrency": line.net_amount,
        "SumVatCurrency": line.vat_amount,
        "SumTotalIncVatCurrency": line.net_amount + line.vat_amount,
    }


def to_dimensions(links: Links, guid: str) -> dict[str, Any] | None:
    """What a head or line is booked on, None for nothing.

    Set on the head and on every line, because whether lines inherit is unknown (docs/facts/unimicro.md §3.6).
    """
    ids = {"ProjectID": links.project_id, "DepartmentID": links.department_id}
    ids |= {f"Dimension{number}ID": value_id for number, value_id in links.dimensions.items()}
    known = {name: value for name, value in ids.items() if value is not None}
    return {"ID": 0, "_createguid": guid, **known} if known else None


def from_invoice(row: Mapping[str, Any]) -> RemoteDocument:
    """An invoice or credit note; sums in its own currency, positive also on a credit note."""
    is_credit = row.get("InvoiceType") == CREDIT_NOTE_TYPE
    number = to_text(row.get("InvoiceNumber"))
    return RemoteDocument(
        remote_id=row["ID"],
        kind=DocumentKind.CREDIT_NOTE if is_credit else DocumentKind.INVOICE,
        state=_from_status(row.get("StatusCode"), number),
        number=number,
        external_reference=to_text(row.get("ExternalReference")),
        customer_id=row.get("CustomerID"),
        **from_sums(row, sign=-1 if is_credit else 1),
        kid=to_text(row.get("PaymentID")),
        credited_id=row.get("InvoiceReferenceID"),
        invoice_date=from_day(row.get("InvoiceDate")),
        due_date=from_day(row.get("PaymentDueDate")),
        currency_id=row.get("CurrencyCodeID"),
        credited_amount=abs(read_sum(row, "CreditedAmount")),
        delivery_date=from_day(row.get("DeliveryDate")),
        created_at=_from_moment(row.get("CreatedAt")),
        is_quiet=read_quiet(row),
        voucher_id=read_number(row.get("JournalEntryID")) or None,
        series_id=(row["InvoiceNumberSeriesID"] or 0) if "InvoiceNumberSeriesID" in row else None,
    )


def from_day(value: Any) -> date | None:
    """A day, also of a time; None where it is none. Source: docs/facts/unimicro.md §2 [O]."""
    try:
        return date.fromisoformat(to_text(value)[:10])
    except ValueError:
        return None


def _from_moment(text: Any) -> datetime | None:
    """A time with its zone; without one it is UTC; None when it cannot be read.

    Source: docs/facts/unimicro.md §2 (ISO with Z [O]).
    """
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _from_status(status: int | None, number: str) -> DocumentState:
    """Without a status the number decides: only an issued document has one. Source: docs/facts/unimicro.md §4.1 [o]."""
    if status == INVOICE_CREDITED:
        return DocumentState.CREDITED
    if status:
        return DocumentState.DRAFT if status <= INVOICE_DRAFT else DocumentState.ISSUED
    return DocumentState.ISSUED if number else DocumentState.DRAFT
