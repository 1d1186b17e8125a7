"""The main job through its front doors: webhooks in, the sandbox's books and the transfer log out."""

from decimal import Decimal
from typing import Any

import pytest

from app.clerk.side_run import open_side_run
from app.sandbox.samples import load_samples
from app.tables import Transfer
from app.transfer.claims import claim_sending
from tests.world import World

SAMPLES = load_samples()


def documents(transfers: dict[tuple[str, str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record: row for (kind, record), row in transfers.items() if kind in {"invoice", "credit_note"}}


async def test_every_sample_ends_as_intended(world: World) -> None:
    await world.deliver_samples()
    await world.settle()
    found = documents(await world.transfers())
    assert {record: row["state"] for record, row in found.items()} == {
        record: wanted.state for record, wanted in SAMPLES.expected.items()
    }
    for record, wanted in SAMPLES.expected.items():
        row = found[record]
        assert (row["net_amount"], row["vat_amount"], row["gross_amount"]) == (
            str(wanted.net),
            str(wanted.vat),
            str(wanted.gross),
        )
        if wanted.state == "done":
            assert row["remote_gross_amount"] == str(wanted.gross)
            assert row["remote_number"]
            assert row["customer_name"]


async def test_held_invoice_names_the_product_and_what_to_do(world: World) -> None:
    await world.hear_of("invoice", 5009)
    await world.settle()
    row = (await world.transfers())["invoice", "5009"]
    assert row["state"] == "held"
    assert "7777" in row["reasons"][0]["cause"]
    assert "7777" in row["reasons"][0]["fix"]
    assert await world.invoices() == []


async def test_mended_invoice_goes_through_at_the_next_hint(world: World) -> None:
    await world.hear_of("invoice", 5009)
    await world.settle()
    await create_product(world, "7777")
    await world.hear_of("invoice", 5009)
    await world.settle()
    assert (await world.transfers())["invoice", "5009"]["state"] == "done"


async def create_product(world: World, number: str) -> None:
    company = next(
        one for one in world.unimicro.state.world.companies.values() if one.entity["Name"] == "Nordlys Bemanning AS"
    )
    template = next(row for row in company.books.rows("Product") if row["PartName"] == "1001")
    names = ("VatTypeID", "AccountID", "StatusCode", "Unit", "Type")
    company.books.insert("Product", {name: template[name] for name in names} | {"PartName": number, "Name": "Ny vare"})


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_three_deliveries_of_everything_in_any_order_leave_the_same_books(world: World, seed: int) -> None:
    await world.deliver_samples()
    await world.settle()
    once = await world.books()
    await world.reset()
    await world.deliver_samples(repeat=3, seed=seed)
    await world.settle()
    assert await world.books() == once
    assert len(once) > 0


async def test_attempts_tell_what_was_said_without_persons_or_secrets(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    detail = await world.get(f"/v1/transfers/{row['id']}")
    assert [attempt["step"] for attempt in detail["attempts"]] == ["create", "issue"]
    (create,) = detail["attempts"][0]["exchanges"]
    assert (create["method"], create["status"]) == ("POST", 201)
    assert create["request"]["StatusCode"] == 10001
    assert create["request"]["ExternalReference"] == "RM-5001"
    assert "@" not in str(detail["attempts"])


async def test_customer_project_and_department_are_made_once_and_before_the_invoice(world: World) -> None:
    await world.hear_of("invoice", 5001, 5002)
    await world.settle()
    kinds = sorted(kind for kind, _ in await world.transfers())
    assert kinds.count("invoice") == 2
    assert {"customer", "project", "department"} <= set(kinds)
    (company,) = [one for one in (await world.books()).values() if one["name"] == "Nordlys Bemanning AS"]
    numbers = [customer["CustomerNumber"] for customer in company["customers"]]
    assert len(numbers) == len(set(numbers))


async def test_credit_note_that_comes_first_waits_for_its_invoice(world: World) -> None:
    records = world.recman.state.store.records["invoice"]
    invoice = records.pop("5003")
    await world.hear_of("invoice", 5008)
    await world.settle()
    waiting = (await world.transfers())["credit_note", "5008"]
    assert waiting["state"] == "waiting"
    assert "5003" in waiting["reasons"][0]["cause"]
    records["5003"] = invoice
    await world.hear_of("invoice", 5003)
    await world.settle()
    transfers = await world.transfers()
    assert transfers["invoice", "5003"]["state"] == "done"
    assert transfers["credit_note", "5008"]["state"] == "done"


async def test_unchanged_invoice_told_again_changes_nothing(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    before = await world.books(without_numbers=False)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert await world.books(without_numbers=False) == before


async def test_changed_amount_after_transfer_is_an_alarm(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    record = world.recman.state.store.records["invoice"]["5001"]
    line = record["lines"][0]
    line |= {"unitPrice": "999.00", "total": str(Decimal(str(line["quantity"])) * 999)}
    for total in ("totalExVat", "vat", "totalIncVat"):
        record.pop(total, None)
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert row["state"] == "held"
    assert row["reasons"][0]["code"] == "changed_after_transfer"
    assert len(await world.invoices()) == 1


async def test_incomplete_record_is_held_with_every_gap_at_once(world: World) -> None:
    record = world.recman.state.store.records["invoice"]["5001"]
    record["invoiceDate"] = "0000-00-00"
    record["currency"] = ""
    record["lines"][0]["unitPrice"] = None
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert row["state"] == "held"
    text = " ".join(reason["cause"].lower() for reason in row["reasons"])
    assert all(word in text for word in ("date", "currency", "price")), text
    assert await world.invoices() == []


async def test_transfers_need_a_token(world: World) -> None:
    for path in ("/v1/transfers", "/v1/transfers/1", "/v1/events"):
        answer = await world.http.get(f"http://ours.test{path}")
        assert answer.status_code == 401
        wrong = await world.http.get(f"http://ours.test{path}", headers={"Authorization": "Bearer rmu_wrong"})
        assert wrong.status_code == 401


async def test_key_with_method_draft_leaves_drafts_with_equal_totals(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE key SET booking = 'draft'")
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert (row["state"], row["remote_number"]) == ("done", "")
    assert row["remote_gross_amount"] == row["gross_amount"]
    (draft,) = await world.invoices()
    assert draft["StatusCode"] == 42001


async def test_retry_sends_what_was_mended(world: World) -> None:
    await world.hear_of("invoice", 5009)
    await world.settle()
    held = (await world.transfers())["invoice", "5009"]
    await create_product(world, "7777")
    answer = await world.post(f"/v1/transfers/{held['id']}/retry")
    assert answer.status_code == 202
    await world.settle()
    assert (await world.transfers())["invoice", "5009"]["state"] == "done"


async def test_ignored_invoice_is_not_sent_until_it_is_retried(world: World) -> None:
    await world.hear_of("invoice", 5009)
    await world.settle()
    held = (await world.transfers())["invoice", "5009"]
    answer = await world.post(f"/v1/transfers/{held['id']}/ignore", {"reason": "Booked by hand"})
    assert answer.json()["state"] == "ignored"
    await create_product(world, "7777")
    await world.hear_of("invoice", 5009)
    await world.settle()
    row = (await world.transfers())["invoice", "5009"]
    assert row["state"] == "ignored"
    assert "Booked by hand" in row["reasons"][0]["cause"]
    await world.post(f"/v1/transfers/{held['id']}/retry")
    await world.settle()
    assert (await world.transfers())["invoice", "5009"]["state"] == "done"


async def test_booked_invoice_cannot_be_ignored(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    answer = await world.post(f"/v1/transfers/{row['id']}/ignore", {"reason": "oops"})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_begun")


async def test_paused_tenant_hears_but_sends_nothing_until_it_goes_on(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE tenant SET state = 'paused'")
    await world.hear_of("invoice", 5001)
    await world.stall()
    assert await world.invoices() == []
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE tenant SET state = 'active'")
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_everything_is_adopted_when_our_own_log_is_lost(world: World) -> None:
    await world.deliver_samples()
    await world.settle()
    before = await world.books(without_numbers=False)
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("TRUNCATE attempt, transfer, event, event_key, lane RESTART IDENTITY CASCADE")
    await world.deliver_samples()
    await world.settle()
    found = documents(await world.transfers())
    assert {record: row["state"] for record, row in found.items()} == {
        record: wanted.state for record, wanted in SAMPLES.expected.items()
    }
    assert await world.books(without_numbers=False) == before


async def test_step_of_an_invoice_that_was_ignored_meanwhile_is_not_begun(world: World) -> None:
    await world.hear_of("invoice", 5009)
    await world.settle()
    held = (await world.transfers())["invoice", "5009"]
    await world.post(f"/v1/transfers/{held['id']}/ignore", {"reason": "Booked by hand"})
    run = await open_side_run(world.resources, await load(world, held["id"]))
    async with world.resources.sessions.begin() as session:
        assert not await claim_sending(session, held["id"], run.lease, key_id=world.key_id, step="create")
        assert await claim_sending(session, held["id"], run.lease, key_id=world.key_id, step="link")


async def load(world: World, transfer_id: int) -> Transfer:
    async with world.resources.of_tenant(world.tenant_id).sessions() as session:
        return await session.get_one(Transfer, (world.tenant_id, transfer_id))
