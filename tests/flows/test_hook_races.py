"""Whoever rotates a hook beside others is promised an address, or a secret, that is good, or is told that he is not."""

import asyncio
import os
from typing import Any

import pytest

from tests.world import World

CALLERS = 5
ROUNDS = 200 if "EVERYTHING" in os.environ else 4


async def is_taken(world: World, address: str, secret: str | None) -> bool:
    body = {"event": "invoice.updated", "invoiceId": 5001}
    headers = {"X-S": secret} if secret else {}
    return (await world.http.post(address, json=body, headers=headers)).status_code == 202


@pytest.mark.timeout(900 if "EVERYTHING" in os.environ else 120)
@pytest.mark.parametrize("what", ["address", "secret"])
async def test_of_many_that_rotate_a_hook_at_once_each_gets_what_it_was_promised(world: World, what: str) -> None:
    verification = {"kind": "header", "header": "X-S"} if what == "secret" else {"kind": "path"}
    newest = (
        await world.call("POST", "/v1/hooks", {"name": what, "verification": verification}, tenant=world.tenant_id)
    ).json()
    address, path = newest["address"], f"/v1/hooks/{newest['id']}/rotate"
    for _ in range(ROUNDS):
        first = (await world.call("POST", path, {"what": what, "overlap_hours": 1, "end_older": True})).json()
        orders = [{"what": what, "overlap_hours": hours} for hours in range(1, CALLERS + 1)]
        answers = await asyncio.gather(*(world.call("POST", path, order) for order in orders))
        # One place of five is the one that was good before.
        assert sorted(answer.status_code for answer in answers) == [201] * (CALLERS - 1) + [409]
        given: list[dict[str, Any]] = [first, *(answer.json() for answer in answers if answer.status_code == 201)]
        assert len({one["address"] or one["secret"] for one in given}) == CALLERS
        for one in given:
            address = one["address"] or address
            assert await is_taken(world, address, one["secret"])
