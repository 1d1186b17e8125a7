"""What crash tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, open_world


@pytest.fixture
async def quick(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """One lane at a time, so that boundaries come in the same order each time."""
    async with open_world(database_url, tmp_path, worker_concurrency=1, lease_seconds=60, poll_seconds=0.02) as world:
        yield world
