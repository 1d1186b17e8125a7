"""Documents of a key without sign-in: the same plan out of lists, nobody is asked, and nothing is written."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.transfer.books import KnownBooks
from tests.world import World
from tests.world.by_file import list_contents
from tests.world.lists import FILES, make_listed_key, put_list, to_csv


async def move_to_lists(world: World, **more: Any) -> str:
    """The id of a key with lists that has all departments; the world's own has none any more."""
    await world.office.change_key(departments=[])
    key_id = await make_listed_key(world, departments="all", **more)
    settings = {"settings": {"missing_dimensions": "leave_out", "customer_series": "100000-199999"}}
    assert (await world.call("PATCH", f"/v1/keys/{key_id}", settings)).status_code == 200
    await world.office.check_customers(UUID(key_id))
    return key_id


async def test_samples_are_collected_out_of_lists_and_unimicro_is_asked_nothing(world: World) -> None:
    key_id = await move_to_lists(world)
    before = len(await world.list_calls())
    await world.deliver_samples()
    await world.settle()
    rows = {
        row["number"]: row for (kind, _), row in (await world.transfers()).items() if kind in {"invoice", "credit_note"}
    }
    held = {number: [one["code"] for one in row["reasons"]] for number, row in rows.items() if row["state"] == "held"}
    # Nobody tells a rate of exchange; product 7777 is in no list, as it is not in Unimicro.
    assert {code for codes in held.values() for code in codes} == {"rate_unusable", "product_unknown"}
    assert len([row for row in rows.values() if row["state"] == "collected"]) == len(rows) - len(held)
    assert len(await world.list_calls()) == before
    contents = await list_contents(world)
    one = contents["110001"]
    assert (one["customer"]["number"], one["entries"][0]["customer_number"]) == ("100001", "100001")
    assert {entry["account"] for entry in one["entries"][1:]} == {"3000"}
    assert {entry["vat_code"] for entry in one["entries"][1:]} == {"3"}
    assert (await world.get(f"/v1/keys/{key_id}"))["client"] == "lists"


async def test_what_waits_for_a_list_goes_on_when_it_is_sent(world: World) -> None:
    key_id = await move_to_lists(world)
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("DELETE FROM key_list WHERE kind = 'customers'"))
    world.resources.kept(KnownBooks).references.clear()
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["lists_missing"])
    await put_list(world, key_id, "customers", FILES["customers"])
    await world.settle()
    assert await world.states(5001) == ["collected"]
    # A customer that the list has under another organisation number is nobody's guess.
    await put_list(
        world, key_id, "customers", to_csv(("Kundenr", "Navn", "Orgnr"), ("100001", "Noen Andre", "974760673"))
    )
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["customer_number_clash"])
