"""What an administrator chooses for a key's files: letters, signs, number series, the month of a year's beginning."""

import io
from typing import Any

from app.domain.file_documents import from_json
from app.files.layouts import choose, parse_layout
from app.files.sources import CreditSign
from app.files.writing import write_file
from tests.world import World
from tests.world.by_file import (
    choose_files,
    download,
    export,
    find_layout_text,
    list_exported,
    refuse_export,
    try_export,
)

ACCEPTED = {"name": "Kari Nordmann", "reason": "compared with a real file"}


async def choose_settings(world: World, **settings: Any) -> int:
    answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"settings": settings})
    return answer.status_code


async def test_every_number_outside_its_series_is_told_at_once_and_no_file_is_made(world: World) -> None:
    await choose_files(world)
    await world.carry("invoice", 5003, 5006)
    series = {"customer_series": "1-99", "document_series": "1-99", "missing_dimensions": "leave_out"}
    assert await choose_settings(world, **series) == 200
    told = (await try_export(world, dry_run=True)).json()
    wrong = [one for one in told["faults"] if one["code"] == "file_number_outside"]
    assert len(wrong) == 4
    assert {one["transfer_id"] for one in wrong} == {one["id"] for one in await world.get("/v1/invoices")}
    assert await refuse_export(world) == "export_unfit"
    assert await choose_settings(world, customer_series="100000-199999", document_series="1-999999") == 200
    assert (await export(world))["documents"] == 2


async def test_letters_and_signs_of_a_text_file_are_the_key_s_own_and_the_log_makes_the_same_bytes(
    world: World,
) -> None:
    own: dict[str, Any] = {"export_encoding": "utf-8", "export_credit_sign": "no_minus", "export_layout": "unistd"}
    await choose_files(world, **own)
    assert (await world.post(f"/v1/keys/{world.key_id}/layouts/unistd/accept", ACCEPTED)).status_code == 200
    await world.carry("invoice", 5003, 5006)
    made = await export(world)
    content = await download(world, made)
    assert "ø".encode() in content
    assert ",-" not in content.decode()
    (file,) = (await world.get(f"/v1/exports/{made['id']}/manifest"))["files"]
    assert (file["layout"]["encoding"], file["layout"]["credit_sign"]) == ("utf-8", "no_minus")
    # Five years later the key has other choices: the log has those of then.
    assert await choose_settings(world, export_encoding="cp1252", export_credit_sign="minus_on_price") == 200
    assert await download(world, made) == content
    kept = parse_layout(await find_layout_text(world, "unistd"), place="log")
    sign = CreditSign(file["layout"]["credit_sign"])
    out = io.BytesIO()
    documents = [from_json(one) for one in await list_exported(world)]
    write_file(choose(kept, encoding=file["layout"]["encoding"], credit_sign=sign), documents, out)
    assert out.getvalue() == content


async def test_financial_year_begins_when_the_key_says(world: World) -> None:
    await choose_files(world, year_begins=1)
    await world.carry("invoice", 5003)
    (document,) = await world.get("/v1/invoices")
    year, month = map(int, document["invoice_date"].split("-")[:2])
    assert [one["year"] for one in (await try_export(world, dry_run=True)).json()["files"]] == [None, year]
    await choose_files(world, year_begins=month + 1)
    assert (await export(world))["files"][-1]["name"].endswith(f"-bilag-{year - 1}.xlsx")


async def test_choice_that_no_file_could_have_is_refused(world: World) -> None:
    for odd in ("utf-16", "rot13", "no-such", "utf-8-sig", "raw_unicode_escape", "hex"):
        assert await choose_settings(world, export_encoding=odd) == 422, odd
    assert await choose_settings(world, customer_series="200000-100000") == 422
    assert await choose_settings(world, year_begins=13) == 422
