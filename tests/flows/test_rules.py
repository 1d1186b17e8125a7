"""Rules of a key, from PUT to what arrives in Unimicro: mappings, limits, reviews, versions, files."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from app.admin.rules import load_rules
from app.domain.money import round_money
from app.domain.rules import Rules
from app.platform.http import httpx
from tests.world import OURS, TOKEN, World, rows_of


async def send(world: World, record: int = 5001) -> dict[str, Any]:
    await world.hear_of("invoice", record)
    await world.settle()
    return (await world.transfers())["invoice", str(record)]


def only_line(world: World, record: int = 5001, **line: Any) -> dict[str, Any]:
    """Leave one line on RecMan's invoice, whose sum it has alone."""
    found: dict[str, Any] = world.recman.state.store.records["invoice"][str(record)]
    lines = found["lines"].values() if isinstance(found["lines"], dict) else found["lines"]
    priced = next(one for one in lines if one.get("productNumber"))
    total = Decimal(str(priced["quantity"])) * Decimal(str(priced["unitPrice"]))
    found["lines"] = [{**priced, "discount": 0, "total": str(round_money(total)), **line}]
    for name in ("totalExVat", "vat", "totalIncVat"):
        found.pop(name, None)
    return found


async def items(world: World) -> list[dict[str, Any]]:
    (invoice,) = await world.invoices()
    found: list[dict[str, Any]] = invoice["Items"]
    return found


async def test_products_are_mapped_by_rule(world: World) -> None:
    only_line(world, productNumber="RM-77", vatRate=25)
    held = await send(world)
    assert held["reasons"][0]["code"] == "product_unknown"
    await world.office.put_rules({"products": [{"recman": "RM-77", "unimicro": "1002"}]})
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert row["state"] == "done"
    assert (await items(world))[0]["Product"] == "1002"
    detail = await world.get(f"/v1/transfers/{row['id']}")
    assert {attempt["rules_version"] for attempt in detail["attempts"]} == {1}


async def test_account_and_vat_come_from_the_first_rule_that_fits(world: World) -> None:
    only_line(world, productNumber="1001", vatRate=0)
    assert (await send(world))["reasons"][0]["code"] == "vat_differs"
    rules = {
        "accounting": [
            {"product": "9999", "account": 3010},
            {"product": "1001", "kind": "credit_note", "account": 3010},
            {"product": "1001", "kind": "invoice", "account": 3100},
            {"account": 3200},
        ]
    }
    await world.office.put_rules(rules)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
    (item,) = await items(world)
    assert (item["Account"], item["VatType"]) == (3100, "5")


async def test_rule_that_names_nothing_real_any_more_holds_and_says_which(world: World) -> None:
    only_line(world, productNumber="1001", vatRate=0)
    await world.office.put_rules({"accounting": [{"account": 3200, "vat_code": "6"}]})
    books = world.ledger.books()
    for entity, name, value in (("Account", "AccountNumber", 3200), ("VatType", "VatCode", "6")):
        (row,) = (one for one in books.rows(entity) if one[name] == value)
        books.update(entity, row["ID"], {"Deleted": True})
    held = await send(world)
    assert [reason["code"] for reason in held["reasons"]] == ["rule_unusable", "rule_unusable"]
    assert "account 3200" in held["reasons"][0]["cause"]
    assert "VAT code 6" in held["reasons"][1]["cause"]


async def test_department_and_free_dimension_come_from_a_rule(world: World) -> None:
    record = world.recman.state.store.records["invoice"]["5001"]
    department = str(record["departmentId"])
    books = world.ledger.books()
    wanted = books.insert("Department", {"DepartmentNumber": "777", "Name": "By rule"})["ID"]
    value = books.insert("Dimension5", {"Number": "OSLO", "Name": "Oslo"})["ID"]
    await world.office.put_rules(
        {"departments": [{"recman": department, "unimicro": "778", "dimensions": {"5": "OSLO"}}]}
    )
    held = await send(world)
    assert [reason["code"] for reason in held["reasons"]] == ["rule_unusable"]
    rules = {"departments": [{"recman": department, "unimicro": "777", "dimensions": {"5": "OSLO"}}]}
    await world.office.put_rules(rules, after_version=1)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
    (invoice,) = books.rows("CustomerInvoice")
    lines = [row for row in books.rows("CustomerInvoiceItem") if row["ProductID"]]
    heads = [invoice["DefaultDimensionsID"], *(line["DimensionsID"] for line in lines)]
    for dimensions_id in heads:
        dimensions = next(row for row in books.rows("Dimensions") if row["ID"] == dimensions_id)
        assert (dimensions["DepartmentID"], dimensions["Dimension5ID"]) == (wanted, value)


async def test_lines_own_department_goes_on_the_line_and_an_unknown_one_is_a_warning(world: World) -> None:
    books = world.ledger.books()
    own = books.insert("Department", {"DepartmentNumber": "4711", "Name": "Line's own"})["ID"]
    record = only_line(world, departmentNumber="4711")
    record["lines"].append({**record["lines"][0], "departmentNumber": "nowhere"})
    row = await send(world)
    assert [warning["code"] for warning in row["warnings"]] == ["line_department_unknown"]
    lines = [one for one in books.rows("CustomerInvoiceItem") if one["ProductID"]]
    (invoice,) = books.rows("CustomerInvoice")
    dimensions = {row["ID"]: row["DepartmentID"] for row in books.rows("Dimensions")}
    head = dimensions[invoice["DefaultDimensionsID"]]
    assert [dimensions[line["DimensionsID"]] for line in lines] == [own, head]


async def test_older_than_the_cut_off_is_not_sent_until_the_rule_changes(world: World) -> None:
    await world.office.put_rules({"not_before": "2999-01-01"})
    row = await send(world)
    assert (row["state"], row["reasons"][0]["code"]) == ("ignored", "not_wanted")
    assert "2999-01-01" in row["reasons"][0]["cause"]
    assert await world.invoices() == []
    await world.office.put_rules({}, after_version=1)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_customer_on_the_hold_list_is_held(world: World) -> None:
    company = str(world.recman.state.store.records["invoice"]["5001"]["companyId"])
    number = str(world.recman.state.store.records["company"][company]["companyNumber"])
    await world.office.put_rules({"held_customers": [number]})
    row = await send(world)
    assert (row["state"], row["reasons"][0]["code"]) == ("held", "customer_on_hold")
    await world.office.put_rules({}, after_version=1)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_hours_and_prices_that_a_float_has_made_endless_are_booked_to_the_sum(world: World) -> None:
    only_line(world, quantity=Decimal("7.333333333333333"), unitPrice="450", total="3300")
    only_line(world, 5002, quantity="7.5", unitPrice=Decimal(500 / 7.5), total="500")
    rows = [await send(world), await send(world, 5002)]
    assert [(row["state"], row["remote_net_amount"]) for row in rows] == [("done", "3300.00"), ("done", "500.00")]


@pytest.mark.parametrize("review", [{"everything": True}, {"over_amount": "1"}, {"first": 1}])
async def test_reviewed_documents_wait_for_an_approval(world: World, review: dict[str, Any]) -> None:
    await world.office.put_rules({"review": review})
    row = await send(world)
    assert [reason["code"] for reason in row["reasons"]] == ["approval_missing"]
    assert await world.invoices() == []
    answer = await world.call("POST", f"/v1/invoices/{row['id']}/approve")
    assert answer.status_code == 202
    await world.settle()
    done = (await world.transfers())["invoice", "5001"]
    assert done["state"] == "done"
    again = await world.call("POST", f"/v1/invoices/{row['id']}/approve")
    assert (again.status_code, again.json()["code"]) == (409, "booked")
    second = await send(world, 5002)
    assert second["state"] == ("done" if "first" in review else "held")


@pytest.mark.parametrize(
    "change", [{"lines": "dearer"}, {"invoiceDate": "2026-10-06"}, {"companyId": 202}, {"invoiceNumber": "110099"}]
)
async def test_approval_is_for_what_was_approved_and_not_for_what_recman_makes_of_it_later(
    world: World, change: dict[str, Any]
) -> None:
    await world.office.put_rules({"review": {"everything": True}})
    line = only_line(world, quantity="1", unitPrice="10", total="10")
    record = world.recman.state.store.records["invoice"]["5001"]
    record |= {"totalExVat": "10", "vat": "2.50", "totalIncVat": "12.50"}
    row = await send(world)
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})
    assert (await world.call("POST", f"/v1/invoices/{row['id']}/approve")).status_code == 202
    if "lines" in change:
        line["lines"][0] |= {"unitPrice": "99999", "total": "99999"}
        change = {"totalExVat": "99999", "vat": "24999.75", "totalIncVat": "124998.75"}
    record |= change
    await world.hear_of("invoice", 5001)
    await world.stall()
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})
    await world.settle()
    held = await world.document(5001)
    assert (held["state"], [reason["code"] for reason in held["reasons"]]) == ("held", ["approval_missing"])
    assert await world.invoices() == []
    await world.post(f"/v1/invoices/{row['id']}/approve")
    await world.settle()
    assert await world.states(5001) == ["done"]


async def test_amount_under_the_limit_needs_no_approval(world: World) -> None:
    await world.office.put_rules({"review": {"over_amount": "100000000"}})
    assert (await send(world))["state"] == "done"


async def test_missing_product_is_made_once_when_the_rules_allow_it(world: World) -> None:
    for record in (5001, 5002):
        only_line(world, record, productNumber="N-1", vatRate=25, description="Nytt produkt æøå")
    await world.office.put_rules({"product_policy": "create"})
    await world.hear_of("invoice", 5001, 5002)
    await world.settle()
    rows = await world.transfers()
    assert [rows["invoice", record]["state"] for record in ("5001", "5002")] == ["done", "done"]
    made = [row for row in world.ledger.books().rows("Product") if row["PartName"] == "N-1"]
    assert [row["Name"] for row in made] == ["Nytt produkt æøå"]


async def test_product_with_other_vat_than_the_standard_account_is_not_made(world: World) -> None:
    only_line(world, productNumber="N-2", vatRate=15)
    await world.office.put_rules({"product_policy": "create"})
    row = await send(world)
    assert (row["state"], row["reasons"][0]["code"]) == ("held", "vat_differs")
    assert not [row for row in world.ledger.books().rows("Product") if row["PartName"] == "N-2"]


async def test_rules_have_versions_and_a_file_form(world: World) -> None:
    assert (await world.get("/v1/rules", key_id=str(world.key_id)))["version"] == 0
    text = "not_before: 2026-01-01\nproducts:\n- recman: 'æ1'\n  unimicro: '1001'\n"
    path = f"/v1/rules?key_id={world.key_id}"
    headers = {"Authorization": "Bearer rmu_canary-operator-token", "Content-Type": "application/yaml"}
    seen = {**headers, "If-Match": (await world.call("GET", path)).headers["etag"]}
    sent = await world.http.put(f"http://ours.test{path}", content=text.encode(), headers=seen)
    assert sent.status_code == 200, sent.text
    file = await world.call("GET", f"{path}&format=yaml")
    assert file.headers["content-type"].startswith("application/yaml")
    assert "æ1" in file.text
    seen = {**headers, "If-Match": file.headers["etag"]}
    again = await world.http.put(f"http://ours.test{path}", content=file.content, headers=seen)
    assert again.json()["rules"] == sent.json()["rules"]
    assert [
        row["version"] for row in rows_of(await world.call("GET", f"/v1/rules/versions?key_id={world.key_id}"))
    ] == [2, 1]
    old = await world.call("GET", f"{path}&version=1")
    assert old.json()["rules"]["not_before"] == "2026-01-01"
    assert (await world.call("GET", f"{path}&version=9")).status_code == 404
    overtaken = await world.office.put_rules({}, after_version=0, status=412)
    assert overtaken["code"] == "changed_meanwhile"
    unsaid = await world.call("PUT", path, {})
    assert (unsaid.status_code, unsaid.json()["code"]) == (428, "if_match_missing")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"rates": {"SEK": "0"}}, "rules_unusable"),
        ({"rates": {"kroner": "1"}}, "rules_unusable"),
        ({"colour": "blue"}, "rules_unusable"),
        ({"products": [{"recman": "1", "unimicro": "2"}, {"recman": "1", "unimicro": "3"}]}, "rules_unusable"),
        ({"accounting": [{"product": "1"}]}, "rules_unusable"),
        ({"departments": [{"recman": "1", "dimensions": {"4": "x"}}]}, "rules_unusable"),
        ([1, 2], "rules_unusable"),
        ("just words", "rules_unusable"),
    ],
)
async def test_unusable_rules_are_refused_and_say_where(world: World, body: Any, code: str) -> None:
    told = await world.office.put_rules(body, status=422)
    assert told["code"] == code
    assert (await world.get("/v1/rules", key_id=str(world.key_id)))["version"] == 0


RULES = {"products": [{"recman": "RM-77", "unimicro": "1002"}]}


async def test_rules_are_read_and_validated_once_for_each_version(world: World) -> None:
    async def read() -> Rules:
        async with world.resources.of_tenant(world.tenant_id).sessions() as session:
            return (await load_rules(session, world.key_id)).rules

    await world.office.put_rules(RULES)
    first = await read()
    assert first.product_number("RM-77") == "1002"
    assert await read() is first
    await world.office.put_rules({"products": [{"recman": "RM-77", "unimicro": "1003"}]}, after_version=1)
    second = await read()
    assert second.product_number("RM-77") == "1003"
    assert await read() is second


@pytest.mark.parametrize("body", ["", " \n", "null", "~", "[]", "# nothing yet\n", "---\n...\n", "''", "not_before:\n"])
async def test_a_put_without_rules_is_no_reset(world: World, body: str) -> None:
    await world.office.put_rules(RULES)
    told = await put_text(world, body, after_version=1)
    assert (told.status_code, told.json()["code"]) == (422, "rules_empty")
    assert "`{}`" in told.json()["fix"]
    assert (await world.get("/v1/rules", key_id=str(world.key_id)))["version"] == 1


async def test_rules_are_taken_back_by_saying_so(world: World) -> None:
    await world.office.put_rules(RULES)
    told = await put_text(world, "{}", after_version=1)
    assert (told.status_code, told.json()["version"], told.json()["rules"]["products"]) == (200, 2, [])


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (
            "not_before: 1\nproducts: []\nnot_before: 2\n",
            "“not_before” is given twice: in line 1 and in line 3",
        ),
        ('{"attach_files": false, "attach_files": true}', "“attach_files” is given twice: in line 1 and in line 1"),
        ('{"review": {"first": 1,\n"first": 2}}', "“first” is given twice: in line 1 and in line 2"),
        ("departments:\n- recman: '7'\n  dimensions:\n    5: A\n    '5': B\n", "“5” is given twice: in line 4"),
        ("products:\n- {recman: a,\n   recman: b, unimicro: c}\n", "“recman” is given twice: in line 2 and in line 3"),
    ],
)
async def test_a_name_given_twice_is_refused_with_its_place(world: World, body: str, place: str) -> None:
    told = await put_text(world, body, after_version=0)
    assert (told.status_code, told.json()["code"]) == (422, "rules_unreadable")
    assert place in told.json()["cause"]


@pytest.mark.parametrize("body", ["[" * 100_000, "- " * 60_000, '{"a":' * 20_000, "&a [*a]", "a: &a [*a]"])
async def test_rules_that_never_end_are_refused(world: World, body: str) -> None:
    assert (await put_text(world, body, after_version=0)).status_code == 422


def bomb() -> str:
    """A kilobyte that would be a hundred million entries."""
    lines = ["a: &a {k1: 1, k2: 2}"]
    lines += [f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 10)}]}}" for a, b in itertools.pairwise("abcdefghi")]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "body", ["attach_files: !!bool ja", "product_policy: !!int ''", "not_before: !!timestamp x", bomb()]
)
async def test_tags_and_aliases_are_refused_with_their_line(world: World, body: str) -> None:
    told = await put_text(world, body, after_version=0)
    assert (told.status_code, told.json()["code"]) == (422, "rules_unreadable")
    assert "in line " in told.json()["cause"]


async def put_text(world: World, body: str, *, after_version: int) -> httpx.Response:
    url, seen = f"{OURS}/v1/rules?key_id={world.key_id}", f'"{after_version}"'
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/yaml", "If-Match": seen}
    return await world.http.put(url, content=body.encode(), headers=headers)


async def test_broken_yaml_names_its_line(world: World) -> None:
    path = f"http://ours.test/v1/rules?key_id={world.key_id}"
    headers = {"Authorization": "Bearer rmu_canary-operator-token", "If-Match": '"0"'}
    answer = await world.http.put(path, content=b"products:\n  - {recman: 1\n", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "rules_unreadable")
    assert "line" in answer.json()["cause"]
    answer = await world.http.put(path, content=b"\xff\xfe\x00", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "rules_unreadable")
