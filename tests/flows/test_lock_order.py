"""Whoever locks a lane and a transfer in one transaction takes the lane first: else two of them wait for each other."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.world import COMPANY, World

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


# --- the administrator's doors ---

ADMIN_TABLES = "tenant|sign_in|key|hook|admin_token|department|proving|series_order|audit_chain"
_ADMIN_LOCKS = re.compile(
    rf'FROM "?({ADMIN_TABLES})"? .*FOR NO KEY UPDATE|^\s*UPDATE "?({ADMIN_TABLES})"? SET', re.DOTALL
)


def list_orders(told: list[list[str]]) -> set[tuple[str, str]]:
    """Which table was locked right before which other one, in one transaction."""
    orders = set()
    for statements in told:
        found = [next(filter(None, match.groups())) for one in statements if (match := _ADMIN_LOCKS.search(one))]
        first = list(dict.fromkeys(found))
        orders |= {(one, later) for n, one in enumerate(first) for later in first[n + 1 :]}
    return orders


async def walk(world: World) -> None:
    office, path = world.office, f"/v1/keys/{world.key_id}"
    await office.read_departments()
    other = await office.open_key("Other", company=COMPANY, departments=["1"])
    await office.change_key(departments=["2"], name="N", go_live="2026-10-02", state="paused")
    await office.change_key(state="active", booking="draft")
    await office.give("1", world.key_id)
    await office.sign_in(world.tenant_id, key_id=str(world.key_id))
    await office.put_rules({"held_customers": ["1"]})
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"name": "N"})
    await office.change_reading(most_changes=7)
    (hook,) = (await world.call("GET", "/v1/hooks")).json()["rows"]
    await world.call("PATCH", f"/v1/hooks/{hook['id']}", {"name": "N"})
    await world.call("POST", f"/v1/hooks/{hook['id']}/rotate", {"what": "address"})
    made = await world.call("POST", "/v1/tokens", {"name": "N", "role": "viewer"}, tenant=world.tenant_id)
    await world.call("POST", f"/v1/tokens/{made.json()['id']}/rotate", {})
    await world.call("POST", f"{path}/customer-check/accept", {"name": "N", "reason": "a test"})
    await office.remove_key(other)
    await world.call("POST", f"{path}/take-over", {"from_key_id": other})


async def test_doors_lock_in_one_order(world: World) -> None:
    with transactions(world) as told:
        await walk(world)
    orders = list_orders(told)
    assert len(orders) > 5
    assert sorted(pair for pair in orders if pair[::-1] in orders) == []
