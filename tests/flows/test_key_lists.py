"""A key for files without sign-in: what is known of its company was sent as lists, and nothing else is asked."""

from typing import Any
from uuid import UUID

import pytest

from tests.world import GO_LIVE, World
from tests.world.lists import FILES, LISTED, make_listed_key, put_list


@pytest.mark.parametrize(
    ("changes", "status", "code", "told"),
    [
        ({"mode": "full"}, 422, "key_without_sign_in", "pending_id"),
        ({"company_name": None}, 422, "nothing_named", "company"),
        ({"sender": None}, 422, "sender_missing", "voucher"),
        ({"booking": "order"}, 422, "booking_unfit", "voucher"),
        ({"name": "Nordlys"}, 409, "name_taken", ""),
    ],
)
async def test_a_key_without_sign_in_is_for_files_alone(
    world: World, changes: dict[str, Any], status: int, code: str, told: str
) -> None:
    order = {"name": "Files", "go_live": GO_LIVE, "departments": [], **LISTED, **changes}
    name = (await world.get(f"/v1/keys/{world.key_id}"))["name"]
    order["name"] = name if order["name"] == "Nordlys" else order["name"]
    made = await world.call("POST", "/v1/keys", order, tenant=world.tenant_id)
    assert (made.status_code, made.json()["code"]) == (status, code)
    assert told in made.json()["fix"]


async def test_lists_are_sent_looked_at_and_checked(world: World) -> None:
    key_id = await make_listed_key(world, kinds=())
    path = f"/v1/keys/{key_id}"
    assert (await world.get(path))["client"] == "lists"
    check = (await world.post(f"{path}/check")).json()
    assert [one["code"] for one in check["findings"]] == ["lists_missing"]
    assert f"PUT /v1/keys/{key_id}/lists/" in check["findings"][0]["fix"]
    # Only looked at, nothing is kept.
    told = await put_list(world, key_id, "products?dry_run=true", FILES["products"])
    assert told["rows"] == 7
    assert all(one["rows"] is None for one in await world.get(f"{path}/lists"))
    for kind, content in FILES.items():
        await put_list(world, key_id, kind, content)
    shown = {one["kind"]: one for one in await world.get(f"{path}/lists")}
    assert shown["vat_codes"]["rows"] == 13
    assert shown["products"]["needed"]
    assert not shown["projects"]["needed"]
    assert shown["products"]["made_by"].endswith("bootstrap")
    page = (await world.call("GET", f"{path}/lists/products?after=1&limit=1")).json()
    assert (page["count"], page["next"], [row["number"] for row in page["rows"]]) == (7, 2, ["1002"])
    check = (await world.post(f"{path}/check")).json()
    assert check["ok"]
    # What no list tells is not known, and never fine.
    assert {one["what"] for one in check["findings"] if one["level"] == "not known"} == {
        "locked dates",
        "number series",
    }
    (row, *_) = await world.get("/v1/audit")
    assert (row["action"], row["after"]["kind"]) == ("key.list", "projects")


async def test_what_is_wrong_with_a_list_leaves_the_one_before(world: World) -> None:
    key_id = await make_listed_key(world, kinds=("vat_codes", "products"))
    told = await put_list(world, key_id, "products", b"produktnr;produktnavn;konto;momskode\n1;A;3000;77", status=422)
    assert told["code"] == "list_unusable"
    assert "no VAT code 77" in told["cause"]
    told = await put_list(world, key_id, "vat_codes", b"kode;sats\n3;25", status=422)
    assert "products 2001: there is no VAT code 31" in told["cause"]
    assert (await put_list(world, key_id, "customers", b"farge;form", status=422))["code"] == "list_unusable"
    shown = {one["kind"]: one["rows"] for one in await world.get(f"/v1/keys/{key_id}/lists")}
    assert (shown["products"], shown["vat_codes"], shown["customers"]) == (7, 13, None)


async def test_customers_are_compared_with_the_list_and_a_number_outside_the_series_is_told(world: World) -> None:
    key_id = await make_listed_key(world)
    assert (await world.office.check_customers(UUID(key_id)))["state"] == "green"
    changed = await world.call("PATCH", f"/v1/keys/{key_id}", {"settings": {"customer_series": "100000-100003"}})
    assert changed.status_code == 200
    await world.post(f"/v1/keys/{key_id}/customer-check")
    check = await world.get(f"/v1/keys/{key_id}/customer-check")
    assert check["state"] == "findings"
    assert "outside" in str(check)


async def test_a_sign_in_and_lists_do_not_mix(world: World) -> None:
    key_id = await make_listed_key(world)
    begun = await world.call("POST", "/v1/keys/connect", {"key_id": key_id}, tenant=world.tenant_id)
    assert (begun.status_code, begun.json()["code"]) == (409, "key_without_sign_in")
    changed = await world.call(
        "PATCH", f"/v1/keys/{key_id}", {"mode": "full", "sender": "unimicro", "booking": "order"}
    )
    assert (changed.status_code, changed.json()["code"]) == (409, "key_without_sign_in")
    refused = await put_list(world, str(world.key_id), "products", FILES["products"], status=409)
    assert refused["code"] == "key_is_signed_in"
    # What names its company's customers goes with the key.
    await world.office.remove_key(key_id)
    assert await world.count("SELECT count(*) FROM key_list") == 0
