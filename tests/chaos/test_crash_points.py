"""A crash at every commit and around every write of every kind of transfer: afterwards the books are as without it."""

from typing import Any

import pytest

from app.transfer.books import KnownBooks
from tests.world import World
from tests.world.crash import find_troubles, work_and_keep_deaths
from tests.world.numbered import FIRST, list_issued, make_invoices, start_series
from tests.world.scenarios import Part, book_5003, hear_credit, hear_invoice, hear_too_large_credit, nothing


async def hear_invoice_with_warnings(world: World) -> None:
    """A line's department is nowhere, a text is too long, and banks do not take the KID."""
    record = world.source.record("5001")
    lines = record["lines"].values() if isinstance(record["lines"], dict) else record["lines"]
    next(iter(lines))["departmentNumber"] = "nowhere"
    record.update({"yourReference": "x" * 300, "kid": "100030"})
    await hear_invoice(world)


async def choose_orders(world: World) -> None:
    if (await world.get(f"/v1/keys/{world.key_id}"))["booking"] != "order":
        await world.office.change_key(booking="order")


async def hear_partial_credit(world: World) -> None:
    world.source.credit_hours("5008", hours=2)
    await world.hear_of("invoice", 5008)


async def hear_two_partial_credits(world: World) -> None:
    world.source.credit_hours("5008", hours=2)
    world.source.credit_hours("5098", hours=4)
    await world.hear_of("invoice", 5008, 5098)


async def hear_two_partial_credits_unanswered(world: World) -> None:
    query = "action=create-credit-draft-invoice"
    await world.fault("lose_answer", method="PUT", path="/api/biz/invoices", query=query, times=2)
    await hear_two_partial_credits(world)


async def name_rounding_account(world: World) -> None:
    """A key that levels; the product of its lines is not made yet."""
    world.resources.kept(KnownBooks).references.clear()
    shown = await world.get("/v1/rules", key_id=str(world.key_id))
    if shown["rules"]["rounding"] is None:
        await world.office.put_rules({"rounding": {"account": 7740}}, after_version=shown["version"])


async def hear_rounded_invoice(world: World) -> None:
    # Unimicro's lines make 5974.88.
    for record_id in ("5003", "5008"):
        world.source.record(record_id).update({"totalExVat": "4957.50", "vat": "1017.39", "totalIncVat": "5974.89"})
    await world.hear_of("invoice", 5003)


async def book_rounded_invoice(world: World) -> None:
    await name_rounding_account(world)
    await hear_rounded_invoice(world)
    await world.settle()


async def hear_company(world: World) -> None:
    world.recman.state.store.records["company"]["201"].update(name="Ærfugl Bemanning AS", phone="+47 22 00 00 01")
    await world.hear_of("company", 201)


async def book_company(world: World) -> None:
    await hear_company(world)
    await world.settle()


async def hear_changed_company(world: World) -> None:
    world.recman.state.store.records["company"]["201"].update(name="Ærfugl Vikarer AS", phone="+47 22 00 00 99")
    await world.hear_of("company", 201)


async def hear_project(world: World) -> None:
    world.recman.state.store.records["project"]["301"].update(name="Rådgivning", status="active")
    await world.hear_of("project", 301)


async def book_project(world: World) -> None:
    await hear_project(world)
    await world.settle()


async def hear_changed_project(world: World) -> None:
    world.recman.state.store.records["project"]["301"].update(name="Rådgivning 2027", status="solvedEnded")
    await world.hear_of("project", 301)


async def begin_series(world: World) -> None:
    """Whatever stood there before a crash is put back, the order of the series too."""
    await start_series(world)


async def hear_numbered(world: World) -> None:
    """Two invoices and a credit note of the first, the later ones first."""
    first, second = make_invoices(world, [FIRST, FIRST + 1], like="5003")
    world.source.record("5008").update({"invoiceNumber": str(FIRST + 2), "creditedInvoiceId": first})
    await world.hear_of("invoice", 5008, second, first)


SCENARIOS: dict[str, tuple[Part, Part]] = {
    "invoice": (nothing, hear_invoice),
    "invoice with warnings": (nothing, hear_invoice_with_warnings),
    "order": (choose_orders, hear_invoice),
    "whole credit": (book_5003, hear_credit),
    "part credit": (book_5003, hear_partial_credit),
    "two part credits": (book_5003, hear_two_partial_credits),
    "two part credits unanswered": (book_5003, hear_two_partial_credits_unanswered),
    "too large credit": (book_5003, hear_too_large_credit),
    "credit with its invoice": (nothing, hear_credit),
    "rounded invoice": (name_rounding_account, hear_rounded_invoice),
    "credit of a rounded invoice": (book_rounded_invoice, hear_credit),
    "documents in a series": (begin_series, hear_numbered),
    "new customer": (nothing, hear_company),
    "changed customer": (book_company, hear_changed_company),
    "new project": (nothing, hear_project),
    "changed project": (book_project, hear_changed_project),
}
HELD = {"too large credit": {"credit_note 5008"}}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_crash_at_every_boundary_leaves_the_books_of_a_calm_run(quick: World, scenario: str) -> None:
    world = quick
    prepare, act = SCENARIOS[scenario]
    await prepare(world)
    await act(world)
    deaths = await work_and_keep_deaths(world)
    calm = await look(world)
    assert {name for name, state in calm["states"].items() if state != "done"} == HELD.get(scenario, set())
    assert world.ledger.list_drafts() == []
    # A document that the plan holds is written nowhere but in our log.
    passed = {boundary.split()[0] for boundary, _ in deaths}
    assert passed == ({"before"} if scenario in HELD else {"before", "after"})
    assert await find_troubles(world, deaths, look) == {}


async def look(world: World) -> dict[str, Any]:
    """The books, each transfer's state and warnings, and what was issued under RecMan's numbers, in order."""
    rows = await world.transfers()
    states = {f"{kind} {record}": row["state"] for (kind, record), row in rows.items()}
    warnings = {f"{kind} {record}": row["warnings"] for (kind, record), row in rows.items()}
    books: dict[str, Any] = next(iter((await world.books()).values()))
    numbered = [one for one in list_issued(world) if int(one[0]) in range(FIRST, FIRST + 100)]
    return {"states": states, "warnings": warnings, "in their own series": numbered} | books
