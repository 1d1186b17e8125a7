"""Invoice heads that vouchers make: without lines, with the voucher's number, KID and due date.

Source: docs/facts/unimicro.md §4.3 D, §11 row 3 (head only, the file's KID kept), §12 last row: what exactly is made is
unknown, so switches say it. A head's days are the line's FinancialDate and DueDate (assumed).
"""

from decimal import Decimal

from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.kid import to_kid
from app.sandbox.unimicro.ledger import INVOICED, LINE, settle
from app.sandbox.unimicro.ledger_switches import DuplicateHeads, HeadSums, VoucherCredits, VoucherHeads, VoucherKid

_INVOICE = "CustomerInvoice"
_CREDIT_NOTE = 1
_ZERO = Decimal(0)


def find_heads(books: Books, number: str) -> list[Record]:
    """The issued invoices with this number."""
    return [row for row in books.rows(_INVOICE) if row["InvoiceNumber"] == number and row["JournalEntryID"]]


def create_heads(books: Books, lines: list[Record], *, with_kid: bool) -> None:
    """A head for each of the entry's lines on a customer's sub-account that has an invoice number.

    Raises:
        AnswerError: 400 when a head would have a number in use, or be a credit note, where the switches refuse that.
    """
    if books.switches.voucher_heads is VoucherHeads.NONE:
        return
    claims = [line for line in lines if line["SubAccountID"] and line["InvoiceNumber"]]
    for line in claims:
        _create_head(books, line, lines if len(claims) == 1 else [], with_kid=with_kid)


def _create_head(books: Books, line: Record, lines: list[Record], *, with_kid: bool) -> None:
    if line["Amount"] < 0 and books.switches.voucher_credits is VoucherCredits.IGNORED:
        return
    if line["Amount"] < 0 and books.switches.voucher_credits is VoucherCredits.REFUSED:
        raise refused("An invoice cannot be negative.", entity=_INVOICE, field="TaxInclusiveAmount")
    same = find_heads(books, line["InvoiceNumber"])
    if same and books.switches.duplicate_heads is DuplicateHeads.REFUSED:
        raise refused("InvoiceNumber is already in use.", entity=_INVOICE, field="InvoiceNumber")
    if same and books.switches.duplicate_heads is DuplicateHeads.MATCHED:
        settle(books, same[0], line)
        return
    head = books.insert(_INVOICE, _to_head(books, line, with_kid=with_kid) | _to_sums(books, line, lines))
    changes = {"CustomerInvoiceID": head["ID"], "PaymentID": head["PaymentID"]}
    books.update(LINE, line["ID"], changes)


def _to_head(books: Books, line: Record, *, with_kid: bool) -> Record:
    customer = books.tables["Customer"][books.tables["Account"][line["SubAccountID"]]["CustomerID"]]
    relation = books.find("BusinessRelation", customer["BusinessRelationID"]) or {}
    return {
        "InvoiceNumber": line["InvoiceNumber"],
        "PaymentID": _to_payment_id(books, line, customer, with_kid=with_kid),
        "InvoiceType": _CREDIT_NOTE if line["Amount"] < 0 else 0,
        "InvoiceDate": line["FinancialDate"],
        "PaymentDueDate": line["DueDate"],
        "CustomerID": customer["ID"],
        "CustomerName": relation.get("Name"),
        "CustomerOrgNumber": customer["OrgNumber"],
        "CurrencyCodeID": line["CurrencyCodeID"],
        "CurrencyExchangeRate": line["CurrencyExchangeRate"],
        "StatusCode": INVOICED,
        "JournalEntryID": line["JournalEntryID"],
        "CreatedFromJournalEntry": True,
        "CreditedAmount": _ZERO,
        "CreditedAmountCurrency": _ZERO,
    }


def _to_payment_id(books: Books, line: Record, customer: Record, *, with_kid: bool) -> str | None:
    kind, given = books.switches.voucher_kid, line["PaymentID"] or None
    replaced = kind is VoucherKid.REPLACED and with_kid
    made = not given and (with_kid or kind is VoucherKid.ALWAYS) and line["Amount"] > 0
    return to_kid(line["InvoiceNumber"], customer["CustomerNumber"]) if replaced or made else given


def _to_sums(books: Books, line: Record, lines: list[Record]) -> Record:
    """Gross of the line; net and VAT of the entry's other lines, where there is one claim alone."""
    sums: Record = {"PayableRoundingAmount": _ZERO, "PayableRoundingCurrencyAmount": _ZERO}
    for suffix in ("", "Currency"):
        gross = line[f"Amount{suffix}"]
        vat = -sum((one[f"Amount{suffix}"] for one in lines if one["TaxBasisAmount"] is not None), _ZERO)
        vat = _ZERO if books.switches.head_sums is HeadSums.GROSS else vat
        sums |= {f"TaxInclusiveAmount{suffix}": gross, f"RestAmount{suffix}": gross}
        sums |= {f"TaxExclusiveAmount{suffix}": gross - vat, f"VatTotalsAmount{suffix}": vat}
    return sums
