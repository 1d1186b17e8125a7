"""Fixtures of the contracts."""

from collections.abc import AsyncIterator

import pytest

from tests.world.unimicro_session import Session, sandbox


@pytest.fixture
async def books() -> AsyncIterator[Session]:
    """Signed in at a sandbox Unimicro of the test's own."""
    async with sandbox() as session:
        yield session
