"""Jobs: they end when their documents have ended, can be cancelled while anything waits, and stay as a record."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.platform.http import httpx
from tests.world import World
from tests.world.crash import choose_deaths, live_on_after, work_and_keep_deaths
from tests.world.workers import at_work, wait_until

REPLAY = {"name": "After the new rule", "reason": "3001 was wrong until today"}


async def send(world: World, **wanted: Any) -> dict[str, Any]:
    answer = await world.call("POST", "/v1/invoices/send", wanted, tenant=world.tenant_id)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def replay(world: World, **wanted: Any) -> dict[str, Any]:
    """A replay at its preview."""
    answer = await world.call("POST", "/v1/jobs", {**REPLAY, **wanted}, tenant=world.tenant_id)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "previewing"
    await world.settle()
    shown = await show(world, answer.json())
    assert shown["state"] == "previewed"
    return shown


async def show(world: World, job: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = await world.get(f"/v1/jobs/{job['id']}")
    return told


async def documents(world: World, job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rows = await world.get(f"/v1/jobs/{job['id']}/documents", limit=1000)
    return {row["number"]: row for row in rows}


async def cancel(world: World, job: dict[str, Any]) -> httpx.Response:
    return await world.post(f"/v1/jobs/{job['id']}/cancel")


async def hold_some(world: World, *record_ids: int) -> None:
    """Documents that are held, and for a reason that is mended by now."""
    await world.office.put_rules({"review": {"everything": True}})
    await world.carry("invoice", *record_ids)
    assert set(await world.states(*record_ids)) == {"held"}
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE rule_set SET rules = '{}', version = version + 1"))


async def is_sending(world: World) -> bool:
    return bool(await world.count("SELECT count(*) FROM transfer WHERE state = 'sending' AND scope = 'invoice'"))


# --- the end of a job ---


async def test_a_job_runs_until_its_last_document_has_ended(world: World) -> None:
    await hold_some(world, 5001, 5002)
    await world.office.change_key(state="paused")
    job = await send(world, state="held")
    await world.stall()
    told = await show(world, job)
    assert (told["state"], told["sent"], told["outcomes"]) == ("running", 2, {"waiting": 2})
    await world.office.change_key(state="active")
    await world.settle()
    told = await show(world, job)
    assert (told["state"], told["outcomes"]) == ("done", {"done": 2})
    assert told["ended_at"] is not None
    assert {row["outcome"] for row in (await documents(world, job)).values()} == {"done"}


async def test_a_job_ends_when_a_document_is_held_again(world: World) -> None:
    await world.carry("invoice", 5009)
    job = await send(world, state="held")
    await world.settle()
    told = await show(world, job)
    assert (told["state"], told["outcomes"]) == ("done", {"held": 1})
    ((_, row),) = (await documents(world, job)).items()
    assert (row["state_before"], row["outcome"]) == ("held", "held")
    assert "7777" in row["note"]


async def test_a_newer_hint_that_takes_a_document_along_ends_it_too(world: World) -> None:
    await hold_some(world, 5001)
    await world.office.change_key(state="paused")
    job = await send(world, state="held")
    await world.stall()
    await world.hear_of("invoice", 5001)
    await world.office.change_key(state="active")
    await world.settle()
    told = await show(world, job)
    assert (told["state"], told["outcomes"]) == ("done", {"done": 1})


async def test_a_job_without_documents_is_over_at_once(world: World) -> None:
    job = await send(world, everything=True)
    await world.settle()
    assert (await show(world, job))["state"] == "done"


# --- cancel ---


async def test_what_waits_is_not_done_and_stands_as_before(world: World) -> None:
    await hold_some(world, 5001, 5002)
    row = await world.document(5002)
    assert (await world.ignore(row))[0] == 200
    before = {record: await world.document(record) for record in (5001, 5002)}
    await world.office.change_key(state="paused")
    job = await send(world, ids=[one["id"] for one in before.values()])
    await world.stall()
    told = (await cancel(world, job)).json()
    assert (told["state"], told["sent"], told["outcomes"]) == ("cancelled", 2, {"cancelled": 2})
    assert all("not done" in row["note"] for row in (await documents(world, job)).values())
    await world.settle()
    await world.office.change_key(state="active")
    await world.settle()
    for record, was in before.items():
        now = await world.document(record)
        assert (now["state"], now["reasons"]) == (was["state"], was["reasons"])
    assert await world.invoices() == []
    again = await cancel(world, job)
    assert (again.status_code, again.json()["code"]) == (409, "job_over")
    # A person's own wish counts afterwards as ever.
    await world.retry(before[5001])
    await world.settle()
    assert await world.states(5001) == ["done"]


async def test_what_is_under_way_ends_and_the_job_with_it(world: World) -> None:
    await hold_some(world, 5001, 5002)
    job = await send(world, state="held")
    await world.fault("slow", method="POST", path="/api/biz/invoices", seconds=1, times=1)
    async with at_work(world.resources):
        await wait_until(lambda: is_sending(world))
        told = (await cancel(world, job)).json()
    assert told["state"] == "cancelling"
    await world.settle()
    # The lane of a job that is being cancelled looks again after two seconds; a test need not.
    told = await show(world, job)
    assert told["state"] == "cancelled"
    outcomes = [row["outcome"] for row in (await documents(world, job)).values()]
    assert outcomes.count("done") >= 1
    assert set(outcomes) <= {"done", "cancelled"}
    assert len(await world.invoices()) == outcomes.count("done")


@pytest.mark.parametrize("cancels", [1, 2])
async def test_two_jobs_about_one_document_are_cancelled_each_for_itself(world: World, cancels: int) -> None:
    await hold_some(world, 5001)
    row = await world.document(5001)
    assert (await world.ignore(row))[0] == 200
    was = await world.document(5001)
    await world.office.change_key(state="paused")
    first, second = await send(world, ids=[row["id"]]), await send(world, ids=[row["id"]])
    await world.stall()
    assert (await cancel(world, first)).json()["state"] == "cancelled"
    if cancels == 2:
        assert (await cancel(world, second)).json()["state"] == "cancelled"
    await world.office.change_key(state="active")
    await world.settle()
    now = await world.document(5001)
    if cancels == 2:
        assert (now["state"], now["reasons"]) == (was["state"], was["reasons"])
    else:
        assert (now["state"], (await show(world, second))["outcomes"]) == ("done", {"done": 1})


async def test_a_persons_own_retry_outlives_the_cancel_of_a_job(world: World) -> None:
    await hold_some(world, 5001)
    row = await world.document(5001)
    assert (await world.ignore(row))[0] == 200
    await world.office.change_key(state="paused")
    job = await send(world, ids=[row["id"]])
    await world.stall()
    await world.retry(row)
    assert (await cancel(world, job)).json()["state"] == "cancelled"
    await world.office.change_key(state="active")
    await world.settle()
    assert await world.states(5001) == ["done"]


async def test_of_two_cancels_one_is_told_that_it_is_over(world: World) -> None:
    await hold_some(world, 5001)
    await world.office.change_key(state="paused")
    job = await send(world, state="held")
    await world.stall()
    answers = await asyncio.gather(cancel(world, job), cancel(world, job))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await world.states(5001) == ["held"]


async def test_cancels_that_race_with_workers_leave_each_document_done_or_as_it_was(world: World) -> None:
    records = (5001, 5002, 5004, 5005, 5006)
    await hold_some(world, *records)
    for round_of in range(4):
        job = await send(world, state="held", everything=False)
        async with at_work(world.resources):
            await asyncio.sleep(0.05 * round_of)
            answers = await asyncio.gather(cancel(world, job), cancel(world, job))
        assert [answer.status_code for answer in answers].count(200) <= 1
        await world.settle()
        told = await show(world, job)
        assert told["state"] in {"cancelled", "done"}, told
        assert set(told["outcomes"]) <= {"done", "cancelled", "held"}
        assert sum(told["outcomes"].values()) == told["sent"]
        states = await world.states(*records)
        assert set(states) <= {"done", "held"}
        assert len(await world.invoices()) == states.count("done")


# --- crashes ---


async def test_a_job_outlives_a_worker_that_dies_in_the_middle(world: World) -> None:
    await hold_some(world, 5001, 5002)
    job = await send(world, state="held")
    await world.fault("hang", method="POST", path="/api/biz/invoices", seconds=30)
    await world.work_and_die()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE lane SET leased_until = now() WHERE state = 'leased'")
    await world.settle()
    told = await show(world, job)
    assert (told["state"], told["outcomes"]) == ("done", {"done": 2})
    assert len(await world.invoices()) == 2


async def test_a_replay_outlives_a_worker_that_dies_at_any_boundary(world: World) -> None:
    await hold_some(world, 5001)
    made = await world.call("POST", "/v1/jobs", {**REPLAY, "state": "held"}, tenant=world.tenant_id)
    for _, (_, moment) in choose_deaths(await work_and_keep_deaths(world)):
        await live_on_after(world, moment)
        await world.settle()
        shown = await show(world, made.json())
        assert (shown["state"], shown["preview"]) == ("previewed", {"send": 1})
    assert (await world.post(f"/v1/jobs/{shown['id']}/start")).status_code == 202
    for _, (boundary, moment) in choose_deaths(await work_and_keep_deaths(world)):
        await live_on_after(world, moment)
        await world.settle()
        told = await show(world, shown)
        assert (boundary, told["state"], told["outcomes"]) == (boundary, "done", {"done": 1})
        assert len(await world.invoices()) == 1


# --- replay ---


async def test_a_replay_shows_first_what_it_then_does_and_stays_as_a_record(world: World) -> None:
    await world.carry("invoice", 5001, 5009)
    await world.office.put_rules({"review": {"everything": True}})
    await world.carry("invoice", 5002)
    await world.office.put_rules({}, after_version=1)
    ignored = await world.document(5002)
    if ignored["state"] != "done":
        await world.settle()
    await world.hear_of("invoice", 5004)
    await world.office.change_key(state="paused")
    await world.stall()
    row = await world.document(5004)
    assert (await world.ignore(row))[0] == 200
    await world.office.change_key(state="active")
    await world.settle()
    books = await world.books(without_numbers=False)
    shown = await replay(world, everything=True)
    assert (shown["name"], shown["reason"]) == (REPLAY["name"], REPLAY["reason"])
    assert shown["preview"] == {"skip": 2, "hold": 1, "send": 1}
    assert (shown["sent"], shown["outcomes"]) == (0, {})
    assert await world.books(without_numbers=False) == books
    started = await world.post(f"/v1/jobs/{shown['id']}/start")
    assert started.status_code == 202
    await world.settle()
    told = await show(world, shown)
    assert (told["state"], told["outcomes"], told["preview"]) == ("done", {"done": 3, "held": 1}, shown["preview"])
    assert told["made_by"] == told["started_by"] is not None
    rows = await documents(world, shown)
    assert rows[row["number"]]["state_before"] == "ignored"
    assert (rows[row["number"]]["preview"], rows[row["number"]]["outcome"]) == ("send", "done")
    actions = [one["action"] for one in await world.get("/v1/audit", limit=100)]
    assert {"job.make", "job.start"} <= set(actions)


async def test_a_replay_does_what_its_preview_has_listed_and_no_more(world: World) -> None:
    await hold_some(world, 5001)
    shown = await replay(world, state="held")
    await world.carry("invoice", 5009)
    await world.post(f"/v1/jobs/{shown['id']}/start")
    await world.settle()
    told = await show(world, shown)
    assert (told["state"], told["total"], told["sent"], told["outcomes"]) == ("done", 1, 1, {"done": 1})


async def test_a_replay_is_started_once_and_only_after_its_preview(world: World) -> None:
    await hold_some(world, 5001)
    early = (await world.call("POST", "/v1/jobs", {**REPLAY, "state": "held"}, tenant=world.tenant_id)).json()
    answer = await world.post(f"/v1/jobs/{early['id']}/start")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_previewed")
    await world.settle()
    path = f"/v1/jobs/{early['id']}/start"
    answers = await asyncio.gather(world.post(path), world.post(path))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    await world.settle()
    assert (await show(world, early))["outcomes"] == {"done": 1}


async def test_a_replay_that_nobody_starts_changes_nothing(world: World) -> None:
    await hold_some(world, 5001)
    shown = await replay(world, state="held")
    told = (await cancel(world, shown)).json()
    assert (told["state"], told["sent"], told["preview"]) == ("cancelled", 0, {"send": 1})
    await world.settle()
    assert await world.states(5001) == ["held"]
    answer = await world.post(f"/v1/jobs/{shown['id']}/start")
    assert answer.status_code == 409


async def test_a_preview_asks_recman_once_for_many(world: World) -> None:
    await hold_some(world, 5001, 5002, 5004, 5005)
    before = len([call for call in world.source.list_calls() if call.get("scope") == "invoice"])
    shown = await replay(world, state="held")
    assert shown["preview"] == {"send": 4}
    after = len([call for call in world.source.list_calls() if call.get("scope") == "invoice"])
    assert after - before == 1


async def test_a_replay_wants_name_and_reason_and_an_administrator(world: World) -> None:
    answer = await world.call("POST", "/v1/jobs", {"everything": True}, tenant=world.tenant_id)
    assert answer.status_code == 422
    viewer = await world.office.make_token(world.tenant_id, "viewer")
    for path, body in (("/v1/jobs", {**REPLAY, "everything": True}), ("/v1/invoices/send", {"everything": True})):
        assert (await world.call("POST", path, body, token=viewer)).status_code == 403
    shown = await replay(world, everything=True)
    for action in ("start", "cancel"):
        assert (await world.call("POST", f"/v1/jobs/{shown['id']}/{action}", token=viewer)).status_code == 403
    assert (await world.call("GET", f"/v1/jobs/{shown['id']}/documents", token=viewer)).status_code == 200
