"""The life of an invoice: sums, issuing with number and KID, credit notes, locked periods.

Source: docs/facts/unimicro.md §3.3 (calculation [o]), §4.1 (states, actions [o/O]), §5.4 (locks [I]).
Assumed where marked.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.save import save_body, take_number
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.seed import RATES

GENERIC_DRAFT = 10001
DRAFT, INVOICED, CREDITED, PARTLY_CREDITED = 42001, 42002, 42006, 42007
ITEM_INVOICED = 41302  # 41301/41302 exist (§3.3); that they mean draft/invoiced is assumed
CREDIT_NOTE = 1
NO_VAT_COMPANY = 1  # TaxMandatoryType 1: VatTypeID must be null (§3.7 [o])

_INVOICE = ENTITIES["CustomerInvoice"]
_ZERO = Decimal(0)
# A line without a product is text only: these are nulled (§3.3: the UI does it; that the server does is assumed).
_TEXT_LINE_NULLS = ("AccountID", "VatTypeID", "VatPercent", "PriceExVat", "PriceExVatCurrency", "PriceIncVat")
_TEXT_LINE: Record = dict.fromkeys((*_TEXT_LINE_NULLS, "NumberOfItems", "DimensionsID", "Unit"))
_SUMS = ("SumTotalExVat", "SumVat", "SumTotalIncVat")
_TOTALS = ("TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount")
# What a credit draft takes over; own references and guids are not among them (assumed, §4.1).
_NOT_CREDITED = {
    "ID",
    "InvoiceNumber",
    "PaymentID",
    "ExternalReference",
    "StatusCode",
    "JournalEntryID",
    "CreditedAmount",
}
_NOT_CREDITED |= {"CreditedAmountCurrency", "CreatedAt", "CreatedBy", "UpdatedAt", "UpdatedBy", "Deleted"}
_NEGATED = ("NumberOfItems", "Discount", "DiscountCurrency", *_SUMS, *(f"{name}Currency" for name in _SUMS))


def create_invoice(books: Books, body: Record) -> int:
    """The id of the stored invoice: issued at once without a StatusCode, a draft with 10001.

    The single most dangerous fact (§4.1 [o]). Any other StatusCode, and a plain POST of a credit note, is refused
    (assumed: §9 rows 8 and 13).
    """
    status = body.get("StatusCode")
    if status not in (None, 0, GENERIC_DRAFT):
        raise refused("StatusCode cannot be set.", entity=_INVOICE.name, field="StatusCode")
    if body.get("InvoiceType") == CREDIT_NOTE:
        raise refused("Use create-credit-draft-invoice.", entity=_INVOICE.name, field="InvoiceType")
    invoice_id = save_body(books, _INVOICE, body | {"ID": 0})
    defaults = {"StatusCode": DRAFT, "InvoiceType": body.get("InvoiceType") or 0, "CreditedAmount": _ZERO}
    books.update(_INVOICE.name, invoice_id, defaults | {"CreditedAmountCurrency": _ZERO})
    finish_draft(books, invoice_id)
    if not (status and books.options.honour_draft_status):
        issue_invoice(books, invoice_id)
    return invoice_id


def update_invoice(books: Books, invoice_id: int, body: Record) -> None:
    """A changed draft; an issued invoice is refused (assumed: wholly)."""
    if books.tables[_INVOICE.name][invoice_id]["StatusCode"] != DRAFT:
        raise refused("The invoice is issued and cannot be changed.", entity=_INVOICE.name, entity_id=invoice_id)
    save_body(books, _INVOICE, body | {"ID": invoice_id})
    finish_draft(books, invoice_id)


def delete_invoice(books: Books, invoice_id: int) -> None:
    """A deleted draft; only a draft can be deleted (§4.1 [o])."""
    if books.tables[_INVOICE.name][invoice_id]["StatusCode"] != DRAFT:
        raise refused("Only drafts can be deleted.", entity=_INVOICE.name, entity_id=invoice_id)
    books.update(_INVOICE.name, invoice_id, {"Deleted": True})


def finish_draft(books: Books, invoice_id: int) -> None:
    """The draft with its currency, period check and sums."""
    invoice = books.tables[_INVOICE.name][invoice_id]
    _verify_open_period(books, invoice)
    currency_id = invoice["CurrencyCodeID"] or books.settings["BaseCurrencyCodeID"]
    rate = invoice["CurrencyExchangeRate"] or RATES[books.tables["CurrencyCode"][currency_id]["Code"]]
    changes = {"CurrencyCodeID": currency_id, "CurrencyExchangeRate": rate}
    items = _load_items(books, invoice_id)
    changes |= sum_items([finish_item(books, "CustomerInvoiceItem", item, Decimal(rate)) for item in items])
    books.update(_INVOICE.name, invoice_id, changes)


def issue_invoice(books: Books, invoice_id: int) -> None:
    """The invoice numbered, booked and in state 42002; the credited invoice is marked.

    Raises:
        AnswerError: 400 when it is no draft, has no lines (assumed), is in a locked period, or credits too much.
    """
    invoice = books.tables[_INVOICE.name][invoice_id]
    if invoice["StatusCode"] != DRAFT:
        raise refused("The transition is not legal.", entity=_INVOICE.name, field="StatusCode", entity_id=invoice_id)
    if not _load_items(books, invoice_id):
        raise refused("The invoice has no lines.", entity=_INVOICE.name, field="Items", entity_id=invoice_id)
    _verify_open_period(books, invoice)
    if invoice["InvoiceType"] == CREDIT_NOTE:
        _mark_credited(books, invoice)
    books.update(_INVOICE.name, invoice_id, _to_issued(books, invoice))
    for item in _load_items(books, invoice_id):
        books.update("CustomerInvoiceItem", item["ID"], {"StatusCode": ITEM_INVOICED})


def create_credit_draft(books: Books, invoice_id: int) -> int:
    """The id of a credit-note draft over all lines, with negative numbers (§4.1 [O]).

    Raises:
        AnswerError: 400 for a draft, a credit note, or an invoice that is credited already.
    """
    invoice = books.tables[_INVOICE.name][invoice_id]
    if invoice["StatusCode"] in (DRAFT, CREDITED) or invoice["InvoiceType"] == CREDIT_NOTE:
        raise refused("The invoice cannot be credited.", entity=_INVOICE.name, entity_id=invoice_id)
    today = books.options.clock().date().isoformat()
    values = {name: value for name, value in invoice.items() if name not in _NOT_CREDITED}
    values |= {"InvoiceType": CREDIT_NOTE, "InvoiceReferenceID": invoice_id, "StatusCode": DRAFT}
    values |= {"InvoiceDate": today, "PaymentDueDate": today, "CreditedAmount": _ZERO, "CreditedAmountCurrency": _ZERO}
    draft = books.insert(_INVOICE.name, values)
    for item in _load_items(books, invoice_id):
        copy = {name: value for name, value in item.items() if name not in _NOT_CREDITED}
        copy |= {name: -item[name] for name in _NEGATED if item[name] is not None}
        books.insert("CustomerInvoiceItem", copy | {"CustomerInvoiceID": draft["ID"]})
    finish_draft(books, draft["ID"])
    return int(draft["ID"])


def _load_items(books: Books, invoice_id: int) -> list[Record]:
    return books.children("CustomerInvoiceItem", "CustomerInvoiceID", invoice_id)


def round_half_up(value: Decimal, digits: int = 2) -> Decimal:
    """The value with so many decimals, halves away from zero (§3.3 [o])."""
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def finish_item(books: Books, entity: str, item: Record, rate: Decimal) -> Record:
    """The line with prices, VAT and sums; `entity` says whether it is an invoice's or an order's."""
    changes: Record = {"DiscountPercent": item["DiscountPercent"] or _ZERO}
    if not item["ProductID"]:
        zeros = dict.fromkeys((*_SUMS, *(f"{name}Currency" for name in _SUMS), "Discount", "DiscountCurrency"), _ZERO)
        changes |= _TEXT_LINE | zeros
    else:
        changes |= _to_product_fields(books, item)
        changes |= _to_prices(item | changes, rate)
        if books.options.recompute_sums:
            changes |= _to_sums(item | changes, "") | _to_sums(item | changes, "Currency")
    return books.update(entity, item["ID"], changes)


def _to_product_fields(books: Books, item: Record) -> Record:
    """VAT and account of the line; missing ones come from its product (assumed, an option)."""
    product: Record = books.tables["Product"][item["ProductID"]] if books.options.inherit_from_product else {}
    vat_id = item["VatTypeID"] or product.get("VatTypeID")
    if vat_id and books.settings["TaxMandatoryType"] == NO_VAT_COMPANY:
        raise refused(
            "The company has no VAT: VatTypeID must be null.", entity="CustomerInvoiceItem", field="VatTypeID"
        )
    vat_type = books.find("VatType", vat_id)
    percent = vat_type["VatPercent"] if vat_type else _ZERO
    return {"VatTypeID": vat_id, "VatPercent": percent, "AccountID": item["AccountID"] or product.get("AccountID")}


def _to_prices(item: Record, rate: Decimal) -> Record:
    """Both prices of the line: base = currency x rate; the one that is missing is computed (§3.3)."""
    base, foreign = item["PriceExVat"], item["PriceExVatCurrency"]
    if base is None and foreign is None:
        base = foreign = _ZERO
    if foreign is None:
        foreign = base if rate == 1 else Decimal(base) / rate
    if base is None:
        base = foreign * rate
    gross = round_half_up(base * (1 + item["VatPercent"] / 100), 4)
    return {"PriceExVat": base, "PriceExVatCurrency": foreign, "PriceIncVat": gross}


def _to_sums(item: Record, suffix: str) -> Record:
    """Sums of a line in base currency, or with suffix `Currency` in the invoice's; each to 2 decimals."""
    amount = (item["NumberOfItems"] or 0) * Decimal(item[f"PriceExVat{suffix}"])
    discount = round_half_up(amount * item["DiscountPercent"] / 100, 4)
    net = round_half_up(amount - discount)
    vat = round_half_up(net * item["VatPercent"] / 100)
    sums = {f"SumTotalExVat{suffix}": net, f"SumVat{suffix}": vat, f"SumTotalIncVat{suffix}": net + vat}
    return sums | {f"Discount{suffix}": discount}


def sum_items(items: list[Record]) -> Record:
    """The head's sums."""
    totals: Record = {"PayableRoundingAmount": _ZERO, "PayableRoundingCurrencyAmount": _ZERO}
    for suffix in ("", "Currency"):
        for total, part in zip(_TOTALS, _SUMS, strict=True):
            totals[total + suffix] = round_half_up(sum((_value(item[part + suffix]) for item in items), _ZERO))
        totals[f"RestAmount{suffix}"] = totals[f"TaxInclusiveAmount{suffix}"]
    return totals


def _value(amount: Any) -> Decimal:
    return Decimal(amount or 0)


def _verify_open_period(books: Books, invoice: Record) -> None:
    """Source: §5.4 [I]; that it is checked at draft save too is assumed."""
    field = "InvoiceDate"
    if books.settings["BookCustomerInvoiceOnDeliveryDate"] and invoice["DeliveryDate"]:
        field = "DeliveryDate"
    for name in ("AccountingLockedDate", "VatLockedDate"):
        locked = books.settings[name]
        if locked and invoice[field][:10] <= locked[:10]:
            raise refused(f"The period is locked ({name} {locked}).", entity=_INVOICE.name, field=field)


def _mark_credited(books: Books, credit: Record) -> None:
    original = books.tables[_INVOICE.name][credit["InvoiceReferenceID"]]
    credited = original["CreditedAmount"] - credit["TaxInclusiveAmount"]
    if credited > original["TaxInclusiveAmount"]:
        raise refused("More than the original cannot be credited.", entity=_INVOICE.name, field="TaxInclusiveAmount")
    credited_currency = original["CreditedAmountCurrency"] - credit["TaxInclusiveAmountCurrency"]
    changes: Record = {"CreditedAmount": credited, "CreditedAmountCurrency": credited_currency}
    changes["RestAmount"] = original["TaxInclusiveAmount"] - credited
    changes["RestAmountCurrency"] = original["TaxInclusiveAmountCurrency"] - credited_currency
    changes["StatusCode"] = CREDITED if credited == original["TaxInclusiveAmount"] else PARTLY_CREDITED
    books.update(_INVOICE.name, original["ID"], changes)


def _to_issued(books: Books, invoice: Record) -> Record:
    number = str(take_number(books, "CustomerInvoice", invoice["InvoiceNumberSeriesID"]))
    if any(row["InvoiceNumber"] == number for row in books.rows(_INVOICE.name)):
        raise refused("InvoiceNumber is already in use.", entity=_INVOICE.name, field="InvoiceNumber")
    customer = books.tables["Customer"][invoice["CustomerID"]]
    voucher_number = f"{take_number(books, 'JournalEntry')}-{invoice['InvoiceDate'][:4]}"
    voucher = {"Description": f"Faktura {number}", "JournalEntryNumber": voucher_number}
    issued = {"InvoiceNumber": number, "StatusCode": INVOICED}
    issued["JournalEntryID"] = books.insert("JournalEntry", voucher)["ID"]
    if invoice["InvoiceType"] != CREDIT_NOTE:
        issued["PaymentID"] = invoice["PaymentID"] or to_kid(f"{customer['CustomerNumber']}{number}")
    return issued


def to_kid(digits: str) -> str:
    """The digits with their MOD10 check digit. Source: what a KID is made of is assumed (§9 row 7)."""
    doubled = (int(digit) * (2 - index % 2) for index, digit in enumerate(reversed(digits)))
    return digits + str(-sum(value // 10 + value % 10 for value in doubled) % 10)
