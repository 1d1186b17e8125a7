"""Answers that a working Unimicro would not give: what our client makes of each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from app.accounting.targets import Exchange, Target, open_target
from app.accounting.unimicro.complaints import is_about_lock
from app.domain.documents import DocumentKind
from app.domain.reference import Links, RemoteProduct
from app.errors import AuthExpiredError, HoldError, OutcomeUnknownError, RemoteUnavailableError, System
from app.platform.http import httpx, new_client
from tests.world.builders import make_customer, make_document

HOST = "http://unimicro.test"
Answer = Callable[[httpx.Request], httpx.Response]


async def give_token(refused: str | None) -> str:
    return "renewed" if refused else "token"


@asynccontextmanager
async def open_desk(
    answer: Answer, *, token: Callable[[str | None], Awaitable[str]] = give_token
) -> AsyncIterator[tuple[Target, list[Exchange]]]:
    exchanges: list[Exchange] = []
    async with new_client(transport=httpx.MockTransport(answer)) as http:
        target = open_target(http, base_url=f"{HOST}/", company_key="k", token=token, on_exchange=exchanges.append)
        yield target, exchanges


def to_answer(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=simplejson.dumps(body, use_decimal=True))


def make_projects(count: int) -> list[dict[str, Any]]:
    return [{"ID": number, "ProjectNumber": "P-1", "Name": f"Project {number}"} for number in range(1, count + 1)]


# Lists


@pytest.mark.parametrize(
    ("count", "cap"), [(0, 500), (1, 500), (49, 500), (50, 50), (180, 60), (620, 500), (1000, 500)]
)
async def test_every_row_is_read_once_however_low_the_server_caps_a_page(count: int, cap: int) -> None:
    rows = make_projects(count)

    def answer(request: httpx.Request) -> httpx.Response:
        skip, top = int(request.url.params["skip"]), int(request.url.params["top"])
        return to_answer(rows[skip : skip + min(top, cap)])

    async with open_desk(answer) as (target, _):
        found = await target.find_projects("P-1")
    assert [project.remote_id for project in found] == [row["ID"] for row in rows]


async def test_a_server_that_ignores_skip_is_read_twice_and_not_for_ever() -> None:
    calls = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.params["skip"])
        return to_answer(make_projects(60))

    async with open_desk(answer) as (target, _):
        found = await target.find_projects("P-1")
    assert (len(found), calls) == (60, ["0", "60"])


async def test_rows_that_come_twice_are_kept_once_and_counted_twice() -> None:
    rows, skips = make_projects(119), []

    def answer(request: httpx.Request) -> httpx.Response:
        skips.append(request.url.params["skip"])
        return to_answer([rows[:60], rows[59:], []][len(skips) - 1])

    async with open_desk(answer) as (target, _):
        found = await target.find_projects("P-1")
    assert [project.remote_id for project in found] == list(range(1, 120))
    assert skips == ["0", "60", "120"]


async def test_a_short_list_costs_one_call() -> None:
    calls = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.params["skip"])
        return to_answer(make_projects(49))

    async with open_desk(answer) as (target, _):
        assert len(await target.find_projects("P-1")) == 49
    assert calls == ["0"]


@pytest.mark.parametrize("body", [{"Success": False}, None, [1, 2], [{"Name": "no ID"}], {"value": []}])
async def test_a_list_that_is_none_is_tried_again_later(body: Any) -> None:
    async with open_desk(lambda _: to_answer(body)) as (target, _):
        with pytest.raises(RemoteUnavailableError):
            await target.find_projects("P-1")


@pytest.mark.parametrize("body", [[], None, 7, {}, {"Name": "no ID"}])
async def test_a_document_that_is_none_is_tried_again_later(body: Any) -> None:
    async with open_desk(lambda _: to_answer(body)) as (target, _):
        with pytest.raises(RemoteUnavailableError):
            await target.fetch_document(7)


# Writes


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b"[]", b'{"ID":null}', b'"stored"', b"<html>"])
async def test_a_creation_that_tells_no_id_has_an_unknown_outcome(content: bytes) -> None:
    async with open_desk(lambda _: httpx.Response(200, content=content)) as (target, _):
        with pytest.raises(OutcomeUnknownError):
            await target.create_customer(make_customer(), guid="g", send_number=True)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"ID":"x"}'])
async def test_a_credit_draft_without_id_has_an_unknown_outcome(content: bytes) -> None:
    async with open_desk(lambda _: httpx.Response(200, content=content)) as (target, _):
        with pytest.raises(OutcomeUnknownError):
            await target.create_credit_draft(7)


async def test_a_lost_token_refresh_before_a_write_means_that_nothing_was_sent() -> None:
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return to_answer({})

    async def lose_token(_refused: str | None) -> str:
        raise OutcomeUnknownError("the identity server gave no answer", system=System.UNIMICRO)

    async with open_desk(answer, token=lose_token) as (target, exchanges):
        with pytest.raises(RemoteUnavailableError) as caught:
            await target.issue_document(7)
    assert "identity server gave no answer" in caught.value.cause
    assert (sent, exchanges) == ([], [])


async def test_a_token_refresh_lost_after_a_refused_write_is_no_unknown_write_either() -> None:
    async def token(refused: str | None) -> str:
        if refused:
            raise OutcomeUnknownError("the identity server gave no answer", system=System.UNIMICRO)
        return "token"

    async with open_desk(lambda _: httpx.Response(401), token=token) as (target, exchanges):
        with pytest.raises(RemoteUnavailableError):
            await target.issue_document(7)
    assert [exchange.status for exchange in exchanges] == [401]


async def test_a_sign_in_that_ended_is_still_told_as_such() -> None:
    async def token(_refused: str | None) -> str:
        raise AuthExpiredError("gone", system=System.UNIMICRO)

    async with open_desk(lambda _: to_answer({}), token=token) as (target, _):
        with pytest.raises(AuthExpiredError):
            await target.issue_document(7)


async def test_stack_traces_are_not_kept_however_deep_they_stand() -> None:
    inner = {"Message": "inner words", "stacktrace": "at Secret.Place()"}
    body = {"Message": "No.", "StackTrace": "at Secret.Place()", "Parts": [{"InnerException": inner}]}
    async with open_desk(lambda _: to_answer(body, 500)) as (target, exchanges):
        with pytest.raises(OutcomeUnknownError) as caught:
            await target.issue_document(7)
    (exchange,) = exchanges
    assert exchange.answer == {"Message": "No.", "Parts": [{"InnerException": {"Message": "inner words"}}]}
    assert "Secret" not in caught.value.cause


# Reference data and rates


def make_reference_answer(**settings: Any) -> Answer:
    whole = {"ID": 1, "BaseCurrencyCodeID": 2, "TaxMandatoryType": 3} | settings

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("companysettings/1"):
            return to_answer({name: value for name, value in whole.items() if value is not None})
        is_currency = request.url.path.endswith("currencycodes")
        return to_answer([{"ID": 2, "Code": "NOK"}, {"ID": 3, "Code": "EUR"}] if is_currency else [])

    return answer


async def test_company_settings_tell_base_currency_and_vat_duty() -> None:
    async with open_desk(make_reference_answer(BaseCurrencyCodeID=3, TaxMandatoryType=1)) as (target, _):
        reference = await target.fetch_reference()
    assert (reference.base_currency, reference.vat_registered) == ("EUR", False)


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ({"BaseCurrencyCodeID": 99}, ["base_currency_unknown"]),
        ({"BaseCurrencyCodeID": None}, ["base_currency_unknown"]),
        ({"BaseCurrencyCodeID": 0}, ["base_currency_unknown"]),
        ({"TaxMandatoryType": None}, ["vat_duty_unknown"]),
        ({"BaseCurrencyCodeID": None, "TaxMandatoryType": None}, ["base_currency_unknown", "vat_duty_unknown"]),
    ],
)
async def test_company_settings_that_say_too_little_hold_and_name_themselves(
    settings: dict[str, Any], codes: list[str]
) -> None:
    async with open_desk(make_reference_answer(**settings)) as (target, _):
        with pytest.raises(HoldError) as caught:
            await target.fetch_reference()
    assert [gap.code for gap in caught.value.gaps] == codes
    assert all("Unimicro's company settings" in gap.cause and "retry" in gap.fix for gap in caught.value.gaps)
    assert all(name in caught.value.cause for name in settings)


@pytest.mark.parametrize(
    "rate",
    [
        {"ExchangeRate": Decimal("11.65")},
        {"ExchangeRate": Decimal("11.65"), "Factor": 1},
        {"ExchangeRate": "11.65", "Factor": Decimal("1.0")},
        {"ExchangeRate": Decimal(1165), "Factor": 100},
        {"ExchangeRate": Decimal("11.650000000000000355"), "Factor": 1},
        {"ExchangeRate": Decimal("116.5"), "Factor": "10"},
    ],
)
async def test_a_rate_is_for_one_unit_however_many_it_is_quoted_for(rate: dict[str, Any]) -> None:
    async with open_desk(lambda _: to_answer(rate)) as (target, _):
        assert (await target.fetch_quote(3, 2, date(2026, 10, 31))).per_unit == Decimal("11.65")


@pytest.mark.parametrize(
    "rate",
    [
        {},
        {"ExchangeRate": None},
        {"ExchangeRate": 0, "Factor": 1},
        {"ExchangeRate": Decimal("-1.5")},
        {"ExchangeRate": Decimal("104.3"), "Factor": 0},
        {"ExchangeRate": Decimal("104.3"), "Factor": -100},
    ],
)
async def test_a_rate_that_cannot_be_used_holds(rate: dict[str, Any]) -> None:
    async with open_desk(lambda _: to_answer(rate)) as (target, _):
        with pytest.raises(HoldError) as caught:
            await target.fetch_quote(3, 2, date(2026, 10, 31))
    (gap,) = caught.value.gaps
    assert gap.code == "rate_unusable"
    assert "2026-10-31" in gap.cause
    assert gap.fix


# Credit drafts

LINKS = Links(
    customer_id=0,
    products={
        "1001": RemoteProduct(
            remote_id=33, number="1001", name="Timer", active=True, account_id=2, vat_type_id=3, vat_rate=Decimal(25)
        )
    },
)


async def test_a_credit_drafts_update_names_its_customer_and_reports_cut_texts() -> None:
    row = {
        "ID": 9,
        "CustomerID": 17,
        "InvoiceType": 1,
        "StatusCode": 42001,
        "InvoiceReferenceID": 7,
        "Items": [{"ID": 1}],
    }
    document = make_document(kind=DocumentKind.CREDIT_NOTE, note="x" * 501)
    async with open_desk(lambda _: to_answer(row)) as (target, exchanges):
        draft = await target.update_credit_draft(9, document, external_reference="RM-9", links=LINKS)
    (update,) = exchanges
    assert (update.method, update.request["ID"], update.request["CustomerID"]) == ("PUT", 9, 17)
    assert update.request["Customer"] is None
    assert [warning.code for warning in draft.warnings] == ["text_cut"]
    assert draft.document.remote_id == 9


async def test_a_credit_draft_that_tells_no_customer_keeps_the_one_it_has() -> None:
    document = make_document(kind=DocumentKind.CREDIT_NOTE)
    async with open_desk(lambda _: to_answer({"ID": 9, "InvoiceType": 1, "Items": []})) as (target, exchanges):
        await target.update_credit_draft(9, document, external_reference="RM-9", links=LINKS)
    assert exchanges[0].request.keys().isdisjoint({"Customer", "CustomerID"})


@pytest.mark.parametrize(
    ("complaint", "is_lock"),
    [
        ("The period is locked (AccountingLockedDate 2026-10-31).", True),
        ("InvoiceDate: Perioden er låst", True),
        ("Mva-terminen er avsluttet", True),
        ("Cannot post in a closed period", True),
        ("Regnskapsåret 2025 er lukket", True),
        ("FinancialDate is before VatLockedDate", True),
        ("AccountID: Account 3000 is locked for accounting", False),
        ("The customer is blocked in this period of time", False),
        ("Betalingsperioden er ugyldig", False),
        ("CustomerNumber is outside the number series.", False),
    ],
)
def test_complaint_about_a_locked_period_is_told_from_others(complaint: str, *, is_lock: bool) -> None:
    assert is_about_lock(complaint) is is_lock
