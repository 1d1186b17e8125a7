"""Answers without end, or that come drop by drop, over real sockets: our client gives up in time and holds little."""

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.accounting.targets import open_target
from app.accounting.unimicro.auth import discover
from app.errors import OutcomeUnknownError, RemoteUnavailableError
from app.platform.http import httpx, new_client, read_json
from app.recman.api.client import RecmanClient
from tests.world.builders import make_project

MB = 2**20
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@asynccontextmanager
async def answering(*pieces: bytes, pause: float = 0, head: str = "") -> AsyncIterator[str]:
    """A server that answers every request with these pieces, and then hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{HEAD}{head}\r\n".encode())
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


GZIP = "Content-Encoding: gzip\r\n"
# Made by whoever sends them: it takes seconds.
TOO_MUCH: dict[str, tuple[Callable[[], Sequence[bytes]], str]] = {
    "thirty megabytes": (lambda: [b"x" * MB] * 30, ""),
    "a gzip bomb": (lambda: [gzip.compress(bytes(300 * MB), 9)], GZIP),
    "a bomb of another form": (lambda: [zlib.compress(bytes(300 * MB), 9)], "Content-Encoding: deflate\r\n"),
    "a bomb in a bomb": (lambda: [gzip.compress(gzip.compress(bytes(MB)))], "Content-Encoding: gzip, gzip\r\n"),
    "a form nobody asked for": (lambda: [b"xx"], "Content-Encoding: br\r\n"),
    "no gzip at all": (lambda: [b"{}"], GZIP),
}


@pytest.mark.parametrize(("make", "head"), TOO_MUCH.values(), ids=TOO_MUCH)
async def test_an_answer_without_end_is_given_up_and_never_held(make: Callable[[], Sequence[bytes]], head: str) -> None:
    async with answering(*make(), head=head) as url, new_client(most_bytes=2 * MB) as http:
        tracemalloc.start()
        with pytest.raises(httpx.RequestError):
            await http.get(url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 10 * MB


@pytest.mark.parametrize("head", ["", GZIP])
async def test_an_answer_within_the_bounds_comes_whole(head: str) -> None:
    body = b'{"a": ' + b"1" * 1000 + b"}"
    async with answering(gzip.compress(body) if head else body, head=head) as url, new_client() as http:
        answer = await http.get(url)
        assert answer.content == body
        assert answer.headers["content-type"] == "application/json"


async def test_drops_do_not_keep_a_call_alive() -> None:
    async with answering(*([b" "] * 200), pause=0.05) as url, new_client(seconds=0.3) as http:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            await http.get(url)
    assert time.monotonic() - started < 3


async def give_token(_refused: str | None) -> str:
    return "token"


async def read_unimicro(http: httpx.AsyncClient, url: str) -> Any:
    return await open_books(http, url).find_projects("P-1")


async def read_recman(http: httpx.AsyncClient, url: str) -> Any:
    return await RecmanClient(http, base_url=url, api_key="k").fetch_companies(["7"])


def open_books(http: httpx.AsyncClient, url: str) -> Any:
    return open_target(http, base_url=f"{url}/", company_key="k", token=give_token, on_exchange=lambda _: None)


@pytest.mark.parametrize("ask", [read_unimicro, read_recman, discover])
@pytest.mark.parametrize("name", ["thirty megabytes", "a gzip bomb"])
async def test_either_system_is_unavailable_then(ask: Callable[..., Any], name: str) -> None:
    make, head = TOO_MUCH[name]
    async with answering(*make(), head=head) as url, new_client(most_bytes=MB) as http:
        with pytest.raises(RemoteUnavailableError):
            await ask(http, url)


async def test_a_write_whose_answer_had_no_end_is_looked_for() -> None:
    async with answering(b"x" * MB, b"x" * MB) as url, new_client(most_bytes=MB) as http:
        with pytest.raises(OutcomeUnknownError):
            await open_books(http, url).create_project(make_project(), guid="g", customer_id=None)


@pytest.mark.parametrize(
    "body", [b"[" * 200 + b"]" * 200, b'{"a":' * 2000 + b"1" + b"}" * 2000, b"\xff", b"<p>", b"NaN"]
)
async def test_what_is_no_document_is_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        await read_json(httpx.Response(200, content=body))
