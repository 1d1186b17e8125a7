"""`recman-unimicro golive` as a person runs it: each unknown of a company becomes an answer, and nothing half stays."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.admin.golive_lead import alone_in_company
from app.admin.keys import load_key
from app.sandbox.unimicro.ledger_switches import (
    Kid,
    NumberPosted,
    VoucherCredits,
    VoucherCurrency,
    VoucherHeads,
    VoucherKid,
    VoucherReference,
)
from app.sandbox.unimicro.options import SandboxOptions
from app.sandbox.unimicro.sale_switches import AtIssue, OrderLink, OrderTransfer
from app.sandbox.unimicro.switches import RateAnswer, RateSent, Switches, Unproduced, VatSums
from tests.world import World
from tests.world.names import CLIENT_SECRET, OURS
from tests.world.nursery import Process
from tests.world.processes import real_world, run_command, start_command

KEY = ("--key", "Nordlys")
AGREED = "--yes-production"
DRAFT, CREDITED = 42001, 42006


def options(switches: Switches, **more: Any) -> SandboxOptions:
    redirect = f"{OURS}/oauth/unimicro/callback"
    return SandboxOptions(redirect_uris=(redirect,), client_secret=CLIENT_SECRET, switches=switches, **more)


async def golive(world: World, *arguments: str) -> tuple[int, str]:
    """Exit status and everything that was said."""
    status, out, err = await run_command(world, "golive", *arguments)
    assert "Traceback" not in err, err
    return status, out + err


async def read_answers(world: World) -> dict[str, str]:
    async with world.resources.engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT question, answer FROM company_answer WHERE how = 'tried'")
        return {row.question: row.answer for row in rows}


def find_unsettled(world: World) -> list[Any]:
    """Drafts that are left, invoices that nobody credited, and what customers owe because of it."""
    books = world.ledger.books()
    invoices = [row for row in books.rows("CustomerInvoice") if not row["Deleted"]]
    drafts = [row["ID"] for row in invoices if row["StatusCode"] == DRAFT]
    owed = [row["ID"] for row in invoices if row["StatusCode"] != CREDITED and not row["InvoiceType"]]
    claims = sum(row["Amount"] for row in books.rows("JournalEntryLine") if row["SubAccountID"])
    return [*drafts, *owed, *([claims] if claims else [])]


USUAL = {
    "draft_status": "draft",
    "reference_found": "found",
    "sums_computed": "computed",
    "sums_way": "line",
    "guid_refused": "refused",
    "productless_line": "text",
    "customer_number_accepted": "taken",
    "rate_factor": "per_factor",
    "kid_kept": "kept",
    "kid_when_empty": "made",
    "number_posted": "ignored",
    "days_kept": "kept",
    "voucher_makes_heads": "one_head",
    "voucher_kid": "kept",
    "voucher_credit_notes": "one_head",
    "voucher_currency": "kept",
    "voucher_found": "found",
    "credit_copies_reference": "no",
    "order_invoiced_as": "draft",
    "order_lines_named": "yes",
}
OTHERWISE = {
    "kid_kept": "made",
    "number_posted": "taken",
    "sums_way": "document",
    "productless_line": "priced",
    "customer_number_accepted": "ignored",
    "rate_factor": "per_unit",
    "voucher_makes_heads": "no_head",
    "voucher_found": "not_found",
    "voucher_currency": "no_head",
    "voucher_credit_notes": "no_head",
    "credit_copies_reference": "yes",
    "order_invoiced_as": "issued",
    "order_lines_named": "linked",
    "days_kept": "changed",
}
REFUSING = {
    "kid_kept": "kept",
    "kid_when_empty": "empty",
    "number_posted": "refused",
    "sums_way": "ui2021",
    "productless_line": "refused",
    "rate_factor": "unlike",
    "voucher_credit_notes": "refused",
    "voucher_currency": "refused",
    "voucher_kid": "kept",
    "order_lines_named": "no",
}


@pytest.mark.parametrize(
    ("switches", "more", "told"),
    [
        (Switches(), {}, USUAL),
        (
            Switches(
                kid=Kid.MADE,
                number_posted=NumberPosted.TAKEN,
                vat_sums=VatSums.DOCUMENT,
                unproduced=Unproduced.PRICED,
                rate_answer=RateAnswer.DIVIDED,
                rate_sent=RateSent.FACTOR,
                voucher_heads=VoucherHeads.NONE,
                voucher_reference=VoucherReference.DROPPED,
                credit_references=True,
                order_transfer=OrderTransfer.ISSUED,
                order_link=OrderLink.TRACELINKS,
                at_issue=AtIssue.DUE_MOVED,
            ),
            {"accept_customer_number": False},
            OTHERWISE,
        ),
        (
            Switches(
                kid=Kid.KEPT_ONLY,
                number_posted=NumberPosted.REFUSED,
                vat_sums=VatSums.UI2021,
                unproduced=Unproduced.REFUSED,
                rate_answer=RateAnswer.HIDDEN,
                order_link=OrderLink.NONE,
                voucher_credits=VoucherCredits.REFUSED,
                voucher_currency=VoucherCurrency.REFUSED,
            ),
            {},
            REFUSING,
        ),
        (
            Switches(
                kid=Kid.NONE,
                number_posted=NumberPosted.DRAFT_ONLY,
                voucher_credits=VoucherCredits.IGNORED,
                voucher_currency=VoucherCurrency.IGNORED,
                voucher_kid=VoucherKid.ALWAYS,
            ),
            {"recompute_sums": False, "read_lag_seconds": 0.7},
            {
                "kid_kept": "empty",
                "number_posted": "ignored",
                "sums_computed": "as_sent",
                "voucher_credit_notes": "no_head",
                "voucher_currency": "changed",
            },
        ),
    ],
    ids=["as always", "otherwise", "refusing", "leaving out"],
)
async def test_each_way_of_unimicro_becomes_its_answer_and_the_books_are_settled(
    database_url: str, tmp_path: Path, switches: Switches, more: dict[str, Any], told: dict[str, str]
) -> None:
    async with real_world(database_url, tmp_path, sandbox=options(switches, **more)) as world:
        _, said = await golive(world, "run", *KEY, AGREED, "--by", "Kari Nordmann")
        answers = await read_answers(world)
        assert {name: answers.get(name) for name in told} == told, said
        assert float(answers["search_lag"]) >= more.get("read_lag_seconds", 0)
        assert find_unsettled(world) == [], said


async def test_a_company_whose_books_somebody_signs_is_refused_and_a_test_company_is_not(
    database_url: str, tmp_path: Path
) -> None:
    async with real_world(database_url, tmp_path) as world:
        status, said = await golive(world, "run", *KEY)
        assert (status, "no test company" in said, AGREED in said) == (1, True, True)
        status, said = await golive(world, "run", *KEY, "--dry-run")
        assert (status, "15 steps in Nordlys Bemanning AS" in said) == (0, True)
        assert "an invoice and its credit note" in said
        assert (await read_answers(world), world.ledger.documents()) == ({}, [])
        key_id = await world.office.open_key("Prøve", company="Nordlys Test AS")
        assert key_id
        status, said = await golive(world, "run", "--key", "Prøve", "--only", "guid")
        assert (status, "guid_refused = refused" in said) == (0, True), said
        assert [row for row in world.ledger.documents("Nordlys Test AS") if not row["Deleted"]] == []
        status, said = await golive(world, "status", "--key", "Prøve")
        assert (status, "24 of 26 are still assumed" in said) == (0, True), said


async def test_what_an_operator_says_marks_a_company_and_proves_nothing(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        how = ("--reason", "it was made for this", "--by", "Kari Nordmann")
        told = ("--question", "test_company", "--answer", "yes", *how)
        status, said = await golive(world, "answer", *KEY, *told)
        assert (status, "as Kari Nordmann says" in said) == (0, True), said
        status, said = await golive(world, "run", *KEY, "--only", "rate_factor")
        assert (status, "rate_factor = per_factor" in said) == (0, True), said
        status, said = await golive(world, "answer", *KEY, "--question", "kid_kept", "--answer", "perhaps", *how)
        assert (status, "kept, made, empty" in said) == (1, True), said
        assert await world.count("SELECT count(*) FROM audit WHERE action = 'company.answer'") == 2


async def kill(world: World, run: Process) -> None:
    """End it, and wait until nobody takes it for one that is still at it."""
    run.kill()
    run.wait()
    await asyncio.sleep(world.resources.settings.lease_seconds)


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("POST", "/api/biz/invoices", ""),
        ("POST", "/api/biz/invoices", "action=invoice"),
        ("PUT", "/api/biz/invoices", "action=create-credit-draft-invoice"),
    ],
)
async def test_a_run_that_is_killed_is_cleaned_up_by_the_next_one(
    database_url: str, tmp_path: Path, method: str, path: str, query: str
) -> None:
    async with real_world(database_url, tmp_path) as world:
        await world.fault("hang", method=method, path=path, query=query, seconds=30)
        run = start_command(world, "golive", "run", *KEY, AGREED, "--only", "issue")
        await world.hang()
        await kill(world, run)
        status, said = await golive(world, "run", *KEY, AGREED, "--only", "issue")
        assert (status, "clean: what an interrupted run has left is taken back" in said) == (0, True), said
        assert (await read_answers(world))["kid_kept"] == "kept"
        assert find_unsettled(world) == [], said
        assert await world.count("SELECT count(*) FROM trial_thing WHERE ended IS NULL AND trial <> ''") == 0


async def test_second_run_in_a_company_is_refused_while_the_first_tries_things(
    database_url: str, tmp_path: Path
) -> None:
    async with real_world(database_url, tmp_path) as world:
        await world.fault("hang", method="POST", path="/api/biz/invoices", query="", seconds=30)
        run = start_command(world, "golive", "run", *KEY, AGREED, "--only", "issue")
        await world.hang()
        status, said = await golive(world, "run", *KEY, AGREED, "--only", "draft")
        assert (status, "Another run of `golive` tries things in Nordlys Bemanning AS" in said) == (1, True), said
        assert len(world.ledger.documents()) == 1
        run.kill()
        run.wait()


async def test_run_is_never_in_its_own_way(world: World) -> None:
    """Its next step and whatever prolongs its lease may ask at the same moment."""
    async with world.resources.of_tenant(world.tenant_id).sessions() as session:
        key = await load_key(session, world.key_id)
    async with alone_in_company(world.resources, key) as alone:
        told = await asyncio.gather(*(alone.require() for _ in range(30)), return_exceptions=True)
    assert told == [None] * 30


@pytest.mark.parametrize(
    ("turned", "told", "is_on"),
    [
        ("put", "preset_number = taken, number_twice = refused", False),
        ("toggled", "preset_number = taken, number_twice = refused", False),
        ("action", "does not let us turn preset invoice numbers off again; do it by hand there", True),
        ("refused", "turn preset invoice numbers on by hand in Unimicro's company settings", False),
    ],
)
async def test_setting_that_a_question_needs_is_turned_and_turned_back_or_named(
    database_url: str, tmp_path: Path, turned: str, told: str, *, is_on: bool
) -> None:
    switches = Switches().turned({"preset_turned": turned, "preset_number": "posted"})
    async with real_world(database_url, tmp_path, sandbox=options(switches)) as world:
        status, said = await golive(world, "run", *KEY, AGREED, "--only", "preset")
        assert (status, told in said) == (int(is_on or turned == "refused"), True), said
        assert world.ledger.books().settings["PresetCustomerInvoiceNumber"] is is_on
        assert find_unsettled(world) == [], said


async def test_setting_that_a_killed_run_has_turned_is_turned_back_by_the_next_one(
    database_url: str, tmp_path: Path
) -> None:
    async with real_world(database_url, tmp_path) as world:
        await world.fault("hang", method="POST", path="/api/biz/invoices", query="", seconds=30)
        run = start_command(world, "golive", "run", *KEY, AGREED, "--only", "preset")
        await world.hang()
        await kill(world, run)
        assert world.ledger.books().settings["PresetCustomerInvoiceNumber"] is True
        status, said = await golive(world, "run", *KEY, AGREED, "--only", "guid")
        assert (status, "which were off" in said, "turned back" in said) == (0, True, True), said
        assert world.ledger.books().settings["PresetCustomerInvoiceNumber"] is False


async def test_drafts_that_come_back_issued_are_credited_all_the_same(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path, sandbox=options(Switches(), honour_draft_status=False)) as world:
        _, said = await golive(world, "run", *KEY, AGREED, "--only", "draft", "--only", "sums", "--only", "issue")
        assert (await read_answers(world))["draft_status"] == "issued", said
        assert find_unsettled(world) == [], said


@pytest.mark.parametrize("kept", ["filtered", "shown", "dropped"])
async def test_a_lost_answer_is_looked_for_before_the_step_is_given_up(
    database_url: str, tmp_path: Path, kept: str
) -> None:
    switches = Switches().turned({"voucher_reference": kept})
    async with real_world(database_url, tmp_path, sandbox=options(switches)) as world:
        await world.fault("lose_answer", method="POST", path="/api/biz/journalentries")
        status, said = await golive(world, "run", *KEY, AGREED, "--only", "voucher")
        assert (status, "gave no answer" in said, "credited" in said) == (1, True, True), said
        assert find_unsettled(world) == [], said


@pytest.mark.parametrize("link", ["items", "tracelinks", "both", "none"])
@pytest.mark.parametrize("transfer", ["draft", "issued"])
async def test_invoice_of_an_order_whose_answer_was_lost_is_taken_back(
    database_url: str, tmp_path: Path, link: str, transfer: str
) -> None:
    switches = Switches().turned({"order_link": link, "order_transfer": transfer})
    async with real_world(database_url, tmp_path, sandbox=options(switches)) as world:
        await world.fault("lose_answer", method="PUT", path="/api/biz/orders", query="action=transfer-to-invoice")
        status, said = await golive(world, "run", *KEY, AGREED, "--only", "order")
        assert (status, "gave no answer" in said) == (1, True), said
        assert find_unsettled(world) == [], said
