"""Who may write to the other system now: one lane about a transfer, one credit note of an invoice."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, case, false, func, select, text

from app.engine.lanes import Lease
from app.platform.db import Session, locked
from app.tables import Lane, Transfer

# A transfer is being sent for as long as the lane that sends it is leased: no second lease to keep alive.
_CLAIM = text("""
    WITH before AS (SELECT id, unclear FROM transfer WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE)
    UPDATE transfer SET state = 'sending', step = :step, lane_token = :token, look_again_at = NULL, updated_at = now(),
                        unclear = transfer.unclear OR :writes,
                        unclear_since = CASE WHEN :writes THEN coalesce(unclear_since, now()) ELSE unclear_since END,
                        sent_at = CASE WHEN :writes THEN now() ELSE sent_at END
    FROM before
    WHERE transfer.tenant_id = :tenant_id AND transfer.id = before.id
      -- Somebody may have handed it to another key since the plan was made.
      AND key_id = :key_id AND (booked_at IS NULL OR :step = 'update')
      -- What went into a file is never sent; a person may link what was imported of it.
      AND (filed_at IS NULL OR :step = 'link')
      -- Somebody may have chosen not to send it since the plan was made; linking by hand is another matter.
      AND (state <> 'ignored' OR :step = 'link')
      AND (
        lane_token IS NULL OR lane_token = :token
        OR NOT EXISTS (
            SELECT FROM lane
            WHERE lane.tenant_id = :tenant_id AND lane.token = transfer.lane_token AND lane.leased_until > now()
        )
    )
      -- Nothing more goes with a key that was stopped or removed since, or makes files; what may not stand there is
      -- taken away all the same, for as long as the sign-in lets us.
      AND (:step IN ('look', 'link', 'delete') OR EXISTS (
        SELECT FROM key WHERE key.tenant_id = :tenant_id AND key.id = :key_id AND key.proof <> 'stopped'
          AND key.state <> 'removed' AND key.mode = 'full'))
    RETURNING before.unclear
""")

# These steps write nothing to the other system, so they leave nothing open.
_READS_ONLY = frozenset({"look", "link"})


@dataclass(frozen=True, slots=True)
class Claim:
    """A step that may begin; `was_unclear`: an earlier write of the transfer is still open."""

    was_unclear: bool


def sent_by_other(lease: Lease) -> ColumnElement[bool]:
    """Of a transfer in a query: whether another live lane is sending it right now."""
    live = select(Lane.id).where(
        Lane.tenant_id == Transfer.tenant_id, Lane.token == Transfer.lane_token, Lane.leased_until > func.now()
    )
    # Hardly any transfer names a lane: the others must not cost a look at all the lanes there are.
    return case((Transfer.lane_token != lease.token, live.exists()), else_=false())


async def claim_sending(session: Session, transfer_id: int, lease: Lease, *, key_id: UUID, step: str) -> Claim | None:
    """Mark a step with a key as begun.

    None when it is booked already (unless updated), another key's by now, the key was stopped or removed, or another
    live lane is at it.
    """
    values = {"tenant_id": lease.tenant_id, "id": transfer_id, "token": lease.token, "key_id": key_id, "step": step}
    values["writes"] = step not in _READS_ONLY
    was_unclear = await session.scalar(_CLAIM, values)
    return None if was_unclear is None else Claim(was_unclear=was_unclear)


async def list_other_credits(session: Session, *, key_id: UUID, credited_id: int, besides: int) -> Sequence[Transfer]:
    """The other credit notes of the same invoice: booked, under way, or such that something may be in Unimicro of them.

    The invoice's own row is locked until the transaction ends, so that of two that begin at once one sees the other.
    """
    invoice = (Transfer.key_id == key_id, Transfer.scope == "invoice", Transfer.remote_id == credited_id)
    await session.execute(locked(select(Transfer.id).where(*invoice)))
    query = select(Transfer).where(
        Transfer.key_id == key_id, Transfer.credits_remote_id == credited_id, Transfer.id != besides
    )
    return (await session.scalars(query.order_by(Transfer.id))).all()
