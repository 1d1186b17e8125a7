"""What the commands `erase`, `prune` and `export` do with keys that make files: lists, exports, and what is in them."""

import hashlib
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from tests.world import World
from tests.world.by_file import again, choose_files, confirm, download, export
from tests.world.lists import CUSTOMERS, make_listed_key, put_list, to_csv
from tests.world.processes import make_way, run_alone


def run(world: World, *arguments: str) -> tuple[int, str]:
    """Exit status, and all that is told."""
    secret = world.resources.settings.encryption_keys
    assert secret is not None
    way = make_way(world.resources.settings)
    done = run_alone(*arguments, RMU_ENCRYPTION_KEYS=secret.get_secret_value(), **way)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


async def test_company_that_is_erased_is_in_no_list_and_is_not_taken_out_of_its_files(world: World) -> None:
    await world.office.change_key(departments=[])
    key_id = UUID(await make_listed_key(world, departments="all"))
    await world.call("PATCH", f"/v1/keys/{key_id}", {"settings": {"missing_dimensions": "leave_out"}})
    await world.office.check_customers(key_id)
    await world.carry("invoice", 5003)
    world.key_id = key_id
    made = await export(world)
    content = await download(world, made)
    assert await confirm(world, made, taken="all") == {"taken": 1, "refused": 0}
    # The list of now has the company, for it was imported.
    (document,) = await world.get(f"/v1/exports/{made['id']}/documents")
    rows = (("Kundenr", "Navn"), *(one[:2] for one in CUSTOMERS), (document["customer_number"], "Anne Persen"))
    await put_list(world, str(key_id), "customers", to_csv(*rows))
    async with world.resources.engine.connect() as connection:
        before = (await connection.execute(text("SELECT count, digest FROM key_list WHERE kind = 'customers'"))).one()
        of_invoice = text("SELECT recman_company_id FROM transfer WHERE record_id = '5003'")
        company_id = str((await connection.execute(of_invoice)).scalar_one())
    status, told = run(world, "erase", "company", company_id)
    assert status == 0, told
    assert "1 rows of lists" in told
    assert "1 documents in the books, or in files of exports, stay" in told
    async with world.resources.engine.connect() as connection:
        after = (await connection.execute(text("SELECT count, digest FROM key_list WHERE kind = 'customers'"))).one()
    assert (before[0], after[0]) == (2, 1)
    assert after[1] != before[1]
    assert await download(world, made) == content


async def test_document_that_was_let_go_of_a_file_is_said_to_stay_there(world: World) -> None:
    await choose_files(world)
    await world.carry("invoice", 5003)
    made = await export(world)
    row = await world.document(5003)
    assert await again(world, made, ids="all") == 202
    await world.settle()
    assert (await world.ignore(await world.document(5003)))[0] == 200
    status, told = run(world, "erase", "invoice", "5003")
    assert status == 0, told
    assert "1 documents in the books, or in files of exports, stay" in told
    assert (await world.document(5003))["customer_name"] == row["customer_name"]


async def test_files_are_pruned_after_five_years_and_none_that_is_open(world: World) -> None:
    await choose_files(world)
    await world.carry("invoice", 5003)
    settled = await export(world)
    assert await confirm(world, settled, taken="all") == {"taken": 1, "refused": 0}
    await world.carry("invoice", 5006)
    await export(world)
    async with world.resources.engine.begin() as connection:
        old = "made_at - make_interval(years => 7)"
        await connection.execute(text(f"UPDATE export SET made_at = {old}, settled_at = settled_at"))  # noqa: S608 - ours
        await connection.execute(text("UPDATE transfer SET invoice_date = invoice_date - 7 * 366"))
    assert run(world, "prune", "--dry-run")[0] == 0
    assert len(await world.get("/v1/exports")) == 2
    status, told = run(world, "prune")
    assert (status, "files of exports" in told) == (0, True)
    (left,) = await world.get("/v1/exports")
    # What nobody has said anything of is needed still, with its file.
    assert left["states"] == {"in_file": 1}
    assert (await download(world, left))[:2] == b"PK"
    assert (await world.get(f"/v1/keys/{world.key_id}/files"))["in_file"] == 1


async def test_command_makes_files_and_says_what_is_wrong_as_the_door_does(world: World, tmp_path: Path) -> None:
    await choose_files(world)
    await world.carry("invoice", 5003)
    into = str(tmp_path)
    status, told = run(world, "export", "--key", "Nordlys", "--dry-run")
    assert (status, "NOK: 1 documents" in told) == (0, True), told
    assert run(world, "export", "--key", "Nordlys", "--layout", "unistd", "--into", into)[0] == 1
    # Nothing is made for a folder that takes nothing.
    status, told = run(world, "export", "--key", "Nordlys", "--into", "/dev/null/away")
    assert (status, "nothing was made" in told) == (1, True), told
    assert await world.get("/v1/exports") == []
    status, told = run(world, "export", "--key", "Nordlys", "--into", into)
    assert status == 0, told
    (made,) = await world.get("/v1/exports")
    detail = await world.get(f"/v1/exports/{made['id']}")
    assert read_all(tmp_path) == {one["name"]: one["sha256"] for one in detail["files"]}
    assert all(one["sha256"] in told for one in detail["files"])
    assert run(world, "export", "--key", "Nordlys", "--into", into)[0] == 1


async def test_command_that_cannot_write_says_where_the_file_is(world: World, tmp_path: Path) -> None:
    await choose_files(world)
    await world.carry("invoice", 5003)
    obstruct(tmp_path)
    status, told = run(world, "export", "--key", "Nordlys", "--into", str(tmp_path))
    (made,) = await world.get("/v1/exports")
    assert (status, made["id"] in told) == (1, True), told
    assert "/file" in told


def read_all(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}


def obstruct(folder: Path) -> None:
    """A file of this name cannot be written there: a folder has it."""
    (folder / "nordlys-000001-kunde.xlsx").mkdir()
