"""Two invoices in the same books with one KID: a payment finds the wrong one, or none.

At another customer that is never right; at the same one a person may say that it is, once for that customer and KID.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import aliased

from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.gaps import Gaps
from app.domain.kid import clean_kid
from app.domain.reasons.catalogue import fix_for, mended_by
from app.domain.reasons.codes import Code, Reason
from app.domain.reasons.rows import Change
from app.domain.states import TransferState
from app.platform.db import Session
from app.tables import Key, Transfer
from app.transfer.listings import names_one_of
from app.transfer.log import INVOICE, is_begun
from app.transfer.plan.situation import CustomerView
from app.transfer.retry import retry

_MOST_READ = 50
# Made once: what an alias knows of its columns costs more than the statement.
_OTHER = aliased(Transfer)


def kid_of(document: Document | Gaps) -> str:
    """What an invoice is paid by; empty where there is none: a credit note is not paid."""
    if not isinstance(document, Document) or document.kind is not DocumentKind.INVOICE:
        return ""
    return clean_kid(document.kid)


def has_same_kid(document: Document | Gaps, *, key: Key, booking: Booking) -> ColumnElement[bool] | None:
    """Of a tenant's transfers in a query: whether it is another invoice in the same books with this document's KID.

    Shape: None where nothing can be: Unimicro itself gives an order's invoice its KID.
    """
    kid = kid_of(document)
    if not kid or booking is Booking.ORDER:
        return None
    keys = select(Key.id).where(Key.tenant_id == key.tenant_id, Key.company_key == key.company_key)
    # A customer may have one KID for all its invoices: only a few that decide are read, strangers first.
    deciding = select(_OTHER.id).where(
        _OTHER.tenant_id == key.tenant_id,
        _OTHER.scope == INVOICE,
        _OTHER.kid == kid,
        _OTHER.record_id != document.recman_invoice_id,
        _OTHER.state != TransferState.IGNORED,
        _OTHER.booking.is_distinct_from(Booking.ORDER),
        _OTHER.key_id.in_(keys),
    )
    is_own = _OTHER.recman_company_id.is_not_distinct_from(document.recman_company_id)
    deciding = deciding.order_by(is_own, _OTHER.kid_allowed.desc(), _OTHER.id).limit(_MOST_READ)
    return and_(Transfer.scope == INVOICE, Transfer.kid == kid, Transfer.id.in_(deciding))


def list_kid_clashes(
    own: Transfer | None, others: Sequence[Transfer], document: Document | Gaps, customer: CustomerView | None
) -> tuple[Reason, ...]:
    """Why a document that was not begun yet must not go with its KID; others in the same books that have it are given.

    Shape: one reason at most. What is a double besides is told by `doubles` alone.
    """
    if own is None or is_begun(own) or not isinstance(document, Document):
        return ()
    others = [other for other in sorted(others, key=lambda other: other.id) if not _is_double(other, own)]
    strangers = [other for other in others if not _is_same_customer(other, document, customer)]
    taken = next((other for other in strangers if _goes_first(other, own)), None)
    if taken is not None:
        return (_explain(Code.KID_TAKEN, own, document, taken),)
    if own.kid_allowed or any(other.kid_allowed for other in others if other not in strangers):
        return ()
    first = next((other for other in others if _goes_first(other, own)), None)
    return () if first is None else (_explain(Code.KID_REPEATED, own, document, first),)


def _is_double(other: Transfer, own: Transfer) -> bool:
    return not own.not_same and own.fingerprint is not None and other.fingerprint == own.fingerprint


def _goes_first(other: Transfer, own: Transfer) -> bool:
    """Whether it is in the books, on its way there, or before this one in RecMan: of two new ones the later is held."""
    return is_begun(other) or other.claimed is not None or _rank(other) < _rank(own)


def _rank(transfer: Transfer) -> tuple[int, str]:
    """RecMan's ids count upwards, as in `doubles`."""
    return len(transfer.record_id), transfer.record_id


def _is_same_customer(other: Transfer, document: Document, customer: CustomerView | None) -> bool:
    """Two companies of RecMan's may be one customer there."""
    if other.recman_company_id == document.recman_company_id:
        return True
    linked = customer.past.remote_id if customer is not None and customer.past is not None else None
    return linked is not None and other.remote_customer_id == linked


def _explain(code: Code, own: Transfer, document: Document, other: Transfer) -> Reason:
    whose = f"of {other.customer_name}" if other.customer_name else "of a customer without a name here"
    who = "the same customer" if code is Code.KID_REPEATED else f"another customer's, {whose}"
    cause = f"KID {document.kid} of invoice {document.number} is the KID of invoice {other.number} already, {who}"
    return Reason(code=code, cause=cause, fix=fix_for(code, transfer_id=own.id))


async def wake_same_kid(session: Session, transfer_id: int, *, tenant_id: UUID) -> None:
    """Look again at what is held for the KID of an invoice that goes, or does not go, from now on."""
    kid = select(Transfer.kid).where(Transfer.id == transfer_id).scalar_subquery()
    held = (Transfer.state == TransferState.HELD, names_one_of(mended_by(Change.KID_SETTLED)))
    query = select(Transfer).where(Transfer.tenant_id == tenant_id, Transfer.kid == kid, *held)
    for other in (await session.scalars(query.where(Transfer.id != transfer_id).order_by(Transfer.record_id))).all():
        await retry(session, other)
