"""The sandbox RecMan against what is known of the real one, and the sample data against arithmetic."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx
import pytest
import simplejson
from fastapi import FastAPI, Request

from app.sandbox.recman.app import create_app
from app.sandbox.recman.hooks import Delivery, arrange_deliveries, deliver, is_loopback
from app.sandbox.recman.store import SANDBOX_KEY, RecmanOptions
from app.sandbox.samples import load_samples

BASE = "http://127.0.0.1"
PRODUCTS = {"1001": "25", "1002": "25", "2001": "15", "3001": "12", "4001": "0", "5001": "0"}


def open_client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)


async def read(http: httpx.AsyncClient, scope: str, *, path: str = "/v2/get/", **params: str) -> Any:
    answer = await http.get(path, params={"key": SANDBOX_KEY, "scope": scope, **params})
    assert answer.status_code == 200
    return simplejson.loads(answer.content, use_decimal=True)


@pytest.fixture
async def recman() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(create_app()) as http:
        yield http


@pytest.fixture
async def build() -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    clients: list[httpx.AsyncClient] = []

    def make(**options: Any) -> httpx.AsyncClient:
        clients.append(open_client(create_app(RecmanOptions(**options))))
        return clients[-1]

    yield make
    for http in clients:
        await http.aclose()


def lines_of(invoice: dict[str, Any]) -> list[dict[str, Any]]:
    lines = invoice["lines"]
    return list(lines.values()) if isinstance(lines, dict) else lines


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def line_sums(line: dict[str, Any]) -> tuple[Decimal, Decimal]:
    if not line.get("productNumber"):
        return Decimal(0), Decimal(0)
    full = Decimal(line["quantity"]) * Decimal(line["unitPrice"])
    net = cents(full - full * Decimal(line.get("discount") or 0) / 100)
    assert net == Decimal(line["total"]), line
    return net, cents(net * Decimal(line["vatRate"]) / 100)


def is_norwegian_org_number(digits: str) -> bool:
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, (3, 2, 7, 6, 5, 4, 3, 2, 1), strict=True))
    return weighted % 11 == 0


# ---- the sample data


def test_every_sample_total_is_what_its_lines_make() -> None:
    samples = load_samples()
    for invoice in samples.records["invoice"]:
        sums = [line_sums(line) for line in lines_of(invoice)]
        net, vat = sum((n for n, _ in sums), Decimal(0)), sum((v for _, v in sums), Decimal(0))
        stated = tuple(Decimal(invoice[name]) for name in ("totalExVat", "vat", "totalIncVat"))
        expected = samples.expected[str(invoice["invoiceId"])]
        assert stated == (net, vat, net + vat) == (expected.net, expected.vat, expected.gross)
        assert invoice["currency"] == expected.currency


def test_sample_lines_use_known_products_at_their_rates_but_for_one() -> None:
    strange = set()
    for invoice in load_samples().records["invoice"]:
        for line in lines_of(invoice):
            number = line.get("productNumber")
            if number and number not in PRODUCTS:
                strange.add((str(invoice["invoiceId"]), number))
            elif number:
                assert Decimal(line["vatRate"]) == Decimal(PRODUCTS[number])
    held = {(key, item.product_number) for key, item in load_samples().expected.items() if item.state == "held"}
    assert strange == held == {("5009", "7777")}


def test_sample_references_point_at_sample_records() -> None:
    records = load_samples().records
    companies = {str(item["companyId"]): item for item in records["company"]}
    projects = {str(item["projectId"]): item for item in records["project"]}
    departments = {item["department_id"] for item in records["department"]}
    for invoice in records["invoice"]:
        assert companies[str(invoice["companyId"])]["type"] == "customer"
        assert str(invoice["departmentId"]) in departments
        if invoice.get("projectId"):
            assert str(projects[str(invoice["projectId"])]["companyId"]) == str(invoice["companyId"])


def test_credit_note_mirrors_the_invoice_it_credits() -> None:
    invoices = {str(item["invoiceId"]): item for item in load_samples().records["invoice"]}
    (note,) = (item for item in invoices.values() if item["type"] == "creditNote")
    credited = invoices[note["creditedInvoiceId"]]
    same = ("productNumber", "quantity", "unitPrice", "vatRate", "total")
    assert [[line[k] for k in same] for line in lines_of(note)] == [
        [line[k] for k in same] for line in lines_of(credited)
    ]
    assert note["totalIncVat"] == credited["totalIncVat"]
    assert str(note["companyId"]) == str(credited["companyId"])


def test_sample_companies_have_numbers_of_the_series_and_valid_organisation_numbers() -> None:
    kinds = Counter(item["type"] for item in load_samples().records["company"])
    assert kinds == {"customer": 5, "ownCompany": 1, "supplier": 1}
    for company in load_samples().records["company"]:
        if not company["vatNumber"].startswith("DK"):
            assert is_norwegian_org_number(re.sub(r"\D", "", company["vatNumber"])), company["name"]
        if company["type"] == "customer":
            assert 100000 <= int(company["companyNumber"]) <= 199999


def test_samples_cover_the_quirks_of_the_real_system() -> None:
    records = load_samples().records
    invoices, companies = records["invoice"], records["company"]
    assert len(invoices) >= 14
    assert {type(item["invoiceId"]) for item in invoices} == {int, str}
    assert {type(item["lines"]) for item in invoices} == {list, dict}
    assert {item.get("projectId", "absent") for item in invoices} >= {None, "", "absent"}
    assert [] in [item.get("deliveryAddress") for item in companies]
    assert any("invoiceAddress" not in item for item in companies)
    addresses = [value for item in companies for value in item.values() if isinstance(value, dict)]
    assert any(address["postalCode"].startswith("0") for address in addresses)
    rates = {Decimal(line["vatRate"]) for item in invoices for line in lines_of(item) if line.get("vatRate")}
    assert rates == {Decimal(25), Decimal(15), Decimal(12), Decimal(0)}
    assert all("2026-10-01" <= item["invoiceDate"] <= "2026-11-30" for item in invoices)


def test_no_sample_amount_is_a_float() -> None:
    def leaves(value: Any) -> list[Any]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return [value] if inner is None else [leaf for item in inner for leaf in leaves(item)]

    kinds = {type(leaf) for records in load_samples().records.values() for leaf in leaves(records)}
    assert kinds == {int, str, type(None)}


def test_sample_webhooks_name_every_invoice_and_repeat_exactly_one_delivery() -> None:
    samples = load_samples()
    text = " ".join(delivery.body for delivery in samples.webhooks)
    assert set(re.findall(r"\b50\d\d\b", text)) == set(samples.expected)
    repeats = Counter(delivery.model_dump_json() for delivery in samples.webhooks)
    assert sorted(repeats.values())[-2:] == [1, 2]


# ---- the v2 reader


@pytest.mark.parametrize("path", ["/v2/get/", "/v2/get/index.php"])
async def test_rows_come_as_a_map_by_id_with_their_types_as_stored(recman: httpx.AsyncClient, path: str) -> None:
    answer = await read(recman, "company", path=path, page="1")
    assert answer["success"] is True
    assert answer["numRows"] == len(answer["data"]) == 7
    assert answer["data"]["201"]["companyId"] == 201
    assert answer["data"]["202"]["companyId"] == "202"
    assert answer["data"]["201"]["name"] == "Ærfugl Bemanning AS"


async def test_asked_fields_come_with_the_id(recman: httpx.AsyncClient) -> None:
    answer = await read(recman, "company", fields="name, type", companyIds="203, 204")
    assert answer["data"]["203"] == {"companyId": 203, "name": "Ålesund Fiskeforedling AS", "type": "customer"}
    assert list(answer["data"]) == ["203", "204"]


async def test_every_unknown_field_is_named_in_one_failure(recman: httpx.AsyncClient) -> None:
    answer = await read(recman, "company", fields="name,address,description")
    assert answer["success"] is False
    assert [item["message"] for item in answer["error"]] == ["Invalid field: address", "Invalid field: description"]


async def test_an_account_has_more_fields_when_its_door_says_so(recman: httpx.AsyncClient) -> None:
    await recman.put("/sandbox/recman/records/company/203", content='{"gln": "7080000985142"}')
    assert (await read(recman, "company", fields="gln"))["success"] is False
    assert (await recman.put("/sandbox/recman/more-fields", json=["gln"])).status_code == 204
    answer = await read(recman, "company", fields="gln", companyIds="203")
    assert answer["data"]["203"] == {"companyId": "203", "gln": "7080000985142"}


async def test_invoices_refuse_a_field_list_unless_told_otherwise(build: Callable[..., httpx.AsyncClient]) -> None:
    assert await read(build(), "invoice", fields="kid") == {"success": False, "errors": ["invalid parameter: fields"]}
    answer = await read(build(scopes_without_fields=frozenset()), "invoice", fields="kid", invoiceIds="5009")
    assert answer["data"] == {"5009": {"invoiceId": "5009", "kid": "1100056"}}


@pytest.mark.parametrize(("way", "rows"), [("honour", 2), ("ignore", 16), ("refuse", None)])
async def test_invoice_ids_filter_behaves_as_ordered(
    build: Callable[..., httpx.AsyncClient], way: str, rows: int | None
) -> None:
    answer = await read(build(invoice_ids_filter=way), "invoice", invoiceIds="5001,5002,9999")
    assert answer.get("numRows") == rows
    assert answer.get("errors") == (None if rows else ["invalid parameter: invoiceIds"])


async def test_pages_count_their_own_rows_and_end_in_an_empty_list(build: Callable[..., httpx.AsyncClient]) -> None:
    http = build(page_size=10)
    pages = [await read(http, "invoice", page=page) for page in ("1", "2", "3")]
    assert [page["numRows"] for page in pages] == [10, 6, 0]
    assert len(pages[0]["data"] | pages[1]["data"]) == 16
    assert pages[2] == {"success": True, "numRows": 0, "data": []}


async def test_data_can_be_a_list(build: Callable[..., httpx.AsyncClient]) -> None:
    answer = await read(build(data_shape="list"), "project")
    assert [row["number"] for row in answer["data"]] == ["2001", "2002", 2003]


async def test_projects_filter_by_company_and_smallest_id(recman: httpx.AsyncClient) -> None:
    assert list((await read(recman, "project", companyId="202"))["data"]) == ["302"]
    assert list((await read(recman, "project", minProjectId="302"))["data"]) == ["302", "303"]


async def test_wrong_key_and_unknown_scope_fail_with_http_200(recman: httpx.AsyncClient) -> None:
    wrong = {"success": False, "error": [{"code": 2, "message": "Invalid key"}]}
    assert await read(recman, "company", key="guess") == wrong
    assert (await read(recman, "product"))["error"][0]["message"] == "Invalid scope"


async def test_quota_is_per_day_and_comes_back(build: Callable[..., httpx.AsyncClient]) -> None:
    days = [date(2026, 11, 2)]
    http = build(daily_quota=2, today=lambda: days[-1])
    answers = [await read(http, "project") for _ in range(3)]
    assert [answer["success"] for answer in answers] == [True, True, False]
    assert answers[2]["error"][0]["message"] == "Daily request limit exceeded"
    days.append(date(2026, 11, 3))
    assert (await read(http, "project"))["success"] is True


async def test_credit_notes_turn_negative_when_told(build: Callable[..., httpx.AsyncClient]) -> None:
    data = (await read(build(credit_sign="negative"), "invoice", invoiceIds="5003,5008"))["data"]
    assert data["5003"]["totalIncVat"] == "5974.88"
    assert [data["5008"][name] for name in ("totalExVat", "vat", "totalIncVat")] == ["-4957.50", "-1017.38", "-5974.88"]
    line = data["5008"]["lines"]["70014"]
    assert (line["quantity"], line["unitPrice"], line["total"]) == ("-12", "185.00", "-2220.00")


async def test_writing_is_refused(recman: httpx.AsyncClient) -> None:
    answer = await recman.post("/v2/post/", json={"key": SANDBOX_KEY, "scope": "company", "operation": "insert"})
    assert answer.status_code == 200
    assert answer.json()["success"] is False


# ---- the v1 reader


async def test_departments_come_as_a_bare_map_of_strings(recman: httpx.AsyncClient) -> None:
    answer = await read(recman, "department", path="/v1.php", type="json")
    assert {key: (row["name"], row["number"]) for key, row in answer.items()} == {
        "1": ("Oslo", "10"),
        "2": ("Tromsø", "20"),
    }
    assert all(isinstance(value, str) for row in answer.values() for value in row.values())
    fields = await read(recman, "user", path="/v1.php", fields="first_name")
    assert fields["401"] == {"user_id": "401", "first_name": "Bjørn"}


async def test_v1_failures_are_a_top_level_error(recman: httpx.AsyncClient) -> None:
    wrong = {"error": {"code": 2, "message": "Invalid key"}}
    assert await read(recman, "department", path="/v1.php", key="guess") == wrong
    assert (await read(recman, "invoice", path="/v1.php"))["error"]["message"] == "Invalid scope"


# ---- levers


async def test_calls_are_counted_without_the_key(recman: httpx.AsyncClient) -> None:
    for _ in range(2):
        await read(recman, "invoice", page="1")
    answer = await recman.get("/sandbox/recman/calls")
    call = {"path": "/v2/get/", "scope": "invoice", "params": {"page": "1"}, "count": 2}
    assert answer.json() == {"total": 2, "calls": [call]}
    assert SANDBOX_KEY not in answer.text


async def test_records_can_be_put_removed_and_reset(recman: httpx.AsyncClient) -> None:
    put = await recman.put("/sandbox/recman/records/project/399", content='{"name":"Nytt","value":0.10}')
    assert put.status_code == 204
    assert (await read(recman, "project", projectIds="399"))["data"]["399"]["value"] == Decimal("0.10")
    assert (await recman.delete("/sandbox/recman/records/project/301")).status_code == 204
    assert list((await read(recman, "project"))["data"]) == ["302", "303", "399"]
    assert (await recman.post("/sandbox/recman/reset")).status_code == 204
    assert list((await read(recman, "project"))["data"]) == ["301", "302", "303"]
    assert (await recman.get("/sandbox/recman/calls")).json()["total"] == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("product/1", "{}", 404),
        ("project/1", "[]", 422),
        ("project/1", "{", 422),
        ("project/1", '{"projectId":2}', 422),
    ],
)
async def test_unusable_records_are_refused(recman: httpx.AsyncClient, path: str, body: str, status: int) -> None:
    assert (await recman.put(f"/sandbox/recman/records/{path}", content=body)).status_code == status


async def test_ordered_faults_last_as_many_calls_as_ordered(build: Callable[..., httpx.AsyncClient]) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    http = build(sleep=sleep)
    params = {"key": SANDBOX_KEY, "scope": "project"}
    await http.post("/sandbox/recman/faults", json={"fault": "unavailable", "times": 2})
    assert [(await http.get("/v2/get/", params=params)).status_code for _ in range(3)] == [503, 503, 200]
    await http.post("/sandbox/recman/faults", json={"fault": "http200_failure"})
    assert [(await read(http, "project"))["success"] for _ in range(2)] == [False, True]
    await http.post("/sandbox/recman/faults", json={"fault": "hang", "seconds": 7})
    assert (await read(http, "project"))["success"] is True
    assert waits == [7]


async def test_an_ordered_answer_goes_to_the_calls_it_is_meant_for_until_a_reset(recman: httpx.AsyncClient) -> None:
    def ask(**params: str) -> Any:
        return recman.get("/v2/get/", params={"key": SANDBOX_KEY, **params})

    order = {"body": {"message": "It is Monday"}, "status": 403, "scopes": ["project"], "parameter": "page"}
    assert (await recman.put("/sandbox/recman/answer", json=order)).status_code == 204
    told = await ask(scope="project", page="1")
    assert (told.status_code, told.json()) == (403, {"message": "It is Monday"})
    assert (await ask(scope="company", page="1")).json()["success"] is True
    assert (await ask(scope="project")).json()["success"] is True
    await recman.post("/sandbox/recman/reset")
    assert (await ask(scope="project", page="1")).json()["success"] is True


# ---- webhooks out


def build_receiver() -> tuple[FastAPI, list[tuple[str, str | None, bytes]]]:
    app = FastAPI()
    got: list[tuple[str, str | None, bytes]] = []

    @app.post("/hooks/{rest:path}", status_code=202)
    async def receive(rest: str, request: Request) -> None:
        got.append((f"/hooks/{rest}", request.headers.get("content-type"), await request.body()))

    return app, got


async def test_sample_webhooks_arrive_as_written(build: Callable[..., httpx.AsyncClient]) -> None:
    receiver, got = build_receiver()
    http = build(open_http=lambda: open_client(receiver))
    answer = await http.post("/sandbox/recman/send", json={"url": f"{BASE}/hooks/abc"})
    samples = load_samples().webhooks
    assert answer.json() == {"statuses": [202] * len(samples)}
    assert [item[1:] for item in got] == [(item.content_type, item.body.encode()) for item in samples]
    assert {item[0] for item in got} == {"/hooks/abc", "/hooks/abc/invoice"}


async def test_webhooks_repeat_shuffle_and_leave_the_scope_out_as_ordered(
    build: Callable[..., httpx.AsyncClient],
) -> None:
    receiver, got = build_receiver()
    http = build(open_http=lambda: open_client(receiver))
    order = {"url": f"{BASE}/hooks/abc", "repeat": 3, "shuffle": 7, "scope_style": "never"}
    await http.post("/sandbox/recman/send", json=order)
    samples = load_samples().webhooks
    assert Counter(body for _, _, body in got) == Counter(item.body.encode() for item in samples * 3)
    assert [body for _, _, body in got] == [
        item.body.encode() for item in arrange_deliveries(samples, repeat=3, seed=7)
    ]
    assert {path for path, _, _ in got} == {"/hooks/abc"}


async def test_webhooks_never_leave_the_machine(recman: httpx.AsyncClient) -> None:
    answer = await recman.post("/sandbox/recman/send", json={"url": "https://example.org/hooks/abc"})
    assert answer.status_code == 422
    assert [is_loopback(url) for url in ("http://localhost:1/x", "http://[::1]:1/x", "http://127.9.9.9/x")] == [
        True
    ] * 3
    assert not any(
        is_loopback(url) for url in ("http://127.0.0.1.example/x", "http://10.0.0.1/", "file://localhost/", "?")
    )


async def test_missing_answer_counts_as_status_nought() -> None:
    async def fall_silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("silence", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(fall_silent)) as http:
        assert await deliver(http, f"{BASE}/hooks/abc", [Delivery(body="{}")]) == [0]
