"""Hints and attempts lie in months: made ahead, dropped whole, and nothing that is open goes with them."""

# ruff: noqa: S608 - months have names of their own

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.domain.retention import Retention, to_cuts, wait_for_months
from app.engine.retention import EVENT_IS_NEEDED
from app.platform.months import create_months, drop_months, list_tables_by_month
from app.retention.prune import prune_tenants
from app.scheduler import look_at_clock
from tests.world import World

MONTHS = "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid ORDER BY relname"
# What came so long ago is nobody's any more.
LONG_AGO = datetime(2024, 1, 15, tzinfo=UTC)


async def test_this_month_and_those_ahead_are_there_and_a_missing_one_is_made_by_the_clock(world: World) -> None:
    now = datetime.now(UTC)
    assert list_tables_by_month() == {"event": "received_at", "attempt": "started_at"}
    assert {f"event_{now:%Y_%m}", "event_default", f"attempt_{now:%Y_%m}"} <= set(await list_months(world))
    await run(world, f"DROP TABLE event_{now:%Y_%m}")
    # Nobody has made it: what comes lies in the default part, and is worked on.
    await world.carry("invoice", 5001)
    assert await world.count("SELECT count(*) FROM event_default") > 0
    assert await look_at_clock(world.resources)
    assert f"event_{now:%Y_%m}" in await list_months(world)
    assert await world.count("SELECT count(*) FROM event_default") == 0
    assert await world.count(f"SELECT count(*) FROM event_{now:%Y_%m}") > 0
    await world.carry("invoice", 5002)
    assert await world.states(5001, 5002) == ["done", "done"]


async def test_months_ahead_are_made_once(world: World) -> None:
    made = await create_months(world.resources.sessions, ahead=6)
    assert len(made) == 2 * 3
    assert await create_months(world.resources.sessions, ahead=6) == []


async def test_a_year_of_hints_goes_month_by_month_and_nothing_that_is_open(world: World) -> None:
    await make_past_months(world, 14)
    await world.carry("invoice", 5001)
    await world.hear_of("invoice", 5002)
    for n in range(14):
        await spread(world, n, "ended_at = received_at, state = 'done', body = NULL")
    await run(world, f"UPDATE event_{month(5):%Y_%m} SET ended_at = NULL, state = 'waiting'")
    before = await world.count("SELECT count(*) FROM event")
    dropped = await drop_months(world.resources.sessions, "event", before=month(12), kept_while=EVENT_IS_NEEDED)
    # The month with something open stays, whole.
    assert [one.name for one in dropped] == [f"event_{month(n):%Y_%m}" for n in range(12) if n != 5]
    rows = sum(rows for one in dropped for rows in one.rows.values())
    assert rows == 11 * 3
    assert {tenant for one in dropped for tenant in one.rows} == {world.tenant_id}
    assert await world.count("SELECT count(*) FROM event") == before - rows
    await world.settle()
    assert await world.states(5001, 5002) == ["done", "done"]


async def test_a_prune_drops_what_the_most_patient_tenant_does_not_keep(world: World) -> None:
    await make_past_months(world, 2)
    for n in range(2):
        await spread(world, n, "ended_at = received_at, state = 'done', body = NULL")
    pruned = await prune_tenants(world.resources.sessions, dry_run=False, actor="test")
    assert {(one.what, one.rows) for one in pruned} >= {(f"rows of event_{month(n):%Y_%m}", 3) for n in range(2)}
    assert await list_months(world) == [one for one in await list_months(world) if "2024" not in one]
    told = await world.get("/v1/audit", subject=f"tenant:{world.tenant_id}")
    assert told[0]["after"][f"rows of event_{month(0):%Y_%m}"] == 3


def test_hints_of_whoever_keeps_them_longest_wait_for_their_month() -> None:
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    every = wait_for_months({days: to_cuts(Retention(events_days=days), now) for days in (31, 396)})
    assert every[31].hints == now - timedelta(days=31)
    # With it they go as soon as it is over for them, which is when it can be dropped.
    assert every[396].hints == datetime(2025, 10, 1, tzinfo=UTC)
    assert every[396].events == now - timedelta(days=396)
    assert wait_for_months({}) == {}


async def test_attempts_of_a_document_stay_as_long_as_it_does(world: World) -> None:
    await make_past_months(world, 1, table="attempt")
    await world.carry("invoice", 5001)
    old = f"started_at = '{month(0) + timedelta(days=3)}', exchanges = '[]'"
    await run(world, f"UPDATE attempt SET {old}")
    assert await world.count(f"SELECT count(*) FROM attempt_{month(0):%Y_%m}") > 0
    # Documents are kept for five years after their own.
    await run(world, "UPDATE tenant SET retention = '{}'")
    await prune_tenants(world.resources.sessions, dry_run=False, actor="test")
    shown = await world.get(f"/v1/transfers/{(await world.document(5001))['id']}")
    assert [one["n"] for one in shown["attempts"]] == list(range(1, len(shown["attempts"]) + 1))
    assert shown["attempts"]


async def test_a_month_that_somebody_holds_is_left_for_the_next_time(world: World) -> None:
    await make_past_months(world, 1)
    async with world.resources.engine.connect() as other:
        await other.execute(text(f"SELECT count(*) FROM event_{month(0):%Y_%m}"))
        held = await drop_months(world.resources.sessions, "event", before=month(3), kept_while=EVENT_IS_NEEDED)
    assert held == []
    assert len(await drop_months(world.resources.sessions, "event", before=month(3), kept_while=EVENT_IS_NEEDED)) == 1


async def test_keys_of_hints_go_as_soon_as_the_lane_has_read(world: World) -> None:
    await world.hear_of("invoice", 5001, 5002)
    assert await world.count("SELECT count(*) FROM lane WHERE known <> '{}'") == 2
    await world.settle()
    assert await world.count("SELECT count(*) FROM lane WHERE known <> '{}'") == 0


def month(n: int) -> datetime:
    """The beginning of one of the months of the past."""
    return datetime(LONG_AGO.year + (n // 12), n % 12 + 1, 1, tzinfo=UTC)


async def make_past_months(world: World, count: int, table: str = "event") -> None:
    for n in range(count):
        bounds = f"FROM ('{month(n)}') TO ('{month(n + 1)}')"
        await run(world, f"CREATE TABLE {table}_{month(n):%Y_%m} PARTITION OF {table} FOR VALUES {bounds}")


async def spread(world: World, n: int, values: str) -> None:
    """Three hints of one of the months, as they lie there long afterwards."""
    at = month(n) + timedelta(days=10)
    hint = f"SELECT '{world.tenant_id}', 'invoice', '1', '{at}' FROM generate_series(1, 3)"
    await run(world, f"INSERT INTO event (tenant_id, scope, record_id, received_at) {hint}")
    await run(world, f"UPDATE event SET {values} WHERE received_at = '{at}'")


async def list_months(world: World) -> list[str]:
    async with world.resources.engine.connect() as connection:
        return list((await connection.execute(text(MONTHS))).scalars())


async def run(world: World, statement: str) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql(statement)
