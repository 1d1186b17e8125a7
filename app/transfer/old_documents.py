"""Documents from before a key's first day, and what people decide about them; `offers` keeps it on their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.domain.reasons.catalogue import mended_by
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change
from app.domain.states import TransferState
from app.engine.lanes import lock_record, wake_waiting
from app.platform.db import Session, locked
from app.tables import Key, Transfer
from app.transfer.doubles import wake_doubles
from app.transfer.listings import names_one_of
from app.transfer.log import record_ignored
from app.transfer.offers import record_decision
from app.transfer.retry import retry

_HELD = (
    Transfer.scope == "invoice",
    Transfer.state == TransferState.HELD,
    names_one_of(mended_by(Change.FIRST_DAY_MOVED)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A document in Unimicro that agrees with one of RecMan's in number, customer and amount.

    `same_day`: its date agrees too, as far as Unimicro says it.
    """

    id: int
    number: str
    same_day: bool


def find_shown_offer(transfer: Transfer) -> Offer | None:
    """What can be linked, as it was found when the document was held; None when it is not held, or nothing was."""
    kept = transfer.offer or {}
    is_held = transfer.state == TransferState.HELD and any(
        reason["code"] == Code.BEFORE_GO_LIVE for reason in transfer.reasons
    )
    if not is_held or kept.get("id") is None or kept["key_id"] != str(transfer.key_id):
        return None
    return Offer(id=kept["id"], number=kept["number"], same_day=kept["same_day"])


async def lock_held(
    session: Session, *, tenant_id: UUID, ids: Sequence[int] | None, numbers: Sequence[str] | None, key_id: UUID | None
) -> Sequence[Transfer]:
    """The documents held before a go-live day that are named (None: all), locked, in the order of their lanes."""
    wanted = [*_HELD, Transfer.tenant_id == tenant_id]
    if ids is not None or numbers is not None:
        wanted.append(Transfer.id.in_(ids or ()) | Transfer.number.in_(numbers or ()))
    if key_id is not None:
        wanted.append(Transfer.key_id == key_id)
    query = select(Transfer).where(*wanted).order_by(Transfer.record_id)
    for record_id in (await session.scalars(query.with_only_columns(Transfer.record_id))).all():
        # The lane first, like a worker: the two must not wait for each other.
        await lock_record(session, tenant_id=tenant_id, scope="invoice", record_id=record_id)
    return (await session.scalars(locked(query))).all()


async def decide_old(session: Session, transfer: Transfer, decision: str, *, seen: int | None, actor: str) -> None:
    """Send or link a held document: its lane looks at it now, and checks everything again."""
    await record_decision(session, transfer, decision, seen=seen, actor=actor)
    await retry(session, transfer)


async def ignore_old(session: Session, transfer: Transfer, *, reason: str, actor: str) -> None:
    """Never send a held document; credit notes that wait for it are looked at again."""
    await record_ignored(session, transfer, reason=reason, actor=actor)
    await wake_doubles(session, transfer.id)
    await wake_waiting(session, tenant_id=transfer.tenant_id, scope="invoice", record_id=transfer.record_id)


async def look_again(session: Session, key: Key) -> int:
    """Look again at every document that a key holds before its go-live day, which has changed; how many."""
    held = await lock_held(session, tenant_id=key.tenant_id, ids=None, numbers=None, key_id=key.id)
    for transfer in held:
        await retry(session, transfer)
    return len(held)
