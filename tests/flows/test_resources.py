"""What a process holds is little: whatever one room alone needs is kept by that room, and closed at the end."""

from dataclasses import dataclass, fields
from pathlib import Path

from app.platform.resources import Resources, open_resources
from tests.world import make_settings


@dataclass(slots=True)
class Tap:
    """Something that a room holds open."""

    litres: int = 1
    closed: bool = False

    async def close(self) -> None:
        """Note it."""
        self.closed = True


def test_resources_hold_settings_sessions_http_and_vault() -> None:
    assert [one.name for one in fields(Resources)] == ["settings", "sessions", "http", "vault", "_kept"]


async def test_what_a_room_keeps_is_made_once_and_closed_at_the_end(tmp_path: Path) -> None:
    url = "postgresql://nobody@nowhere.test/none"
    async with open_resources(make_settings(url, tmp_path), database_url=url) as resources:
        tap = resources.kept(Tap, lambda: Tap(litres=3))
        assert resources.kept(Tap) is tap
        assert (tap.litres, tap.closed) == (3, False)
    assert tap.closed
