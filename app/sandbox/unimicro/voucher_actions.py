"""Actions on journal entries: booking, undoing, another reference. Source: docs/facts/unimicro.md §12 [O]."""

from app.sandbox.unimicro.answers import Record, not_found
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.calls import Action, ActionCall, Answer, load, to_flag, to_id
from app.sandbox.unimicro.ledger import ENTRY, LINE
from app.sandbox.unimicro.vouchers import book_entries, credit_entry


def _to_booking(*, with_heads: bool) -> Action:
    def book(call: ActionCall) -> Answer:
        """The booked entries, their lines as the switch says; ID and JournalEntryNumber are there (§12)."""
        made = book_entries(
            call.books,
            call.body,
            with_heads=with_heads,
            with_kid=to_flag(call.query, "generateKID"),
            unlocked=to_flag(call.query, "allowJournalingRegardlessOfLockedDates"),
        )
        return Answer(body=[_show(call.books, load(call.books, ENTRY, entry_id)) for entry_id in made])

    return book


def _show(books: Books, entry: Record) -> Record:
    if not books.switches.voucher_lines_shown:
        return entry
    return entry | {"Lines": [dict(line) for line in books.children(LINE, "JournalEntryID", entry["ID"])]}


def _credit_by_number(call: ActionCall) -> Answer:
    """The crediting entry; what is answered is unknown."""
    number = call.query.get("journalEntryNumber", "")
    found = [row for row in call.books.rows(ENTRY) if row["JournalEntryNumber"] == number]
    if len(found) != 1:
        raise not_found()
    return _credit(call, found[0])


def _credit_by_id(call: ActionCall) -> Answer:
    """The crediting entry, or with a body the entries that are booked in its place."""
    answer = _credit(call, load(call.books, ENTRY, to_id(call.query, "journalEntryID")))
    return _to_booking(with_heads=False)(call) if call.body else answer


def _credit(call: ActionCall, entry: Record) -> Answer:
    made = credit_entry(call.books, entry, call.query.get("creditDate"))
    return Answer(body=load(call.books, ENTRY, made))


def _change_reference(call: ActionCall) -> Answer:
    entry = load(call.books, ENTRY, to_id(call.query, "journalEntryID"))
    changes = {"ExternalReference": call.query.get("externalReference")}
    return Answer(body=call.books.update(ENTRY, entry["ID"], changes))


VOUCHER_ACTIONS: dict[tuple[str, str, str], Action] = {
    ("POST", "journalentries", "book-journal-entries"): _to_booking(with_heads=False),
    ("POST", "journalentries", "book-journal-entries-create-invoices"): _to_booking(with_heads=True),
    ("POST", "journalentries", "credit-journal-entry"): _credit_by_number,
    ("POST", "journalentries", "credit-and-book-journal-entry"): _credit_by_id,
    ("PUT", "journalentries", "update-external-reference"): _change_reference,
}
