"""Whoever locks a lane and a transfer in one transaction takes the lane first: else two of them wait for each other."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from app.domain.booking import Booking
from tests.world import World
from tests.world.bookings import choose_booking
from tests.world.numbered import FIRST, make_invoices, prove_again, put_series, skip_to, start_series, turn

_LANE = re.compile(r"\bUPDATE lane\b|\bINSERT INTO lane\b|\bFROM lane\b.*\bFOR (NO KEY )?UPDATE", re.DOTALL)
_TRANSFER = re.compile(r"\b(UPDATE|INSERT INTO) transfer\b|\bFROM transfer\b.*\bFOR (NO KEY )?UPDATE", re.DOTALL)


@contextmanager
def transactions(world: World) -> Iterator[list[list[str]]]:
    """What each transaction of the block says, in its order."""
    engine = world.resources.engine.sync_engine
    told: list[list[str]] = []
    under_way: dict[int, list[str]] = {}

    def begin(connection: Any) -> None:
        mine: list[str] = []
        under_way[id(connection.connection.dbapi_connection)] = mine
        told.append(mine)

    def say(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        under_way.setdefault(id(connection.connection.dbapi_connection), []).append(statement)

    event.listen(engine, "begin", begin)
    event.listen(engine, "before_cursor_execute", say)
    try:
        yield told
    finally:
        event.remove(engine, "begin", begin)
        event.remove(engine, "before_cursor_execute", say)


def list_turned(told: list[list[str]]) -> list[tuple[str, str]]:
    """The transactions that lock a transfer before their first lane: both statements."""
    turned = []
    for statements in told:
        lanes = [n for n, one in enumerate(statements) if _LANE.search(one)]
        transfers = [n for n, one in enumerate(statements) if _TRANSFER.search(one)]
        if lanes and transfers and transfers[0] < lanes[0]:
            turned.append((statements[transfers[0]][:200], statements[lanes[0]][:200]))
    return turned


@pytest.mark.parametrize("booking", ["renumbered", "draft", "order"])
async def test_invoice_and_its_credit_note_take_lanes_before_transfers(world: World, booking: str) -> None:
    """5008 credits 5003: it waits for it, asks for it, and is woken by its end."""
    await world.office.change_key(booking=booking)
    with transactions(world) as told:
        await world.carry("invoice", 5008)
        await world.carry("invoice", 5003)
        await world.settle()
        await world.retry(await world.document(5008))
        await world.settle()
    assert any(_LANE.search(one) for statements in told for one in statements)
    assert (await world.hold_of(5008))[0] == ("done" if booking == "renumbered" else "held")
    assert list_turned(told) == []


_KEY = re.compile(r"\bUPDATE key\b|\bFROM key\b.*\bFOR (NO KEY )?(UPDATE|SHARE)", re.DOTALL)
# A lane that may be in somebody's hands; whoever wakes those that wait takes none of these.
_HELD_LANE = re.compile(r"\bINSERT INTO lane\b|\bFROM lane\b(?!.*SKIP LOCKED).*\bFOR (NO KEY )?UPDATE", re.DOTALL)
_PROVING = re.compile(r"\b(UPDATE|INSERT INTO) proving\b|\bFROM proving\b.*\bFOR (NO KEY )?UPDATE", re.DOTALL)
_SERIES = re.compile(r"\b(UPDATE|INSERT INTO) series_order\b|\bFROM series_order\b.*\bFOR (NO KEY )?UPDATE", re.DOTALL)
# The one order of whoever takes several of them: keys, lanes, transfers, what is kept of proving, series.
_ORDER = (_KEY, _HELD_LANE, _TRANSFER, _PROVING, _SERIES)


def list_out_of_order(told: list[list[str]]) -> list[tuple[str, ...]]:
    """The transactions that take something after what comes behind it: both statements, where each was taken first."""
    found = []
    for statements in told:
        taken = [next((n for n, one in enumerate(statements) if kind.search(one)), None) for kind in _ORDER]
        firsts = [n for n in taken if n is not None]
        if firsts != sorted(firsts):
            found.append(tuple(statements[n][:160] for n in firsts))
    return found


async def prove(world: World) -> None:
    await prove_again(world)
    await world.carry("invoice", 5001)
    await world.carry("invoice", 5003, 5008)


async def stop_and_open(world: World) -> None:
    await prove_again(world)
    turn(world, stop_flags="lost")
    await world.carry("invoice", 5001)
    assert (await world.get(f"/v1/keys/{world.key_id}"))["proof"]["state"] == "stopped"
    word = {"name": "Kari Nordmann", "reason": "compared"}
    assert (await world.call("POST", f"/v1/keys/{world.key_id}/open", word)).status_code == 200
    await world.settle()


async def book_otherwise(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET acceptance = NULL"))
    await world.carry("invoice", 5001)
    assert (await world.hold_of(5001))[1] == ["renumbered_unaccepted"]
    await world.office.change_key(booking="draft", sender="unimicro")
    await world.settle()


async def issue_in_series(world: World) -> None:
    series_id = await start_series(world)
    first, third = make_invoices(world, [FIRST, FIRST + 2])
    await world.carry("invoice", third)
    await world.carry("invoice", first)
    assert (await skip_to(world, series_id, FIRST + 2)).status_code == 200
    await world.settle()
    assert await world.states(first, third) == ["done", "done"]
    series = {"series_id": series_id, "next_number": FIRST + 3}
    assert (await put_series(world, series)).status_code == 200


async def remove_and_link(world: World) -> None:
    turn(world, number_posted="ignored")
    await choose_booking(world, Booking.OWN_NUMBER)
    await world.carry("invoice", 5001)
    assert (await world.hold_of(5001))[1] == ["number_not_kept"]
    await world.office.remove_key(world.key_id)
    await world.settle()


@pytest.mark.parametrize("happens", [prove, stop_and_open, book_otherwise, issue_in_series, remove_and_link])
async def test_doors_and_workers_take_keys_lanes_transfers_proving_and_series_in_one_order(
    world: World, happens: Callable[[World], Awaitable[None]]
) -> None:
    with transactions(world) as told:
        await happens(world)
    assert any(_KEY.search(one) for statements in told for one in statements)
    assert list_out_of_order(told) == []
