"""Exports: a running number, each document in one file, files that stay as they are, and what people say of them."""

import asyncio
import hashlib
import io
import zipfile
from typing import Any

from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.domain.booking import Booking
from app.domain.file_documents import from_json
from app.files.layouts import parse_layout
from app.files.writing import write_file
from tests.world import World
from tests.world.bookings import PROVEN, answer
from tests.world.by_file import (
    again,
    choose_files,
    confirm,
    download,
    export,
    find_layout_text,
    list_exported,
    list_states,
    prove_key,
    refuse_export,
    try_export,
)

INVOICES = (5001, 5002, 5003, 5007, 5008, 5010)


async def collect(world: World, *record_ids: int) -> None:
    await world.carry("invoice", *record_ids)
    assert set((await list_states(world, record_ids)).values()) == {"collected"}


async def test_file_manifest_and_log_have_the_same_totals_and_the_file_never_changes(world: World) -> None:
    await choose_files(world)
    await collect(world, *INVOICES)
    made = await export(world)
    assert (made["number"], made["documents"], made["states"]) == (1, 6, {"in_file": 6})
    assert set((await list_states(world, INVOICES)).values()) == {"exported"}
    manifest = await world.get(f"/v1/exports/{made['id']}/manifest")
    archive = await download(world, made)
    assert archive == await download(world, made)
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    assert {one["file"]: one["sha256"] for one in manifest["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    (bilag,) = (content for name, content in files.items() if "bilag" in name)
    head, *rows = CalamineWorkbook.from_filelike(io.BytesIO(bilag)).get_sheet_by_index(0).to_python()
    place = [str(one).strip(" *") for one in head]
    amounts = [float(str(row[place.index("Beløp")])) for row in rows]
    assert round(sum(amounts), 2) == 0
    claims = sum(amount for amount, row in zip(amounts, rows, strict=True) if row[place.index("Forfallsdato")])
    rows_in_log = await world.get("/v1/invoices", state="in a file, not imported", limit=100)
    logged = sum(float(one["gross_amount"]) * (-1 if one["kind"] == "credit_note" else 1) for one in rows_in_log)
    assert round(claims, 2) == round(logged, 2) == float(manifest["sums"]["NOK"]["gross_amount"])
    assert (await world.get(f"/v1/exports/{made['id']}/documents"))[0]["position"] == 1
    # The log alone makes the same bytes again: the documents as they were exported, and the layout of then. What is
    # decided otherwise since has no part in it.
    await world.office.put_rules({"accounting": [{"product": "4001", "account": 3100, "vat_code": "5"}]})
    for customer in world.ledger.books().rows("Customer"):
        world.ledger.books().update("Customer", customer["ID"], {"CustomerNumber": customer["CustomerNumber"] + 7})
    assert archive == await download(world, made)
    kept = [from_json(one) for one in await list_exported(world)]
    again_made = io.BytesIO()
    write_file(parse_layout(await find_layout_text(world, "bilag"), place="log"), kept, again_made)
    assert again_made.getvalue() == bilag


async def test_nothing_goes_into_two_files_unless_somebody_says_again(world: World) -> None:
    await choose_files(world)
    await collect(world, 5003, 5006)
    first = await export(world)
    assert await refuse_export(world) == "nothing_ready"
    row = await world.document(5003)
    assert await refuse_export(world, ids=[row["id"]]) == "document_not_ready"
    # RecMan's repeat, a retry and a person's wish to send everything change nothing.
    await world.hear_of("invoice", 5003)
    await world.retry(row)
    await world.call("POST", "/v1/invoices/send", {"everything": True}, tenant=world.tenant_id)
    await world.settle()
    assert await world.states(5003, 5006) == ["exported", "exported"]
    assert (await world.ignore(row))[1]["code"] == "already_begun"
    assert await again(world, first, ids=[row["id"]]) == 202
    await world.settle()
    assert await world.states(5003, 5006) == ["collected", "exported"]
    second = await export(world)
    assert (second["number"], second["documents"]) == (2, 1)
    assert (await world.get(f"/v1/exports/{first['id']}"))["states"] == {"in_file": 1, "freed": 1}
    trail = await world.get("/v1/audit", limit=10)
    assert {"export.make", "export.again"} <= {one["action"] for one in trail}


async def test_two_administrators_at_once_share_no_document(world: World) -> None:
    await choose_files(world)
    await collect(world, *INVOICES)
    answers = await asyncio.gather(*(try_export(world) for _ in range(4)))
    made = [one.json()["export"] for one in answers if one.status_code == 201]
    assert sum(one["documents"] for one in made) == len(INVOICES)
    assert sorted(one["number"] for one in made) == list(range(1, len(made) + 1))
    assert {one.json()["code"] for one in answers if one.status_code != 201} <= {"nothing_ready", "document_not_ready"}
    assert await world.count("SELECT count(*) - count(DISTINCT transfer_id) FROM export_document") == 0


async def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_made(world: World) -> None:
    await choose_files(world)
    await collect(world, 5003, 5006)
    async with world.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE filed_document SET content = jsonb_set(content, '{entries,0,amount}', '\"1.00\"')")
        )
    shown = await try_export(world, dry_run=True)
    told = shown.json()
    assert (shown.status_code, told["export"], told["documents"]) == (200, None, 2)
    assert len({one["transfer_id"] for one in told["faults"] if one["code"] == "file_unbalanced"}) == 2
    assert await refuse_export(world) == "export_unfit"
    assert set((await list_states(world, (5003, 5006))).values()) == {"collected"}
    assert await world.count("SELECT count(*) FROM export") == 0
    assert await world.count("SELECT coalesce(sum(last_number), 0) FROM export_number") == 0


async def test_layout_that_is_assumed_must_be_accepted_by_name(world: World) -> None:
    await choose_files(world)
    await collect(world, 5003)
    assert await refuse_export(world, layout="unistd") == "export_unfit"
    assert await refuse_export(world, layout="ordre") == "layout_unfit"
    word = {"name": "Kari Nordmann", "reason": "compared with a real file"}
    said = await world.post(f"/v1/keys/{world.key_id}/layouts/unistd/accept", word)
    assert (said.status_code, said.json()["is_good"]) == (200, True)
    made = await export(world, layout="unistd")
    lines = (await download(world, made)).decode("cp1252").split("\r\n")
    assert [line[:2] for line in lines if line] == ["30", "80", "81", "81"]


async def test_confirm_moves_documents_and_opens_the_key(world: World) -> None:
    await choose_files(world)
    await prove_key(world)
    await collect(world, *INVOICES)
    made = await export(world)
    # As long as the key is being proven a file has few documents, and the next one waits for people's word.
    assert made["documents"] == 3
    assert await refuse_export(world) == "key_unproven"
    rows = await world.get(f"/v1/exports/{made['id']}/documents")
    bad = {"id": rows[0]["transfer_id"], "because": "the customer is locked"}
    assert await confirm(world, made, taken="all", refused=[bad]) == {"taken": 2, "refused": 1}
    states = [one["state"] for one in await world.get(f"/v1/exports/{made['id']}/documents")]
    assert states == ["not_taken", "taken", "taken"]
    held = [one for one in (await world.transfers()).values() if one["state"] == "held"]
    assert [reason["code"] for reason in held[0]["reasons"]] == ["file_refused"]
    assert "the customer is locked" in held[0]["reasons"][0]["cause"]
    assert (
        len([one for one in (await world.transfers()).values() if one["state"] == "done" and one["kind"] == "invoice"])
        == 2
    )
    assert (await world.get(f"/v1/keys/{world.key_id}"))["proof"]["state"] == "proving"
    second = await export(world)
    assert (await confirm(world, second, taken="all"))["taken"] == 3
    assert (await world.get(f"/v1/keys/{world.key_id}"))["proof"]["state"] == "open"
    # What was taken is not let go; a word can be taken back.
    taken = [rows[1]["transfer_id"]]
    assert await again(world, made, ids=taken) == 409
    await confirm(world, made, refused=[{"id": taken[0], "because": "the voucher was deleted"}])
    assert await again(world, made, ids=taken) == 202
    await world.settle()
    assert (await world.get(f"/v1/keys/{world.key_id}/files"))["ready"] == 1


async def test_change_in_recman_after_the_export_is_an_alarm_until_it_goes_again(world: World) -> None:
    await choose_files(world)
    await collect(world, 5003)
    made = await export(world)
    record = world.source.record(5003)
    before = dict(record)
    record["currency"] = "EUR"
    await world.carry("invoice", 5003)
    assert await world.hold_of(5003) == ("held", ["changed_after_transfer"])
    record.clear()
    record.update(before)
    await world.carry("invoice", 5003)
    assert await world.states(5003) == ["exported"]
    assert (await world.get(f"/v1/exports/{made['id']}"))["states"] == {"in_file": 1}


async def test_switching_asks_what_becomes_of_what_is_ready_and_never_sends_what_is_in_a_file(world: World) -> None:
    await choose_files(world)
    await collect(world, 5003, 5006)
    made = await export(world)
    await collect(world, 5001, 5007)
    wish: dict[str, Any] = {"mode": "full"}
    for question, way in PROVEN[Booking.VOUCHER].items():
        await answer(world, question, way)
    refused = await world.call("PATCH", f"/v1/keys/{world.key_id}", wish)
    assert (refused.status_code, refused.json()["code"]) == (409, "documents_under_way")
    changed = await world.call("PATCH", f"/v1/keys/{world.key_id}", {**wish, "under_way": "hold"})
    assert changed.status_code == 200, changed.text
    assert await world.hold_of(5001) == ("held", ["file_key_changed"])
    assert await refuse_export(world) == "key_not_for_files"
    for record_id in (5003, 5006):
        await world.retry(await world.document(record_id))
    await world.hear_of("invoice", 5003)
    await world.settle()
    assert await world.states(5003, 5006) == ["exported", "exported"]
    assert await world.invoices() == []
    # Nobody has said that it was not imported: then it is not sent either.
    assert await again(world, made, ids="all") == 409
    assert (await confirm(world, made, taken="all"))["taken"] == 2
