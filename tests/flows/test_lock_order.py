"""Whoever locks a lane and a transfer in one transaction takes the lane first: else two of them wait for each other."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.world import World

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
