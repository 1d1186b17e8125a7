"""Who is served, and how soon: the claim beside many tenants with much to do; one hint beside a tenant with more."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy import text

from app.accounting.slots import Slots, slots_of
from app.admin.tenants import create_tenant
from app.engine.claims import Turn, claim
from app.engine.ends import release
from app.engine.inbox import Arrival, accept, dedupe_key
from app.engine.lanes import Lease, check_fence
from app.engine.loop import Work, run_loop
from app.engine.wakeup import wake_workers
from app.platform.db import Session
from app.platform.resources import Resources

TENANTS = 1_000
LANES_EACH = 100
BACKLOG = 100_000
HINTS = 100
CLAIMED = 8
_CLAIMS = 60
_WORK_SECONDS = 0.05
_COMPANY = "bench"

_MAKE_TENANTS = text(
    "INSERT INTO tenant (id, name) SELECT gen_random_uuid(), 'bench ' || n FROM generate_series(1, :n) AS n"
)
_MAKE_LANES = text("""
    INSERT INTO lane (tenant_id, scope, record_id, seq, run_at)
    SELECT tenant.id, 'invoice', n::text, 1, now() - interval '1 hour' + n * interval '1 millisecond'
    FROM tenant, generate_series(1, :n) AS n WHERE tenant.id = :tenant OR CAST(:tenant AS uuid) IS NULL
""")


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from a hint's commit to its being worked on."""

    seconds: list[float]

    @property
    def p99(self) -> float:
        """What one in a hundred exceeds."""
        return statistics.quantiles(self.seconds, n=100)[98]


async def measure_claim(resources: Resources) -> float:
    """Milliseconds of a claim of eight, the median, beside a thousand tenants with a hundred due lanes each."""
    await _empty(resources)
    async with resources.sessions.begin() as session:
        await session.execute(_MAKE_TENANTS, {"n": TENANTS})
        await session.execute(_MAKE_LANES, {"n": LANES_EACH, "tenant": None})
    await _analyze(resources)
    turn, taken = Turn(), []
    for _ in range(_CLAIMS):
        async with resources.sessions.begin() as session:
            started = time.perf_counter()
            claimed = await claim(session, turn, most=CLAIMED, lease_seconds=60)
            taken.append((time.perf_counter() - started) * 1000)
        assert len(claimed.leases) == CLAIMED
    return statistics.median(taken)


async def measure_waits(resources: Resources, *, stuck: bool) -> Waits:
    """How long hints of one tenant wait beside the backlog of another.

    `stuck`: whatever else either of them has in hand waits for the slots of one company, all taken elsewhere.
    """
    await _empty(resources)
    async with resources.sessions.begin() as session:
        noisy, quiet = [(await create_tenant(session, name=f"{name} {stuck}")).id for name in ("noisy", "quiet")]
        await session.execute(_MAKE_LANES, {"n": BACKLOG, "tenant": noisy})
    await _analyze(resources)
    begun: dict[str, asyncio.Future[float]] = {}

    async def work_on(lease: Lease) -> None:
        if lease.record_id in begun:
            begun[lease.record_id].set_result(time.perf_counter())
        elif stuck:
            async with slots_of(resources).hold(_COMPANY):
                pass
        else:
            await asyncio.sleep(_WORK_SECONDS)
        async with resources.sessions.begin() as session:
            await check_fence(session, lease)
            await release(session, lease, seen_seq=lease.seq)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_working(resources, work_on))
        if stuck:
            await _take_slots(stack, resources)
            for n in range(resources.settings.places_of_a_tenant):
                await _hear(resources, quiet, f"stuck {n}")
        await asyncio.sleep(1)
        return Waits([await _wait_for(resources, quiet, f"hint {n}", begun) for n in range(HINTS)])


async def _take_slots(stack: AsyncExitStack, resources: Resources) -> None:
    most = resources.settings.unimicro_parallel_calls
    elsewhere = Slots(str(resources.settings.database_url), most=most)
    stack.push_async_callback(elsewhere.close)
    for _ in range(most):
        await stack.enter_async_context(elsewhere.hold(_COMPANY))


async def _wait_for(
    resources: Resources, tenant: UUID, record_id: str, begun: dict[str, asyncio.Future[float]]
) -> float:
    begun[record_id] = asyncio.get_running_loop().create_future()
    await _hear(resources, tenant, record_id)
    heard = time.perf_counter()
    async with asyncio.timeout(120):
        return await begun[record_id] - heard


async def _hear(resources: Resources, tenant: UUID, record_id: str) -> None:
    async with resources.sessions.begin() as session:
        arrival = Arrival(
            tenant_id=tenant,
            scope="company",
            record_id=record_id,
            operation="update",
            dedupe=dedupe_key(tenant, record_id),
        )
        await accept(session, arrival)
    wake_workers(resources)


@asynccontextmanager
async def _working(resources: Resources, work_on: Callable[[Lease], Awaitable[None]]) -> AsyncIterator[None]:
    stop = asyncio.Event()

    async def prepare(_session: Session, leases: Sequence[Lease]) -> Sequence[Work]:
        return [partial(work_on, lease) for lease in leases]

    worker = asyncio.create_task(run_loop(resources, stop, prepare))
    try:
        yield
    finally:
        stop.set()
        await worker


async def _empty(resources: Resources) -> None:
    async with resources.sessions.begin() as session:
        await session.execute(text("TRUNCATE attempt, transfer, event, lane CASCADE"))


async def _analyze(resources: Resources) -> None:
    async with resources.engine.begin() as connection:
        await connection.exec_driver_sql("ANALYZE lane")
