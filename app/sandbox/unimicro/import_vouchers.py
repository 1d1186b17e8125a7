"""The card *Bilag*: rows become vouchers, booked or left as drafts, with invoice heads where those are asked for.

Source: docs/facts/files.md §3 [D]: one financial year a file; with "Opprett faktura" and "bokføres" a head is made, the
number is required and the file's KID kept. Assumed: a customer's number in Kontonummer is the customer's own account;
texts of refusals; see `import_switches`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.sandbox.unimicro.answers import AnswerError, Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.import_sheets import ImportRefusedError, SheetRow, read_sheet
from app.sandbox.unimicro.import_switches import ImportFaults, ImportGroups, ImportPlaces
from app.sandbox.unimicro.ledger import ENTRY
from app.sandbox.unimicro.save import save_body
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.sub_accounts import load_sub_account
from app.sandbox.unimicro.vouchers import book_entries

NEEDED = ("Dato", "Kontonummer", "Beløp")
_PLACES = {"Prosjekt": ("Project", "ProjectNumber"), "Avdeling": ("Department", "DepartmentNumber")}
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What a person ticks beside the file; each as Import central's page has it.

    `posts`: bokføres, else the vouchers stay drafts (orders: registered). `makes_invoices`: Opprett faktura.
    `with_vat`: the VAT codes of the file count. `overwrites`: known customers and products are changed, else skipped.
    """

    posts: bool = True
    makes_invoices: bool = True
    with_vat: bool = True
    overwrites: bool = False


def import_vouchers(books: Books, content: bytes, options: ImportOptions) -> Record:
    """What came of the file, as its import log has it.

    Raises:
        ImportRefusedError: nothing of it was imported.
    """
    rows = read_sheet(content, NEEDED)
    years = {day[:4] for row in rows if (day := row.day("Dato"))}
    if len(years) > 1:
        raise ImportRefusedError([f"the file spans several financial years: {', '.join(sorted(years))}"])
    groups = [*_group(books, rows)]
    drafts = [(group, [_to_line(books, row, options) for row in group]) for group in groups]
    for group in groups:
        if sum((row.amount("Beløp") or _ZERO for row in group), _ZERO):
            group[0].complain("the voucher is not in balance")
    kept = drop_faulty(books, groups)
    numbers = {id(group) for group in kept}
    made = sum(_store(books, lines, group, options) for group, lines in drafts if id(group) in numbers)
    faults = [fault for row in rows for fault in row.faults]
    return {"Imported": made, "Skipped": len(groups) - made, "Faults": faults}


def drop_faulty(books: Books, groups: list[list[SheetRow]]) -> list[list[SheetRow]]:
    """The groups without a fault; where one fault refuses all, none has any.

    Raises:
        ImportRefusedError: one has, and the company's switch says so.
    """
    faults = [fault for group in groups for row in group for fault in row.faults]
    if faults and books.switches.import_faults is ImportFaults.FILE:
        raise ImportRefusedError(faults)
    return [group for group in groups if not any(row.faults for row in group)]


def _group(books: Books, rows: list[SheetRow]) -> Iterator[list[SheetRow]]:
    kind = books.switches.import_groups
    if kind is ImportGroups.FILE:
        yield rows
    elif kind is ImportGroups.DAY:
        days = dict.fromkeys(row.day("Dato") for row in rows)
        yield from ([row for row in rows if row.day("Dato") == day] for day in days)
    else:
        yield from _group_by_balance(rows)


def _group_by_balance(rows: list[SheetRow]) -> Iterator[list[SheetRow]]:
    group: list[SheetRow] = []
    for row in rows:
        group.append(row)
        if not sum((one.amount("Beløp") or _ZERO for one in group), _ZERO):
            yield group
            group = []
    if group:
        yield group


def _to_line(books: Books, row: SheetRow, options: ImportOptions) -> Record:
    """The draft line of a row; what cannot be used is noted on the row."""
    account = _find_account(books, row.text("Kontonummer"))
    if account is None:
        row.complain(f"there is no account {row.text('Kontonummer')}")
    line: Record = {"AccountID": account and account["ID"], "Amount": row.amount("Beløp")}
    line |= {
        "FinancialDate": row.day("Dato"),
        "Description": row.text("Tekst") or None,
        "DueDate": row.day("Forfallsdato"),
    }
    line |= {"InvoiceNumber": row.text("Fakturanr") or None, "PaymentID": row.text("KID") or None}
    line |= {"VatTypeID": _find_vat(books, row) if options.with_vat else None}
    places = {f"{entity}ID": _find_place(books, row, name) for name, (entity, _) in _PLACES.items()}
    if any(places.values()):
        line["Dimensions"] = places
    if options.makes_invoices and account and account["CustomerID"] and not line["InvoiceNumber"]:
        row.complain("Fakturanr is empty, and an invoice is to be made")
    return line


def _find_account(books: Books, number: str) -> Record | None:
    """A customer's own account by his number, else the ledger account."""
    customer = next((row for row in books.rows("Customer") if str(row["CustomerNumber"]) == number), None)
    if customer is not None:
        return load_sub_account(books, customer["ID"])
    rows = (row for row in books.rows("Account") if not row["CustomerID"])
    return next((row for row in rows if str(row["AccountNumber"]) == number), None)


def _find_vat(books: Books, row: SheetRow) -> int | None:
    code = row.text("Momskode")
    found = next((one for one in books.rows("VatType") if one["VatCode"] == code), None)
    if code and found is None:
        row.complain(f"there is no VAT code {code}")
    return found["ID"] if found else None


def _find_place(books: Books, row: SheetRow, name: str) -> int | None:
    number, (entity, numbered) = row.text(name), _PLACES[name]
    if not number:
        return None
    found = next((one for one in books.rows(entity) if one[numbered] == number), None)
    if found is None and books.switches.import_places is ImportPlaces.MADE:
        return save_body(books, ENTITIES[entity], {numbered: number, "Name": number})
    if found is None and books.switches.import_places is ImportPlaces.REFUSED:
        row.complain(f"there is no {name} {number}")
    return found["ID"] if found else None


def _store(books: Books, lines: list[Record], group: list[SheetRow], options: ImportOptions) -> int:
    """How many vouchers were made of the group, 0 or 1; a refusal is noted on its first row."""
    entry: dict[str, Any] = {"Description": lines[0]["Description"], "DraftLines": lines}
    if not options.posts:
        save_body(books, ENTITIES[ENTRY], entry)
        return 1
    try:
        with books.savepoint():
            book_entries(books, [entry], with_heads=options.makes_invoices, with_kid=False, unlocked=False)
    except AnswerError as error:
        group[0].complain(_to_words(error))
        drop_faulty(books, [group])
        return 0
    return 1


def _to_words(error: AnswerError) -> str:
    body = error.body
    return str(body["Messages"][0]["Message"]) if isinstance(body, dict) and "Messages" in body else str(body)
