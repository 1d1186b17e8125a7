"""Lines of the ledger: what an issued invoice books, what a payment closes, and what is open.

Source: docs/facts/unimicro.md §12 (states 31001-31004, RestAmount, PostPostJournalEntryLineID [O]), §11 rows 4 and 8.
Assumed: lines outside the sub-ledger have neither state nor rest; a part paid leaves 31002.
"""

from decimal import Decimal
from itertools import groupby
from typing import Any

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.periods import to_booking_day
from app.sandbox.unimicro.series_numbers import find_series, take_number
from app.sandbox.unimicro.sub_accounts import load_main_account, load_sub_account

OPEN, PARTLY_MARKED, MARKED, LINE_CREDITED = 31001, 31002, 31003, 31004
INVOICED, PARTLY_PAID, PAID = 42002, 42003, 42004
VAT_ACCOUNT, ROUNDING_ACCOUNT = 2700, 7740

_ZERO = Decimal(0)
LINE = "JournalEntryLine"
ENTRY = "JournalEntry"


def number_entry(books: Books, entry_id: int, day: str) -> Record:
    """The journal entry with its number out of its voucher series, as "34-2026"."""
    entry = books.tables[ENTRY][entry_id]
    named = entry["NumberSeriesID"] or _find_series_of_task(books, entry["NumberSeriesTaskID"])
    if named is None and books.switches.yearly_vouchers:
        named = _load_series_of_year(books, int(day[:4]))["ID"]
    number = take_number(books, ENTRY, named)
    numbers = {"JournalEntryNumber": f"{number}-{day:.4}", "JournalEntryNumberNumeric": number}
    return books.update(ENTRY, entry_id, numbers | {"NumberSeriesID": find_series(books, ENTRY, named)["ID"]})


def _find_series_of_task(books: Books, task_id: int | None) -> int | None:
    rows = [row for row in books.rows("NumberSeries") if row["NumberSeriesTaskID"] == task_id]
    return rows[0]["ID"] if task_id and rows else None


def _load_series_of_year(books: Books, year: int) -> Record:
    """The voucher series of a year, made when it is first needed."""
    default = find_series(books, ENTRY)
    kind = default["NumberSeriesTaskID"]
    rows = (row for row in books.rows("NumberSeries") if row["NumberSeriesTaskID"] == kind)
    found = next((row for row in rows if row["AccountYear"] == year), None)
    own = {"AccountYear": year, "NextNumber": default["FromNumber"], "IsDefaultForTask": False}
    return found or books.insert("NumberSeries", default | own | {"DisplayName": f"Bilag {year}"})


def insert_line(books: Books, entry: Record, values: Record) -> Record:
    """A booked line of the entry; one on a customer's sub-account is open with all of its amount."""
    known = {name: entry[name] for name in ("JournalEntryNumber", "JournalEntryNumberNumeric")}
    known |= {"JournalEntryID": entry["ID"], "RegisteredDate": books.today().isoformat()}
    amounts: Record = {"RestAmount": _ZERO, "RestAmountCurrency": _ZERO, "StatusCode": None}
    if values.get("SubAccountID"):
        amounts = {
            "RestAmount": values["Amount"],
            "RestAmountCurrency": values["AmountCurrency"],
            "StatusCode": OPEN,
        }
    return books.insert(LINE, known | amounts | values)


def book_invoice(books: Books, invoice: Record, entry: Record) -> None:
    """The lines of an issued invoice: the customer's claim, and income and VAT by account, type and dimensions."""
    day = to_booking_day(books, invoice)
    head = {"FinancialDate": day, "VatDate": day, "InvoiceNumber": invoice["InvoiceNumber"]}
    head |= {"CurrencyCodeID": invoice["CurrencyCodeID"], "CurrencyExchangeRate": invoice["CurrencyExchangeRate"]}
    head |= {"CustomerInvoiceID": invoice["ID"], "Description": entry["Description"]}
    sub_account = load_sub_account(books, invoice["CustomerID"])
    claim = {"AccountID": sub_account["AccountID"], "SubAccountID": sub_account["ID"]}
    claim |= {"PaymentID": invoice["PaymentID"], "DueDate": invoice["PaymentDueDate"]}
    sums = [(invoice["RestAmount"] or _ZERO), (invoice["RestAmountCurrency"] or _ZERO)]
    insert_line(books, entry, head | claim | {"Amount": sums[0], "AmountCurrency": sums[1]})
    for (account_id, vat_id, dimensions_id), items in _group(books, invoice):
        net = [-_sum(items, name) for name in ("SumTotalExVat", "SumTotalExVatCurrency")]
        vat = [-_sum(items, name) for name in ("SumVat", "SumVatCurrency")]
        place = {"AccountID": account_id, "VatTypeID": vat_id, "DimensionsID": dimensions_id}
        place |= {"VatPercent": items[0]["VatPercent"]}
        insert_with_vat(books, entry, head | place, net=net, vat=vat)
        sums = [total + part + tax for total, part, tax in zip(sums, net, vat, strict=True)]
    if sums[0]:
        place = {"AccountID": load_main_account(books, ROUNDING_ACCOUNT)["ID"]}
        insert_line(books, entry, head | place | {"Amount": -sums[0], "AmountCurrency": -sums[1]})


def insert_with_vat(books: Books, entry: Record, values: Record, *, net: list[Decimal], vat: list[Decimal]) -> None:
    """A line with its net, and one with its VAT where there is any; each list has the amount and that in currency."""
    line = insert_line(books, entry, values | {"Amount": net[0], "AmountCurrency": net[1]})
    if not vat[0]:
        return
    basis = {"TaxBasisAmount": net[0], "TaxBasisAmountCurrency": net[1]}
    account = {"AccountID": load_main_account(books, VAT_ACCOUNT)["ID"], "Amount": vat[0], "AmountCurrency": vat[1]}
    tax = insert_line(books, entry, values | account | basis)
    books.update(LINE, line["ID"], {"VatJournalEntryPostID": tax["ID"]})


def _group(books: Books, invoice: Record) -> list[tuple[tuple[Any, ...], list[Record]]]:
    items = books.children("CustomerInvoiceItem", "CustomerInvoiceID", invoice["ID"])
    priced = [item for item in items if item["SumTotalIncVat"]]

    def place(item: Record) -> tuple[Any, ...]:
        return item["AccountID"], item["VatTypeID"], item["DimensionsID"]

    def order(item: Record) -> tuple[int, ...]:
        return tuple(number or 0 for number in place(item))

    return [(key, [*rows]) for key, rows in groupby(sorted(priced, key=order), key=place)]


def _sum(items: list[Record], name: str) -> Decimal:
    return sum((Decimal(item[name] or 0) for item in items), _ZERO)


def settle(books: Books, invoice: Record, line: Record) -> None:
    """The invoice with what the line leaves of it: paid, partly paid; what is too much stays open on the line."""
    rest = Decimal(invoice["RestAmount"] or 0)
    taken = _to_taken(rest, line["Amount"])
    in_currency = _to_taken(Decimal(invoice["RestAmountCurrency"] or 0), line["AmountCurrency"])
    left = rest + taken
    changes = {"RestAmount": left, "RestAmountCurrency": (invoice["RestAmountCurrency"] or _ZERO) + in_currency}
    changes |= {"StatusCode": PARTLY_PAID if left else PAID, "LastPaymentDate": line["FinancialDate"]}
    books.update("CustomerInvoice", invoice["ID"], changes)
    close_line(books, line, line["Amount"] - taken, line["AmountCurrency"] - in_currency)
    claim = find_claim(books, invoice)
    if claim:
        close_line(books, claim, claim["RestAmount"] + taken, claim["RestAmountCurrency"] + in_currency, against=line)
        books.update(LINE, line["ID"], {"PostPostJournalEntryLineID": claim["ID"], "CustomerInvoiceID": invoice["ID"]})


def _to_taken(rest: Decimal, amount: Decimal) -> Decimal:
    """How much of the amount goes to the rest: at most what brings it to nothing."""
    against = rest * amount < 0
    return (amount if abs(amount) <= abs(rest) else -rest) if against else amount


def close_line(
    books: Books, line: Record, rest: Decimal, in_currency: Decimal, *, against: Record | None = None
) -> None:
    """The line with this rest, and the state that goes with it."""
    changes: Record = {"RestAmount": rest, "RestAmountCurrency": in_currency}
    changes["StatusCode"] = MARKED if not rest else OPEN if rest == line["Amount"] else PARTLY_MARKED
    changes |= {"PostPostJournalEntryLineID": against["ID"]} if against else {}
    books.update(LINE, line["ID"], changes)


def find_claim(books: Books, invoice: Record) -> Record | None:
    """The line on the customer's sub-account that the invoice was booked with."""
    lines = books.children(LINE, "JournalEntryID", invoice["JournalEntryID"]) if invoice["JournalEntryID"] else []
    return next(
        (row for row in lines if row["SubAccountID"] and row["InvoiceNumber"] == invoice["InvoiceNumber"]), None
    )
