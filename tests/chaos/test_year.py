"""A year and more goes by, month for month: what is over goes with its months, what is open stays, the audit fits."""

# ruff: noqa: S608 - months have names of their own

from copy import deepcopy
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.admin.audit import check_chains
from app.platform.months import list_tables_by_month
from app.retention.prune import prune_tenants
from tests.world import World
from tests.world.source import to_kid

MONTHS = 15
DAYS = 31
# Later than the year ends: the lane of a hint that nobody has come to yet.
NOT_YET = 2 * MONTHS * DAYS
TIMES = {
    "event": ("received_at", "ended_at"),
    "attempt": ("started_at",),
    "transfer": ("created_at", "updated_at", "booked_at"),
}


async def test_a_year_is_pruned_and_its_months_dropped_and_nothing_that_is_open_is_lost(world: World) -> None:
    await world.carry("invoice", 5001, 5009)
    await world.hear_of("invoice", 5002)
    later = f"run_at = now() + interval '{NOT_YET} days', waits_for = 'somebody'"
    await run(world, f"UPDATE lane SET {later} WHERE record_id = '5002'")
    made: set[str] = set()
    for n in range(MONTHS):
        await world.office.change_key(name=f"Name {n}")
        await carry_one_more(world, n)
        # Those that are empty and over were dropped by the last prune.
        await make_past(world)
        made |= await list_months(world)
        await grow_old(world)
        await prune_tenants(world.resources.sessions, dry_run=False, actor="test")
        await verify_nothing_open_is_lost(world)
        await verify_audit(world)
    kept = await list_months(world)
    # A month of which nothing is kept any more is gone, and so are those before it.
    over = datetime.now(UTC) - timedelta(days=(MONTHS - 1) * DAYS)
    assert made - kept >= {f"event_{over:%Y_%m}"}
    # The month of the hint that waits stays, whatever its age; of what came with it only that is there.
    waiting = await month_of(world, "event", "record_id = '5002' AND state = 'waiting'")
    assert min([name for name in kept if await is_filled(world, name)]) == waiting
    assert await world.count(f"SELECT count(*) FROM {waiting} WHERE ended_at IS NOT NULL") == 0
    # What was booked is there, with every try, for five years.
    assert await world.states(5001, *(9000 + n for n in range(MONTHS))) == ["done"] * (MONTHS + 1)
    shown = await world.get(f"/v1/transfers/{(await world.document(9000))['id']}")
    assert [one["n"] for one in shown["attempts"]] == list(range(1, len(shown["attempts"]) + 1)) != []
    await run(world, "UPDATE lane SET run_at = now(), waits_for = NULL WHERE record_id = '5002'")
    await world.settle()
    assert await world.states(5002) == ["done"]


async def make_past(world: World) -> None:
    """The months that a service which has run for so long has."""
    for table in list_tables_by_month():
        for ago in range(1, MONTHS + 3):
            begins, ends = month_ago(ago), month_ago(ago - 1)
            bounds = f"FROM ('{begins}') TO ('{ends}')"
            await run(
                world, f"CREATE TABLE IF NOT EXISTS {table}_{begins:%Y_%m} PARTITION OF {table} FOR VALUES {bounds}"
            )


def month_ago(ago: int) -> datetime:
    now = datetime.now(UTC)
    years, month = divmod(now.month - 1 - ago, 12)
    return datetime(now.year + years, month + 1, 1, tzinfo=UTC)


async def carry_one_more(world: World, n: int) -> None:
    """A document of this month, like one of the samples."""
    store, number = world.recman.state.store, f"3900{n:02}"
    own = {"invoiceId": 9000 + n, "invoiceNumber": number, "kid": to_kid(number)}
    store.put_record("invoice", str(9000 + n), deepcopy(store.records["invoice"]["5001"]) | own)
    await world.carry("invoice", 9000 + n)
    assert await world.states(9000 + n) == ["done"]


async def grow_old(world: World) -> None:
    """All there is happened a month earlier; changes in the audit trail keep their times, for these are proven."""
    for table, columns in TIMES.items():
        earlier = ", ".join(f"{one} = {one} - interval '{DAYS} days'" for one in columns)
        await run(world, f"UPDATE {table} SET {earlier}")


async def verify_nothing_open_is_lost(world: World) -> None:
    assert await world.states(5009) == ["held"]
    assert (await world.document(5009))["reasons"] != []
    assert await world.count("SELECT count(*) FROM event WHERE record_id = '5002' AND state = 'waiting'") == 1
    assert await world.count("SELECT count(*) FROM lane WHERE record_id IN ('5002', '5009')") == 2


async def verify_audit(world: World) -> None:
    async with world.resources.sessions() as session:
        chains = await check_chains(session)
    assert [chain for chain in chains if not chain.fits] == []
    assert {chain.tenant_id for chain in chains} >= {world.tenant_id}


async def list_months(world: World) -> set[str]:
    async with world.resources.engine.connect() as connection:
        names = "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'event'::regclass"
        return set((await connection.execute(text(names))).scalars())


async def is_filled(world: World, name: str) -> bool:
    return await world.count(f"SELECT count(*) FROM {name}") > 0


async def month_of(world: World, table: str, condition: str) -> str:
    async with world.resources.engine.connect() as connection:
        found = await connection.execute(text(f"SELECT tableoid::regclass::text FROM {table} WHERE {condition}"))
        return str(found.scalar_one())


async def run(world: World, statement: str) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql(statement)
