"""What is refused is refused before it costs anything: no token before the body, and no body over its cap."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from app.api.gate import Bodies
from app.platform.http import httpx
from app.web import create_app
from tests.world import OURS, TOKEN, World

MB = 1_048_576


async def knock(
    world: World, method: str, path: str, *, token: str | None, chunks: int, declared: int | None = None
) -> Any:
    """Status, code and how many bytes were taken of a body that comes in chunks of 64 kB."""
    taken, told = 0, b""
    headers = [(b"content-type", b"application/json")]
    headers += [(b"authorization", f"Bearer {token}".encode())] if token is not None else []
    headers += [(b"content-length", str(declared).encode())] if declared else [(b"transfer-encoding", b"chunked")]
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": headers,
        "client": ("192.0.2.1", 1),
    }

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 65_536
        return {"type": "http.request", "body": b"[" * 65_536, "more_body": taken < chunks * 65_536}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal told
        told += message.get("body", b"")

    app = create_app(open_nothing)
    app.state.resources = world.resources
    await app(scope, receive, send)
    answer = httpx.Response(200, content=told).json()
    return answer["status"], answer["code"], taken


def open_nothing() -> Any:
    raise AssertionError("the application is called without its lifespan")


BIG = [
    ("POST", "/v1/tenants"),
    ("PUT", "/v1/rules?key_id=1"),
    ("PATCH", "/v1/keys/1"),
    ("POST", "/v1/nothing"),
    ("GET", "/metrics"),
]


@pytest.mark.parametrize("token", [None, "rmu_wrong"])
@pytest.mark.parametrize(("method", "path"), BIG)
async def test_without_a_token_not_a_byte_of_the_body_is_read(
    world: World, method: str, path: str, token: str | None
) -> None:
    assert await knock(world, method, path, token=token, chunks=480) == (401, "not_signed_in", 0)
    declared = await knock(world, method, path, token=token, chunks=480, declared=30 * MB)
    assert declared == (401, "not_signed_in", 0)


@pytest.mark.parametrize(
    ("path", "cap"),
    [("/v1/tenants", MB // 4), ("/v1/rules", 2 * MB), ("/webhooks/recman/x", MB), ("/elsewhere", MB // 16)],
)
async def test_a_body_over_its_cap_is_refused_at_the_cap_and_by_its_length_at_once(
    world: World, path: str, cap: int
) -> None:
    status, code, taken = await knock(world, "PUT", path, token=TOKEN, chunks=480)
    assert (status, code, taken) == (413, "too_large", cap + 65_536)
    assert await knock(world, "PUT", path, token=TOKEN, chunks=480, declared=cap + 1) == (413, "too_large", 0)


@pytest.mark.parametrize("path", ["/v1/tenants", "/webhooks/recman/x"])
async def test_a_body_that_breaks_off_is_no_error_and_reaches_no_route(world: World, path: str) -> None:
    told: list[MutableMapping[str, Any]] = []
    headers = [(b"authorization", f"Bearer {TOKEN}".encode()), (b"content-length", b"100")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers, "client": None}
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b'{"name"', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    app = create_app(open_nothing)
    app.state.resources = world.resources
    await app(scope, receive, send)
    assert told == []


async def test_a_refused_body_names_cause_and_fix(world: World) -> None:
    answer = await world.call("POST", "/v1/tenants", {"name": "x" * MB})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["cause"] == "The body is over 262144 bytes"
    assert answer.json()["fix"]


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 1000):
        yield body[at : at + 1000]


async def test_bodies_within_their_caps_come_through_whole(world: World) -> None:
    rules = "products:\n" + "".join(f"- {{recman: 'R{n}', unimicro: '{n}'}}\n" for n in range(40_000))
    assert MB < len(rules) < 2 * MB
    url, seen = f"{OURS}/v1/rules?key_id={world.key_id}", {"Authorization": f"Bearer {TOKEN}", "If-Match": '"0"'}
    made = await world.http.put(url, content=chunks(rules.encode()), headers=seen)
    assert made.status_code == 200, made.text[:500]
    assert len(made.json()["rules"]["products"]) == 40_000
    headers = {"Authorization": f"bearer {TOKEN}", "Content-Type": "application/json"}
    body = chunks(b'{"name": "Sydlys"}')
    assert (await world.http.post(f"{OURS}/v1/tenants", content=body, headers=headers)).status_code == 201


async def drops() -> AsyncIterator[bytes]:
    for _ in range(200):
        yield b" "
        await asyncio.sleep(0.05)


async def test_a_body_that_comes_drop_by_drop_is_too_late_at_some_time(world: World) -> None:
    world.resources.settings = world.resources.settings.model_copy(update={"request_body_seconds": 0.3})
    for path in ("/v1/tenants", world.hook):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = await world.http.post(f"{OURS}{path}", content=drops(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (408, "too_slow")
        assert answer.headers["connection"] == "close"


async def test_bodies_that_do_not_fit_beside_others_are_sent_again_later(world: World) -> None:
    bodies, full = world.resources.kept(Bodies), world.resources.settings.bodies_bytes
    bodies.held = full
    answer = await world.http.post(f"{OURS}{world.hook}", content=b"{}")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "busy", "5")
    assert bodies.held == full
    bodies.held = 0
    assert (await world.http.post(f"{OURS}{world.hook}", content=b"{}")).status_code == 202
    assert bodies.held == 0
