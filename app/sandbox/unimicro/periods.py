"""The day a document is booked on, and periods that are locked.

Source: docs/facts/unimicro.md §5.4 [I] (locks are compared with InvoiceDate, or with DeliveryDate where the company
books on it), §5.1 for the shapes of a refusal. Texts, and that drafts are looked at too, are assumed.
"""

from app.sandbox.unimicro.answers import AnswerError, Record, invalid, refused, to_message_body, to_validation
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.switches import LockDay, LockRefusal

_INVOICE = "CustomerInvoice"
_LOCKS = ("AccountingLockedDate", "VatLockedDate")


def to_booking_day(books: Books, document: Record) -> str:
    """The day that the document is booked on; today for an order, which is not booked."""
    return str(document.get(_to_booking_field(books, document)) or books.today())


def verify_open_period(books: Books, invoice: Record, *, issuing: bool) -> None:
    """Nothing when the invoice may be saved or issued on its days.

    Raises:
        AnswerError: 400 in the form that the switch names.
    """
    if not issuing and not books.switches.lock_at_draft:
        return
    for field in _to_fields(books, invoice):
        for name in _LOCKS:
            locked = books.settings[name]
            if locked and invoice[field] and _is_locked(books, invoice[field][:10], locked[:10]):
                raise _to_refusal(books, invoice, field=field, lock=f"{name} {locked}")


def verify_open_day(books: Books, row: Record, *, entity: str, field: str, lock: str) -> None:
    """Nothing when the row's day lies behind that lock of the company's settings.

    Raises:
        AnswerError: 400 in the form that the switch names.
    """
    locked = books.settings[lock]
    if locked and row[field] and _is_locked(books, row[field][:10], locked[:10]):
        raise _to_refusal(books, row, field=field, lock=f"{lock} {locked}", entity=entity)


def _to_booking_field(books: Books, document: Record) -> str:
    by_delivery = books.settings["BookCustomerInvoiceOnDeliveryDate"] and document.get("DeliveryDate")
    return "DeliveryDate" if by_delivery else "InvoiceDate"


def _to_fields(books: Books, invoice: Record) -> tuple[str, ...]:
    days = {LockDay.INVOICE: ("InvoiceDate",), LockDay.EITHER: ("InvoiceDate", "DeliveryDate")}
    return days.get(books.switches.lock_day) or (_to_booking_field(books, invoice),)


def _is_locked(books: Books, day: str, locked: str) -> bool:
    return day <= locked if books.switches.lock_last_day else day < locked


def _to_refusal(books: Books, invoice: Record, *, field: str, lock: str, entity: str = _INVOICE) -> AnswerError:
    kind = books.switches.lock_refusal
    if kind is LockRefusal.ECHO:
        return invalid(invoice, [((), to_validation(entity, field, f"The period is locked ({lock})."))])
    if kind is LockRefusal.PLAIN:
        return AnswerError(400, to_message_body(f"The period is locked ({lock})."))
    text = f"Perioden er låst ({lock})." if kind is LockRefusal.NORWEGIAN else f"The period is locked ({lock})."
    return refused(text, entity=entity, field=field)
