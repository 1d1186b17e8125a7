"""The one door to the network: the HTTP library, Authlib's client on top of it, and our client with its limits.

Nobody else in `app/` imports httpx or Authlib (the sandbox aside). Authlib binds to `httpx2` when that is installed and
to `httpx` otherwise; with two libraries in one process its errors would slip past `except httpx.RequestError`. So this
module takes the one that Authlib took, and a unit test holds it to that.
"""

import asyncio
import importlib
import ssl
import warnings
import zlib
from collections.abc import AsyncIterator
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

# Imported before the filter below: this module puts an "always" filter of its own in front of all others.
from authlib.deprecate import AuthlibDeprecationWarning

with warnings.catch_warnings():
    # Authlib ≥ 1.9 asks for httpx2. FastAPI's test tools and our stand-ins speak httpx; goes when they have moved.
    warnings.filterwarnings("ignore", message="The httpx module is deprecated", category=AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from app.domain.money import parse_json
from app.platform.aside import run_aside

if TYPE_CHECKING:
    import httpx
else:
    httpx = importlib.import_module("httpx2" if find_spec("httpx2") else "httpx")

__all__ = [
    "AsyncOAuth2Client",
    "ClientTransport",
    "OAuthError",
    "PrivateKeyJWT",
    "httpx",
    "is_header_text",
    "new_client",
    "read_json",
]

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
# One worker has 8 lanes, and a lane speaks to one system at a time.
_MAX_CONNECTIONS = 50
# The largest answer that is ever meant: a page of some hundred records with all their lines has a tenth of it.
ANSWER_BYTES = 16_777_216
ANSWER_SECONDS = 90.0
# Tokens are small.
_TOKEN_BYTES = 262_144
_PLAIN = frozenset({"", "identity"})
# What the compressed form of an answer is opened with; a server that compresses in another way was not asked to.
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
# A length or an encoding describes the bytes on the wire; what is lent on has been decoded.
_WIRE_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class AnswerTooLargeError(httpx.ReadError):
    """The answer is larger than any that is meant; no more of it than the cap was held."""


class AnswerTooSlowError(httpx.ReadTimeout):
    """The answer did not come to its end in the time that a whole one has."""


class BoundedClient(httpx.AsyncClient):
    """A client whose answers are read to their end, within so many bytes (opened) and seconds (all together).

    A timeout of the library's is one between two pieces: with a byte a minute an answer would take a year.
    """

    def __init__(self, *, most_bytes: int, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._most_bytes = most_bytes
        self._seconds = seconds

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """The whole answer, opened.

        Raises:
            AnswerTooLargeError, AnswerTooSlowError: it is over a bound, and the connection was given up.
            httpx.HTTPError: as the library raises it.
        """
        if stream:
            raise ValueError("answers are read whole, within their bounds")
        try:
            async with asyncio.timeout(self._seconds):
                answer = await super().send(request, stream=True, **options)
                try:
                    content = await self._read(answer)
                finally:
                    await answer.aclose()
        except TimeoutError:
            raise AnswerTooSlowError(f"no whole answer in {self._seconds:g} s", request=request) from None
        headers = [(name, value) for name, value in answer.headers.multi_items() if name not in _WIRE_HEADERS]
        return httpx.Response(answer.status_code, headers=headers, content=content, request=answer.request)

    async def _read(self, answer: httpx.Response) -> bytes:
        body = bytearray(answer.content) if answer.is_stream_consumed else bytearray()
        if not answer.is_stream_consumed:
            async for piece in _open(answer, most=self._most_bytes):
                body += piece
                if len(body) > self._most_bytes:
                    break
        if len(body) > self._most_bytes:
            raise AnswerTooLargeError(f"the answer is over {self._most_bytes} bytes", request=answer.request)
        return bytes(body)


async def _open(answer: httpx.Response, *, most: int) -> AsyncIterator[bytes]:
    """The pieces of an answer as they come, opened where they are compressed, never much more than `most` at once.

    The library opens a whole piece at a time, and 64 kB of zeros in gzip are 64 MB.
    """
    encoding = answer.headers.get("content-encoding", "").strip().lower()
    if encoding in _PLAIN:
        async for piece in answer.aiter_raw():
            yield piece
        return
    if encoding not in _WINDOWS:
        raise httpx.DecodingError(f"the answer is compressed as {encoding[:40]}", request=answer.request)
    opener = zlib.decompressobj(_WINDOWS[encoding])
    try:
        async for piece in answer.aiter_raw():
            yield opener.decompress(piece, most + 1)
            if opener.unconsumed_tail:
                raise AnswerTooLargeError(f"the answer is over {most} bytes", request=answer.request)
    except zlib.error as error:
        raise httpx.DecodingError(str(error), request=answer.request) from error


@cache
def _trust() -> ssl.SSLContext:
    # Reading all certificates takes longer than anything else that a client needs.
    return httpx.create_ssl_context()


def new_client(
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    most_bytes: int = ANSWER_BYTES,
    seconds: float = ANSWER_SECONDS,
) -> httpx.AsyncClient:
    """A client with our limits and timeouts that follows no redirect: an API that redirects is misconfigured.

    Units: 5 s to connect and to get a connection from the pool, 30 s between two pieces of an answer, `seconds` for
    all of it; `most_bytes` when it is opened.
    """
    return BoundedClient(
        most_bytes=most_bytes,
        seconds=seconds,
        transport=transport,
        timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=_MAX_CONNECTIONS, max_keepalive_connections=_MAX_CONNECTIONS),
        follow_redirects=False,
        verify=_trust(),
        headers={
            "User-Agent": f"recman-unimicro/{version('recman-unimicro')}",
            "Accept-Encoding": "gzip, deflate",
        },
    )


async def read_json(answer: httpx.Response) -> Any:
    """What an answer's body says, numbers with a fraction as Decimal; a large one is read in a thread.

    Raises:
        ValueError: it is not JSON, or is nested too deep to be meant.
    """
    return await run_aside(partial(parse_json, answer.content), size=len(answer.content))


def is_header_text(text: str) -> bool:
    """Whether a text can be sent in a header."""
    return text.isascii() and text.isprintable()


class ClientTransport(httpx.AsyncBaseTransport):
    """Lets another client speak through ours: its pool and limits, and in tests its stand-ins.

    Authlib's client *is* an HTTP client and cannot be handed one.
    """

    def __init__(self, lender: httpx.AsyncClient) -> None:
        self._lender = lender

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The lender's answer, read to its end; it is small, or none."""
        answer = await self._lender.send(request, follow_redirects=False)
        if len(answer.content) > _TOKEN_BYTES:
            raise AnswerTooLargeError(f"the answer is over {_TOKEN_BYTES} bytes", request=request)
        headers = [(name, value) for name, value in answer.headers.multi_items() if name not in _WIRE_HEADERS]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)
