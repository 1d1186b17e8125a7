"""Several customers with one organisation number (a municipality, branches): asked about once, then allowed."""

from typing import Any

import pytest

from tests.world import COMPANY, World, rows_of

OSLO = "974760673"


def list_numbers(world: World) -> list[int]:
    rows = world.ledger.books(COMPANY).rows("Customer")
    return sorted(row["CustomerNumber"] for row in rows if row["OrgNumber"] == OSLO)


def put_branch(world: World, company_id: int, number: str, *, invoice_id: int, **changes: Any) -> None:
    """One more place of the municipality, with an invoice of its own."""
    company = dict(world.source.record("21300", scope="company"))
    company |= {"companyId": str(company_id), "companyNumber": number, "name": f"Oslo skole {number}", **changes}
    world.source.records("company")[str(company_id)] = company
    world.source.double("5001", invoice_id, invoiceNumber=f"1{invoice_id}", companyId=company_id, projectId=None)


async def share(world: World, org_number: str, *, status: int = 201) -> dict[str, Any]:
    order = {"org_number": org_number, "reason": "Schools of one municipality"}
    answer = await world.call("POST", f"/v1/keys/{world.key_id}/shared-org-numbers", order)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("named", [OSLO, "Org.nr. 974 760 673 MVA"])
async def test_second_customer_is_asked_about_once_and_all_later_ones_are_made(world: World, named: str) -> None:
    world.source.make_twins()
    await world.carry("invoice", 9941, 9942)
    assert await world.outcomes(9941, 9942) == {"done": [""], "held": ["customer_under_other_number"]}
    (held,) = [row for row in [await world.document(one) for one in (9941, 9942)] if row["state"] == "held"]
    assert f"shared-org-numbers with org_number {OSLO}" in held["reasons"][0]["fix"]
    told = await share(world, named)
    assert (told["org_number"], bool(told["decided_by"])) == (OSLO, True)
    await world.settle()
    assert await world.states(9941, 9942) == ["done", "done"]
    for n in range(3):
        put_branch(world, 21310 + n, str(100410 + n), invoice_id=9950 + n)
        await world.carry("invoice", 9950 + n)
    assert await world.states(9950, 9951, 9952) == ["done"] * 3
    assert list_numbers(world) == [100400, 100401, 100410, 100411, 100412]
    audit = await world.get("/v1/audit", subject=f"key:{world.key_id}")
    entry = next(row for row in audit if row["action"] == "org_number.share")
    assert entry["after"] == {"org_number": OSLO, "reason": "Schools of one municipality"}


@pytest.mark.parametrize("workers", [1, 4])
async def test_branches_that_come_at_once_are_all_made_once_the_number_is_shared(world: World, workers: int) -> None:
    world.source.make_twins()
    await share(world, OSLO)
    put_branch(world, 21310, "100410", invoice_id=9950)
    await world.hear_of("invoice", 9941, 9942, 9950)
    await world.settle_with(workers)
    assert await world.outcomes(9941, 9942, 9950) == {"done": ["", "", ""]}
    assert list_numbers(world) == [100400, 100401, 100410]


async def test_lost_answer_makes_no_second_customer_of_a_branch(world: World) -> None:
    world.source.make_twins()
    await share(world, OSLO)
    await world.carry("invoice", 9941)
    await world.fault("lose_answer", method="POST", path="/api/biz/customers")
    await world.carry("invoice", 9942)
    assert await world.states(9941, 9942) == ["done", "done"]
    assert list_numbers(world) == [100400, 100401]


async def test_where_unimicro_numbers_each_branch_gets_a_customer_and_a_lost_answer_finds_its_own(world: World) -> None:
    await world.office.choose(customer_number="linked")
    world.source.make_twins()
    world.source.record("21301", scope="company")["name"] = "Dobbel Bedrift avd. Vest"
    await share(world, OSLO)
    await world.carry("invoice", 9941)
    await world.fault("lose_answer", method="POST", path="/api/biz/customers")
    await world.carry("invoice", 9942)
    assert await world.states(9941, 9942) == ["done", "done"]
    rows = await world.get(f"/v1/keys/{world.key_id}/customers")
    assert len({row["remote_id"] for row in rows}) == len(rows) == 2
    assert len(list_numbers(world)) == 2


async def test_word_can_be_taken_back_and_the_next_branch_is_asked_about_again(world: World) -> None:
    world.source.make_twins()
    await share(world, OSLO)
    await world.carry("invoice", 9941)
    path = f"/v1/keys/{world.key_id}/shared-org-numbers"
    assert [row["org_number"] for row in await world.get(path)] == [OSLO]
    assert (await world.call("DELETE", f"{path}/{OSLO}")).status_code == 204
    assert await world.get(path) == []
    assert (await world.call("DELETE", f"{path}/{OSLO}")).status_code == 404
    await world.carry("invoice", 9942)
    assert await world.hold_of(9942) == ("held", ["customer_under_other_number"])


async def test_no_number_and_a_persons_number_are_refused_and_not_repeated(world: World) -> None:
    for text in ("-", "15108695088"):
        told = await share(world, text, status=422)
        assert told["code"] == "org_number_unusable"
        assert "15108695088" not in str(told)


async def test_another_tenant_shares_nothing_and_a_viewer_only_looks(world: World) -> None:
    stranger = await world.office.make_tenant("Fremmed", recman_api_key="canary-other-key")
    theirs = await world.office.make_token(stranger, "admin")
    viewer = await world.office.make_token(world.tenant_id, "viewer")
    path, order = f"/v1/keys/{world.key_id}/shared-org-numbers", {"org_number": OSLO, "reason": "theirs"}
    assert (await world.call("POST", path, order, token=theirs)).status_code == 404
    assert (await world.call("POST", path, order, token=viewer)).status_code == 403
    assert rows_of(await world.call("GET", path, token=viewer)) == []
    assert (await world.call("GET", path, token=theirs)).status_code == 404
