"""The folder into which the clock puts files: what it does not take is told, lost nowhere, and keeps nobody else."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.files.drop import drop_due
from app.scheduler import look_at_clock
from app.settings import Settings
from tests.world import World
from tests.world.by_file import again, choose_files, export, list_states
from tests.world.nursery import Process
from tests.world.processes import real_world, start_worker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def settings_of(world: World, folder: Path) -> Settings:
    return world.resources.settings.model_copy(update={"exports_dir": folder})


async def look(world: World, folder: Path) -> None:
    """A look of the scheduler's, as in a running service."""
    assert await look_at_clock(replace(world.resources, settings=settings_of(world, folder)))


async def drop(world: World, folder: Path) -> int:
    sessions = world.resources.of_tenant(world.tenant_id).sessions
    return await drop_due(sessions, settings_of(world, folder), world.tenant_id)


async def files_of(world: World) -> dict[str, Any]:
    told: dict[str, Any] = await world.get(f"/v1/keys/{world.key_id}/files")
    return told


def list_dropped(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.glob("*/*") if one.is_file() and one.suffix != ".json")


def read(folder: Path, name: str) -> bytes:
    (found,) = folder.glob(f"*/{name}")
    return found.read_bytes()


def unmount(folder: Path, *, leaves: bool) -> Path:
    """Where the disk lies meanwhile; `leaves`: an empty folder in its place."""
    away = folder.rename(folder.with_name("away"))
    if leaves:
        folder.mkdir()
    return away


def mount(away: Path, folder: Path) -> None:
    if folder.is_dir():
        folder.rmdir()
    away.rename(folder)


def put_back(folder: Path) -> None:
    """The files as they lie before they are moved into the folder."""
    (beside,) = folder.glob("*/.partial")
    for one in list(beside.parent.glob("*.xlsx")):
        one.rename(beside / one.name)


def fill_disk(folder: Path, key_id: object, name: str) -> Path:
    """Whatever is written of this file ends as on a full disk."""
    beside = folder / str(key_id) / ".partial"
    beside.mkdir(parents=True)
    (beside / name).symlink_to("/dev/full")
    return beside / name


def make_room(copy: Path) -> None:
    """Half a copy is left where the disk was full."""
    copy.unlink()
    copy.write_bytes(b"half")


def obstruct(folder: Path, key_id: object) -> Path:
    """Something else, which lies where the key's part of the folder should be."""
    other = folder / str(key_id)
    other.write_text("in the way")
    return other


async def test_folder_that_is_missing_is_told_and_takes_no_document_out_of_reach(world: World, folder: Path) -> None:
    unmount(folder, leaves=False)
    await choose_files(world, drop_hours=1)
    await world.carry("invoice", 5003)
    await look(world, folder)
    told = await files_of(world)
    assert (told["ready"], told["trouble"]["code"], str(folder) in told["trouble"]["cause"]) == (
        1,
        "folder_unusable",
        True,
    )
    assert list_dropped(folder) == []
    assert await list_states(world, [5003]) == {5003: "collected"}


async def test_folder_that_takes_nothing_is_told_and_the_file_follows_when_it_does(world: World, folder: Path) -> None:
    await choose_files(world, drop_hours=1)
    await world.carry("invoice", 5003)
    other = obstruct(folder, world.key_id)
    await look(world, folder)
    assert (await files_of(world))["trouble"]["code"] == "folder_unusable"
    other.unlink()
    await look(world, folder)
    assert len(list_dropped(folder)) == 2
    assert (await files_of(world))["trouble"] is None


async def test_half_a_copy_of_a_full_disk_is_never_shown_and_written_anew(world: World, folder: Path) -> None:
    await choose_files(world, drop_hours=1)
    await world.carry("invoice", 5003)
    named = (await world.get(f"/v1/keys/{world.key_id}"))["name"]
    copy = fill_disk(folder, world.key_id, f"{named.lower().replace(' ', '-')}-000001-kunde.xlsx")
    assert await drop(world, folder) == 0
    told = await files_of(world)
    assert "No space left" in told["trouble"]["cause"]
    assert list_dropped(folder) == []
    make_room(copy)
    assert await drop(world, folder) == 2
    assert read(folder, copy.name)[:2] == b"PK"


async def test_disk_that_is_not_mounted_between_copy_and_move_loses_no_file(world: World, folder: Path) -> None:
    await choose_files(world, drop_hours=1)
    await world.carry("invoice", 5003)
    assert await drop(world, folder) == 2
    # As if the process had died when the copies lay beside the folder, and the disk had gone with the machine.
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE export_file SET dropped_at = NULL"))
    put_back(folder)
    away = unmount(folder, leaves=True)
    await world.carry("invoice", 5006)
    await choose_files(world, drop_hours=0.0000001)
    assert await drop(world, folder) == 0
    told = await files_of(world)
    assert (told["trouble"]["code"], told["ready"]) == ("folder_unusable", 1)
    assert list_dropped(folder) == []
    mount(away, folder)
    await choose_files(world)
    assert await drop(world, folder) == 2
    assert len(list_dropped(folder)) == 2
    assert (await files_of(world))["trouble"] is None


async def test_file_of_which_a_document_was_let_go_is_not_dropped_any_more(world: World, folder: Path) -> None:
    await choose_files(world, drop_hours=1)
    await world.carry("invoice", 5003, 5006)
    other = obstruct(folder, world.key_id)
    await drop(world, folder)
    (made,) = await world.get("/v1/exports")
    assert await again(world, made, ids="all") == 202
    await world.settle()
    other.unlink()
    assert await drop(world, folder) == 0
    second = await export(world)
    assert (second["number"], second["documents"], list_dropped(folder)) == (2, 2, [])


async def test_hours_without_a_folder_are_told(world: World) -> None:
    await choose_files(world, drop_hours=1)
    await world.carry("invoice", 5003)
    assert world.resources.settings.exports_dir is None
    assert await look_at_clock(world.resources)
    told = await files_of(world)
    assert (told["ready"], told["trouble"]["code"]) == (1, "folder_unusable")
    assert "RMU_EXPORTS_DIR: it is not set" in told["trouble"]["cause"]


async def test_running_worker_drops_files_that_are_whole_whenever_they_are_seen(
    database_url: str, tmp_path: Path, folder: Path
) -> None:
    async with real_world(database_url, tmp_path) as world:
        await choose_files(world, drop_hours=1)
        await world.carry("invoice", 5003, 5006)
        running = settings_of(world, folder).model_copy(update={"schedule_seconds": 0.2})
        seen: dict[str, str] = {}
        with stopping(start_worker(running, tmp_path)):
            while len(seen) < 2:
                # The first look at a file is the one that counts.
                seen = list_sums(folder) | seen
                await asyncio.sleep(0.002)
        (made,) = await world.get("/v1/exports")
        detail = await world.get(f"/v1/exports/{made['id']}")
        # What was seen first is what stays: no file grew under anybody's eyes.
        assert seen == list_sums(folder) == {one["name"]: one["sha256"] for one in detail["files"]}
        assert (made["made_by"], made["drops"]) == ("schedule", True)


def list_sums(folder: Path) -> dict[str, str]:
    found = [one for one in folder.glob("*/*.xlsx") if one.is_file()]
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in found}


@contextmanager
def stopping(process: Process) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
