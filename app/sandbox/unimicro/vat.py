"""VAT types: which percentage holds on which day, which may be used on a line, and ids that move.

Source: docs/facts/unimicro.md §3.7 (VatTypePercentages, TaxMandatoryType [o]), the current reference (VatType has no
VatPercent of its own). What is refused, and with which words, is assumed.
"""

from datetime import date
from decimal import Decimal

from app.sandbox.unimicro.answers import AnswerError, Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.periods import to_booking_day
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.switches import Unregistered, VatIds, VatPercent

NO_VAT_COMPANY, PLANNED_COMPANY = 1, 2  # TaxMandatoryType: VatTypeID must be null; not yet registered (§3.7 [o])
_REGISTERED_ONLY = {"3", "31", "32", "33"}
_OUTSIDE = "6"
_ZERO = Decimal(0)


def to_line_vat(books: Books, document: Record, vat_id: int | None) -> Record:
    """VatTypeID and VatPercent of a line that asks for this VAT type.

    Raises:
        AnswerError: 400 when the company has no VAT, is not registered yet, or the type cannot be used on the day.
    """
    if vat_id and books.settings["TaxMandatoryType"] == NO_VAT_COMPANY:
        raise _refused("The company has no VAT: VatTypeID must be null.")
    vat_type = books.find("VatType", vat_id)
    if vat_type is None:
        return {"VatTypeID": vat_id, "VatPercent": _ZERO}
    vat_type = _to_registered(books, document, vat_type)
    day = to_vat_day(books, document)
    if books.switches.refuse_unusable_vat:
        _verify_usable(books, vat_type, day)
    return {"VatTypeID": vat_type["ID"], "VatPercent": to_percent(books, vat_type, day)}


def to_vat_day(books: Books, document: Record) -> date:
    """The day that the percentage is taken of; today's for a document without a date."""
    kind = books.switches.vat_percent
    issued = document.get("InvoiceDate") or document.get("OrderDate")
    days = [document.get("DeliveryDate"), issued]
    if kind is VatPercent.INVOICE_DAY:
        days = [issued]
    elif kind is VatPercent.SETTING and books.settings["UseFinancialDateToCalculateVatPercent"]:
        days = [to_booking_day(books, document)]
    found = next((day for day in days if day), None)
    return date.fromisoformat(found[:10]) if found else books.today()


def to_percent(books: Books, vat_type: Record, day: date) -> Decimal:
    """The type's percentage on that day; its own VatPercent where periods do not count or none covers the day."""
    period = None if books.switches.vat_percent is VatPercent.TYPE else find_period(books, vat_type["ID"], day)
    return Decimal((period or vat_type)["VatPercent"] or 0)


def find_period(books: Books, vat_id: int, day: date) -> Record | None:
    """The VatTypePercentage that is valid on that day, both ends included (assumed)."""
    text = day.isoformat()
    for period in books.children("VatTypePercentage", "VatTypeID", vat_id):
        if (period["ValidFrom"] or text)[:10] <= text <= (period["ValidTo"] or text)[:10]:
            return period
    return None


def to_shown_vat_type(books: Books, record: Record) -> Record:
    """The VAT type as it is answered: with today's percentage, or without one."""
    if not books.switches.vat_percent_shown:
        return {name: value for name, value in record.items() if name != "VatPercent"}
    return record | {"VatPercent": to_percent(books, record, books.today())}


def list_valid(books: Books) -> list[Record]:
    """What `?action=valid` answers: visible ones, and valid today once periods count (assumed)."""
    rows = [row for row in books.rows("VatType") if row["Visible"]]
    if books.switches.vat_percent is not VatPercent.TYPE:
        rows = [row for row in rows if _has_no_periods(books, row) or find_period(books, row["ID"], books.today())]
    return [to_shown_vat_type(books, row) for row in rows]


def move_before_reading(books: Books) -> None:
    """New ids for all VAT types, where the switch says that they move between reads."""
    if books.switches.vat_ids is VatIds.MOVING:
        renumber(books)


def change_vat_type(books: Books, code: str, changes: Record) -> bool:
    """Whether there was such a VAT type: its own fields are changed, and ValidTo of its last percentage."""
    rows = [row for row in books.rows("VatType") if row["VatCode"] == code and not _is_old(row)]
    own = {name: value for name, value in changes.items() if name != "ValidTo"}
    for row in rows:
        books.update("VatType", row["ID"], own)
        periods = books.children("VatTypePercentage", "VatTypeID", row["ID"])
        if "ValidTo" in changes and periods:
            last = max(periods, key=lambda one: str(one["ValidFrom"] or ""))
            books.update("VatTypePercentage", last["ID"], {"ValidTo": changes["ValidTo"]})
    return bool(rows)


def renumber(books: Books, *, keep_old: bool = False) -> None:
    """Every VAT type under a new id, with whatever pointed to it.

    The old ones are gone, so that an id kept from before is a broken reference; with `keep_old` they stay, locked and
    hidden, with the same code.
    """
    moved = {row["ID"]: _move(books, row, keep_old=keep_old) for row in books.rows("VatType") if not _is_old(row)}
    for entity in ENTITIES.values():
        references = [name for name, spec in entity.fields.items() if spec.target == "VatType"]
        for row in books.rows(entity.name) if references else ():
            changes = {name: moved[row[name]] for name in references if row[name] in moved}
            if changes:
                books.update(entity.name, row["ID"], changes)


def _is_old(row: Record) -> bool:
    return bool(row["Locked"] and not row["Visible"])


def _move(books: Books, row: Record, *, keep_old: bool) -> int:
    new_id = int(books.insert("VatType", row)["ID"])
    books.hidden_until.pop(("VatType", new_id), None)
    books.update("VatType", row["ID"], {"Locked": True, "Visible": False} if keep_old else {"Deleted": True})
    return new_id


def _to_registered(books: Books, document: Record, vat_type: Record) -> Record:
    """Code 6 for the codes of registered companies while this one is not; TaxableFromLimit is not followed."""
    kind = books.switches.unregistered
    since = books.settings["TaxableFromDate"]
    day = document.get("InvoiceDate") or document.get("OrderDate") or books.today().isoformat()
    registered = books.settings["TaxMandatoryType"] != PLANNED_COMPANY or (since and since[:10] <= day[:10])
    if kind is Unregistered.ACCEPTED or registered or vat_type["VatCode"] not in _REGISTERED_ONLY:
        return vat_type
    if kind is Unregistered.REFUSED:
        raise _refused(f"VAT code {vat_type['VatCode']} cannot be used before the company is registered for VAT.")
    return next(row for row in books.rows("VatType") if row["VatCode"] == _OUTSIDE and not _is_old(row))


def _verify_usable(books: Books, vat_type: Record, day: date) -> None:
    faults = {
        "is not for sales": not vat_type["OutputVat"],
        "is locked": vat_type["Locked"],
        "is hidden": not vat_type["Visible"],
        f"is not valid on {day}": not _has_no_periods(books, vat_type) and not find_period(books, vat_type["ID"], day),
    }
    for fault in (text for text, there in faults.items() if there):
        raise _refused(f"VAT code {vat_type['VatCode']} {fault}.")


def _has_no_periods(books: Books, vat_type: Record) -> bool:
    return not books.children("VatTypePercentage", "VatTypeID", vat_type["ID"])


def _refused(message: str) -> AnswerError:
    return refused(message, entity="CustomerInvoiceItem", field="VatTypeID")
