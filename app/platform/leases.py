"""Leases as rows: whoever has one may go on until it runs out by the database's clock; its token fences it.

A dead process renews nothing, so what it had is free again by itself. No lock outlives a transaction, so it does not
matter over which connection a statement comes, and a pooler may hand out another one each time.
"""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from app.platform.db import Session

# Two that choose the same number meet at its row: the later one finds it taken, and chooses again.
TAKE = """
    INSERT INTO leasehold AS held (name, number, token, leased_until)
    SELECT $1::text, free.number, $2::uuid, now() + make_interval(secs => $4)
    FROM generate_series(0, $3::int - 1) AS free(number)
    WHERE NOT EXISTS (
        SELECT FROM leasehold AS other
        WHERE other.name = $1 AND other.number = free.number AND other.leased_until > now()
    )
    ORDER BY random() LIMIT 1
    ON CONFLICT (name, number) DO UPDATE SET token = excluded.token, leased_until = excluded.leased_until
    WHERE held.leased_until <= now()
    RETURNING number
"""

# One that has run out and that nobody has taken is still ours.
RENEW = """
    UPDATE leasehold SET leased_until = now() + make_interval(secs => $4)
    FROM unnest($1::text[], $2::int[], $3::uuid[]) AS mine(name, number, token)
    WHERE leasehold.name = mine.name AND leasehold.number = mine.number AND leasehold.token = mine.token
    RETURNING leasehold.token
"""

GIVE_BACK = """
    UPDATE leasehold SET token = NULL, leased_until = '-infinity'
    WHERE name = $1 AND number = $2 AND token = $3
"""

# Looked at first: an insert would wait for whoever leads at this moment.
_MAKE = """
    INSERT INTO leasehold (name, number)
    SELECT $1::text, 0 WHERE NOT EXISTS (SELECT FROM leasehold WHERE name = $1 AND number = 0)
    ON CONFLICT DO NOTHING
"""

# The row stays locked until the transaction ends: whoever leads in it cannot be followed before it has committed.
_LEAD = """
    WITH free AS (
        SELECT name FROM leasehold WHERE name = $1 AND number = 0 AND (token = $2 OR leased_until <= now())
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE leasehold SET token = $2::uuid, leased_until = now() + make_interval(secs => $3)
    FROM free WHERE leasehold.name = free.name AND leasehold.number = 0
    RETURNING leasehold.number
"""


_LED = "SELECT name FROM leasehold WHERE name = $1 AND number = 0 AND leased_until > now()"


@dataclass(frozen=True, slots=True)
class Lead:
    """This process as one that may lead."""

    token: UUID = field(default_factory=uuid4)


async def record_office(session: Session, name: str) -> None:
    """Make sure that somebody can lead; in a transaction of its own, for others wait until it is through."""
    await (await session.connection()).exec_driver_sql(_MAKE, (name,))


async def is_led(session: Session, name: str) -> bool:
    """Whether somebody leads now."""
    return (await (await session.connection()).exec_driver_sql(_LED, (name,))).first() is not None


async def claim_lead(session: Session, lead: Lead, name: str, *, seconds: float) -> bool:
    """Whether this process leads until the transaction ends, and `seconds` beyond; waits for nobody."""
    connection = await session.connection()
    return (await connection.exec_driver_sql(_LEAD, (name, lead.token, seconds))).first() is not None


async def release_lead(session: Session, lead: Lead, name: str) -> None:
    """Let another process lead at once; nothing happens where another one does already."""
    await (await session.connection()).exec_driver_sql(GIVE_BACK, (name, 0, lead.token))
