"""Doubles at the source: one document under two RecMan ids (a double click, made again after a deletion) goes once.

Who claims a fingerprint first may be sent with it; of two that nothing was begun of, the lower RecMan id goes first.
RecMan's numbers may repeat between departments, so the department is part of it. Source: docs/facts/recman.md §3.3 [O].
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.booking import Booking, stands_as
from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for, mended_by
from app.domain.reasons.codes import Code, Reason
from app.domain.reasons.rows import Change
from app.domain.states import TransferState
from app.errors import HoldError, WaitError
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.context import Run
from app.transfer.kids import wake_same_kid
from app.transfer.listings import names_one_of
from app.transfer.log import INVOICE, is_begun, record_values
from app.transfer.plan.document import hash_content
from app.transfer.retry import retry


def fingerprint(document: Document | Gaps) -> bytes | None:
    """Equal for doubles: number, department and lines. What is made again may have another day, KID or customer.

    Shape: None for what has no number or cannot be booked.
    """
    if not isinstance(document, Document) or not document.number:
        return None
    content = hash_content(replace(document, invoice_date=date.min, recman_company_id=""))
    return hashlib.sha256(content + (document.recman_department_id or "").encode()).digest()


def show_fingerprint(transfer: Transfer, document: Document | Gaps) -> dict[str, bytes | None]:
    """The fingerprint as columns; what a document claimed before it changed in RecMan is free again."""
    print_of = fingerprint(document)
    keeps = is_begun(transfer) or transfer.claimed == print_of
    return {"fingerprint": print_of, "claimed": transfer.claimed if keeps else None}


def may_be_same(document: Document | Gaps) -> ColumnElement[bool] | None:
    """Of a tenant's transfers in a query: whether they may be the same document; None where nothing can be.

    Whether one of them goes instead is told by `list_doubles`.
    """
    print_of = fingerprint(document)
    if print_of is None or not isinstance(document, Document):
        return None
    # What was booked before there were fingerprints is known by its content alone.
    older = and_(
        Transfer.fingerprint.is_(None),
        Transfer.content_hash == hash_content(document),
        Transfer.recman_department_id.is_not_distinct_from(document.recman_department_id),
    )
    same = and_(Transfer.number == document.number, or_(Transfer.fingerprint == print_of, older))
    return and_(
        Transfer.scope == INVOICE,
        Transfer.record_id != document.recman_invoice_id,
        Transfer.state != TransferState.IGNORED,
        or_(same, Transfer.claimed == print_of),
    )


def list_doubles(own: Transfer | None, others: Sequence[Transfer], document: Document | Gaps) -> tuple[Reason, ...]:
    """Why a document that was not begun yet must not go: one of those that may be the same goes, or went, instead."""
    if own is None or is_begun(own):
        return ()
    double = _find_double(own, others, document)
    return () if double is None else (_same_as(own, double),)


async def claim_content(session: Session, run: Run, document: Document | Gaps, *, customer_name: str) -> None:
    """Make sure that of all doubles this one alone goes; its customer is noted along with that.

    In a transaction that has checked the fence.

    Raises:
        HoldError: another one goes, or went.
        WaitError: another one claimed it at this moment; look again.
    """
    own, others = await _load_with_same(session, run, document)
    if own is None:
        return
    values = _show_name(own, customer_name)
    if not own.not_same and not is_begun(own) and isinstance(document, Document):
        # Read again although the look has told it: this is the last moment before something of it is there.
        double = _find_double(own, others, document)
        if double is not None:
            raise HoldError((_same_as(own, double),))
        values["claimed"] = fingerprint(document)
    try:
        if values:
            await record_values(session, own.id, **values)
    except IntegrityError as error:
        cause = f"another document is the same as {document.number} and goes first"
        raise WaitError(cause, scope="", record_id="", seconds=0) from error


async def wake_doubles(session: Session, transfer_id: int) -> None:
    """Let go of what the document claimed, and look again at those that were held for it or its KID: it is not sent."""
    print_of = await _record_freed(session, transfer_id)
    tenant_id = await session.scalar(select(Transfer.tenant_id).where(Transfer.id == transfer_id))
    if tenant_id is None:
        return
    await wake_same_kid(session, transfer_id, tenant_id=tenant_id)
    if print_of is None:
        return
    for other in await _list_held(session, tenant_id=tenant_id, print_of=print_of):
        await retry(session, other)


async def _record_freed(session: Session, transfer_id: int) -> bytes | None:
    """The fingerprint of an ignored document, which claims none any more."""
    ignored = (Transfer.id == transfer_id, Transfer.state == TransferState.IGNORED)
    freed = update(Transfer).where(*ignored).values(claimed=None)
    # The caller shows the transfer, so what it has loaded of it stays.
    quiet = freed.returning(Transfer.fingerprint).execution_options(synchronize_session=False)
    return await session.scalar(quiet)


async def _list_held(session: Session, *, tenant_id: UUID, print_of: bytes) -> Sequence[Transfer]:
    held = (Transfer.state == TransferState.HELD, names_one_of(mended_by(Change.OTHER_IGNORED)))
    query = select(Transfer).where(Transfer.tenant_id == tenant_id, Transfer.fingerprint == print_of, *held)
    return (await session.scalars(query.order_by(Transfer.record_id))).all()


async def _load_with_same(
    session: Session, run: Run, document: Document | Gaps
) -> tuple[Transfer | None, list[Transfer]]:
    """The document's own transfer and those that may be the same."""
    is_own = and_(Transfer.scope == INVOICE, Transfer.record_id == document.recman_invoice_id)
    same = may_be_same(document)
    query = select(Transfer).where(
        Transfer.tenant_id == run.lease.tenant_id, is_own if same is None else or_(is_own, same)
    )
    found = (await session.scalars(query)).all()
    own = next((one for one in found if one.record_id == document.recman_invoice_id), None)
    return own, [one for one in found if one is not own]


def _show_name(own: Transfer, customer_name: str) -> dict[str, Any]:
    return {"customer_name": customer_name} if customer_name not in ("", own.customer_name) else {}


def _find_double(own: Transfer, others: Sequence[Transfer], document: Document | Gaps) -> Transfer | None:
    """The document that goes, or went, instead of this one."""
    print_of = fingerprint(document)
    if print_of is None or own.not_same or own.claimed == print_of:
        return None
    in_order = sorted(others, key=lambda other: other.id)
    return next((other for other in in_order if _goes_first(other, own, print_of)), None)


def _goes_first(other: Transfer, own: Transfer, print_of: bytes) -> bool:
    if other.not_same and other.id > own.id:
        # A person has seen both already, and said that the later one is another.
        return False
    return is_begun(other) or other.claimed == print_of or _rank(other) < _rank(own)


def _rank(transfer: Transfer) -> tuple[int, str]:
    """RecMan's ids count upwards. Source: assumed."""
    return len(transfer.record_id), transfer.record_id


def _same_as(own: Transfer, other: Transfer) -> Reason:
    where = "is not sent yet"
    if is_begun(other):
        where = "is on its way to Unimicro"
    if other.booked_at is not None:
        is_invoiced = other.order_id is not None
        as_order = stands_as(other.booking, other.remote_number, is_invoiced=is_invoiced) is Booking.ORDER
        where = f"is in Unimicro as {'order ' if as_order else ''}{other.remote_number or 'a draft'}"
    return Reason(
        code=Code.SAME_AS_OTHER,
        cause=f"Number {own.number} is twice in RecMan with the same department and lines: this one has id "
        f"{own.record_id}, the other has id {other.record_id} and {where}",
        fix=fix_for(Code.SAME_AS_OTHER, transfer_id=own.id),
    )
