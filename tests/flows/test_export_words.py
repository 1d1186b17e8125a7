"""What people say of an export, whatever else happens: contradictions, alarms, another mode and back, a removed key."""

from typing import Any

from app.domain.booking import Booking
from tests.world import World
from tests.world.bookings import PROVEN, answer
from tests.world.by_file import again, choose_files, confirm, download, export, list_states, refuse_export

BAD = "the customer is locked"


async def make(world: World, *record_ids: int) -> tuple[dict[str, Any], dict[int, int]]:
    """An export of these documents, and the id of each one's transfer."""
    await choose_files(world)
    await world.carry("invoice", *record_ids)
    made = await export(world)
    return made, {one: (await world.document(one))["id"] for one in record_ids}


async def refuse_word(world: World, made: dict[str, Any], **order: Any) -> int:
    return (await world.post(f"/v1/exports/{made['id']}/confirm", order)).status_code


async def test_two_words_about_one_document_are_none(world: World) -> None:
    made, ids = await make(world, 5003, 5006)
    one = {"id": ids[5003], "because": BAD}
    assert await refuse_word(world, made, taken=[ids[5003]], refused=[one]) == 422
    assert await refuse_word(world, made, refused=[one, {**one, "because": "something else"}]) == 422
    assert await refuse_word(world, made, taken=[ids[5003], ids[5003]]) == 422
    assert await refuse_word(world, made, taken=[10**6]) == 409
    assert (await world.get(f"/v1/exports/{made['id']}"))["states"] == {"in_file": 2}
    assert await confirm(world, made, refused=[one]) == {"taken": 0, "refused": 1}
    # The same word once more changes nothing.
    assert await confirm(world, made, refused=[one]) == {"taken": 0, "refused": 1}
    assert (await world.get(f"/v1/exports/{made['id']}"))["states"] == {"in_file": 1, "not_taken": 1}


async def test_word_about_the_import_silences_no_alarm(world: World) -> None:
    made, _ = await make(world, 5003, 5006)
    record = world.source.record(5003)
    before = dict(record)
    record["currency"] = "EUR"
    await world.carry("invoice", 5003)
    assert await world.hold_of(5003) == ("held", ["changed_after_transfer"])
    assert await confirm(world, made, taken="all") == {"taken": 2, "refused": 0}
    assert await world.hold_of(5003) == ("held", ["changed_after_transfer"])
    assert await world.states(5006) == ["done"]
    record.clear()
    record.update(before)
    await world.carry("invoice", 5003)
    assert await world.states(5003) == ["done"]


async def test_change_of_a_refused_document_goes_with_its_next_file(world: World) -> None:
    made, ids = await make(world, 5003)
    assert await confirm(world, made, refused=[{"id": ids[5003], "because": BAD}]) == {"taken": 0, "refused": 1}
    world.source.record(5003)["currency"] = "EUR"
    await world.carry("invoice", 5003)
    assert await world.hold_of(5003) == ("held", ["file_refused"])


async def test_key_that_sends_and_makes_files_again_takes_nothing_twice(world: World) -> None:
    made, ids = await make(world, 5003, 5006, 5007)
    for question, way in PROVEN[Booking.VOUCHER].items():
        await answer(world, question, way)
    own = f"/v1/keys/{world.key_id}"
    assert (await world.call("PATCH", own, {"mode": "full"})).status_code == 200
    for one in (5003, 5006, 5007):
        await world.hear_of("invoice", one)
    await world.settle()
    assert await again(world, made, ids=[ids[5003]]) == 409
    assert (await world.call("PATCH", own, {"mode": "file"})).status_code == 200
    await world.settle()
    assert set((await list_states(world, (5003, 5006, 5007))).values()) == {"exported"}
    assert await refuse_export(world) == "nothing_ready"
    assert await again(world, made, ids=[ids[5007]]) == 202
    await world.settle()
    # By another mode the key is proven anew: one file at a time.
    assert await refuse_export(world) == "key_unproven"
    assert await confirm(world, made, taken="all") == {"taken": 2, "refused": 0}
    second = await export(world)
    assert (second["number"], second["documents"]) == (2, 1)
    assert await world.invoices() == []
    assert await world.count("SELECT count(*) FROM export_document WHERE state <> 'freed'") == 3
    # In the second file alone is it open: the first one's word about it is over.
    assert await refuse_word(world, made, taken=[ids[5007]]) == 409


async def test_files_of_a_removed_key_stay_and_people_still_say_what_became_of_them(world: World) -> None:
    made, ids = await make(world, 5003, 5006, 5007)
    await world.carry("invoice", 5008)
    assert await confirm(world, made, refused=[{"id": ids[5007], "because": BAD}]) == {"taken": 0, "refused": 1}
    content = await download(world, made)
    removed = await world.call("DELETE", f"/v1/keys/{world.key_id}")
    assert removed.status_code == 200, removed.text
    await world.settle()
    assert await download(world, made) == content
    assert await world.hold_of(5007) == ("held", ["file_refused"])
    assert await world.hold_of(5008) == ("held", ["key_removed"])
    await world.hear_of("invoice", 5007)
    await world.settle()
    assert await world.hold_of(5007) == ("held", ["file_refused"])
    looked = await world.post(f"/v1/exports/{made['id']}/read-back")
    assert looked.status_code == 404
    # Nobody has said that these were not imported; of the other one somebody has, and it may go another way.
    assert await again(world, made, ids=[ids[5003]]) == 409
    assert await again(world, made, ids=[ids[5007]]) == 202
    await world.settle()
    assert await world.hold_of(5007) == ("held", ["key_removed"])
    assert await confirm(world, made, taken="all") == {"taken": 2, "refused": 0}
    assert await world.states(5003, 5006) == ["done", "done"]


async def test_credit_note_goes_in_no_file_while_the_import_of_its_invoice_is_refused(world: World) -> None:
    made, ids = await make(world, 5003)
    await world.carry("invoice", 5008)
    assert await list_states(world, (5003, 5008)) == {5003: "exported", 5008: "collected"}
    assert await confirm(world, made, refused=[{"id": ids[5003], "because": BAD}]) == {"taken": 0, "refused": 1}
    assert await refuse_export(world) == "nothing_ready"
    credit_id = (await world.document(5008))["id"]
    assert await refuse_export(world, ids=[credit_id]) == "document_not_ready"
    assert await again(world, made, ids=[ids[5003]]) == 202
    await world.settle()
    second = await export(world)
    numbers = [one["number"] for one in await world.get(f"/v1/exports/{second['id']}/documents")]
    assert numbers == ["210002", "210004"]


async def test_credit_note_follows_an_invoice_whose_refusal_was_a_mistake(world: World) -> None:
    made, ids = await make(world, 5003)
    await world.carry("invoice", 5008)
    await confirm(world, made, refused=[{"id": ids[5003], "because": BAD}])
    assert await confirm(world, made, taken=[ids[5003]]) == {"taken": 1, "refused": 0}
    assert (await export(world))["documents"] == 1
