"""Whatever the description allows is taken, whatever it forbids is refused, and every answer is as it says.

In `make test` each role tries a few operations, each day others; `make api-check` tries all with all.
"""

import os
from datetime import UTC, datetime

import pytest

from tests.world import World
from tests.world.conform import serve, try_out
from tests.world.routes import OPERATIONS
from tests.world.today import choose_for_today

ROLES = ("operator", "admin", "viewer", "monitor")
_PARTS = 24
_WHOLE = bool(os.environ.get("API_CHECK"))
_QUICK = ("--phases", "coverage,stateful", "--max-examples", "3", "--no-shrink")
_THOROUGH = tuple(
    os.environ.get(
        "API_CHECK_OPTIONS", "--phases coverage,fuzzing,stateful --max-examples 30 --continue-on-failure"
    ).split()
)


def choose_operations(role: str) -> list[str]:
    """Those that a role tries when it has its turn, every third day; in twenty-four turns it tries all of them."""
    if _WHOLE:
        return []
    first = datetime.now(UTC).toordinal() // 3 + ROLES.index(role) * _PARTS // len(ROLES)
    return OPERATIONS[first % _PARTS :: _PARTS]


def list_known(world: World) -> dict[str, str]:
    """Parameters that name something that is there."""
    return {
        "query.tenant": str(world.tenant_id),
        "query.key_id": str(world.key_id),
        "path.key_id": str(world.key_id),
    }


@pytest.mark.timeout(3600 if _WHOLE else 120)
@pytest.mark.parametrize("role", ROLES if _WHOLE else choose_for_today(ROLES))
async def test_the_api_does_what_its_description_says(world: World, role: str) -> None:
    await world.carry("invoice", 5001, 5008)
    token = await world.office.make_token(world.tenant_id, role)
    async with serve(world) as address:
        options, names = _THOROUGH if _WHOLE else _QUICK, choose_operations(role)
        told = await try_out(address, token, *options, names=names, known=list_known(world))
    assert not told, told
