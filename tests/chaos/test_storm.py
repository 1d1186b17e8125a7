"""A storm: both systems fail at random, workers die, records vanish and return; then calm. The books are as ever."""

from pathlib import Path

import pytest

from app.sandbox.samples import load_samples
from tests.world import open_world
from tests.world.storm import Storm
from tests.world.today import choose_for_today

SAMPLES = load_samples()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", choose_for_today([7, 15, 28, 38, 151]))
async def test_after_a_storm_the_books_are_as_without_it(database_url: str, tmp_path: Path, seed: int) -> None:
    async with open_world(database_url, tmp_path, lease_seconds=1) as world:
        clean = await world.learn_books()
        storm = Storm(world, seed)
        assert set(await world.hear(SAMPLES.webhooks)) == {202}
        for _ in range(storm.chance.randint(6, 14)):
            await storm.blow()
        assert await world.books() != clean or await world.count("SELECT count(*) FROM attempt WHERE outcome <> 'done'")
        await storm.calm_down()
        assert await world.books() == clean
