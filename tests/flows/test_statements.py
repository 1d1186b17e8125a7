"""What one record costs the database: its statements and transactions, counted where they leave us.

Steady state: customer, product, project and department are known and linked; key and rules were read before.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pytest
from sqlalchemy import event

from app.accounting.slots import Slots, slots_of
from app.engine.claims import Turn, claim
from app.engine.pool import OpenedPool, pool_of
from app.platform.db import Pool
from app.worker import carry, prepare
from tests.world import World
from tests.world.source import to_kid

# Measured by this very count at commit 54a4e32, when every part was looked up on its own: claim to release, without
# the BEGIN and the end of each transaction.
INVOICE_STATEMENTS_BEFORE = 63
INVOICE_TRANSACTIONS_BEFORE = 25
# What there were then of the others: customers 31, projects 35, credit notes 78 statements.
INVOICE_STATEMENTS = 28
INVOICE_TRANSACTIONS = 8
CUSTOMER_STATEMENTS = 24
PROJECT_STATEMENTS = 26
CREDIT_STATEMENTS = 47
# A webhook is one statement, which is its own transaction; it was so before.
ACCEPTING = 1
# A lock and its release around each of an invoice's three calls to Unimicro, on a connection of their own; as before.
INVOICE_SLOTS = 6

ROUNDS = 5


@dataclass(slots=True)
class Cost:
    """What the database was asked while one piece of work was done."""

    statements: list[str] = field(default_factory=list)
    begun: int = 0
    slots: int = 0
    accepted: int = 0


# Only what is done for a record is counted: pollers and notifiers of the same process cost it nothing.
_cost: ContextVar[Cost | None] = ContextVar("cost", default=None)


class CountedPool:
    """The connections that webhooks are stored by; each of their statements is counted."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def acquire(self, *, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109 - as the driver spells it
        cost = _cost.get() or Cost()

        def note(_record: Any) -> None:
            cost.accepted += 1

        async with self._pool.acquire(timeout=timeout) as connection:
            with connection.query_logger(note):
                yield connection


class CountedSlots:
    """The slots of calls to Unimicro; each is taken by one statement and given back by another."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def hold(self, company_key: str) -> AbstractAsyncContextManager[None]:
        cost = _cost.get() or Cost()
        cost.slots += 2
        return self._slots.hold(company_key)


@asynccontextmanager
async def costing(world: World) -> AsyncIterator[Cost]:
    """What is done in the block, and in tasks that it starts."""
    engine, pool, slots = world.resources.engine.sync_engine, await pool_of(world.resources), slots_of(world.resources)
    opened, kept = world.resources.kept(OpenedPool), world.resources._kept

    def note_statement(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        (_cost.get() or Cost()).statements.append(statement)

    def note_begin(_connection: Any) -> None:
        (_cost.get() or Cost()).begun += 1

    listeners: dict[str, Callable[..., Any]] = {"before_cursor_execute": note_statement, "begin": note_begin}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    counted: Any = CountedPool(pool)
    opened.pool, kept[Slots] = counted, CountedSlots(slots)
    cost = Cost()
    token = _cost.set(cost)
    try:
        yield cost
    finally:
        _cost.reset(token)
        opened.pool, kept[Slots] = pool, slots
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


async def carry_next(world: World) -> Cost:
    """What it costs to claim the one lane that is due, and to take its record as far as it goes."""
    async with costing(world) as cost:
        async with world.resources.sessions.begin() as session:
            leases = (await claim(session, Turn(), most=1, lease_seconds=60)).leases
            (work,) = await prepare(world.resources, carry, session, leases)
        await work()
    return cost


async def put_and_hear(world: World, scope: str, record_id: int, *, like: int, **changes: Any) -> Cost:
    """Let RecMan have a record like another one, and tell of it; what storing its webhook costs."""
    store = world.recman.state.store
    record = deepcopy(store.records[scope][str(like)]) | {f"{scope}Id": record_id, **changes}
    if "invoiceNumber" in changes:
        record["kid"] = to_kid(changes["invoiceNumber"])
    store.put_record(scope, str(record_id), record)
    async with costing(world) as cost:
        await world.hear_of(scope, record_id)
    return cost


def typical(costs: list[Cost]) -> tuple[int, int]:
    """The median of the statements, and of the transactions."""
    return int(median(len(one.statements) for one in costs)), int(median(one.begun for one in costs))


async def know_parts(world: World) -> None:
    """Customer, project, department and products of the samples that the records here are like."""
    await world.hear_of("invoice", 5002, 5003)
    await world.settle()


async def test_invoice_costs_at_most_sixty_percent_of_the_statements_it_did(world: World) -> None:
    await know_parts(world)
    accepting, working = [], []
    for n in range(ROUNDS):
        accepting.append(await put_and_hear(world, "invoice", 8000 + n, like=5002, invoiceNumber=f"3000{n}"))
        working.append(await carry_next(world))
    rows = await world.transfers()
    assert {rows["invoice", str(8000 + n)]["state"] for n in range(ROUNDS)} == {"done"}
    assert {one.accepted for one in accepting} == {ACCEPTING}
    assert {one.slots for one in working} == {INVOICE_SLOTS}
    statements, transactions = typical(working)
    assert statements <= INVOICE_STATEMENTS <= INVOICE_STATEMENTS_BEFORE * 60 // 100
    assert transactions <= INVOICE_TRANSACTIONS < INVOICE_TRANSACTIONS_BEFORE
    # Also with what did not change: the webhook and the slots.
    same = ACCEPTING + INVOICE_SLOTS
    assert statements + same <= (INVOICE_STATEMENTS_BEFORE + same) * 60 // 100
    # And with the beginning and the end of each transaction.
    before = INVOICE_STATEMENTS_BEFORE + 2 * INVOICE_TRANSACTIONS_BEFORE
    assert statements + 2 * transactions <= before * 60 // 100


@pytest.mark.parametrize(
    ("scope", "record_id", "most"), [("company", 202, CUSTOMER_STATEMENTS), ("project", 302, PROJECT_STATEMENTS)]
)
async def test_changed_customer_or_project_costs_no_more_than_it_does_now(
    world: World, scope: str, record_id: int, most: int
) -> None:
    await know_parts(world)
    costs = []
    for n in range(ROUNDS):
        await put_and_hear(world, scope, record_id, like=record_id, name=f"Nytt navn {n} AS")
        costs.append(await carry_next(world))
    assert typical(costs)[0] <= most


async def test_credit_note_costs_no_more_than_it_does_now(world: World) -> None:
    await know_parts(world)
    costs = []
    for n in range(ROUNDS):
        await put_and_hear(world, "invoice", 8100 + n, like=5003, invoiceNumber=f"3100{n}")
        await world.settle()
        own = {"invoiceNumber": f"3200{n}", "creditedInvoiceId": 8100 + n}
        await put_and_hear(world, "invoice", 8200 + n, like=5008, **own)
        costs.append(await carry_next(world))
    rows = await world.transfers()
    assert {rows["credit_note", str(8200 + n)]["state"] for n in range(ROUNDS)} == {"done"}
    assert typical(costs)[0] <= CREDIT_STATEMENTS
