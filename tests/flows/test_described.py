"""What the description promises of every address: its methods, its parameters, nothing beside them."""

import csv
import io
import re

import pytest
import yaml
from fastapi.routing import APIRoute

from app.domain.reasons.codes import Code
from app.web import ROOMS
from tests.world import OURS, TOKEN, World, rows_of
from tests.world.described import fill_in
from tests.world.examples import list_examples
from tests.world.routes import ROUTES

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def test_no_operation_takes_a_parameter_that_it_does_not_have(world: World) -> None:
    for method, path in ROUTES:
        answer = await world.http.request(method, f"{OURS}{fill_in(path)}?limt=1", headers=HEADERS, json={})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_request"), (method, path, answer.text)
        assert "limt" in answer.json()["cause"] or "body" in answer.json()["cause"], (method, path)
    answer = await world.http.get(f"{OURS}/v1/audit?limt=1&befor=2&limit=1", headers=HEADERS)
    assert answer.json()["cause"] == "There is no query parameter 'befor', 'limt' here"
    assert answer.json()["fix"] == "Leave it out. There are: before, limit, subject, tenant."


async def test_an_address_names_all_of_its_methods_and_its_head_is_that_of_its_get(world: World) -> None:
    by_path: dict[str, set[str]] = {}
    for method, path in ROUTES:
        by_path.setdefault(path, set()).add(method)
    for path, methods in by_path.items():
        answer = await world.http.request("OPTIONS", f"{OURS}{fill_in(path)}", headers=HEADERS)
        assert answer.status_code == 405, path
        assert set(answer.headers["Allow"].split(", ")) == methods | ({"HEAD"} if "GET" in methods else set()), path
        head = await world.http.head(f"{OURS}{fill_in(path)}", headers=HEADERS)
        got = await world.http.get(f"{OURS}{fill_in(path)}", headers=HEADERS)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"], path


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json"])
async def test_the_head_of_what_machines_look_at_is_answered(world: World, path: str) -> None:
    answer = await world.http.head(f"{OURS}{path}", headers=HEADERS)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_type_of_a_refusal_is_where_its_code_is_explained(world: World) -> None:
    refused = (await world.http.get(f"{OURS}/v1/keys")).json()
    told = await world.http.get(refused["type"])
    assert told.json()["code"] == refused["code"] == "not_signed_in"
    assert told.json()["meaning"] == "No valid token, secret or signature came with the request."
    page = await world.http.get(refused["type"], headers={"Accept": "text/html,*/*"})
    assert (page.headers["content-type"], "not_signed_in" in page.text) == ("text/html; charset=utf-8", True)
    assert (await world.http.get(f"{OURS}/errors/nothing")).json()["code"] == "not_found"


async def test_every_code_has_its_page(world: World) -> None:
    rows = rows_of(await world.http.get(f"{OURS}/errors"))
    assert {row["code"] for row in rows} == set(Code)
    for row in rows:
        assert (await world.http.get(f"{OURS}/errors/{row['code']}")).json() == row
        assert row["meaning"]
        assert bool(row["fix"]) == (row["kind"] == "reason")


def test_no_word_in_an_address_is_taken_for_an_id() -> None:
    routes = [route for room in ROOMS for route in room.router.routes if isinstance(route, APIRoute)]
    words = [(method, one) for one in routes if "{" not in one.path for method in one.methods or ()]
    taken = {
        (method, word.path): first.path
        for method, word in words
        for first in routes[: routes.index(word)]
        if method in (first.methods or ()) and first.path_regex.fullmatch(word.path)
    }
    assert taken == {}


async def test_an_invoice_is_shown_alone_as_it_stands_in_the_list(world: World) -> None:
    await world.carry("invoice", 5001)
    (row,) = await world.get("/v1/invoices")
    assert await world.get(f"/v1/invoices/{row['id']}") == row
    (customer,) = await world.get("/v1/transfers", kind="customer")
    answer = await world.call("GET", f"/v1/invoices/{customer['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_overview_is_filtered_by_kind_and_written_as_a_file(world: World) -> None:
    await world.carry("invoice", 5001, 5008)
    kinds = {kind: await world.get("/v1/invoices", kind=kind) for kind in ("invoice", "credit_note")}
    assert {kind: {row["kind"] for row in rows} for kind, rows in kinds.items()} == {kind: {kind} for kind in kinds}
    answer = await world.call("GET", "/v1/invoices?kind=invoice&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    sheet = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    assert {(row["RecMan number"], row["kind"]) for row in sheet} == {
        (row["number"], "invoice") for row in kinds["invoice"]
    }


async def test_pages_follow_each_other_and_the_last_one_says_so(world: World) -> None:
    await world.carry("invoice", 5001, 5002, 5003)
    whole = [row["id"] for row in await world.get("/v1/transfers", limit=1000)]
    found: list[int] = []
    before = ""
    for _ in whole:
        page = (await world.call("GET", f"/v1/transfers?limit=2{before}")).json()
        found += [row["id"] for row in page["rows"]]
        if page["next"] is None:
            break
        assert len(page["rows"]) == 2
        before = f"&before={page['next']}"
    assert found == whole
    jobs = [
        (await world.post(f"/v1/invoices/send?tenant={world.tenant_id}", {"everything": True})).json()["id"]
        for _ in "abc"
    ]
    first = (await world.call("GET", "/v1/jobs?limit=2")).json()
    assert [row["id"] for row in first["rows"]] == jobs[:0:-1]
    rest = (await world.call("GET", f"/v1/jobs?limit=2&before={first['next']}")).json()
    assert ([row["id"] for row in rest["rows"]], rest["next"]) == (jobs[:1], None)


@pytest.mark.parametrize("path", ["/oauth/unimicro/callback?state=x&code=y", "/oauth/unimicro/begin/ticket_x"])
async def test_whoever_only_looks_uses_no_sign_in_up(world: World, path: str) -> None:
    answer = await world.http.head(f"{OURS}{path}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


async def test_rules_are_given_back_as_yaml_to_whoever_asks_for_it(world: World) -> None:
    address = f"{OURS}/v1/rules?key_id={world.key_id}"
    asked = {**HEADERS, "Accept": "application/yaml", "If-Match": "*", "Content-Type": "application/yaml"}
    made = await world.http.put(address, headers=asked, content="not_before: 2026-12-01")
    shown = await world.http.get(address, headers=asked)
    assert made.headers["content-type"] == shown.headers["content-type"] == "application/yaml"
    assert "not_before: '2026-12-01'" in made.text
    assert made.text == shown.text
    assert (await world.http.get(f"{address}&format=json", headers=asked)).json()["version"] == 1


async def test_an_example_that_is_pasted_is_not_refused_for_what_it_says(world: World) -> None:
    refused = {}
    for (method, path), example in list_examples().items():
        address = fill_in(path.replace("{key_id}", str(world.key_id))) + f"?tenant={world.tenant_id}"
        answer = await world.http.request(method, f"{OURS}{address}", headers=HEADERS, json=example)
        if answer.status_code == 422:
            refused[method, path] = (example, answer.json()["cause"])
    # Rules are about accounts of one company, a key is made of a sign-in, and RecMan's key is tried when it is entered.
    tried = {("POST", "/v1/tenants"), ("PATCH", "/v1/tenants/{tenant_id}")}
    assert refused.keys() <= {("PUT", "/v1/rules"), *tried}, refused


async def test_what_the_description_allows_of_new_doors_is_taken(world: World) -> None:
    """Found by machine: a list of 10,000 reasons, a key of nothing, rules as YAML, a text with a NUL."""
    refused = [{"id": number, "because": "Customer 100003 is locked"} for number in range(1, 10_001)]
    path = f"/v1/exports/{world.key_id}/confirm"
    assert (await world.call("POST", path, {"refused": refused})).json()["code"] == "not_found"
    twice = {"taken": [1], "refused": [{"id": 1, "because": "Customer 100003 is locked"}]}
    assert (await world.call("POST", path, twice)).json()["code"] == "nothing_named"
    wish = {"settings": {"export_encoding": "utf-1"}}
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", wish)).json()["code"] == "layout_unusable"
    wish = {"settings": {"customer_series": "2-1"}}
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", wish)).json()["code"] == "range_reversed"
    order = {"name": "Oslo", "go_live": "2026-10-08", "sender": "recman", "booking": "voucher", "mode": "file"}
    assert (await world.call("POST", "/v1/keys", order, tenant=world.tenant_id)).json()["code"] == "nothing_named"
    schemas = (await world.call("GET", "/openapi.json")).json()["components"]["schemas"]
    texts = [schemas["RefusedItem"]["properties"]["because"], schemas["SeriesOrderItem"]["properties"]["departments"]]
    assert all("u0000" in str(text) for text in texts), texts
    shown = await world.call("GET", f"/v1/rules?key_id={world.key_id}&format=yaml")
    assert isinstance(yaml.safe_load(shown.text), dict)


async def test_an_address_with_a_line_break_has_the_methods_of_its_route(world: World) -> None:
    for method, path in (("GET", "/v1/jobs/%0A"), ("POST", "/v1/hooks/%0A/confirm"), ("DELETE", "/v1/keys/%0A")):
        body = {"release": False} if method == "POST" else None
        answer = await world.http.request(method, f"{OURS}{path}", headers=HEADERS, json=body)
        assert answer.status_code == 422, (method, path, answer.text)


async def test_every_text_of_an_address_is_described_without_nul(world: World) -> None:
    paths = (await world.http.get(f"{OURS}/openapi.json")).json()["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]
    told = [one for operation in operations for one in operation.get("parameters", ()) if one["in"] != "header"]
    kinds = [(one["name"], kind) for one in told for kind in one["schema"].get("anyOf", [one["schema"]])]
    texts = [
        (name, kind)
        for name, kind in kinds
        if kind.get("type") == "string" and not {"format", "enum", "const"} & kind.keys()
    ]
    assert len(texts) > 20
    assert [name for name, kind in texts if re.search(kind["pattern"], "a\0b")] == []


async def test_a_page_of_a_sign_in_that_did_not_work_is_described(world: World) -> None:
    answers = (await world.http.get(f"{OURS}/openapi.json")).json()["paths"]["/oauth/unimicro/callback"]["get"]
    page = await world.http.get(f"{OURS}/oauth/unimicro/callback?state=x", headers={"Accept": "text/html"})
    kind = page.headers["content-type"].partition(";")[0]
    assert kind in answers["responses"][str(page.status_code)]["content"]


async def test_what_no_tenant_has_of_its_own_is_not_made_as_one_s(world: World) -> None:
    for path, order in (("/v1/tenants", {"name": "Other AS"}), ("/v1/tokens", {"name": "Kari", "role": "operator"})):
        answer = await world.call("POST", path, order, tenant=world.tenant_id)
        assert (answer.status_code, answer.json()["code"]) == (422, "tenant_named"), path
        assert (await world.call("POST", path, order)).status_code == 201


async def test_a_password_is_described_without_nul_as_well(world: World) -> None:
    schemas = (await world.http.get(f"{OURS}/openapi.json")).json()["components"]["schemas"]
    fields = [one for schema in schemas.values() for one in schema.get("properties", {}).values()]
    kinds = [kind for one in fields for kind in one.get("anyOf", [one]) if kind.get("format") == "password"]
    assert kinds
    assert [kind for kind in kinds if re.search(kind.get("pattern", ""), "a\0b")] == []
