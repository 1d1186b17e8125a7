"""Whose draft is it: what was unclear about something else is no sign, and a known id has no substitute."""

import asyncio
from decimal import Decimal
from pathlib import Path

from tests.world import World, open_slow_world


def drafts_besides(world: World, theirs: int) -> list[str]:
    """The references of all credit notes but the person's, which must still be a draft without one."""
    by_id = {one["ID"]: one for one in world.ledger.credits()}
    own = by_id.pop(theirs)
    assert (own["StatusCode"], own["ExternalReference"]) == (42001, None)
    return [one["ExternalReference"] for one in by_id.values()]


async def test_lost_answer_about_a_product_makes_no_persons_draft_ours(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    await world.office.put_rules({"product_policy": "create"})
    world.source.credit_part()["lines"][0]["productNumber"] = "7777"
    theirs = world.ledger.draft_by_hand()
    await world.fault("lose_answer", method="POST", path="/api/biz/products")
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.hold_of() == ("done", [])
    assert drafts_besides(world, theirs) == ["RM-5008"]


async def test_lost_answer_about_a_product_after_a_draft_was_taken_back_makes_no_persons_draft_ours(
    world: World,
) -> None:
    await world.office.put_rules({"product_policy": "create"})
    await world.fault(
        "error_before", method="POST", path="/api/biz/invoices", query="action=invoice", status=400, after=1
    )
    await world.hear_of("invoice", 5003)
    await world.settle()
    record = world.source.credit_part()
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert (await world.hold_of())[0] == "held"
    assert world.ledger.credits() == []
    record["lines"][0]["productNumber"] = "7777"
    theirs = world.ledger.draft_by_hand()
    await world.fault("lose_answer", method="POST", path="/api/biz/products")
    held = await world.find_document("5008")
    assert held is not None
    await world.retry(held)
    await world.settle()
    assert await world.hold_of() == ("done", [])
    assert drafts_besides(world, theirs) == ["RM-5008"]


async def test_draft_that_a_person_made_in_place_of_ours_is_not_taken(database_url: str, tmp_path: Path) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await world.work_until("5003", "done")
        # The marking is the first PUT without an action, our lines the second.
        await world.fault("lose_answer", method="PUT", path="/api/biz/invoices", query="", after=1)
        await world.hear_of("invoice", 5008)
        unknown = await world.work_until("5008", "unknown")
        (ours,) = world.ledger.credits()
        world.ledger.books().update("CustomerInvoice", ours["ID"], {"Deleted": True})
        theirs = world.ledger.draft_by_hand()
        await world.retry(unknown)
        await world.work_until("5008", "done")
        assert drafts_besides(world, theirs) == ["RM-5008"]


async def test_draft_that_a_person_changes_while_it_is_issued_is_an_alarm(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    await world.fault("slow", method="POST", path="/api/biz/invoices", query="action=invoice", seconds=2)
    await world.hear_of("invoice", 5008)
    work = asyncio.create_task(world.settle())
    draft_id = await find_issuing(world)
    less = {"TaxInclusiveAmount": Decimal(-100), "TaxInclusiveAmountCurrency": Decimal(-100)}
    world.ledger.books().update("CustomerInvoice", draft_id, less)
    await work
    assert await world.hold_of() == ("held", ["drift_changed"])
    # A repeat of RecMan's is no answer to an alarm; the document as it was is.
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.hold_of() == ("held", ["drift_changed"])
    whole = Decimal("-5974.88")
    world.ledger.books().update(
        "CustomerInvoice", draft_id, {"TaxInclusiveAmount": whole, "TaxInclusiveAmountCurrency": whole}
    )
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.hold_of() == ("done", [])


async def find_issuing(world: World) -> int:
    """The id of the credit draft, once its issuing was sent."""
    while True:
        if await world.count("SELECT count(*) FROM transfer WHERE step = 'issue' AND state = 'sending'"):
            (draft,) = world.ledger.credits()
            return int(draft["ID"])
        await asyncio.sleep(0.02)


async def test_repeat_does_not_clear_the_alarm_that_a_document_was_deleted(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    (invoice,) = world.ledger.books().rows("CustomerInvoice")
    world.ledger.books().update("CustomerInvoice", invoice["ID"], {"Deleted": True})
    row = await world.find_document("5003")
    assert row is not None
    await world.retry(row)
    await world.settle()
    assert await world.hold_of("5003") == ("held", ["drift_deleted"])
    await world.hear_of("invoice", 5003)
    await world.settle()
    assert await world.hold_of("5003") == ("held", ["drift_deleted"])


async def test_what_was_deleted_and_booked_again_by_hand_is_linked_and_ends_the_alarm(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    (invoice,) = world.ledger.books().rows("CustomerInvoice")
    by_hand = world.ledger.book_by_hand(InvoiceNumber="900001")
    row = await world.find_document("5003")
    assert row is not None
    link = f"/v1/invoices/{row['id']}/done-elsewhere"
    # What stands as it was booked, or was changed only, stays what it is.
    less = {"TaxInclusiveAmount": Decimal(1), "TaxInclusiveAmountCurrency": Decimal(1)}
    for change, code in (({}, "done"), (less, "drift_changed"), ({"Deleted": True}, "drift_deleted")):
        world.ledger.books().update("CustomerInvoice", invoice["ID"], change)
        await world.retry(row)
        await world.settle()
        state, reasons = await world.hold_of("5003")
        assert (state, *reasons)[-1] == code
        if code != "drift_deleted":
            refused = await world.call("POST", link, {"remote_id": by_hand})
            assert (refused.status_code, refused.json()["code"]) == (409, "already_begun")
    linked = await world.call("POST", link, {"remote_id": by_hand})
    assert (linked.status_code, linked.json().get("remote_number")) == (200, "900001"), linked.text
    count = len(await world.invoices())
    await world.retry(row)
    await world.settle()
    assert await world.hold_of("5003") == ("done", [])
    assert len(await world.invoices()) == count
