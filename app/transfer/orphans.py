"""What a removed key leaves behind: held until a person hands it to another key."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select, update

from app.domain.reasons.catalogue import fix_for, mended_by
from app.domain.reasons.codes import Code, Reason
from app.domain.reasons.rows import Change
from app.domain.states import STOPPED, UNCLEAR, KeyState, TransferState
from app.platform.db import Session
from app.tables import Key, Transfer
from app.transfer.listings import names_one_of
from app.transfer.log import show_reasons
from app.transfer.removed_keys import explain_orphan
from app.transfer.retry import retry

_BEGUN = or_(
    Transfer.remote_id.is_not(None), Transfer.unclear, Transfer.state.in_(UNCLEAR), Transfer.filed_at.is_not(None)
) & Transfer.booked_at.is_(None)
_UNTOUCHED = and_(Transfer.booked_at.is_(None), not_(_BEGUN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """How many invoices and credit notes a removed key has left behind.

    `waiting`: nothing of them was sent, a person must say where they go; `begun`: something of them may be in the
    key's company. What is booked or ignored is at rest.
    """

    waiting: int
    begun: int
    booked: int
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What went over to another key, and what could not: it was begun."""

    documents: int
    left: int


async def count_remains(session: Session, key_id: UUID) -> Remains:
    """How many documents the key has left behind."""
    kind = case(
        (Transfer.booked_at.is_not(None), "booked"),
        (Transfer.state == TransferState.IGNORED, "ignored"),
        (_BEGUN, "begun"),
        else_="waiting",
    )
    query = select(kind, func.count()).where(Transfer.key_id == key_id, Transfer.scope == "invoice").group_by(kind)
    counts = {row[0]: row[1] for row in (await session.execute(query)).all()}
    return Remains(**{name: counts.get(name, 0) for name in ("waiting", "begun", "booked", "ignored")})


async def record_remains_held(session: Session, key: Key) -> None:
    """Hold every document that waits with a key that is being removed, and let go of its half-made customers."""
    own = (
        Transfer.key_id == key.id,
        Transfer.state.in_((TransferState.WAITING, TransferState.COLLECTED, *STOPPED)),
        Transfer.booked_at.is_(None),
        # What is in a file is held for what became of it there: people still say so.
        Transfer.filed_at.is_(None),
    )
    open_ones = select(Transfer).where(*own, Transfer.scope == "invoice").order_by(Transfer.record_id)
    for transfer in (await session.scalars(open_ones.execution_options(populate_existing=True))).all():
        if transfer.kind == "credit_note":
            # Only its invoice can tell what a person should do about it. The lane before the transfer, as workers do.
            await retry(session, transfer)
        reasons = show_reasons([explain_orphan(key, transfer)])
        found = update(Transfer).where(Transfer.id == transfer.id, *own)
        await session.execute(found.values(state=TransferState.HELD, reasons=reasons))
    gap = Reason(code=Code.KEY_REMOVED, cause=f"Key “{key.name}” was removed", fix=fix_for(Code.KEY_REMOVED, "part"))
    parts = update(Transfer).where(*own, Transfer.scope != "invoice")
    await session.execute(parts.values(state=TransferState.IGNORED, reasons=show_reasons([gap])))


async def take_over(session: Session, *, key: Key, former: Key, ids: Sequence[int] | None = None) -> Handed:
    """Let `key` have what waits with the removed key `former` (`ids`: only these); what was begun stays."""
    conditions = [Transfer.key_id == former.id]
    if ids is not None:
        conditions.append(Transfer.id.in_(ids))
    documents = await _record_handed_over(session, conditions, key_id=key.id)
    begun = select(func.count()).where(
        *conditions, Transfer.scope == "invoice", _BEGUN, Transfer.state != TransferState.IGNORED
    )
    await retry_credit_notes(session, tenant_id=key.tenant_id)
    return Handed(documents=documents, left=int(await session.scalar(begun) or 0))


async def follow_departments(session: Session, *, tenant_id: UUID, department_ids: Sequence[str]) -> int:
    """Let what waits because there is no key go where its department goes now, since a person said so; how many."""
    removed = select(Key.id).where(Key.tenant_id == tenant_id, Key.state == KeyState.REMOVED)
    keyless = and_(Transfer.key_id.is_(None), names_one_of(mended_by(Change.DEPARTMENT_MOVED)))
    conditions = [
        Transfer.tenant_id == tenant_id,
        Transfer.recman_department_id.in_(department_ids),
        or_(Transfer.key_id.in_(removed), keyless),
    ]
    count = await _record_handed_over(session, conditions, key_id=None)
    await retry_credit_notes(session, tenant_id=tenant_id)
    return count


async def _record_handed_over(
    session: Session, conditions: Sequence[ColumnElement[bool]], *, key_id: UUID | None
) -> int:
    query = select(Transfer).where(*conditions, Transfer.scope == "invoice", _UNTOUCHED).order_by(Transfer.record_id)
    rows = (await session.scalars(query.execution_options(populate_existing=True))).all()
    count = 0
    for transfer in rows:
        ignored = transfer.state == TransferState.IGNORED
        if not ignored:
            # The lane before the transfer, as workers lock them.
            await retry(session, transfer)
        state = {} if ignored else {"state": TransferState.WAITING, "reasons": []}
        found = update(Transfer).where(Transfer.id == transfer.id, _UNTOUCHED)
        moved = await session.scalar(found.values(key_id=key_id, **state).returning(Transfer.id))
        count += moved is not None and not ignored
    return count


async def retry_credit_notes(session: Session, *, tenant_id: UUID) -> None:
    """Look again at credit notes that are held because of their invoice's removed key: the invoice may have another."""
    query = select(Transfer).where(
        Transfer.tenant_id == tenant_id,
        Transfer.kind == "credit_note",
        Transfer.state == TransferState.HELD,
        names_one_of(mended_by(Change.INVOICE_ASSIGNED)),
        _UNTOUCHED,
    )
    for transfer in (await session.scalars(query.order_by(Transfer.record_id))).all():
        await retry(session, transfer)
