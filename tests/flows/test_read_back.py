"""What went out in a file is looked for in Unimicro, and its state says what was found there."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.booking import Booking
from tests.world import World
from tests.world.by_file import again, choose_files, confirm, download, export, list_states, prove_key
from tests.world.lists import make_listed_key
from tests.world.names import COMPANY, UNIMICRO
from tests.world.numbered import turn

# An invoice, its whole credit note, and two more.
CARRIED = (5003, 5006, 5007, 5008)


async def make(world: World, *record_ids: int, booking: Booking = Booking.VOUCHER) -> dict[str, Any]:
    await choose_files(world, booking)
    await world.carry("invoice", *record_ids)
    for layout in ("ordre", "produkt") if booking is Booking.ORDER else ():
        word = {"name": "Kari Nordmann", "reason": "compared with the template"}
        said = await world.post(f"/v1/keys/{world.key_id}/layouts/{layout}/accept", word)
        assert said.status_code == 200, said.text
    return await export(world)


async def take(world: World, made: dict[str, Any], **ticked: int) -> list[dict[str, Any]]:
    """What Import central's logs say of the export's files, imported in their order by a person."""
    key = world.unimicro.state.world.company(COMPANY).key
    logs = []
    for file in made["files"]:
        content = await download(world, made, name=file["name"])
        address = f"{UNIMICRO}/sandbox/companies/{key}/import/{file['layout']}"
        answer = await world.http.post(address, content=content, params=ticked)
        assert answer.status_code == 200, answer.text
        logs.append(answer.json())
    return logs


async def look(world: World, made: dict[str, Any], **page: int) -> dict[str, Any]:
    """What the read-back tells; it writes nothing there."""
    before = len(await world.list_calls())
    paging = "&".join(f"{name}={value}" for name, value in page.items())
    answer = await world.post(f"/v1/exports/{made['id']}/read-back?{paging}")
    assert answer.status_code == 200, answer.text
    assert {call["method"] for call in (await world.list_calls())[before:]} <= {"GET"}
    told: dict[str, Any] = answer.json()
    return told


async def test_what_was_imported_is_found_and_is_in_unimicro_whoever_has_said_so(world: World) -> None:
    made = await make(world, *CARRIED)
    await prove_key(world)
    assert (await look(world, made))["counts"] == {"missing": 4}
    assert set((await list_states(world, CARRIED)).values()) == {"exported"}
    logs = await take(world, made)
    assert [log["Status"] for log in logs] == ["Completed"] * len(logs), logs
    first = await look(world, made, limit=3)
    assert (first["counts"], first["next"]) == ({"found": 3}, 3)
    rest = await look(world, made, after=3)
    assert (rest["counts"], rest["next"]) == ({"found": 1}, None)
    assert set((await list_states(world, CARRIED)).values()) == {"done"}
    row = await world.document(5003)
    (head,) = [one for one in world.ledger.documents() if one["InvoiceNumber"] == row["number"]]
    assert (row["remote_number"], row["remote_id"], row["reasons"]) == (row["number"], head["ID"], [])
    assert (await world.get(f"/v1/exports/{made['id']}"))["states"] == {"taken": 4}
    proof = (await world.get(f"/v1/keys/{world.key_id}"))["proof"]
    assert (proof["equal"], proof["credits_proven"]) == (4, True)
    # Again it changes nothing.
    assert (await look(world, made))["counts"] == {"found": 4}
    assert (await world.get(f"/v1/keys/{world.key_id}"))["proof"]["equal"] == 4


def no_change(_world: World) -> None:
    """The books as the import has left them."""


def change(**values: Any) -> Callable[[World], None]:
    """Somebody has changed the invoice 5003 in Unimicro."""

    def put(world: World) -> None:
        books = world.ledger.books()
        row = next(one for one in books.rows("CustomerInvoice") if one["InvoiceNumber"] == "210002")
        books.update("CustomerInvoice", row["ID"], values)

    return put


@pytest.mark.parametrize(
    ("switches", "deed", "ticked", "counts", "codes"),
    [
        # One voucher for all of the file, or for a day: the heads are the documents' all the same.
        ({"import_groups": "file"}, no_change, {}, {"found": 2}, []),
        ({"import_groups": "day"}, no_change, {}, {"found": 2}, []),
        ({"head_sums": "gross"}, no_change, {}, {"found": 2}, []),
        ({"voucher_heads": "none"}, no_change, {}, {"missing": 2}, []),
        ({}, no_change, {"makes_invoices": 0}, {"missing": 2}, []),
        ({}, no_change, {"posts": 0}, {"missing": 2}, []),
        ({"voucher_credits": "ignored"}, no_change, {}, {"found": 1, "missing": 1}, []),
        ({}, change(PaymentID="4711004"), {}, {"different": 1, "found": 1}, ["issued_otherwise"]),
        ({}, change(PaymentDueDate="2027-01-01"), {}, {"different": 1, "found": 1}, ["issued_otherwise"]),
        ({}, change(TaxInclusiveAmount=1), {}, {"different": 1, "found": 1}, ["issued_otherwise"]),
    ],
)
async def test_whichever_way_unimicro_imports_the_state_says_how_it_stands(
    world: World,
    switches: dict[str, Any],
    deed: Callable[[World], None],
    ticked: dict[str, int],
    counts: dict[str, int],
    codes: list[str],
) -> None:
    made = await make(world, 5003, 5008)
    turn(world, **switches)
    await take(world, made, **ticked)
    deed(world)
    told = await look(world, made)
    assert told["counts"] == counts
    states = {"found": "done", "missing": "exported", "different": "held"}
    shown = {one["number"]: one["outcome"] for one in told["rows"]}
    for record_id in (5003, 5008):
        row = await world.document(record_id)
        assert row["state"] == states[shown[row["number"]]]
    if codes:
        assert (await world.hold_of(5003))[1] == codes
        key = await world.get(f"/v1/keys/{world.key_id}")
        assert key["proof"]["state"] == ("stopped" if "KID" in str(told) or "due date" in str(told) else "open")


async def test_a_file_that_is_imported_twice_is_told(world: World) -> None:
    made = await make(world, 5003)
    turn(world, duplicate_heads="made")
    await take(world, made)
    await take(world, made)
    assert (await look(world, made))["counts"] == {"twice": 1}
    assert await world.hold_of(5003) == ("held", ["document_twice"])
    # Neither RecMan's repeat nor a word about the import makes one of the two.
    await world.carry("invoice", 5003)
    assert await world.hold_of(5003) == ("held", ["document_twice"])
    # What is there twice goes into no third file, nor is it refused.
    ids = [(await world.document(5003))["id"]]
    assert await again(world, made, ids=ids) == 409
    bad = {"refused": [{"id": ids[0], "because": "it came twice"}]}
    assert (await world.post(f"/v1/exports/{made['id']}/confirm", bad)).status_code == 409
    # Somebody deletes both there: it stands as it was exported.
    books = world.ledger.books()
    twins = [one for one in books.rows("CustomerInvoice") if one["InvoiceNumber"] == "210002"]
    for twin in twins:
        books.update("CustomerInvoice", twin["ID"], {"InvoiceNumber": "999"})
    assert (await look(world, made))["counts"] == {"missing": 1}
    assert await world.states(5003) == ["exported"]
    for twin in twins:
        books.update("CustomerInvoice", twin["ID"], {"InvoiceNumber": "210002"})
    assert (await look(world, made))["counts"] == {"twice": 1}
    assert await confirm(world, made, taken="all") == {"taken": 1, "refused": 0}
    assert await world.hold_of(5003) == ("held", ["document_twice"])


async def test_what_somebody_has_confirmed_and_is_not_there_is_held_until_it_is(world: World) -> None:
    made = await make(world, 5003, 5006)
    await confirm(world, made, taken="all")
    assert (await look(world, made))["counts"] == {"missing": 2}
    assert await world.hold_of(5003) == ("held", ["file_not_found"])
    await take(world, made)
    assert (await look(world, made))["counts"] == {"found": 2}
    assert set((await list_states(world, (5003, 5006))).values()) == {"done"}
    assert (await world.document(5003))["reasons"] == []


async def test_orders_are_found_by_customer_day_and_amount(world: World) -> None:
    made = await make(world, 5003, 5006, booking=Booking.ORDER)
    turn(world, import_order_numbers="series")
    logs = await take(world, made)
    assert [log["Status"] for log in logs] == ["Completed"] * len(logs), logs
    told = await look(world, made)
    assert told["counts"] == {"found": 2}
    assert {one["remote_number"] for one in told["rows"]} == {"1", "2"}
    assert set((await list_states(world, (5003, 5006))).values()) == {"done"}


async def test_without_a_sign_in_nobody_can_look(world: World) -> None:
    made = await make(world, 5003)
    key_id = await make_listed_key(world, kinds=())
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE export_number SET key_id = :id"), {"id": key_id})
        await connection.execute(text("UPDATE export SET key_id = :id"), {"id": key_id})
    answer = await world.post(f"/v1/exports/{made['id']}/read-back")
    assert (answer.status_code, answer.json()["code"]) == (409, "key_without_sign_in")
