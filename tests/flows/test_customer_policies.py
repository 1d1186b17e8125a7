"""Number policies and field ownership of a key, set over REST, seen in Unimicro's books."""

from typing import Any

from tests.world import COMPANY, World


async def customers(world: World) -> list[dict[str, Any]]:
    (company,) = [one for one in (await world.books()).values() if one["name"] == COMPANY]
    found: list[dict[str, Any]] = company["customers"]
    return found


async def transfer(world: World, kind: str, record_id: str) -> dict[str, Any]:
    row: dict[str, Any] = (await world.transfers())[kind, record_id]
    return row


async def test_linked_lets_unimicro_number_and_keeps_the_link(world: World) -> None:
    await world.office.choose(customer_number="linked")
    world.ledger.put_customer(100001, "Vestfold Rør AS", "911222333")
    world.recman.state.store.records["company"]["201"]["companyNumber"] = "42"
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await transfer(world, "invoice", "5001"))["state"] == "done"
    made = await transfer(world, "customer", "201")
    assert (made["number"], made["state"]) == ("42", "done")
    assert made["remote_number"] not in ("42", "100001", None)
    await world.hear_of("invoice", 5002)
    await world.hear_of("company", 201)
    await world.settle()
    names = [one["BusinessRelation"]["Name"] for one in await customers(world)]
    assert names.count("Ærfugl Bemanning AS") == 1


async def test_linked_makes_no_second_customer_when_the_answer_is_lost(world: World) -> None:
    await world.office.choose(customer_number="linked")
    world.recman.state.store.records["company"]["201"].update(companyNumber="42", vatNumber="")
    await world.fault("lose_answer", method="POST", path="/api/biz/customers")
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await transfer(world, "invoice", "5001"))["state"] == "done"
    assert len(await customers(world)) == 1
    assert (await transfer(world, "customer", "201"))["state"] == "done"


async def test_match_only_waits_for_a_person_to_make_the_customer(world: World) -> None:
    await world.office.choose(customer_number="match_only")
    await world.hear_of("invoice", 5001)
    await world.settle()
    held = await transfer(world, "invoice", "5001")
    assert (held["state"], held["reasons"][0]["code"]) == ("held", "customer_not_in_unimicro")
    assert await customers(world) == []
    world.ledger.put_customer(100001, "Ærfugl Bemanning AS", "310456101")
    await world.post(f"/v1/transfers/{held['id']}/retry")
    await world.settle()
    assert (await transfer(world, "invoice", "5001"))["state"] == "done"
    assert len(await customers(world)) == 1


async def test_same_number_is_sent_and_what_unimicro_made_of_it_is_compared(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    made = await transfer(world, "customer", "201")
    assert made["number"] == made["remote_number"] == "100001"
    order = {"settings": {"send_customer_number": False}}
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", order)).status_code == 200
    await world.hear_of("company", 203)
    await world.settle()
    other = await transfer(world, "customer", "203")
    assert (other["state"], other["reasons"][0]["code"]) == ("held", "customer_number_not_kept")


async def test_update_leaves_alone_what_unimicro_keeps_up(world: World) -> None:
    await world.hear_of("company", 201)
    await world.settle()
    await world.office.choose(customer_fields={"name": "leave", "phone": "fill_empty"})
    record = world.recman.state.store.records["company"]["201"]
    record |= {"name": "Ærfugl Norge AS", "phone": "99 99 99 99", "creditTime": "21"}
    await world.hear_of("company", 201)
    await world.settle()
    (customer,) = await customers(world)
    relation = customer["BusinessRelation"]
    assert customer["CreditDays"] == 21
    assert relation["Name"] == "Ærfugl Bemanning AS"
    assert relation["DefaultPhone"]["Number"] == "+47 22 00 00 01"


async def test_unknown_policy_field_or_rule_is_refused(world: World) -> None:
    for rules in (
        {"customer_number": "ours"},
        {"customer_fields": {"colour": "leave"}},
        {"customer_fields": {"name": "x"}},
    ):
        assert (await world.office.put_rules(rules, status=422))["code"] == "rules_unusable"


async def link(world: World, company_id: str, number: str) -> tuple[int, dict[str, Any]]:
    pair = {"recman_company_id": company_id, "remote_number": number}
    answer = await world.call("POST", f"/v1/keys/{world.key_id}/customer-links", pair)
    told: dict[str, Any] = answer.json()
    return answer.status_code, told


async def test_person_links_a_suggestion_and_what_was_held_goes_on(world: World) -> None:
    await world.office.choose(customer_number="linked")
    world.ledger.put_customer(100900, "Ærfugl Vikar AS", "310456101")
    await world.hear_of("invoice", 5001)
    await world.settle()
    held = await transfer(world, "invoice", "5001")
    assert (held["state"], held["reasons"][0]["code"]) == ("held", "customer_under_other_number")
    status, told = await link(world, "201", "100900")
    assert (status, told["remote_name"]) == (201, "Ærfugl Vikar AS")
    await world.settle()
    assert (await transfer(world, "invoice", "5001"))["state"] == "done"
    assert len(await customers(world)) == 1
    (shown,) = await world.get(f"/v1/keys/{world.key_id}/customers")
    assert (shown["matched_by"], shown["remote_number"]) == ("by_hand", "100900")
    status, told = await link(world, "201", "100900")
    assert (status, told["code"]) == (409, "already_linked")
    audit = await world.get("/v1/audit", subject=f"key:{world.key_id}")
    assert "customer.link" in [row["action"] for row in audit]


async def test_link_needs_policy_linked_and_both_sides(world: World) -> None:
    assert (await link(world, "201", "100900"))[1]["code"] == "numbers_must_agree"
    await world.office.choose(customer_number="linked")
    assert (await link(world, "201", "100900"))[1]["code"] == "customer_unknown"
    world.ledger.put_customer(100900, "Ærfugl Vikar AS")
    assert (await link(world, "999", "100900"))[1]["code"] == "company_unknown"
    assert (await link(world, "201", "1 or 1 eq 1"))[0] == 422
