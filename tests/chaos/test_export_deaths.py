"""Whoever makes a file, or drops it, may die at any moment: no half file, no lost document, none in two places."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.domain.states import TransferState
from app.files.drop import drop_due
from app.scheduler import look_at_clock
from app.settings import Settings
from tests.world import World
from tests.world.by_file import choose_files, export, list_states, try_export
from tests.world.deaths import DiedError, dying_at
from tests.world.today import choose_for_today

DOCUMENTS = (5003, 5008)
# More statements than these nobody sends for a file of two documents; the last one is where nobody dies.
_COUNTS = (*choose_for_today(range(1, 40)), 60)


async def test_export_that_dies_anywhere_leaves_all_or_nothing(world: World) -> None:
    await choose_files(world)
    await world.carry("invoice", *DOCUMENTS)
    died = 0
    for count in _COUNTS:
        with dying_at(world.resources.engine, count) as sent:
            answer = await try_export(world)
        states = set((await list_states(world, DOCUMENTS)).values())
        exports = await world.get("/v1/exports")
        if sent[0] < count:
            assert answer.status_code == 201
            break
        died += 1
        assert answer.status_code == 500
        assert (states, exports) == ({TransferState.COLLECTED}, [])
    assert died > 5
    assert set((await list_states(world, DOCUMENTS)).values()) == {"exported"}
    (made,) = await world.get("/v1/exports")
    # What died took no number with it.
    assert (made["number"], made["documents"]) == (1, 2)


async def _drop_and_die(world: World, settings: Settings) -> tuple[int, list[Path]]:
    """Drop with a death at every statement, one after the other; how many died, and what was taken away meanwhile."""
    seen: list[Path] = []
    own = world.resources.of_tenant(world.tenant_id).sessions
    died, count = 0, 0
    while True:
        count += 1
        with dying_at(world.resources.engine, count) as sent:
            try:
                await drop_due(own, settings, world.tenant_id)
            except DiedError:
                died += 1
        seen += _take_away(settings)
        if sent[0] < count:
            return died, seen


def _take_away(settings: Settings) -> list[Path]:
    """An importer that takes every file as soon as it sees it; each must be whole."""
    assert settings.exports_dir is not None
    found = [one for one in settings.exports_dir.glob("*/*") if one.is_file() and one.suffix != ".json"]
    for one in found:
        taken = one.parent / ".taken" / f"{one.name}-{hashlib.sha256(one.read_bytes()).hexdigest()}"
        taken.parent.mkdir(exist_ok=True)
        assert not taken.exists(), one
        one.replace(taken)
    return found


def _drop_into(world: World, tmp_path: Path) -> Settings:
    folder = tmp_path / "drop"
    folder.mkdir()
    return world.resources.settings.model_copy(update={"exports_dir": folder})


async def test_drop_that_dies_anywhere_shows_each_file_whole_and_once(world: World, tmp_path: Path) -> None:
    settings = _drop_into(world, tmp_path)
    await choose_files(world, drop_hours=1)
    await world.carry("invoice", *DOCUMENTS)
    died, seen = await _drop_and_die(world, settings)
    assert died > 5
    (made,) = await world.get("/v1/exports")
    detail: dict[str, Any] = await world.get(f"/v1/exports/{made['id']}")
    assert sorted(one.name for one in seen) == sorted(one["name"] for one in detail["files"])
    assert all(one["dropped_at"] for one in detail["files"])
    kept = {one.name for one in (tmp_path / "drop").glob("*/.taken/*")}
    assert kept == {f"{one['name']}-{one['sha256']}" for one in detail["files"]}


async def test_clock_makes_a_file_when_it_is_due_and_tells_why_it_cannot(world: World, tmp_path: Path) -> None:
    settings = _drop_into(world, tmp_path)
    own = world.resources.of_tenant(world.tenant_id).sessions
    await choose_files(world, drop_hours=1, export_layout="unistd")
    await world.carry("invoice", 5003)
    assert await drop_due(own, settings, world.tenant_id) == 0
    standing = await world.get(f"/v1/keys/{world.key_id}/files")
    assert (standing["ready"], standing["trouble"]["code"]) == (1, "export_unfit")
    await choose_files(world, drop_hours=1)
    await world.post(f"/v1/keys/{world.key_id}/layouts/unistd/accept", {"name": "Kari", "reason": "seen"})
    await export(world)
    await world.carry("invoice", 5006)
    # What a person exports is no drop, and the clock itself makes the next one.
    assert await look_at_clock(replace(world.resources, settings=settings))
    assert await drop_due(own, settings, world.tenant_id) == 0
    manifests = sorted(one.name for one in (tmp_path / "drop").glob("*/*.json"))
    assert [one[-5:] for one in manifests] == [".json", ".json"]
