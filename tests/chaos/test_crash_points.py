"""A crash at every commit and around every write of every kind of transfer: afterwards the books are as without it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.world import World, open_world
from tests.world.crash import live_on_after, work_and_keep_deaths
from tests.world.moments import Moment

Part = Callable[[World], Awaitable[None]]


@pytest.fixture
async def quick(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """One lane at a time, so that boundaries come in the same order each time."""
    async with open_world(database_url, tmp_path, worker_concurrency=1, lease_seconds=60, poll_seconds=0.02) as world:
        yield world


async def nothing(world: World) -> None:
    """A scenario that needs no past."""


async def hear_invoice(world: World) -> None:
    await world.hear_of("invoice", 5001)


async def choose_orders(world: World) -> None:
    if (await world.get(f"/v1/keys/{world.key_id}"))["booking"] != "order":
        answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"booking": "order"})
        assert answer.status_code == 200, answer.text


async def book_5003(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()


async def hear_credit(world: World) -> None:
    await world.hear_of("invoice", 5008)


async def hear_partial_credit(world: World) -> None:
    world.source.credit_hours("5008", hours=2)
    await world.hear_of("invoice", 5008)


async def hear_two_partial_credits(world: World) -> None:
    world.source.credit_hours("5008", hours=2)
    world.source.credit_hours("5098", hours=4)
    await world.hear_of("invoice", 5008, 5098)


async def hear_two_partial_credits_unanswered(world: World) -> None:
    query = "action=create-credit-draft-invoice"
    await world.fault("lose_answer", method="PUT", path="/api/biz/invoices", query=query, times=2)
    await hear_two_partial_credits(world)


async def hear_too_large_credit(world: World) -> None:
    world.source.credit_hours("5008", hours=200)
    await world.hear_of("invoice", 5008)


async def hear_company(world: World) -> None:
    world.recman.state.store.records["company"]["201"].update(name="Ærfugl Bemanning AS", phone="+47 22 00 00 01")
    await world.hear_of("company", 201)


async def book_company(world: World) -> None:
    await hear_company(world)
    await world.settle()


async def hear_changed_company(world: World) -> None:
    world.recman.state.store.records["company"]["201"].update(name="Ærfugl Vikarer AS", phone="+47 22 00 00 99")
    await world.hear_of("company", 201)


async def hear_project(world: World) -> None:
    world.recman.state.store.records["project"]["301"].update(name="Rådgivning", status="active")
    await world.hear_of("project", 301)


async def book_project(world: World) -> None:
    await hear_project(world)
    await world.settle()


async def hear_changed_project(world: World) -> None:
    world.recman.state.store.records["project"]["301"].update(name="Rådgivning 2027", status="solvedEnded")
    await world.hear_of("project", 301)


SCENARIOS: dict[str, tuple[Part, Part]] = {
    "invoice": (nothing, hear_invoice),
    "order": (choose_orders, hear_invoice),
    "whole credit": (book_5003, hear_credit),
    "part credit": (book_5003, hear_partial_credit),
    "two part credits": (book_5003, hear_two_partial_credits),
    "two part credits unanswered": (book_5003, hear_two_partial_credits_unanswered),
    "too large credit": (book_5003, hear_too_large_credit),
    "credit with its invoice": (nothing, hear_credit),
    "new customer": (nothing, hear_company),
    "changed customer": (book_company, hear_changed_company),
    "new project": (nothing, hear_project),
    "changed project": (book_project, hear_changed_project),
}
HELD = {"too large credit": {"credit_note 5008"}}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_crash_at_every_boundary_leaves_the_books_of_a_calm_run(quick: World, scenario: str) -> None:
    world = quick
    prepare, act = SCENARIOS[scenario]
    await prepare(world)
    await act(world)
    deaths = await work_and_keep_deaths(world)
    calm = await look(world)
    assert {name for name, state in calm["states"].items() if state != "done"} == HELD.get(scenario, set())
    assert world.ledger.list_drafts() == []
    kinds = {boundary.split()[0] for boundary, _ in deaths}
    assert kinds == ({"before"} if scenario in HELD else {"before", "after"})
    troubles = {}
    for number, (boundary, moment) in enumerate(deaths, start=1):
        trouble = await settle_after(world, moment, calm)
        if trouble is not None:
            troubles[f"{number} of {len(deaths)}, {boundary}"] = trouble
    assert troubles == {}


async def settle_after(world: World, moment: Moment, calm: dict[str, Any]) -> dict[str, Any] | None:
    """What differs from the calm run after a fresh worker has settled; None where nothing does."""
    try:
        await live_on_after(world, moment)
        await world.settle()
    except TimeoutError:
        return {"not settled": await world.transfers()}
    found = await look(world)
    return None if found == calm else {name: found[name] for name in calm if found[name] != calm[name]}


async def look(world: World) -> dict[str, Any]:
    """The books, and each transfer's state."""
    rows = await world.transfers()
    states = {f"{kind} {record}": row["state"] for (kind, record), row in rows.items()}
    books: dict[str, Any] = next(iter((await world.books()).values()))
    return {"states": states} | books
