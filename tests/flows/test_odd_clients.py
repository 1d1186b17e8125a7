"""Clients that offer another protocol, or speak none that we know: nothing of theirs is lost, and all are answered."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.cli.patience import Patience, make_config
from app.domain.reasons.codes import Code

QUICK = Patience(head=5, body=5, answer=5, connections=40, kept=30)
OFFERS = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    "connection: keep-alive, upgrade\r\nupgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
]
BODY = b'{"event": "invoice.updated", "id": 5001}'


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers what came."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    told = scope["method"].encode() + b" " + scope["path"].encode() + b" " + body
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


class Talk:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, *pieces: bytes) -> None:
        """Send each on its own."""
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            await asyncio.sleep(0.05)

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 10)
        first, *lines = head.decode().strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(first.split()[1]), headers, await self._reader.readexactly(int(headers["content-length"]))


@asynccontextmanager
async def talking() -> AsyncIterator[Talk]:
    config = make_config(echo, QUICK, lifespan="off", port=0, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
    try:
        yield Talk(reader, writer)
    finally:
        writer.close()
        server.should_exit = True
        await task


def ask(more: str = "", *, body: bytes = b"", method: str = "POST", path: str = "/hook") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: ours\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("offer", OFFERS)
async def test_the_body_of_a_client_that_offers_another_protocol_is_read(offer: str) -> None:
    whole, head = ask(offer, body=BODY), len(ask(offer, body=BODY)) - len(BODY)
    async with talking() as talk:
        # At once, in pieces, and on a connection that was kept.
        for pieces in ([whole], [whole[:head], whole[head:]], [whole[:9], whole[9 : head + 3], whole[head + 3 :]]):
            await talk.say(*pieces)
            assert (await talk.hear())[::2] == (200, b"POST /hook " + BODY)
        await talk.say(ask(method="GET", path="/next"))
        assert (await talk.hear())[2] == b"GET /next "


@pytest.mark.parametrize("offer", OFFERS)
async def test_what_comes_in_parts_or_behind_such_an_offer_is_read_too(offer: str) -> None:
    parts = f"POST /hook HTTP/1.1\r\nHost: ours\r\n{offer}Transfer-Encoding: chunked\r\n\r\n".encode()
    async with talking() as talk:
        await talk.say(parts + b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
        assert (await talk.hear())[2] == b"POST /hook abcde"
        await talk.say(ask(offer, method="GET") + ask(offer, body=BODY))
        assert (await talk.hear())[2] == b"GET /hook "
        assert (await talk.hear())[2] == b"POST /hook " + BODY


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), 400, Code.BAD_REQUEST),
        (b"hello\r\n\r\n", 400, Code.BAD_REQUEST),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, Code.BAD_REQUEST),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400, Code.BAD_REQUEST),
        (b"CONNECT evil:80 HTTP/1.1\r\nHost: evil\r\n\r\n", 400, Code.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431, Code.TOO_LARGE),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, 431, Code.TOO_LARGE),
    ],
)
async def test_what_is_no_request_is_refused_with_cause_and_fix(said: bytes, status: int, code: Code) -> None:
    async with talking() as talk:
        await talk.say(said)
        found, headers, body = await talk.hear()
    problem: dict[str, Any] = json.loads(body)
    assert (found, problem["status"], problem["code"], problem["type"]) == (status, status, code, f"/errors/{code}")
    assert problem["cause"]
    assert problem["fix"]
    assert headers["content-type"] == "application/problem+json"
    assert (headers["connection"], headers["cache-control"]) == ("close", "no-store")
    assert headers["x-content-type-options"] == "nosniff"
