"""RecMan's API client against every envelope, refusal and page that is known or likely; the key is never told."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from app.domain.parties import Customer
from app.errors import (
    AuthExpiredError,
    RemoteError,
    RemoteRejectedError,
    RemoteThrottledError,
    RemoteUnavailableError,
    RemoteUnexplainedError,
    System,
)
from app.platform.http import httpx
from app.recman.read.translate import read_company
from tests.world.account import KEY, Account, refuse, wrap

# ---- envelopes


@pytest.mark.parametrize(
    "answer",
    [
        wrap({"7": {"companyId": 7, "name": "A"}}, numRows=1),
        wrap({"7": {"companyId": "007", "name": "A"}}),
        wrap({"7": {"name": "A"}}),
        wrap({"0": {"companyId": 7, "name": "A"}}),
        wrap([{"companyId": "7", "name": "A"}]),
        wrap([{"id": 7, "name": "A"}]),
        wrap({"companyId": 7, "name": "A"}),
        wrap({"7": {"companyId": 7, "name": "A"}}, success=1),
        wrap({"7": {"companyId": 7, "name": "A"}}, success="true"),
        wrap({"7": {"companyId": 7, "name": "A"}}, error=[], message="OK"),
        {"data": {"7": {"companyId": 7, "name": "A"}}},
        [{"companyId": 7, "name": "A"}],
        wrap([{"companyId": 7, "name": "A"}, None, "junk"]),
        wrap({"7": {"companyId": 7, "name": "A"}, "8": None}),
    ],
)
async def test_a_record_comes_out_of_every_envelope(answer: Any) -> None:
    found = await Account(answer).open().fetch_companies(["7"])
    assert list(found) == ["7"]
    assert found["7"]["name"] == "A"


@pytest.mark.parametrize(
    "answer",
    [wrap([]), wrap({}), wrap(None), wrap(""), {"success": True}, wrap([], numRows=0), wrap([], message="None found")],
)
async def test_nothing_is_an_answer(answer: Any) -> None:
    assert await Account(answer).open().fetch_companies(["7"]) == {}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>busy</html>",
        b"null",
        b"7",
        {},
        {"numRows": 0},
        wrap("text"),
        wrap([1, 2]),
        wrap(7),
        wrap({"message": "try later"}),
        wrap([], numRows=3),
        wrap({"7": "x"}),
        wrap([{"name": "A"}]),
        b"[" * 5000,
        b'{"success":true,"data":{"7":{"x":1e99999999999999999999}}}',
    ],
)
async def test_what_is_no_answer_is_not_taken_for_nothing(answer: Any) -> None:
    """Else a record would seem to be gone."""
    account = Account(answer)
    with pytest.raises(RemoteUnavailableError):
        await account.open().fetch_companies(["7"])
    assert len(account.calls) in {1, 3}


async def test_no_ids_cost_no_call() -> None:
    account = Account(wrap([]))
    assert await account.open().fetch_invoices([]) == {}
    assert account.calls == []


async def test_money_stays_exact() -> None:
    body = b'{"success":true,"data":{"7":{"invoiceId":7,"totalExVat":0.1000000000000000055}}}'
    found = await Account(body).open().fetch_invoices(["7"])
    assert str(found["7"]["totalExVat"]) == "0.1000000000000000055"


# ---- refusals, most of them behind HTTP 200


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, refuse("Invalid key"), AuthExpiredError),
        (200, {"error": {"code": 2, "message": "Invalid key"}}, AuthExpiredError),
        (200, {"error": {"code": 2}}, AuthExpiredError),
        (401, {}, AuthExpiredError),
        (403, b"", RemoteThrottledError),
        (403, refuse("Invalid key"), AuthExpiredError),
        (403, refuse("No access to this scope"), RemoteRejectedError),
        (200, refuse("Access denied"), RemoteRejectedError),
        (200, [], RemoteUnavailableError),
        (200, {"data": []}, RemoteUnavailableError),
        (200, {"success": "", "data": []}, RemoteUnavailableError),
        (200, {"success": None, "data": {}, "message": "Daily limit exceeded"}, RemoteThrottledError),
        (200, {"data": [], "error": [{"code": 2, "message": "Invalid key"}]}, AuthExpiredError),
        (200, {"data": None, "errors": ["Service closed"]}, RemoteUnexplainedError),
        (200, wrap([], error=[{"code": 9, "message": "Internal error"}]), RemoteUnexplainedError),
        (200, refuse("Invalid scope"), RemoteRejectedError),
        (200, {"success": False, "errors": ["invalid parameter: companyIds limit"]}, RemoteRejectedError),
        (200, {"success": 0, "message": "Unknown scope"}, RemoteRejectedError),
        (400, {"success": False, "error": "Missing field"}, RemoteRejectedError),
        (200, refuse("Daily request limit exceeded"), RemoteThrottledError),
        (200, {"success": "0", "errors": ["Quota exceeded"]}, RemoteThrottledError),
        (200, {"success": False, "message": "Too many requests"}, RemoteThrottledError),
        (429, b"", RemoteThrottledError),
        (403, refuse("Daily limit"), RemoteThrottledError),
        (200, {"success": False}, RemoteUnexplainedError),
        (200, refuse("Internal error"), RemoteUnexplainedError),
        (200, {"message": "Server is busy"}, RemoteUnexplainedError),
        (200, {"success": "false", "data": []}, RemoteUnexplainedError),
        (500, refuse("boom"), RemoteUnavailableError),
        (502, b"<html>", RemoteUnavailableError),
        (503, b"", RemoteUnavailableError),
        (301, b"", RemoteUnexplainedError),
        (200, {"error": [[[[[[[[[[[["deep"]]]]]]]]]]]]}, RemoteUnavailableError),
    ],
)
async def test_refusal_says_who_must_do_what(status: int, answer: Any, kind: type[RemoteError]) -> None:
    client = Account(answer, status=status).open()
    with pytest.raises(RemoteError) as caught:
        await client.fetch_page("invoice", 1)
    assert type(caught.value) is kind
    assert caught.value.cause
    assert issubclass(kind, RemoteUnavailableError) or caught.value.fix
    assert caught.value.system is System.RECMAN


async def test_missing_right_names_the_scope() -> None:
    with pytest.raises(RemoteRejectedError) as caught:
        await Account(refuse("Invalid scope")).open().fetch_projects(["1"])
    assert caught.value.code == "recman_scope"
    assert "right to read project" in caught.value.fix


async def test_long_complaint_is_cut() -> None:
    with pytest.raises(RemoteUnavailableError) as caught:
        await Account(refuse("x" * 100_000)).open().fetch_page("invoice", 1)
    assert len(caught.value.cause) < 1100


# ---- tries


async def test_transient_failure_is_tried_three_times() -> None:
    failures = [httpx.ReadTimeout("slow"), httpx.Response(503)]
    account = Account(lambda _params: failures.pop() if failures else wrap({"7": {"companyId": 7}}))
    assert list(await account.open().fetch_companies(["7"])) == ["7"]
    assert len(account.calls) == 3


async def test_refusal_is_not_tried_again() -> None:
    account = Account(refuse("Invalid key"))
    with pytest.raises(AuthExpiredError):
        await account.open().fetch_companies(["7"])
    assert len(account.calls) == 1


# ---- the key


LEAKS: list[Any] = [
    httpx.ConnectError(f"cannot reach https://api.recman.test/v2/get/?key={KEY}&scope=company"),
    httpx.InvalidURL(f"bad address ?key={KEY}"),
    httpx.RemoteProtocolError(KEY),
    refuse(f"Invalid key {KEY}"),
    refuse("Invalid key 999999999999k" + "a" * 41),
    {"error": f"GET /v2/get/?key={KEY}&scope=company failed"},
    {"error": "GET /v2/get/?key=some%2Fother-key&scope=company failed"},
    httpx.Response(302, headers={"location": f"https://x.test/?key={KEY}"}),
    httpx.Response(500, content=f"trace {KEY}".encode()),
    b"\xff" + KEY.encode(),
]


@pytest.mark.parametrize("leak", LEAKS, ids=range(len(LEAKS)))
async def test_key_is_in_no_error(leak: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="app")
    client = Account(leak).open()
    with pytest.raises(RemoteError) as caught:
        await client.fetch_companies(["7"])
    told = [repr(client), caplog.text, "".join(traceback.format_exception(caught.value))]
    error: BaseException | None = caught.value
    while error is not None:
        told += [repr(error), str(error), repr(error.args), repr(vars(error))]
        assert error.__cause__ is None
        error = error.__context__
    for text in told:
        assert KEY not in text
        assert "some%2Fother-key" not in text
        assert "k" + "a" * 41 not in text


# ---- fields


FAMILIES = ["companyNumber", "number", "vatNumber", "countryRegNumber", "companyRegNumber", "organizationNumber"]


def knows(*names: str) -> Callable[[Mapping[str, str]], Any]:
    """An account that refuses every other field, all at once."""

    def answer(params: Mapping[str, str]) -> Any:
        unknown = [name for name in params.get("fields", "").split(",") if name and name not in names]
        if unknown:
            return refuse(*(f"Invalid field: {name}" for name in unknown))
        return wrap({"7": {"companyId": 7, "name": "A"}})

    return answer


async def test_every_spelling_is_asked_for_once_and_then_those_that_are_known() -> None:
    account = Account(knows("name", "type", "number", "organizationNumber"))
    assert list(await account.open().fetch_companies(["7"])) == ["7"]
    asked = [call["fields"].split(",") for call in account.calls]
    assert set(FAMILIES) <= set(asked[0])
    assert [sorted(names) for names in asked[1:]] == [["name", "number", "organizationNumber", "type"]]


async def test_an_account_that_names_one_bad_field_at_a_time_is_read_all_the_same() -> None:
    def answer(params: Mapping[str, str]) -> Any:
        asked = params["fields"].split(",")
        bad = next(
            (name for name in asked if name in {"peppolAddress", "ehfAddress", "currency", "currencyCode"}), None
        )
        return refuse(f"Invalid field: {bad}") if bad else wrap([{"companyId": 7}])

    account = Account(answer)
    assert list(await account.open().fetch_companies(["7"])) == ["7"]
    assert "ehfNumber" in account.calls[-1]["fields"]


@pytest.mark.parametrize(("other", "agrees"), [("310456101", True), ("999888777", False)])
async def test_two_spellings_that_an_account_knows_must_agree(other: str, agrees: bool) -> None:  # noqa: FBT001
    row = {
        "companyId": 7,
        "companyNumber": "7",
        "name": "A",
        "vatNumber": "NO 310 456 101 MVA",
        "countryRegNumber": other,
    }

    def answer(params: Mapping[str, str]) -> Any:
        unknown = [name for name in params["fields"].split(",") if name not in row]
        return refuse(*(f"Invalid field: {name}" for name in unknown)) if unknown else wrap([row])

    account = Account(answer)
    company = read_company((await account.open().fetch_companies(["7"]))["7"])
    assert len(account.calls) == 2
    assert isinstance(company, Customer) is agrees
    assert agrees or "RecMan says two things" in str(company)


async def test_a_field_that_comes_under_another_name_than_asked_for_is_kept() -> None:
    account = Account(wrap([{"projectId": 7, "customerId": 3}]))
    assert (await account.open().fetch_projects(["7"]))["7"]["customerId"] == 3


async def test_refusals_are_remembered_also_for_the_next_client() -> None:
    account = Account(knows("name", "type"))
    await account.open().fetch_companies(["7"])
    account.calls.clear()
    await account.open().fetch_companies(["7"])
    assert [call["fields"] for call in account.calls] == ["name,type"]


async def test_scope_without_field_lists_is_asked_without() -> None:
    def answer(params: Mapping[str, str]) -> Any:
        if "fields" in params:
            return {"success": False, "errors": ["invalid parameter: fields"]}
        return wrap([{"projectId": 7, "name": "A"}])

    account = Account(answer)
    assert list(await account.open().fetch_projects(["7"])) == ["7"]
    assert [("fields" in call) for call in account.calls] == [True, False]


async def test_invoices_are_asked_without_field_list() -> None:
    account = Account(wrap([{"invoiceId": 7}]))
    await account.open().fetch_invoices(["7"])
    assert account.calls == [{"scope": "invoice", "invoiceIds": "7", "page": "1"}]


async def test_refusal_of_a_field_nobody_asked_for_is_an_error() -> None:
    account = Account(refuse("Invalid field: banana"))
    with pytest.raises(RemoteRejectedError):
        await account.open().fetch_companies(["7"])
    assert len(account.calls) == 1


async def test_two_calls_that_meet_the_same_refusal_both_go_on() -> None:
    account = Account(knows("name", "type"))
    client = account.open()
    found = await asyncio.gather(*(client.fetch_companies(["7"]) for _ in range(8)))
    assert [list(one) for one in found] == [["7"]] * 8


# ---- version 1


async def test_departments_and_users_come_from_version_1() -> None:
    account = Account({"4": {"department_id": "4", "name": "Oslo"}, "success": True})
    client = account.open()
    (department,) = await client.fetch_v1("department")
    assert (department["department_id"], department["_key"]) == ("4", "4")
    assert len(await client.fetch_v1("user")) == 1
    assert [call["scope"] for call in account.calls] == ["department", "user"]


@pytest.mark.parametrize("answer", [[], {}, wrap([])])
async def test_no_departments(answer: Any) -> None:
    assert await Account(answer).open().fetch_v1("department") == ()
