"""Clients that send drop by drop, without end, or take no answer: the server ends it, and others are served."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.cli.patience import Patience, make_config
from app.settings import Settings

QUICK = Patience(head=0.4, body=0.4, answer=0.5, connections=40, kept=30)
GET = b"GET / HTTP/1.1\r\nHost: ours\r\n\r\n"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body and answers, with eight megabytes where the path asks for much."""
    while (await receive()).get("more_body"):
        pass
    body = bytes(2**23) if scope["path"] == "/much" else b"here"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(patience: Patience = QUICK) -> AsyncIterator["Crowd"]:
    """Clients of our server before a small application."""
    config = make_config(answer, patience, lifespan="off", port=0, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    crowd = Crowd(server.servers[0].sockets[0].getsockname()[1])
    try:
        yield crowd
    finally:
        crowd.leave()
        server.should_exit = True
        await task


class Crowd:
    """The clients of a test."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._clients: list[Client] = []

    def new(self) -> "Client":
        """Another one."""
        self._clients.append(Client(self._port))
        return self._clients[-1]

    def leave(self) -> None:
        """Hang up."""
        for client in self._clients:
            client.writer.close()


class Client:
    """A bare connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def send(self, data: bytes) -> None:
        """Open the connection where it is not, and write."""
        if not hasattr(self, "reader"):
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> bytes:
        """The head of the next answer; nothing when the connection was closed."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
            await self.reader.readexactly(4)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            return getattr(error, "partial", b"")
        return head

    async def ask(self) -> bytes:
        """The status line of a plain request."""
        await self.send(GET)
        return (await self.hear()).partition(b"\r\n")[0]


OK = b"HTTP/1.1 200 OK"


async def drip(client: Client, begin: bytes, drop: bytes) -> float:
    """Send drop by drop until the server has enough; the seconds that it took."""
    started = time.monotonic()
    await client.send(begin)
    while time.monotonic() - started < 8:
        try:
            await client.send(drop)
        except ConnectionError:
            break
        try:
            if not await asyncio.wait_for(client.reader.read(1000), 0.05):
                break
        except TimeoutError:
            continue
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\nX: ", b"x"),
        (b"G", b""),
        (b"POST / HTTP/1.1\r\nHost: ours\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"POST / HTTP/1.1\r\nHost: ours\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
async def test_a_request_that_does_not_come_is_not_waited_for(begin: bytes, drop: bytes) -> None:
    async with served() as crowd:
        assert await drip(crowd.new(), begin, drop) < 4
        assert await crowd.new().ask() == OK


async def test_a_head_without_end_is_refused_and_not_kept() -> None:
    async with served(replace(QUICK, head=20)) as crowd:
        client = crowd.new()
        await client.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert (await client.hear()).startswith(b"HTTP/1.1 431")


async def test_who_takes_no_answer_is_left() -> None:
    async with served() as crowd:
        client = crowd.new()
        await client.send(b"GET /much HTTP/1.1\r\nHost: ours\r\n\r\n")
        await asyncio.sleep(1.5)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reader.readexactly(2**23)


async def test_a_kept_connection_lives_longer_than_heads_are_waited_for() -> None:
    async with served() as crowd:
        client = crowd.new()
        for _ in range(3):
            assert await client.ask() == OK
            await asyncio.sleep(0.6)


async def test_the_next_request_on_a_kept_connection_must_come_in_time_too() -> None:
    async with served() as crowd:
        client = crowd.new()
        assert await client.ask() == OK
        assert await drip(client, b"GET / HTTP/1.1\r\nX: ", b"x") < 4


async def test_more_connections_than_there_may_be_close_the_idle_ones_and_new_ones_are_served() -> None:
    async with served(replace(QUICK, head=20)) as crowd:
        slow = [crowd.new() for _ in range(60)]
        for client in slow:
            await client.send(b"GET / HTTP/1.1\r\n")
        fresh = [crowd.new() for _ in range(20)]
        assert {await client.ask() for client in fresh} == {OK}


async def test_requests_in_a_row_are_answered_in_a_row() -> None:
    async with served() as crowd:
        client = crowd.new()
        await client.send(GET * 3)
        assert [(await client.hear()).partition(b"\r\n")[0] for _ in range(3)] == [OK] * 3


def test_connections_are_kept_longer_than_those_who_send_keep_theirs() -> None:
    # Go's client keeps one for 90 s, load balancers for up to 600.
    assert Settings.model_fields["keep_alive_seconds"].default > 600
