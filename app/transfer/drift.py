"""Is a booked document still in Unimicro as it was booked? Reads only.

Asked when a person wants it looked at again; when RecMan tells of it, once a day at most.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.domain.booking import IN_BOOKS, Booking
from app.domain.documents import Document
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import DRIFTS, Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import RemoteMissingError, RemoteUnavailableError
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.credit_log import is_credited_by_us
from app.transfer.plan.amounts import compare_totals, is_apart
from app.transfer.plan.issued import Wanted, compare_issued, explain_differences, name_place
from app.transfer.plan.situation import Past
from app.transfer.plan.vat_sums import VatSums, compare_codes, read_vat_sums


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look found: `drift` is what somebody did to the document since, `remote` how it stands."""

    drift: Reason | None = None
    remote: RemoteDocument | None = None


async def look_for_drift(run: Run, books: Books, document: Document, past: Past) -> Sight:
    """What somebody did to the document in Unimicro since; no drift when it stands as it was booked.

    Raises:
        RemoteError: Unimicro could not be read, or must be asked once more.
    """
    # An order's id is no invoice's: what was booked by another booking is not looked for.
    if past.remote_id is None or (past.booking == Booking.ORDER) != (books.booking is Booking.ORDER):
        return Sight()
    where = name_place(document, past.remote_number, past.booking)
    try:
        remote = await books.target.fetch_document(past.remote_id)
    except RemoteMissingError as error:
        if run.asks_again or await _is_listed(books, past):
            raise RemoteUnavailableError(
                f"Unimicro does not show the {where} by its id right now", system=error.system
            ) from error
        return Sight(_explain(Code.DRIFT_DELETED, f"The {where} was deleted in Unimicro"))
    if not _is_same(past, remote):
        cause = f"The {where} was stored with id {past.remote_id}, which now shows another document"
        return Sight(_explain(Code.DRIFT_OTHER, cause))
    if remote.state is DocumentState.CREDITED:
        async with run.sessions() as session:
            ours = await is_credited_by_us(session, key_id=books.key.id, remote_id=past.remote_id)
        if not ours:
            return Sight(_explain(Code.DRIFT_CREDITED, f"The {where} was credited in Unimicro, not by RecMan"), remote)
    vat = read_vat_sums((past.booked_as or {}).get("vat"))
    # An earlier release has let totals pass that were a little apart: they are no alarm as long as they stay so.
    is_as_kept = past.totals == remote.totals and not list_alarms(past)
    changed = (_find_moved if is_as_kept else _find_changed)(books, document, remote, vat)
    return Sight(changed or _find_otherwise(books, document, remote, past), remote)


def _find_otherwise(books: Books, document: Document, remote: RemoteDocument, past: Past) -> Reason | None:
    """In what a document of ours is not what the customer has: still, or since; what a person has accepted is none."""
    is_known = Code.ISSUED_OTHERWISE in {reason.code for reason in past.held_for}
    if not (is_known or (past.external_reference and past.booking in IN_BOOKS and past.booked_as)):
        return None
    wanted = Wanted(
        document=document if is_known else _as_booked(document, past.booked_as or {}),
        booking=books.booking,
        customer_id=past.remote_customer_id,
        makes_kid=books.key.kid_acceptance is not None,
    )
    differences = compare_issued(wanted, remote, books.reference)
    alarms = explain_differences(wanted, remote, differences, transfer_id=past.transfer_id)
    accepted = {warning.cause for warning in past.warnings}
    return next((one for one in alarms if one.code == Code.ISSUED_OTHERWISE and one.cause not in accepted), None)


def _as_booked(document: Document, kept: Mapping[str, Any]) -> Document:
    """The document with the days and the KID that it was booked with: what RecMan changes later is told as that."""
    return replace(
        document,
        invoice_date=_read_day(kept.get("invoice_date"), document.invoice_date),
        due_date=_read_day(kept.get("due_date"), document.due_date),
        kid=kept.get("kid", document.kid),
    )


def _read_day(kept: str | None, otherwise: date) -> date:
    return date.fromisoformat(kept) if kept else otherwise


def _find_changed(books: Books, document: Document, remote: RemoteDocument, vat: VatSums | None) -> Reason | None:
    """How the sums are not RecMan's; `vat` is what its lines came to on each VAT code, where that is known."""
    difference = compare_totals(document, remote)
    if difference is None or not is_apart(difference):
        return _find_moved(books, document, remote, vat)
    return _explain_changed(books, document, remote, difference)


def _find_moved(books: Books, document: Document, remote: RemoteDocument, vat: VatSums | None) -> Reason | None:
    """How the sums stand on other VAT codes, be they right as a whole."""
    difference = None if vat is None else compare_codes(vat, remote, books.reference)
    return None if difference is None else _explain_changed(books, document, remote, difference)


def _explain_changed(books: Books, document: Document, remote: RemoteDocument, difference: Reason) -> Reason:
    where = name_place(document, remote.number, books.booking)
    return _explain(Code.DRIFT_CHANGED, f"The {where} was changed. {difference.cause}")


def _explain(code: Code, cause: str) -> Reason:
    return Reason(code=code, cause=cause, fix=fix_for(code))


def list_alarms(past: Past | None) -> tuple[Reason, ...]:
    """Why a booked document is held because it did not stand in Unimicro as it was booked."""
    if past is None or not past.booked:
        return ()
    return tuple(reason for reason in past.held_for if reason.code in {*DRIFTS, Code.ISSUED_OTHERWISE})


async def _is_listed(books: Books, past: Past) -> bool:
    reference = past.external_reference
    return bool(reference and await books.target.find_documents_by_reference(reference))


def _is_same(past: Past, remote: RemoteDocument) -> bool:
    """Whether the id shows what was stored: what we made by our reference, what was linked by hand by its number."""
    if past.external_reference:
        return remote.external_reference == past.external_reference
    return not past.remote_number or remote.number == past.remote_number
