"""kill -9 of a real worker process, at any moment and again and again: books equal, nothing lost, nothing twice."""

import asyncio
import random
from pathlib import Path

import pytest

from app.sandbox.samples import load_samples
from tests.world.processes import is_through, real_world, start_worker
from tests.world.workers import PATIENCE

SAMPLES = load_samples()


@pytest.mark.parametrize("seed", [11, 12])
async def test_killing_the_worker_again_and_again_leaves_the_same_books(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    async with real_world(database_url, tmp_path) as world:
        clean = await world.learn_books()
        assert set(await world.hear(SAMPLES.webhooks)) == {202}
        kills = 0
        worker = start_worker(world.resources.settings, tmp_path)
        try:
            async with asyncio.timeout(PATIENCE):
                while not await is_through(world):
                    await asyncio.sleep(chance.uniform(0.1, 0.6))
                    if kills < 4:
                        worker.kill()
                        worker.wait()
                        kills += 1
                        worker = start_worker(world.resources.settings, tmp_path)
        finally:
            worker.terminate()
            worker.wait(20)
        assert kills >= 2
        assert await world.books() == clean
