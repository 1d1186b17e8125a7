"""What storing a webhook costs without its door: by eight connections, against bare inserts of as many bodies."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.admin.tenants import create_tenant
from app.engine.inbox import Arrival, accept_at_once, dedupe_key
from app.engine.pool import lease_connection
from app.platform.resources import Resources

_CONNECTIONS = 8
_HINTS = 4_000
# Not a multiple of the connections, so that they meet at lanes.
_BUSY_LANES = 203
_BODY = b"x" * 2_000
_TABLE = "CREATE TABLE bench_bare (id bigserial PRIMARY KEY, tenant_id uuid, scope text, record_id text, body bytea)"
_INSERT = "INSERT INTO bench_bare (tenant_id, scope, record_id, body) VALUES ($1, $2, $3, $4) RETURNING id"


@dataclass(frozen=True, slots=True)
class Accepts:
    """Rows and hints a second: bare, of as many records as hints, of two hundred records."""

    bare: float
    new: float
    busy: float

    @property
    def told(self) -> str:
        """A line for people."""
        new, busy = (f"{rate:.0f}/s ({rate / self.bare:.2f})" for rate in (self.new, self.busy))
        return (
            f"bare inserts, {_CONNECTIONS} connections: {self.bare:.0f}/s; hints stored: {new}; of busy records: {busy}"
        )


async def measure_accepts(resources: Resources) -> Accepts:
    """Store four thousand hints each way; the first ones of each connection, which plan, are among them."""
    async with resources.sessions.begin() as session:
        tenant_id = (await create_tenant(session, name="accepts")).id
    async with lease_connection(resources) as connection:
        await connection.execute(_TABLE)

    def make(n: int, lanes: int) -> Arrival:
        record_id = f"{lanes}-{n % lanes}"
        dedupe = dedupe_key(record_id, n)
        return Arrival(
            tenant_id=tenant_id, scope="invoice", record_id=record_id, operation="update", dedupe=dedupe, body=_BODY
        )

    async def insert(arrival: Arrival) -> None:
        async with lease_connection(resources) as connection:
            await connection.fetchval(_INSERT, arrival.tenant_id, arrival.scope, arrival.record_id, arrival.body)

    async def store(arrival: Arrival) -> None:
        assert await accept_at_once(resources, arrival) is not None

    new, busy = ([make(n, lanes) for n in range(_HINTS)] for lanes in (_HINTS, _BUSY_LANES))
    return Accepts(*[await _measure(write, hints) for write, hints in ((insert, new), (store, new), (store, busy))])


async def _measure(write: Callable[[Arrival], Awaitable[None]], arrivals: Sequence[Arrival]) -> float:
    async def write_some(first: int) -> None:
        for arrival in arrivals[first::_CONNECTIONS]:
            await write(arrival)

    started = time.monotonic()
    await asyncio.gather(*(write_some(first) for first in range(_CONNECTIONS)))
    return _HINTS / (time.monotonic() - started)
