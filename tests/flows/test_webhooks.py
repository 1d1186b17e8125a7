"""Stops 1 to 3: what comes in is stored once and durably, or refused with one of four statuses."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from app.admin.hooks import create_hook
from app.sandbox.recman.hooks import Delivery
from tests.world import OURS, World
from tests.world.workers import wait_until

INVOICE = '{"scope":"invoice","operation":"insert","invoiceId":5001}'


async def post(world: World, path: str, body: bytes | str = INVOICE, **headers: str) -> Any:
    headers = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.http.post(f"{OURS}{path}", content=body, headers=headers)


async def events(world: World) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await world.get("/v1/events")
    return rows


async def test_known_hook_stores_the_hint_and_answers_202(world: World) -> None:
    answer = await post(world, world.hook)
    assert (answer.status_code, answer.content) == (202, b"")
    (event,) = await events(world)
    assert (event["scope"], event["record_id"], event["operation"]) == ("invoice", "5001", "insert")
    assert event["state"] == "waiting"


async def test_scope_may_come_from_the_address(world: World) -> None:
    assert (await post(world, f"{world.hook}/invoice", '{"id":5011}')).status_code == 202
    (event,) = await events(world)
    assert (event["scope"], event["record_id"]) == ("invoice", "5011")


async def test_wrong_hook_is_not_found_and_stores_nothing(world: World) -> None:
    answer = await post(world, "/webhooks/recman/hook_nobody")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert await events(world) == []


async def test_oversize_is_refused_whether_declared_or_streamed(world: World) -> None:
    big = b"x" * (world.resources.settings.max_body_bytes + 1)

    async def stream() -> Any:
        yield big[: len(big) // 2]
        yield big[len(big) // 2 :]

    declared = await post(world, world.hook, big)
    streamed = await world.http.post(f"{OURS}{world.hook}", content=stream())
    assert [declared.status_code, streamed.status_code] == [413, 413]
    assert await events(world) == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "empty"),
        (b'{"event":"ping"}', "ping"),
        (b"\xff\xfe not json", "JSON"),
        (b'{"scope":"candidate","candidateId":7}', "candidate"),
        (b'{"scope":"invoice","operation":"insert"}', "id"),
        (b"[" * 5000, "deep"),
    ],
)
async def test_what_means_nothing_is_stored_as_ignored_with_the_reason(world: World, body: bytes, word: str) -> None:
    assert (await post(world, world.hook, body)).status_code == 202
    (event,) = await events(world)
    assert event["state"] == "ignored"
    assert word.lower() in event["note"].lower()


async def test_repeat_delivery_is_one_event(world: World) -> None:
    for _ in range(3):
        assert (await post(world, world.hook)).status_code == 202
    assert len(await events(world)) == 1


async def test_equal_hint_after_the_reading_is_a_new_hint(world: World) -> None:
    """With ids only two changes look the same: the second must not be dropped as a repeat of the first."""
    await post(world, world.hook, '{"scope":"product","operation":"update","productId":7}')
    await world.settle()
    await post(world, world.hook, '{"scope":"product","operation":"update","productId":7}')
    assert [event["state"] for event in await events(world)] == ["waiting", "ignored"]


async def test_repeats_that_race_do_not_keep_the_lane_busy(world: World) -> None:
    await asyncio.gather(*(post(world, world.hook, '{"scope":"product","productId":7}') for _ in range(40)))
    await world.settle()
    assert await world.count("SELECT count(*) FROM lane WHERE state = 'idle' AND seq = seen_seq") == 1


async def test_forty_repeats_at_once_are_one_event(world: World) -> None:
    answers = await asyncio.gather(*(post(world, world.hook) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(await events(world)) == 1


async def test_of_many_hints_about_one_record_the_newest_are_known(world: World) -> None:
    bodies = [f'{{"scope":"product","productId":7,"n":{n}}}' for n in range(40)]
    for body in [*bodies, *bodies[-32:]]:
        await post(world, world.hook, body)
    assert len(await events(world)) == await world.count("SELECT seq FROM lane") == 40
    # An older one costs one more event and no more room in the lane's row.
    await post(world, world.hook, bodies[0])
    assert len(await events(world)) == 41
    assert await world.count("SELECT cardinality(known) FROM lane") == 32
    await world.settle()
    assert await world.count("SELECT count(*) FROM lane WHERE state = 'idle' AND known = '{}'") == 1


async def test_one_delivery_about_several_records_is_one_event_each(world: World) -> None:
    await post(world, world.hook, '{"scope":"invoice","operation":"insert","invoiceIds":[5003,"5004"]}')
    waiting = [event for event in await events(world) if event["state"] == "waiting"]
    assert sorted(event["record_id"] for event in waiting) == ["5003", "5004"]
    whole = [event for event in await events(world) if event["state"] == "ignored"]
    assert ["2 records" in event["note"] for event in whole] == [True]


async def test_events_of_one_record_are_numbered_without_gaps_under_load(world: World) -> None:
    bodies = [f'{{"scope":"invoice","operation":"update","invoiceId":5001,"n":{n}}}' for n in range(60)]
    await asyncio.gather(*(post(world, world.hook, body) for body in bodies))
    assert await world.count("SELECT count(*) FROM lane") == 1
    assert await world.count("SELECT count(DISTINCT seq) FROM event") == 60
    assert await world.count("SELECT max(seq) FROM event") == await world.count("SELECT seq FROM lane") == 60


async def signed_hook(world: World) -> str:
    verification = {
        "kind": "hmac",
        "header": "X-Signature",
        "algorithm": "sha256",
        "encoding": "hex",
        "prefix": "sha256=",
    }
    async with world.resources.sessions.begin() as session:
        made = await create_hook(
            session,
            world.resources.vault,
            tenant_id=world.tenant_id,
            name="signed",
            verification=verification,
            secrets=("first", "second"),
        )
    return f"/webhooks/recman/{made.address}"


@pytest.mark.parametrize("secret", [b"first", b"second"])
async def test_right_signature_is_taken_with_either_live_secret(world: World, secret: bytes) -> None:
    hook = await signed_hook(world)
    signature = "sha256=" + hmac.new(secret, INVOICE.encode(), hashlib.sha256).hexdigest()
    assert (await post(world, hook, X_Signature=signature)).status_code == 202


@pytest.mark.parametrize("signature", ["", "sha256=00", "sha256=" + "0" * 64, "æøå", "sha1=abc"])
async def test_wrong_signature_is_401_and_stores_nothing(world: World, signature: str) -> None:
    hook = await signed_hook(world)
    headers = [(b"X-Signature", signature.encode("latin-1"))] if signature else []
    answer = await world.http.post(f"{OURS}{hook}", content=INVOICE, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["fix"]
    assert await events(world) == []


async def test_lost_database_is_503_with_retry_after_and_nothing_is_claimed_stored(world: World) -> None:
    """Every connection is cut under the service, new ones are refused, then the database comes back."""
    name = await current_database(world)
    async with elsewhere(world) as connection:
        await connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        away = await post(world, world.hook)
        ready = await world.http.get(f"{OURS}/health/ready")
        live = await world.http.get(f"{OURS}/health/live")
        await connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
    assert [away.status_code, ready.status_code, live.status_code] == [503, 503, 200]
    assert away.headers["retry-after"]
    # A pooler in between looks for it again in its own time.
    await wait_until(lambda: is_ready(world))
    assert await events(world) == []
    assert (await post(world, world.hook)).status_code == 202
    assert len(await events(world)) == 1


async def is_ready(world: World) -> bool:
    return (await world.http.get(f"{OURS}/health/ready")).status_code == 200


async def current_database(world: World) -> str:
    async with world.resources.engine.connect() as connection:
        return str((await connection.exec_driver_sql("SELECT current_database()")).scalar_one())


@asynccontextmanager
async def elsewhere(world: World) -> AsyncIterator[asyncpg.Connection]:
    """A connection to another database of the same server."""
    url = world.resources.engine.url.set(database="postgres", drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()


async def test_deliveries_are_told_apart_by_their_whole_body(world: World) -> None:
    first = Delivery(body=INVOICE)
    second = Delivery(body=INVOICE.replace("insert", "update"))
    assert await world.hear([first, second]) == [202, 202]
    assert len(await events(world)) == 2


@pytest.mark.parametrize("scope", ["", "/", "/invoice", "/nonsense", "/invoice/"])
async def test_look_at_an_address_answers_200_and_tells_nothing(world: World, scope: str) -> None:
    answers = []
    for hook in (world.hook, "/webhooks/recman/hook_nobody"):
        for method in ("GET", "HEAD"):
            answer = await world.http.request(method, f"{OURS}{hook}{scope}", params={"challenge": "Abc-1.2_3~"})
            answers.append((method, answer.status_code, answer.text, answer.headers["content-type"]))
    told = "text/plain; charset=utf-8"
    assert answers == [("GET", 200, "Abc-1.2_3~", told), ("HEAD", 200, "", told)] * 2
    assert await events(world) == []


@pytest.mark.parametrize("challenge", ["", "<b>x</b>", "a b", "a\r\nb", "æ", "x" * 201])
async def test_challenge_that_is_no_plain_word_is_not_echoed(world: World, challenge: str) -> None:
    answer = await world.http.get(f"{OURS}{world.hook}", params={"challenge": challenge, "other": "Abc"})
    assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize("end", ["", "/", "/invoice", "/invoice/"])
async def test_put_and_a_slash_at_the_end_are_taken_without_detour(world: World, end: str) -> None:
    for method in ("POST", "PUT"):
        answer = await world.http.request(method, f"{OURS}{world.hook}{end}", content=INVOICE)
        assert answer.status_code == 202
    assert {event["record_id"] for event in await events(world)} == {"5001"}


async def test_too_many_records_in_one_delivery_are_refused_whole(world: World) -> None:
    body = '{"scope":"product","ids":[' + ",".join(map(str, range(1, 5002))) + "]}"
    assert (await post(world, world.hook, body)).status_code == 413
    assert await events(world) == []


async def test_odd_content_type_is_stored_without_harm(world: World) -> None:
    headers = [(b"content-type", b"text/\xe6\xf8" + b"x" * 5000)]
    answer = await world.http.post(f"{OURS}{world.hook}", content=INVOICE, headers=headers)
    assert answer.status_code == 202


@pytest.mark.parametrize("part", ["{}", "[1]", "1"])
async def test_a_body_of_values_without_end_is_refused_at_once(world: World, part: str) -> None:
    answer = await post(world, world.hook, "[" + ",".join([part] * 120_000) + "]")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "Send fewer records" in answer.json()["fix"]
    assert await events(world) == []


async def test_a_hook_has_its_share_and_others_have_theirs(world: World, caplog: Any) -> None:
    world.resources.settings = world.resources.settings.model_copy(update={"webhook_rate": "3/hour"})
    other = (await world.office.make_hook(world.tenant_id)).removeprefix(OURS)
    codes = [(await post(world, world.hook, INVOICE)).status_code for _ in range(5)]
    assert codes == [202, 202, 202, 429, 429]
    refused = await post(world, world.hook, INVOICE)
    assert (refused.json()["code"], "RMU_WEBHOOK_RATE" in refused.json()["fix"]) == ("too_many_deliveries", True)
    assert refused.headers["retry-after"]
    assert (await post(world, other, INVOICE)).status_code == 202
    assert caplog.text.count("hook_over_its_share") == 1
