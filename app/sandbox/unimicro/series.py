"""Number series: which one a record takes its number from, which number is next, and how a series may be changed.

Source: docs/facts/unimicro.md §3.7, §4.3 B, §11 row 5: from, to and next can be changed while series do not overlap; a
used invoice series cannot be renumbered; "finn neste ledige nr" jumps back into a gap [O]. Words of refusals, and that
two series of one register alone must not overlap, are assumed.
"""

from app.sandbox.unimicro.answers import AnswerError, Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.ledger_switches import NextNumber, NextPut, NumberInUse, ResetNext, SeriesNamed
from app.sandbox.unimicro.save import save_body
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.series_numbers import find_series, take_number, to_register

INVOICE = "CustomerInvoice"
_SERIES = ENTITIES["NumberSeries"]
_BOUNDS = ("FromNumber", "ToNumber")
# The series of credit notes where they have one of their own; name and range are made up.
CREDIT_NOTES: Record = {
    "Name": "CreditNote",
    "DisplayName": "Kreditnota",
    "FromNumber": 1_000_000,
    "ToNumber": 1_999_999,
}


def create_series(books: Books, body: Record) -> int:
    """The id of a new series.

    Raises:
        AnswerError: 400 when its numbers are not in order, or overlap those of another series.
    """
    known = {"NextNumber": body.get("FromNumber"), "Disabled": False, "IsDefaultForTask": False, "System": False}
    series_id = save_body(books, _SERIES, known | body | {"ID": 0})
    _verify_series(books, books.tables[_SERIES.name][series_id])
    return series_id


def update_series(books: Books, series_id: int, body: Record) -> None:
    """A changed series.

    Raises:
        AnswerError: 400 as for a new one, and when a used one gets other bounds.
    """
    old = books.tables[_SERIES.name][series_id]
    body = _to_changes_of_used(books, old, body) if list_used(books, old) else body
    save_body(books, _SERIES, body | {"ID": series_id})
    _verify_series(books, books.tables[_SERIES.name][series_id])


def delete_series(books: Books, series_id: int) -> None:
    """A deleted series; one in use cannot be deleted (§3.7 [O])."""
    if list_used(books, books.tables[_SERIES.name][series_id]):
        raise _refused("A number series in use cannot be deleted.", "ID", series_id)
    books.update(_SERIES.name, series_id, {"Deleted": True})


def _to_changes_of_used(books: Books, old: Record, body: Record) -> Record:
    if books.switches.used_series_fixed:
        for name in _BOUNDS:
            if body.get(name, old[name]) != old[name]:
                raise _refused("A number series in use cannot be renumbered; make a new one.", name, old["ID"])
    if body.get("NextNumber", old["NextNumber"]) == old["NextNumber"] or books.switches.next_put is NextPut.TAKEN:
        return body
    if books.switches.next_put is NextPut.REFUSED:
        raise _refused("NextNumber of a number series in use cannot be changed.", "NextNumber", old["ID"])
    return body | {"NextNumber": old["NextNumber"]}


def _verify_series(books: Books, series: Record) -> None:
    first, last, following = (series[name] for name in (*_BOUNDS, "NextNumber"))
    if not first or not last or first > last:
        raise _refused("FromNumber and ToNumber are not in order.", "FromNumber", series["ID"])
    if not following or not first <= following <= last + 1:
        raise _refused("NextNumber lies outside the number series.", "NextNumber", series["ID"])
    for other in books.rows(_SERIES.name):
        same = other["ID"] != series["ID"] and to_register(books, other) == to_register(books, series)
        same = same and other["AccountYear"] == series["AccountYear"]
        if same and other["FromNumber"] <= last and first <= other["ToNumber"]:
            raise _refused(f"The number series overlaps {other['DisplayName']}.", "FromNumber", series["ID"])


def _refused(text: str, field: str, series_id: int) -> AnswerError:
    return refused(text, entity=_SERIES.name, field=field, entity_id=series_id)


def list_active(books: Books, register: str, year: str) -> list[Record]:
    """The series of a register that are open in that year; one without a year is open in all (assumed)."""
    rows = [row for row in books.rows(_SERIES.name) if to_register(books, row) == register and not row["Disabled"]]
    found = [row for row in rows if not year or str(row["AccountYear"] or year) == year]
    untold = {} if books.switches.series_told else dict.fromkeys((*_BOUNDS, "NextNumber"))
    return [row | untold for row in found]


def list_used(books: Books, series: Record) -> list[int]:
    """The numbers of a series that are in use, rising.

    Of invoice series alone: what has numbers of the other registers is not looked for.
    """
    if to_register(books, series) != INVOICE:
        return []
    numbers = (row["InvoiceNumber"] for row in books.rows(INVOICE))
    used = (int(number) for number in numbers if number and number.isdigit())
    return sorted(number for number in used if series["FromNumber"] <= number <= series["ToNumber"])


def reset_next(books: Books, series: Record) -> None:
    """The series with the next number where the switch says it goes back to."""
    used = list_used(books, series)
    highest = max([series["FromNumber"] - 1, *used]) + 1
    found = find_gap(series, used) if books.switches.reset_next is ResetNext.FIRST_GAP else highest
    books.update(_SERIES.name, series["ID"], {"NextNumber": found})


def find_gap(series: Record, used: list[int]) -> int:
    """The lowest number of a series that is not in use; one beyond its last when all are."""
    taken = set(used)
    return next(one for one in range(series["FromNumber"], series["ToNumber"] + 2) if one not in taken)


def take_invoice_number(books: Books, invoice: Record) -> str:
    """The number an invoice is issued with, out of its series, which moves on.

    Raises:
        AnswerError: 400 when the series is of something else, disabled, or used up, or the number is in use.
    """
    named = invoice["InvoiceNumberSeriesID"] if books.switches.series_named is SeriesNamed.FOLLOWED else None
    series = find_series(books, INVOICE, named)
    if to_register(books, series) != INVOICE or series["Disabled"]:
        raise refused("The number series cannot be used.", entity=INVOICE, field="InvoiceNumberSeriesID")
    if books.switches.next_number is NextNumber.FIRST_GAP:
        gap = find_gap(series, list_used(books, series))
        books.update(_SERIES.name, series["ID"], {"NextNumber": gap})
    number = str(take_number(books, INVOICE, series["ID"]))
    while books.switches.number_in_use is NumberInUse.SKIPPED and is_in_use(books, number, invoice["ID"]):
        number = str(take_number(books, INVOICE, series["ID"]))
    verify_free(books, number, invoice["ID"])
    return number


def is_in_use(books: Books, number: str, invoice_id: int) -> bool:
    """Whether another invoice has the number."""
    return any(row["InvoiceNumber"] == number and row["ID"] != invoice_id for row in books.rows(INVOICE))


def verify_free(books: Books, number: str, invoice_id: int) -> None:
    """Nothing when the invoice may have the number.

    Raises:
        AnswerError: 400 when another one has it, unless the switch lets both.
    """
    if books.switches.number_in_use is not NumberInUse.TAKEN and is_in_use(books, number, invoice_id):
        raise refused("InvoiceNumber is already in use.", entity=INVOICE, field="InvoiceNumber")


def load_credit_series(books: Books) -> Record:
    """The series of credit notes, made when it is first needed."""
    found = next((row for row in books.rows(_SERIES.name) if row["Name"] == CREDIT_NOTES["Name"]), None)
    kinds = ("NumberSeriesTaskID", "NumberSeriesTypeID")
    like = {name: find_series(books, INVOICE)[name] for name in kinds}
    made = {"NextNumber": CREDIT_NOTES["FromNumber"], "IsDefaultForTask": False, "Disabled": False, "System": True}
    return found or books.insert(_SERIES.name, CREDIT_NOTES | like | made)
