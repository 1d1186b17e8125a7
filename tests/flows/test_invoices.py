"""The invoice overview: filters and words, dry run, bulk sending, done elsewhere, drift."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from sqlalchemy import select, text

from app.clerk.overview import InvoiceFilter, list_invoices
from app.clerk.text_search import find_text, holds
from app.platform.db import Session, look_at_all
from app.sandbox.samples import load_samples
from app.tables import Transfer
from tests.world import World, rows_of

SAMPLES = load_samples()
TABLES = ("tenant", "key", "department", "lane", "event", "transfer", "attempt", "rule_set", "job")


async def overview(world: World, **wanted: Any) -> dict[str, dict[str, Any]]:
    rows = await world.get("/v1/invoices", limit=1000, **wanted)
    return {row["number"]: row for row in rows}


async def snapshot(world: World) -> dict[str, Any]:
    """Every row of our tables, and everything that Unimicro has."""
    found: dict[str, Any] = {"books": await world.books(without_numbers=False)}
    async with world.resources.engine.connect() as connection:
        for table in TABLES:
            rows = await connection.exec_driver_sql(f"SELECT to_jsonb({table})::text AS row FROM {table} ORDER BY 1")  # noqa: S608
            found[table] = list(rows.scalars())
    return found


# --- overview ---


async def test_overview_says_where_everything_is_in_an_accountants_words(world: World) -> None:
    await world.deliver_samples()
    await world.settle()
    rows = await overview(world)
    assert len(rows) == len(SAMPLES.expected)
    transfers = {row["number"]: row for row in (await world.transfers()).values()}
    for number, row in rows.items():
        assert row["state"] in {"in Unimicro", "in Unimicro with warnings", "held"}
        if row["state"] != "held":
            assert row["remote_gross_amount"] == row["gross_amount"]
            assert row["link"] == f"{world.unimicro_url}/#/sales/invoices/{transfers[number]['remote_id']}"
            assert row["remote_number"]
        assert row["invoice_date"]
    (held,) = [row for row in rows.values() if row["state"] == "held"]
    assert held["reasons"][0]["fix"]


async def test_overview_is_filtered_and_paged(world: World) -> None:
    await world.deliver_samples()
    await world.settle()
    rows = list((await overview(world)).values())
    first = rows[0]

    async def numbers(**wanted: Any) -> set[str]:
        return set(await overview(world, **wanted))

    assert await numbers(state="held") == {row["number"] for row in rows if row["state"] == "held"}
    assert await numbers(text=first["number"]) >= {first["number"]}
    assert await numbers(customer=first["customer_name"][:5].upper()) >= {first["number"]}
    assert await numbers(customer="100% nobody_") == set()
    assert await numbers(text="7777") == {row["number"] for row in rows if "7777" in str(row["reasons"])}
    days = sorted({row["invoice_date"] for row in rows})
    assert await numbers(dated_from=days[1], dated_to=days[-1]) == {
        row["number"] for row in rows if row["invoice_date"] >= days[1]
    }
    department = next(row["department"] for row in rows if row["department"])
    assert await numbers(department=department) == {row["number"] for row in rows if row["department"] == department}
    paged, before = [], None
    while True:
        page = await world.get("/v1/invoices", limit=4, **({"before": before} if before else {}))
        if not page:
            break
        paged += [row["id"] for row in page]
        before = page[-1]["id"]
    assert paged == [row["id"] for row in rows]


# --- dry run ---


async def plan(world: World, number: str) -> dict[str, Any]:
    row = (await overview(world))[number]
    answer = await world.call("POST", "/v1/invoices/dry-run", {"ids": [row["id"]]})
    assert answer.status_code == 200, answer.text
    (told,) = rows_of(answer)
    found: dict[str, Any] = told
    return found


async def hear_without_sending(world: World, record: int) -> str:
    """A transfer that waits: its key rests."""
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})
    await world.hear_of("invoice", record)
    await world.stall()
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})
    return next(str(row["number"]) for (_, found), row in (await world.transfers()).items() if found == str(record))


async def test_dry_run_shows_each_call_and_changes_nothing_anywhere(world: World) -> None:
    number = await hear_without_sending(world, 5001)
    before = await snapshot(world)
    told = await plan(world, number)
    assert await snapshot(world) == before
    assert told["outcome"] == "send"
    names = [step["step"] for step in told["steps"]]
    assert names[0] == "CreateCustomer"
    assert names[-2:] == ["CreateDraft", "Issue"]
    assert all(line["account"] and line["vat_code"] for line in told["lines"] if line["product"])
    # What was shown is what is sent, up to ids that were not known yet.
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    detail = await world.get(f"/v1/transfers/{row['id']}")
    sent = next(one for a in detail["attempts"] for one in a["exchanges"] if one["path"] == "api/biz/invoices")
    shown = next(step["call"]["payload"] for step in told["steps"] if step["step"] == "CreateDraft")
    for name in ("Items", "InvoiceDate", "PaymentDueDate", "ExternalReference", "StatusCode", "_createguid"):
        assert _without_ids(shown[name]) == _without_ids(sent["request"][name]), name


def _without_ids(value: Any) -> Any:
    """Numbers as numbers; without what was not known yet, and the words that the log masks."""
    if isinstance(value, list):
        return [_without_ids(part) for part in value]
    if isinstance(value, dict):
        return {
            name: _without_ids(part)
            for name, part in value.items()
            if name not in {"Dimensions", "ItemText", "Comment"}
        }
    try:
        return Decimal(str(value)).normalize()
    except InvalidOperation:
        return value


async def test_dry_run_of_a_held_document_lists_every_reason(world: World) -> None:
    await world.hear_of("invoice", 5009)
    await world.settle()
    before = await snapshot(world)
    told = await plan(world, (await world.transfers())["invoice", "5009"]["number"])
    assert (told["outcome"], told["steps"]) == ("hold", [])
    assert "7777" in told["reasons"][0]["cause"]
    assert await snapshot(world) == before


async def test_dry_run_of_a_credit_note_and_of_a_booked_invoice(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    number = await hear_without_sending(world, 5008)
    told = await plan(world, number)
    assert [step["step"] for step in told["steps"]] == ["CreateCreditDraft", "Issue"]
    assert "create-credit-draft-invoice" in told["steps"][0]["call"]["path"]
    booked = await plan(world, (await world.transfers())["invoice", "5003"]["number"])
    assert booked["outcome"] == "skip"


# --- sending many ---


async def send(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    answer = await world.call("POST", "/v1/invoices/send", wanted, tenant=world.tenant_id)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def test_held_invoices_are_sent_in_one_job_with_progress(world: World) -> None:
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"departments": []})
    for record in SAMPLES.expected:
        await world.hear_of("invoice", record)
    await world.settle()
    held = await overview(world, state="held")
    assert len(held) > 10
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE key SET open_to_all = true")
    job = await send(world, {"state": "held"})
    assert (job["state"], job["total"], job["sent"]) == ("running", len(held), 0)
    await world.settle()
    job = await world.get(f"/v1/jobs/{job['id']}")
    assert (job["state"], job["sent"]) == ("done", len(held))
    assert sum(job["outcomes"].values()) == len(held)
    assert job["outcomes"]["done"] >= len(held) - 1
    assert set(await overview(world, state="held")) == {
        row["number"] for row in (await overview(world)).values() if "7777" in str(row["reasons"])
    }
    assert [row["id"] for row in await world.get("/v1/jobs")] == [job["id"]]


async def test_sending_what_is_booked_changes_nothing(world: World) -> None:
    await world.deliver_samples()
    await world.settle()
    books = await world.books(without_numbers=False)
    job = await send(world, {"text": "1", "state": "in Unimicro"})
    await world.settle()
    assert (await world.get(f"/v1/jobs/{job['id']}"))["sent"] == job["total"] > 5
    assert await world.books(without_numbers=False) == books


async def test_cancelled_job_takes_up_no_more(world: World) -> None:
    await world.hear_of("invoice", 5009)
    await world.settle()
    job = await send(world, {"state": "held"})
    answer = await world.call("POST", f"/v1/jobs/{job['id']}/cancel")
    assert answer.json()["state"] == "cancelled"
    await world.settle()
    told = await world.get(f"/v1/jobs/{job['id']}")
    assert (told["state"], told["sent"], told["outcomes"]) == ("cancelled", 0, {})
    again = await world.call("POST", f"/v1/jobs/{job['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "job_over")


async def test_sending_must_name_something_that_is_there(world: World) -> None:
    answer = await world.call("POST", "/v1/invoices/send", {}, tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_named")
    answer = await world.call("POST", "/v1/invoices/send", {"ids": [999]}, tenant=world.tenant_id)
    assert answer.status_code == 404


# --- done elsewhere ---


async def test_invoice_booked_by_hand_is_linked_when_customer_and_amount_agree(world: World) -> None:
    held = await world.hold_twin()
    by_hand = world.ledger.book_by_hand(InvoiceNumber="900001")
    answer = await world.call("POST", f"/v1/invoices/{held['id']}/done-elsewhere", {"remote_id": by_hand})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["remote_number"]) == ("in Unimicro", "900001")
    count = len(await world.invoices())
    await world.hear_of("invoice", 5099)
    await world.settle()
    assert len(await world.invoices()) == count
    again = await world.call("POST", f"/v1/invoices/{held['id']}/done-elsewhere", {"remote_id": by_hand})
    assert (again.status_code, again.json()["code"]) == (409, "already_begun")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TaxInclusiveAmount": Decimal(1), "TaxInclusiveAmountCurrency": Decimal(1)}, "amount_differs"),
        ({"CustomerID": 4711}, "customer_differs"),
        ({"StatusCode": 42001}, "not_issued"),
        ({"InvoiceType": 1}, "kind_differs"),
    ],
)
async def test_invoice_that_does_not_agree_is_not_linked(world: World, changes: dict[str, Any], code: str) -> None:
    held = await world.hold_twin()
    by_hand = world.ledger.book_by_hand(**changes)
    answer = await world.call("POST", f"/v1/invoices/{held['id']}/done-elsewhere", {"remote_id": by_hand})
    assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text
    assert (await world.transfers())["invoice", "5099"]["state"] == "held"


async def test_invoice_whose_own_draft_may_exist_is_not_linked(world: World) -> None:
    held = await world.hold_twin()
    by_hand = world.ledger.book_by_hand(InvoiceNumber="900001")
    for change in ("remote_id = 4711", "remote_id = NULL, state = 'unknown'"):
        async with world.resources.engine.begin() as connection:
            await connection.exec_driver_sql(f"UPDATE transfer SET {change} WHERE record_id = '5099'")  # noqa: S608
        answer = await world.call("POST", f"/v1/invoices/{held['id']}/done-elsewhere", {"remote_id": by_hand})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_begun"), change


async def test_invoice_of_another_transfer_and_one_that_is_not_there_are_not_linked(world: World) -> None:
    held = await world.hold_twin()
    taken = (await world.transfers())["invoice", "5001"]["remote_id"]
    answer = await world.call("POST", f"/v1/invoices/{held['id']}/done-elsewhere", {"remote_id": taken})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_linked")
    answer = await world.call("POST", f"/v1/invoices/{held['id']}/done-elsewhere", {"remote_id": 999999})
    assert (answer.status_code, answer.json()["code"]) == (422, "remote_missing")


# --- drift ---


async def look_again(world: World, record: str) -> dict[str, Any]:
    row = (await world.transfers())["invoice", record]
    assert (await world.call("POST", f"/v1/transfers/{row['id']}/retry")).status_code == 202
    await world.settle()
    return (await world.transfers())["invoice", record]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Deleted": True}, "drift_deleted"),
        ({"StatusCode": 42006}, "drift_credited"),
        ({"TaxInclusiveAmount": Decimal(1), "TaxInclusiveAmountCurrency": Decimal(1)}, "drift_changed"),
    ],
)
async def test_what_was_done_to_a_booked_invoice_in_unimicro_is_an_alarm(
    world: World, change: dict[str, Any], code: str
) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    books = world.ledger.books()
    (invoice,) = books.rows("CustomerInvoice")
    before = {name: invoice.get(name) for name in change}
    books.update("CustomerInvoice", invoice["ID"], change)
    row = await look_again(world, "5001")
    assert (row["state"], row["reasons"][0]["code"]) == ("held", code)
    assert row["remote_number"]
    books.update("CustomerInvoice", invoice["ID"], before)
    row = await look_again(world, "5001")
    assert (row["state"], row["reasons"]) == ("done", [])


async def test_invoice_credited_by_recmans_own_credit_note_is_no_alarm(world: World) -> None:
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    invoice = (await world.transfers())["invoice", "5003"]
    world.ledger.books().update("CustomerInvoice", invoice["remote_id"], {"StatusCode": 42006})
    assert (await look_again(world, "5003"))["state"] == "done"


async def test_repeats_from_recman_cost_no_call_to_unimicro(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    before = len(await world.list_calls())
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert len(await world.list_calls()) == before


def list_parts(rows: Sequence[Transfer]) -> list[str]:
    """Pieces of everything that is searched, beginnings and ends too, in either case, and what nobody is called."""
    said = [one for row in rows for one in (row.number, row.remote_number, row.record_id, row.customer_name) if one]
    said += [reason["cause"] for row in rows for reason in row.reasons]
    cut = {one[begins:ends] for one in said for begins in (0, 2, 20) for ends in (3, 4, None)}
    return sorted({*cut, *map(str.upper, cut), "'", "\\", "%", "_", "':*", "a'b", "& !x", "nobody", "0" * 50} - {""})


async def test_a_text_finds_the_same_whichever_way_it_is_looked_for(world: World) -> None:
    await world.deliver_samples()
    await world.settle()
    newest = select(Transfer).where(Transfer.tenant_id == world.tenant_id, Transfer.scope == "invoice")
    newest = newest.order_by(Transfer.created_at.desc(), Transfer.id.desc())
    # Longer than the words of its number reach, and with letters of which there are two.
    odd = "UPDATE transfer SET number = 'ÅR-2026/AVD-0007/000000012345' WHERE tenant_id = :tenant AND number = '110001'"
    async with world.resources.engine.begin() as connection:
        assert (await connection.execute(text(odd), {"tenant": world.tenant_id})).rowcount == 1
    async with world.resources.sessions() as session:
        rows = (await session.scalars(newest)).all()
        for part in list_parts(rows):
            wanted = [row.id for row in (await session.scalars(newest.where(holds(part)).limit(3))).all()]
            for near in (1, 1000):
                found = await find_text(session, newest, part, tenant_id=world.tenant_id, limit=3, near=near)
                assert [row.id for row in found] == wanted, (part, near)


_ANOTHERS = """
    WITH other AS (INSERT INTO tenant (id, name) VALUES (gen_random_uuid(), 'Another') RETURNING id)
    INSERT INTO transfer (tenant_id, scope, kind, record_id, number, customer_name, invoice_date, created_at)
    SELECT other.id, scope, kind, record_id, number, customer_name, invoice_date, created_at + n * interval '1 hour'
    FROM other, transfer, generate_series(-1, 1, 2) AS n WHERE scope = 'invoice' AND (n = 1 OR number = '110001')
    ON CONFLICT DO NOTHING
"""


@pytest.mark.parametrize("near", [1, 1000])
async def test_an_operator_finds_the_documents_of_all_tenants_in_one_order(world: World, near: int) -> None:
    await world.deliver_samples()
    await world.settle()
    async with world.resources.engine.begin() as connection:
        await connection.execute(text(_ANOTHERS))
    async with world.resources.sessions() as session:
        look_at_all(session)
        rows = await list_by_pages(session, InvoiceFilter(), near=near)
        assert len({row.tenant_id for row in rows}) == 2
        name = rows[0].customer_name
        looks: tuple[tuple[InvoiceFilter, Callable[[Transfer], bool]], ...] = (
            (InvoiceFilter(customer=name[2:6].upper()), lambda row: name[2:6].upper() in row.customer_name.upper()),
            (InvoiceFilter(text=name), lambda row: name in row.customer_name),
            (InvoiceFilter(text="10001"), lambda row: "10001" in f"{row.number} {row.remote_number}"),
            (InvoiceFilter(customer="nobody at all"), lambda _: False),
        )
        for wanted, is_wanted in looks:
            found = await list_by_pages(session, wanted, near=near)
            assert [row.id for row in found] == [row.id for row in rows if is_wanted(row)], wanted
        dated = InvoiceFilter(customer=name, dated_from=date(2000, 1, 1))
        days = [row.invoice_date or date.min for row in await list_by_pages(session, dated, near=near)]
        assert days == sorted(days, reverse=True)
        assert len(days) == len([row for row in rows if row.customer_name == name])


async def list_by_pages(session: Session, wanted: InvoiceFilter, *, near: int) -> list[Transfer]:
    """All of them, two by two."""
    found: list[Transfer] = []
    while True:
        before_id = found[-1].id if found else None
        page = await list_invoices(session, wanted, before_id=before_id, limit=2, near=near)
        found += page
        if len(page) < 2:
            return found
