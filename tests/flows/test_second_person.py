"""Four eyes: whoever made the rules, or chose to send a document, cannot let it through alone."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from app.platform.http import httpx
from tests.world import World

FOUR_EYES = {"review": {"everything": True, "second_person": True}}


@dataclass(frozen=True, slots=True)
class Person:
    """An administrator with a token of his own."""

    world: World
    token: str

    async def put_rules(self, rules: dict[str, Any], *, after_version: int = 0) -> None:
        path, seen = f"/v1/rules?key_id={self.world.key_id}", f'"{after_version}"'
        answer = await self.world.call("PUT", path, rules, token=self.token, If_Match=seen)
        assert answer.status_code == 200, answer.text

    async def approve(self, record_id: int = 5001) -> httpx.Response:
        row = await self.world.document(record_id)
        return await self.world.call("POST", f"/v1/invoices/{row['id']}/approve", token=self.token)

    async def rotate(self) -> "Person":
        rows = await self.world.get("/v1/tokens")
        newest = max((row for row in rows if row["name"] == "a admin"), key=lambda row: str(row["created_at"]))
        made = await self.world.post(f"/v1/tokens/{newest['id']}/rotate", {})
        assert made.status_code == 201, made.text
        return Person(self.world, str(made.json()["token"]))


async def hire(world: World) -> Person:
    return Person(world, await world.office.make_token(world.tenant_id, "admin"))


async def is_refused(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json()["code"] == "second_person_missing"


async def test_who_made_the_rule_cannot_approve_and_another_can(world: World) -> None:
    kari, ola = await hire(world), await hire(world)
    await kari.put_rules(FOUR_EYES)
    await world.carry("invoice", 5001)
    refused = await kari.approve()
    assert await is_refused(refused)
    assert "made the key's rules" in refused.json()["cause"]
    await world.settle()
    assert await world.states(5001) == ["held"]
    assert (await ola.approve()).status_code == 202
    await world.settle()
    assert await world.states(5001) == ["done"]


async def test_who_changed_the_rule_last_cannot_approve(world: World) -> None:
    kari, ola, per = await hire(world), await hire(world), await hire(world)
    await kari.put_rules(FOUR_EYES)
    await ola.put_rules({"review": {"over_amount": "1", "second_person": True}}, after_version=1)
    await world.carry("invoice", 5001)
    assert await is_refused(await ola.approve())
    # The review is Ola's by now.
    assert (await kari.approve()).status_code == 202
    # Of other rules the review stays his, and whoever changed them has a part in it, too.
    await per.put_rules(
        {"review": {"over_amount": "1", "second_person": True}, "product_policy": "create"}, after_version=2
    )
    await world.carry("invoice", 5002)
    assert await is_refused(await ola.approve(5002))
    assert await is_refused(await per.approve(5002))
    assert (await kari.approve(5002)).status_code == 202


@pytest.mark.parametrize(
    "other",
    [
        {"product_policy": "create"},
        {"held_customers": ["999999"]},
        {"accounting": [{"product": "1001", "account": 3010}, {"product": "9999", "account": 3020}]},
    ],
)
async def test_who_made_a_rule_that_is_in_force_cannot_approve_though_another_changed_something_since(
    world: World, other: dict[str, Any]
) -> None:
    kari, ola, per, siv = [await hire(world) for _ in range(4)]
    rule = {"accounting": [{"product": "1001", "account": 3010}]}
    await siv.put_rules(FOUR_EYES)
    await kari.put_rules({**FOUR_EYES, **rule}, after_version=1)
    await ola.put_rules({**FOUR_EYES, **rule, **other}, after_version=2)
    await world.carry("invoice", 5001)
    for one in (kari, ola, siv):
        assert await is_refused(await one.approve())
    # What she made is in force no more: the last word is Ola's, and the review Siv's.
    await ola.put_rules(FOUR_EYES, after_version=3)
    assert (await kari.approve()).status_code == 202
    await world.settle()
    assert await world.states(5001) == ["done"]
    assert not await is_refused(await per.approve())


async def test_without_second_person_everybody_may_approve(world: World) -> None:
    kari = await hire(world)
    await kari.put_rules({"review": {"everything": True}})
    await world.carry("invoice", 5001)
    assert (await kari.approve()).status_code == 202


async def test_another_token_of_the_same_holder_is_no_second_person(world: World) -> None:
    kari = await hire(world)
    await kari.put_rules(FOUR_EYES)
    await world.carry("invoice", 5001)
    again = await kari.rotate()
    assert await is_refused(await again.approve())


async def test_who_chose_to_send_an_old_document_cannot_approve_it(world: World) -> None:
    await world.office.put_rules(FOUR_EYES)
    kari, ola = await hire(world), await hire(world)
    await world.office.move_go_live("2026-12-01")
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    body = {"decision": "send", "ids": [row["id"]]}
    assert (await world.call("POST", "/v1/invoices/before-go-live", body, token=kari.token)).status_code == 202
    await world.settle()
    refused = await kari.approve()
    assert await is_refused(refused)
    assert "chose to send" in refused.json()["cause"]
    assert (await ola.approve()).status_code == 202


async def test_an_approval_before_there_was_a_key_counts_for_nothing_at_one_with_four_eyes(world: World) -> None:
    await world.office.change_key(departments=[])
    kari, ola = await hire(world), await hire(world)
    await kari.put_rules(FOUR_EYES)
    await world.carry("invoice", 5001)
    assert (await kari.approve()).status_code == 202
    await world.settle()
    await world.office.change_key(departments="all")
    await world.settle()
    state, codes = await world.hold_of(5001)
    assert (state, codes) == ("held", ["second_person_missing"])
    assert (await ola.approve()).status_code == 202
    await world.settle()
    assert await world.states(5001) == ["done"]


async def test_whoever_approves_and_then_changes_the_rules_before_it_is_sent_was_alone(world: World) -> None:
    kari, ola = await hire(world), await hire(world)
    await kari.put_rules(FOUR_EYES)
    await world.carry("invoice", 5001)
    await world.office.change_key(state="paused")
    assert (await ola.approve()).status_code == 202
    await ola.put_rules({**FOUR_EYES, "product_policy": "create"}, after_version=1)
    await world.office.change_key(state="active")
    await world.settle()
    assert await world.hold_of(5001) == ("held", ["second_person_missing"])
    assert await world.invoices() == []


@pytest.mark.parametrize("times", range(3))
async def test_an_approval_that_races_with_the_approvers_own_rule_never_sends_alone(world: World, times: int) -> None:
    kari, ola = await hire(world), await hire(world)
    await kari.put_rules(FOUR_EYES)
    await world.carry("invoice", 5001)
    await asyncio.gather(ola.put_rules({**FOUR_EYES, "product_policy": "create"}, after_version=1), ola.approve())
    await world.settle()
    row = await world.document(5001)
    assert times >= 0
    attempts = (await world.get(f"/v1/transfers/{row['id']}"))["attempts"]
    # Sent, if at all, by the rules that others had made.
    assert {one["rules_version"] for one in attempts} <= {1}
