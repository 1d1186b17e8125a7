"""A dry run of a key that books vouchers, or sends numbers along, shows the very payload that then leaves."""

from typing import Any

import pytest

from app.domain.booking import Booking
from tests.world import World, rows_of
from tests.world.bookings import CREDIT_NOTES, CURRENCY, choose_booking
from tests.world.vouchers import turn
from tests.world.wire import list_differences, watch_writes

EVERYTHING = {"review": {"everything": True}, "attach_files": True}


async def dry_run(world: World, record_id: int) -> dict[str, Any]:
    row = await world.document(record_id)
    answer = await world.post("/v1/invoices/dry-run", {"ids": [row["id"]]})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = rows_of(answer)[0]
    return told


@pytest.mark.parametrize("booking", [Booking.VOUCHER, Booking.OWN_NUMBER])
async def test_what_is_shown_of_invoices_and_credit_notes_is_what_is_sent(world: World, booking: Booking) -> None:
    turn(world, number_posted="taken")
    world.source.record(5001)["file"] = {"name": "Faktura", "extension": "pdf", "base64": "JVBERi0xLjc="}
    await choose_booking(world, booking, CREDIT_NOTES, CURRENCY)
    await world.office.put_rules(EVERYTHING)
    await world.carry("invoice", 5001, 5002, 5003, 5008)
    differences, steps = {}, set()
    # Of customers that are new, and of one that is known by then.
    for record_id in (5001, 5002, 5003, 5008):
        told = await dry_run(world, record_id)
        with watch_writes(world) as sent:
            row = await world.document(record_id)
            assert (await world.post(f"/v1/invoices/{row['id']}/approve")).status_code == 202
            await world.settle()
        assert await world.states(record_id) == ["done"]
        steps |= {step["step"] for step in told["steps"]}
        if found := list_differences(told, sent):
            differences[record_id] = found
    assert differences == {}
    assert ("BookVoucher" in steps) is (booking is Booking.VOUCHER)


async def test_voucher_that_was_found_is_shown_as_found(world: World) -> None:
    await choose_booking(world, Booking.VOUCHER)
    await world.fault("lose_answer", method="POST", path="/api/biz/journalentries")
    await world.fault("error_before", method="GET", path="/api/biz/invoices", status=503, after=1, times=50)
    await world.hear_of("invoice", 5001)
    await world.work(seconds=1.5)
    await world.http.delete(f"{world.unimicro_url}/sandbox/faults")
    told = await dry_run(world, 5001)
    assert [step["step"] for step in told["steps"]] == ["AdoptVoucher"]
    assert told["steps"][0]["calls"] == []
