"""A key's first day: what is dated earlier is a person's decision, by whichever door it comes."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.accounting.targets import open_target
from app.platform.http import httpx
from app.sandbox.samples import load_samples
from tests.world import LATE, World, open_world, rows_of

SAMPLES = load_samples()


@pytest.fixture
async def late_world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A key whose first day lies behind every sample."""
    async with open_world(database_url, tmp_path) as world:
        await world.office.move_go_live(LATE)
        yield world


def codes(row: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in row["reasons"]]


async def count_calls(world: World) -> int:
    answer = await world.http.get(f"{world.unimicro_url}/sandbox/calls")
    return int(sum(answer.json()["counts"].values()))


# --- every entrance ---


async def test_paid_webhook_of_an_old_invoice_books_nothing(late_world: World) -> None:
    world = late_world
    answer = await world.http.post(f"http://ours.test{world.hook}", json={"event": "invoice.paid", "id": 5001})
    assert answer.status_code == 202
    await world.settle()
    row = await world.document(5001)
    assert (row["state"], codes(row)) == ("held", ["before_go_live"])
    assert "2026-10-05, before the key's go-live day 2026-12-01" in row["reasons"][0]["cause"]
    assert await world.invoices() == []
    assert [one["state"] for one in await world.get("/v1/invoices", state="before go-live")] == ["before go-live"]
    assert await world.get("/v1/invoices", state="held") == []


async def test_every_sample_from_before_the_first_day_is_held_and_nothing_is_made(late_world: World) -> None:
    world = late_world
    books = await world.books()
    assert set(await world.hear(list(SAMPLES.webhooks))) == {202}
    await world.settle()
    rows = [row for (kind, _), row in (await world.transfers()).items() if kind in {"invoice", "credit_note"}]
    assert len(rows) == len(SAMPLES.expected)
    assert {row["state"] for row in rows} == {"held"}
    assert [one["invoices"] for one in (await world.books()).values()] == [one["invoices"] for one in books.values()]


async def test_the_first_day_itself_is_booked(world: World) -> None:
    await world.office.move_go_live("2026-10-05")
    await world.carry("invoice", 5001)
    assert (await world.document(5001))["state"] == "done"


async def test_sweep_that_reaches_further_back_holds_old_invoices(late_world: World) -> None:
    world = late_world
    await world.call("PATCH", "/v1/recman", {"first_day": "2020-01-01"}, tenant=world.tenant_id)
    assert (await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)).status_code == 202
    await world.settle()
    assert codes(await world.document(5001)) == ["before_go_live"]
    assert await world.invoices() == []


async def test_sweep_looks_at_nothing_older_than_the_keys_first_day_and_misses_nothing_of_it(world: World) -> None:
    """A later `first_day` of the tenant keeps nothing from a key; an earlier go-live brings what was passed over."""
    await world.call("PATCH", "/v1/recman", {"first_day": "2099-01-01"}, tenant=world.tenant_id)
    await world.office.move_go_live("2026-10-06")
    assert (await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)).status_code == 202
    await world.settle()
    rows = await world.transfers()
    assert ("invoice", "5001") not in rows
    assert rows["invoice", "5002"]["state"] == "done"
    await world.office.move_go_live("2026-10-05")
    assert (await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)).status_code == 202
    await world.settle()
    assert (await world.document(5001))["state"] == "done"


async def test_retry_approval_and_job_do_not_pass_the_first_day(late_world: World) -> None:
    world = late_world
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    for path, body in (
        (f"/v1/transfers/{row['id']}/retry", None),
        (f"/v1/invoices/{row['id']}/approve", None),
        ("/v1/invoices/send", {"ids": [row["id"]]}),
        ("/v1/invoices/send", {"everything": True}),
    ):
        assert (await world.call("POST", path, body, tenant=world.tenant_id)).status_code == 202, path
        await world.settle()
        assert codes(await world.document(5001)) == ["before_go_live"], path
    told = rows_of(await world.post("/v1/invoices/dry-run", {"ids": [row["id"]]}))
    assert (told[0]["outcome"], told[0]["reasons"][0]["code"]) == ("hold", "before_go_live")
    assert await world.invoices() == []


async def test_old_document_that_somebody_chose_to_send_is_asked_about_again_when_recman_changes_it(
    late_world: World,
) -> None:
    world = late_world
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})).status_code == 200
    order = {"decision": "send", "ids": [row["id"]]}
    answer = await world.call("POST", "/v1/invoices/before-go-live", order, tenant=world.tenant_id)
    assert answer.status_code == 202, answer.text
    world.recman.state.store.records["invoice"]["5001"]["companyId"] = 202
    await world.hear_of("invoice", 5001)
    await world.stall()
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})).status_code == 200
    await world.settle()
    held = (await world.get("/v1/invoices"))[0]
    assert (codes(held), held["decision"]) == (["before_go_live"], None)
    assert await world.invoices() == []
    await world.decide("send", ids=[row["id"]])
    assert (await world.document(5001))["state"] == "done"


@pytest.mark.parametrize("booking", ["draft", "order"])
async def test_keys_that_make_drafts_or_orders_have_a_first_day_too(late_world: World, booking: str) -> None:
    world = late_world
    await world.office.change_key(booking=booking)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert codes(row) == ["before_go_live"]
    assert world.ledger.books().rows("CustomerInvoice") == world.ledger.books().rows("CustomerOrder") == []
    await world.decide("send", ids=[row["id"]])
    assert (await world.document(5001))["state"] == "done"


async def test_invoice_that_a_credit_note_needs_is_held_and_the_credit_note_says_what_to_do(world: World) -> None:
    ids = await world.book_before(5003)
    credit_day = world.recman.state.store.records["invoice"]["5008"]["invoiceDate"]
    await world.office.move_go_live(credit_day)
    await world.carry("invoice", 5008)
    invoice, credit = await world.document(5003), await world.document(5008)
    assert (invoice["state"], codes(invoice)) == ("held", ["before_go_live"])
    assert (credit["state"], codes(credit)) == ("waiting", ["waits"])
    assert "go-live day" in credit["reasons"][0]["cause"]
    assert "before-go-live" in credit["reasons"][0]["fix"]
    (dry,) = rows_of(await world.post("/v1/invoices/dry-run", {"ids": [credit["id"]]}))
    assert (dry["outcome"], dry["reasons"][0]["fix"]) == ("wait", credit["reasons"][0]["fix"])
    assert len(await world.invoices()) == 1
    told = await world.decide("link", ids=[invoice["id"]])
    assert told == {"decided": [invoice["id"]], "left": []}
    assert (await world.document(5003))["remote_id"] == ids[5003]
    # Linked, the invoice is as good as one of ours: the credit note has gone on by itself.
    assert (await world.document(5008))["state"] == "done"
    credited = [
        one["InvoiceReferenceID"] for one in world.ledger.books().rows("CustomerInvoice") if one["InvoiceType"] == 1
    ]
    assert credited == [ids[5003]]


async def test_credit_note_of_an_old_invoice_that_is_ignored_is_held_at_once(world: World) -> None:
    await world.office.move_go_live(world.recman.state.store.records["invoice"]["5008"]["invoiceDate"])
    await world.carry("invoice", 5008)
    await world.decide("ignore", numbers=[(await world.document(5003))["number"]], reason="credited by hand")
    assert codes(await world.document(5008)) == ["credited_not_sent"]
    assert await world.invoices() == []


# --- what a person chooses ---


async def test_sent_after_all_by_name_and_once(late_world: World) -> None:
    world = late_world
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    told = await world.decide("send", numbers=[row["number"], "nowhere"])
    assert told["decided"] == [row["id"]]
    assert [(one["number"], one["reason"]["code"]) for one in told["left"]] == [("nowhere", "not_held")]
    view = await world.overview_row(5001)
    assert (view["state"], view["decision"]) == ("in Unimicro", "send")
    assert view["decided_by"].startswith("token:")
    assert view["decided_at"] is not None
    await world.carry("invoice", 5001)
    assert len(await world.invoices()) == 1
    (entry,) = [one for one in await world.get("/v1/audit") if one["action"] == "invoice.before_go_live"]
    assert (entry["subject"], entry["after"]["decision"]) == (f"transfer:{row['id']}", "send")
    again = await world.decide("send", ids=[row["id"]])
    assert (again["decided"], again["left"][0]["reason"]["code"]) == ([], "not_held")


async def test_a_choice_made_about_one_company_is_none_about_another(late_world: World) -> None:
    """Decided while the key pauses; then the department moves to a key of another company."""
    world = late_world
    await world.carry("invoice", 5001)
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})
    row = await world.document(5001)
    body = {"decision": "send", "ids": [row["id"]]}
    assert (await world.call("POST", "/v1/invoices/before-go-live", body, tenant=world.tenant_id)).status_code == 202
    await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)
    department = str(world.recman.state.store.records["invoice"]["5001"]["departmentId"])
    other = await world.office.make_key(
        world.tenant_id, name="Second", company="Nordlys Konsulent AS", departments=[department], go_live=LATE
    )
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})
    await world.settle()
    view = await world.overview_row(5001)
    assert (view["key_id"], view["state"], view["decision"]) == (str(other), "before go-live", None)


async def test_moving_the_first_day_looks_again_at_what_is_held(late_world: World) -> None:
    world = late_world
    await world.carry("invoice", 5001, 5002)
    key = await world.office.move_go_live("2026-10-06")
    assert key["go_live"] == "2026-10-06"
    await world.settle()
    assert [(await world.document(one))["state"] for one in (5001, 5002)] == ["held", "done"]
    assert "2026-10-06" in (await world.document(5001))["reasons"][0]["cause"]
    entry = next(one for one in await world.get("/v1/audit") if one["action"] == "key.change")
    assert (entry["before"]["go_live"], entry["after"]["go_live"]) == (LATE, "2026-10-06")


async def test_what_was_found_in_unimicro_is_not_booked_because_the_first_day_moved(world: World) -> None:
    await world.book_before(5001)
    await world.carry("invoice", 5001, 5002)
    await world.office.move_go_live("2026-01-01")
    await world.settle()
    assert [(await world.document(one))["state"] for one in (5001, 5002)] == ["held", "done"]
    await world.decide("link", numbers=["110001"])
    assert (await world.document(5001))["state"] == "done"
    assert len(await world.invoices()) == 2


async def test_ignoring_takes_an_earlier_choice_back(late_world: World) -> None:
    world = late_world
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})
    for body in ({"decision": "send"}, {"decision": "ignore", "reason": "by hand"}):
        await world.call("POST", "/v1/invoices/before-go-live", body | {"ids": [row["id"]]}, tenant=world.tenant_id)
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})
    await world.settle()
    assert (await world.document(5001))["state"] == "ignored"
    await world.call("POST", f"/v1/transfers/{row['id']}/retry")
    await world.settle()
    assert codes(await world.document(5001)) == ["before_go_live"]


async def test_rule_of_older_ones_that_are_not_wanted_stays_and_a_persons_word_outranks_it(late_world: World) -> None:
    world = late_world
    await world.office.put_rules({"not_before": "2026-10-06"})
    await world.carry("invoice", 5001, 5002)
    assert [codes(await world.document(one)) for one in (5001, 5002)] == [["not_wanted"], ["before_go_live"]]
    await world.decide("send", ids=[(await world.document(5002))["id"]])
    await world.office.put_rules({"not_before": "2026-11-01"}, after_version=1)
    assert (await world.document(5002))["state"] == "done"


# --- found in Unimicro ---


async def test_old_invoices_are_offered_and_linked_in_bulk(world: World) -> None:
    ids = await world.book_before(5001, 5002, 5003)
    before = await world.books(without_numbers=False)
    await world.carry("invoice", 5001, 5002, 5003)
    for record, remote_id in ids.items():
        view = await world.overview_row(record)
        assert view["state"] == "before go-live"
        assert view["offer"] == {"id": remote_id, "number": view["number"], "same_day": True}
        assert f"(id {remote_id}) for the same customer and amount" in view["reasons"][0]["cause"]
    first = (await world.document(5001))["id"]
    assert (await world.decide("link", numbers=["110001"]))["decided"] == [first]
    told = await world.decide("link", everything=True)
    assert (len(told["decided"]), told["left"]) == (2, [])
    rows = {record: await world.document(record) for record in ids}
    assert {record: (row["state"], row["remote_id"]) for record, row in rows.items()} == {
        record: ("done", remote_id) for record, remote_id in ids.items()
    }
    assert await world.books(without_numbers=False) == before
    # Nothing happens to them afterwards, whatever RecMan repeats.
    await world.carry("invoice", 5001, 5002, 5003)
    assert await world.books(without_numbers=False) == before
    detail = await world.get(f"/v1/transfers/{first}")
    assert [(one["step"], one["outcome"]) for one in detail["attempts"]] == [("link", "linked")]


async def test_what_we_sent_ourselves_before_the_log_was_lost_is_offered_by_our_reference(world: World) -> None:
    await world.carry("invoice", 5001)
    remote = (await world.document(5001))["remote_id"]
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("TRUNCATE attempt, transfer, event, event_key, lane RESTART IDENTITY CASCADE")
    await world.office.move_go_live(LATE)
    await world.carry("invoice", 5001)
    assert (await world.overview_row(5001))["offer"]["id"] == remote
    await world.decide("link", everything=True)
    assert (await world.document(5001))["remote_id"] == remote
    assert len(await world.invoices()) == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"CustomerID": 4711}, "another customer (id 4711)"),
    ({"TaxInclusiveAmount": Decimal(1), "TaxInclusiveAmountCurrency": Decimal(1)}, "the totals differ"),
    ({"StatusCode": 42001}, "there it is draft"),
    ({"InvoiceType": 1}, "credit note"),
    ({"CurrencyCodeID": 4711}, "not in NOK"),
    ({"ExternalReference": "RM-77"}, "reference RM-77 of another"),
]


@pytest.mark.parametrize(("changes", "word"), WRONG)
async def test_what_agrees_in_part_is_not_offered_and_the_reason_says_what_differs(
    world: World, changes: dict[str, Any], word: str
) -> None:
    ids = await world.book_before(5001)
    world.ledger.books().update("CustomerInvoice", ids[5001], changes)
    await world.carry("invoice", 5001)
    view = await world.overview_row(5001)
    assert (view["state"], view["offer"]) == ("before go-live", None)
    assert word in view["reasons"][0]["cause"], view["reasons"]
    told = await world.decide("link", numbers=["110001"])
    assert (told["decided"], told["left"][0]["reason"]["code"]) == ([], "nothing_offered")
    assert (await world.decide("link", everything=True))["decided"] == []


async def test_customer_that_has_the_number_but_is_somebody_else_is_no_sign(world: World) -> None:
    await world.book_before(5001)
    customers = world.ledger.books().rows("Customer")
    for row in customers:
        world.ledger.books().update("Customer", row["ID"], {"OrgNumber": "999999999"})
    await world.carry("invoice", 5001)
    assert (await world.overview_row(5001))["offer"] is None


async def test_two_that_agree_are_not_offered_and_not_sent_either(world: World) -> None:
    await world.book_before(5001)
    twin = world.ledger.book_by_hand()
    await world.carry("invoice", 5001)
    view = await world.overview_row(5001)
    assert view["offer"] is None
    assert "more than one document for the same customer and amount (ids" in view["reasons"][0]["cause"]
    assert str(twin) in view["reasons"][0]["cause"]
    await world.decide("send", ids=[view["id"]])
    assert (await world.document(5001))["state"] == "held"
    assert len(world.ledger.books().rows("CustomerInvoice")) == 2


async def test_a_filter_that_unimicro_ignores_finds_no_strangers() -> None:
    """A field that Unimicro does not know is no filter: everything comes back, and is looked through here."""
    rows = [{"ID": one, "InvoiceNumber": number, "StatusCode": 42002} for one, number in ((1, "110001"), (2, "110002"))]

    async def token(_refused: str | None) -> str:
        return "any"

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=rows if request.url.params["skip"] == "0" else [])

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        target = open_target(
            http, base_url="http://unimicro.test/", company_key="x", token=token, on_exchange=lambda _one: None
        )
        assert [one.remote_id for one in await target.find_documents_by_number("110002")] == [2]
        assert await target.find_documents_by_number("999") == ()


async def test_an_offer_is_not_sent_unless_a_person_says_that_it_is_another(world: World) -> None:
    await world.book_before(5001)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    told = await world.decide("send", ids=[row["id"]])
    assert (told["decided"], told["left"][0]["reason"]["code"]) == ([], "offered")
    assert len(await world.invoices()) == 1
    await world.decide("send", ids=[row["id"]], although_offered=True)
    assert (await world.document(5001))["state"] == "done"
    assert len(await world.invoices()) == 2


async def test_what_changed_in_unimicro_since_the_offer_is_not_linked(world: World) -> None:
    ids = await world.book_before(5001)
    await world.carry("invoice", 5001)
    world.ledger.books().update("CustomerInvoice", ids[5001], {"CustomerID": 4711})
    await world.decide("link", numbers=["110001"])
    row = await world.document(5001)
    assert (row["state"], row["remote_id"]) == ("held", None)
    assert f"was to be linked to id {ids[5001]}, which no longer agrees" in row["reasons"][0]["cause"]


async def test_one_document_there_is_linked_to_one_of_recmans_only(world: World) -> None:
    await world.book_before(5001)
    records = world.recman.state.store.records["invoice"]
    records["5099"] = {**records["5001"], "invoiceId": 5099}
    await world.carry("invoice", 5001, 5099)
    ids = [(await world.document(record))["id"] for record in (5001, 5099)]
    told = await world.decide("link", numbers=["110001"])
    assert [one["reason"]["code"] for one in told["left"]] == ["number_twice", "number_twice"]
    await world.decide("link", ids=ids)
    states = sorted([(await world.document(record))["state"] for record in (5001, 5099)])
    assert states == ["done", "held"]


async def test_another_date_is_shown_and_left_out_of_a_link_of_everything(world: World) -> None:
    ids = await world.book_before(5001)
    world.ledger.books().update("CustomerInvoice", ids[5001], {"InvoiceDate": "2025-10-05"})
    await world.carry("invoice", 5001)
    view = await world.overview_row(5001)
    assert view["offer"]["same_day"] is False
    assert "dated 2025-10-05" in view["reasons"][0]["cause"]
    assert (await world.decide("link", everything=True))["decided"] == []
    assert (await world.decide("link", ids=[view["id"]]))["decided"] == [view["id"]]
    assert (await world.document(5001))["remote_id"] == ids[5001]


async def test_recmans_repeats_cost_no_further_search_in_unimicro(world: World) -> None:
    await world.book_before(5001)
    await world.carry("invoice", 5001)
    first, calls = await world.document(5001), await count_calls(world)
    for _ in range(3):
        await world.carry("invoice", 5001)
    assert await count_calls(world) == calls
    assert (await world.document(5001))["reasons"] == first["reasons"]
    assert (await world.overview_row(5001))["offer"] is not None
    await world.call("POST", f"/v1/transfers/{first['id']}/retry")
    await world.settle()
    assert await count_calls(world) > calls


@pytest.mark.parametrize(
    "order",
    [
        {"decision": "send"},
        {"decision": "send", "everything": True},
        {"decision": "link", "everything": True, "ids": [1]},
        {"decision": "ignore", "ids": []},
    ],
)
async def test_what_is_not_clear_is_refused(late_world: World, order: dict[str, Any]) -> None:
    answer = await late_world.call("POST", "/v1/invoices/before-go-live", order, tenant=late_world.tenant_id)
    assert (answer.status_code, answer.json()["code"] in {"nothing_named", "reason_missing"}) == (422, True)
