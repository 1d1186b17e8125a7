"""What the commands `erase`, `prune` and `export` do with keys that make files: lists, exports, and what is in them."""

from sqlalchemy import text

from app.platform.db import url_of
from tests.world import World
from tests.world.by_file import again, choose_files, confirm, download, export
from tests.world.lists import CUSTOMERS, make_listed_key, put_list, to_csv
from tests.world.processes import run_alone


def run(world: World, *arguments: str, **more: str) -> tuple[int, str]:
    """Exit status, and all that is told."""
    done = run_alone(
        *arguments,
        DATABASE_URL=url_of(world.resources.sessions),
        RMU_ENCRYPTION_KEYS=world.resources.settings.encryption_keys.get_secret_value(),
        **more,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


async def test_company_that_is_erased_is_in_no_list_and_is_not_taken_out_of_its_files(world: World) -> None:
    await world.office.change_key(departments=[])
    key_id = await make_listed_key(world, departments="all")
    await world.call("PATCH", f"/v1/keys/{key_id}", {"settings": {"missing_dimensions": "leave_out"}})
    await world.office.check_customers(key_id)
    await world.carry("invoice", 5003)
    world.key_id = key_id  # type: ignore[assignment]
    made = await export(world)
    content = await download(world, made)
    assert await confirm(world, made, taken="all") == {"taken": 1, "refused": 0}
    # The list of now has the company, for it was imported.
    (document,) = await world.get(f"/v1/exports/{made['id']}/documents")
    rows = (("Kundenr", "Navn"), *(one[:2] for one in CUSTOMERS), (document["customer_number"], "Anne Persen"))
    await put_list(world, key_id, "customers", to_csv(*rows))
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
    assert (before.count, after.count) == (2, 1)
    assert after.digest != before.digest
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
