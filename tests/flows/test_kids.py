"""Two invoices with one KID: never at two customers, at one customer once a person has said so."""

from typing import Any

import pytest

from tests.world import World
from tests.world.source import to_kid

KID = "1100015"


def copy(world: World, new_id: int, **changes: Any) -> int:
    """Another invoice with 5001's KID, of the same customer unless told otherwise."""
    lines = [dict(world.source.record(5001)["lines"][0], description=f"Arbeid {new_id}")]
    return world.source.double(
        5001, new_id, **{"invoiceNumber": str(100000 + new_id), "kid": KID, "lines": lines} | changes
    )


def of_other_customer(world: World, new_id: int, **changes: Any) -> int:
    """One of the customer that 5002 is for."""
    return copy(world, new_id, companyId=world.source.record(5002)["companyId"], projectId=None, **changes)


async def approve(world: World, record_id: int) -> None:
    answer = await world.post(f"/v1/invoices/{(await world.document(record_id))['id']}/approve")
    assert answer.status_code == 202, answer.text
    await world.settle()


async def test_same_kid_at_another_customer_is_held_and_mended_by_a_new_invoice(world: World) -> None:
    of_other_customer(world, 6001)
    await world.carry("invoice", 5001, 6001)
    row = await world.document(6001)
    assert (row["state"], [one["code"] for one in row["reasons"]]) == ("held", ["kid_taken"])
    assert "invoice 110001 already, another customer's" in row["reasons"][0]["cause"]
    # A look by a person does not help: no approval makes it right.
    await approve(world, 6001)
    assert await world.hold_of(6001) == ("held", ["kid_taken"])
    of_other_customer(world, 6002, kid=to_kid("106002"))
    await world.ignore(await world.document(6001))
    await world.carry("invoice", 6002)
    assert await world.states(5001, 6001, 6002) == ["done", "ignored", "done"]
    assert len(await world.invoices()) == 2


async def test_same_kid_at_the_same_customer_is_asked_once_and_remembered_by_name(world: World) -> None:
    for new_id in (6001, 6002, 6003):
        copy(world, new_id)
    await world.carry("invoice", 5001, 6001, 6002)
    assert await world.hold_of(6001) == ("held", ["kid_repeated"])
    assert await world.hold_of(6002) == ("held", ["kid_repeated"])
    await approve(world, 6001)
    # The other one that was held for it went by itself, and later ones are not asked about.
    assert await world.states(6001, 6002) == ["done", "done"]
    await world.carry("invoice", 6003)
    assert await world.states(6003) == ["done"]
    assert (await world.overview_row(6001))["approved_by"]
    entries = await world.get("/v1/audit", limit=100)
    (entry,) = [one for one in entries if one["action"] == "invoice.approve"]
    assert entry["after"] == {"held_for": ["kid_repeated"]}
    # At another customer it is wrong all the same.
    of_other_customer(world, 6004)
    await world.carry("invoice", 6004)
    assert await world.hold_of(6004) == ("held", ["kid_taken"])


async def test_of_two_new_ones_the_later_is_held_and_goes_when_the_earlier_is_given_up(world: World) -> None:
    copy(world, 6001, lines=[dict(world.source.record(5001)["lines"][0], productNumber="7777")])
    of_other_customer(world, 6002)
    await world.carry("invoice", 6001)
    await world.carry("invoice", 6002)
    assert await world.hold_of(6002) == ("held", ["kid_taken"])
    await world.ignore(await world.document(6001))
    await world.settle()
    assert await world.states(6001, 6002) == ["ignored", "done"]


async def test_blanks_in_a_kid_make_it_no_other_one(world: World) -> None:
    copy(world, 6001, kid="110 00 15")
    await world.carry("invoice", 5001, 6001)
    assert await world.hold_of(6001) == ("held", ["kid_repeated"])


async def test_same_kid_in_another_company_is_nobodys_business(world: World) -> None:
    await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)
    await world.office.make_key(world.tenant_id, name="Second", company="Nordlys Konsulent AS", departments=["2"])
    of_other_customer(world, 6001, departmentId="2")
    await world.carry("invoice", 5001, 6001)
    assert await world.states(5001, 6001) == ["done", "done"]


async def test_second_key_of_the_same_company_has_the_same_books(world: World) -> None:
    await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)
    await world.office.make_key(world.tenant_id, name="Second", company="Nordlys Bemanning AS", departments=["2"])
    of_other_customer(world, 6001, departmentId="2")
    await world.carry("invoice", 5001, 6001)
    assert await world.hold_of(6001) == ("held", ["kid_taken"])


@pytest.mark.parametrize("kid", ["", None])
async def test_invoices_without_kid_and_credit_notes_with_their_invoices_are_not_asked_about(
    world: World, kid: str | None
) -> None:
    copy(world, 6001, kid=kid)
    copy(world, 6002, kid=kid)
    world.source.record(5003)["kid"] = world.source.record(5008)["kid"] = "1100049"
    await world.carry("invoice", 6001, 6002, 5003, 5008)
    assert await world.states(6001, 6002, 5003, 5008) == ["done"] * 4


async def test_order_has_no_kid_of_recmans_to_be_compared(world: World) -> None:
    await world.office.choose_orders()
    of_other_customer(world, 6001)
    await world.carry("invoice", 5001, 6001)
    assert await world.states(5001, 6001) == ["done", "done"]
