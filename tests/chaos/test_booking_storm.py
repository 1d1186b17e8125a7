"""A storm over each booking: calls fail at random, workers die; then calm. Nothing half, nothing twice, no gap."""

import random
from pathlib import Path
from typing import Any

import pytest

from app.domain.booking import Booking
from tests.world import World, open_world
from tests.world.booked import begin, check_books, write_documents
from tests.world.storm import FAULTS

_INVOICES, _VOUCHERS = "/api/biz/invoices", "/api/biz/journalentries"
CALLS: list[dict[str, Any]] = [
    {"method": "POST", "path": "/api/biz/customers"},
    {"method": "POST", "path": _INVOICES, "query": ""},
    {"method": "POST", "path": _INVOICES, "query": "action=invoice"},
    {"method": "PUT", "path": _INVOICES, "query": "create-credit-draft-invoice"},
    {"method": "PUT", "path": _INVOICES, "query": ""},
    {"method": "DELETE", "path": _INVOICES},
    {"method": "GET", "path": _INVOICES},
    {"method": "POST", "path": _VOUCHERS},
    {"method": "GET", "path": _VOUCHERS},
    {"method": "GET", "path": "/api/statistics"},
    {"method": "GET", "path": "/api/biz/number-series"},
    {"method": "POST", "path": "/api/biz/orders"},
    {"method": "GET", "path": "/api/biz/orders"},
]


async def blow(world: World, chance: random.Random, ids: list[int]) -> None:
    """A while of trouble, with a worker in the middle of it."""
    for _ in range(chance.randint(1, 3)):
        fault, more = chance.choice(FAULTS)
        await world.fault(fault, **chance.choice(CALLS), **more, times=chance.choice([1, 1, 2]))
    if chance.random() < 0.5:
        await world.work_and_die(seconds=chance.uniform(0.05, 0.6))
    else:
        await world.work(seconds=chance.uniform(0.05, 0.6))
    await world.hear_of("invoice", chance.choice(ids))


async def calm_down(world: World) -> None:
    """Everything works again, and everybody is asked once more; a key that was stopped is let go on by a person."""
    world.unimicro.faults.waiting.clear()  # type: ignore[attr-defined]
    for _ in range(3):
        for row in (await world.transfers()).values():
            if row["state"] in {"held", "failed"}:
                await world.retry(row)
        # Whoever rests because Unimicro had too much looks now.
        async with world.resources.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE key SET paused_until = NULL")
            await connection.exec_driver_sql("UPDATE lane SET run_at = now() WHERE state = 'ready'")
        await world.settle()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("booking", Booking)
@pytest.mark.parametrize("seed", [4])
async def test_after_a_storm_every_document_stands_once_and_whole(
    database_url: str, tmp_path: Path, booking: Booking, seed: int
) -> None:
    chance = random.Random(f"{booking} {seed}")
    async with open_world(database_url, tmp_path, lease_seconds=1) as world:
        await begin(world, booking)
        ids = write_documents(world, booking)
        await world.hear_of("invoice", *chance.sample(ids, len(ids)))
        for _ in range(5):
            await blow(world, chance, ids)
        await calm_down(world)
        assert await world.outcomes(*ids) == {"done": [""] * len(ids)}
        proof = (await world.get(f"/v1/keys/{world.key_id}"))["proof"]
        assert proof["state"] == "open", proof
        check_books(world, booking, ids)
