"""How long a connection may take, and how many there are: whoever sends drop by drop keeps nobody else waiting.

uvicorn waits for the rest of a request for ever, takes a head of any length, and loses the body of whoever offers to
speak another protocol. A proxy before us may do better, but none must be needed for that.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.domain.reasons.codes import Code
from app.settings import Settings

# What the heads of all clients of ours fit into many times; nginx takes half of it.
_LONGEST_HEAD = 65_536
# The gate tells a slow body that it is too late. This ends what does not listen.
_LINGER_SECONDS = 5.0
_ANSWER = (
    "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"
    "cache-control: no-store\r\nx-content-type-options: nosniff\r\ncontent-length: {length}\r\n\r\n{body}"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server itself answers: nobody behind it can be asked what is no request, or not yet one."""

    status: str
    code: Code
    cause: str
    fix: str

    def write(self) -> bytes:
        """The whole answer; the address of its code is as seen from the request's, for no host is known here."""
        number = int(self.status.partition(" ")[0])
        told = {"type": f"/errors/{self.code}", "title": self.code.replace("_", " "), "status": number}
        body = json.dumps({**told, "code": self.code, "cause": self.cause, "fix": self.fix})
        return _ANSWER.format(status=self.status, length=len(body), body=body).encode("ascii")


_NO_REQUEST = Refusal(
    "400 Bad Request",
    Code.BAD_REQUEST,
    "This is no HTTP request that can be read",
    "Send HTTP/1.1, as any client does.",
)
_LONG_HEAD = Refusal(
    "431 Request Header Fields Too Large",
    Code.TOO_LARGE,
    f"Address and headers are over {_LONGEST_HEAD} bytes",
    "Send fewer or shorter headers.",
)
_SLOW_HEAD = Refusal(
    "408 Request Timeout", Code.TOO_SLOW, "The request's headers did not come in time", "Send them at once."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds for a head, a body, an answer that is not taken, the next request (`kept`); connections at most."""

    head: float
    body: float
    answer: float
    connections: int
    kept: int


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to every wait for the client."""

    def __init__(self, *given: Any, patience: Patience, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience = patience
        self._waits: asyncio.TimerHandle | None = None
        self._writes: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True
        self._since = time.monotonic()
        self._given = b""
        self.url = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head, and make room for it."""
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > self._patience.connections:
            _make_room(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        self._stop_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Go on, unless the head has no end."""
        self._given = data
        super().data_received(data)
        self._head_bytes += len(data) if self._in_head else 0
        if self._in_head and self._head_bytes > _LONGEST_HEAD:
            self._refuse(_LONG_HEAD)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words tell nobody what to do
        """Tell a client that speaks no HTTP, or far too much at once, as we tell everything."""
        self._refuse(_LONG_HEAD if self._has_long_head() else _NO_REQUEST)

    def _should_upgrade(self) -> bool:
        """Whether the client offers another protocol; then uvicorn leaves the request to `handle_websocket_upgrade`."""
        return True

    def handle_websocket_upgrade(self) -> None:
        """Take the request as if nothing had been offered, as everybody may: nothing but HTTP/1.1 is spoken here.

        The parser drops the body behind such a head: a webhook of a client that offers HTTP/2 with every request, as
        Java's does where there is no TLS, would be stored empty, and answered 202.
        """
        method = self.scope["method"]
        if method == "CONNECT":
            # It is nothing but such an offer.
            self._refuse(_NO_REQUEST)
            return
        rest = self._given[_find_end_of_head(sys.exc_info()[1]) :]
        lines = [f"{method} ".encode() + self.url + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.scope["headers"] if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    def on_message_begin(self) -> None:
        """A head begins: the first one, or the next on a connection that was kept."""
        super().on_message_begin()
        self._head_bytes = 0
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is there; from now on the body is waited for."""
        self._in_head = False
        if self._has_long_head():
            # It came in one piece; who raises here ends the parser, and has the refusal sent.
            raise httptools.HttpParserError
        self._wait(self._patience.body, self._break_off)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Everything is there; our own work has its own ends."""
        self._stop_waiting()
        self._since = time.monotonic()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not take our answer."""
        super().pause_writing()
        self._writes = self.loop.call_later(self._patience.answer, self._break_off)

    def resume_writing(self) -> None:
        """It takes it again."""
        self._stop_writing()
        super().resume_writing()

    @property
    def is_answering(self) -> bool:
        """Whether a request is worked on."""
        # uvicorn says of it that it is always there.
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    @property
    def idle_since(self) -> tuple[int, float] | None:
        """By what the first one to be closed is found: those without any request; None where one is under way."""
        if self.is_answering:
            return None
        return (0 if self.timeout_keep_alive_task is not None else 1), self._since

    def _has_long_head(self) -> bool:
        # Before the first line there are none.
        given: list[tuple[bytes, bytes]] = getattr(self, "headers", None) or []
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in given) > _LONGEST_HEAD

    def _await_head(self) -> None:
        self._in_head = True
        self._wait(self._patience.head, self._end_head)

    def _end_head(self) -> None:
        if self.is_answering:
            # The next request came with the last one; nobody has looked at it yet.
            self._await_head()
        elif self._head_bytes:
            self._refuse(_SLOW_HEAD)
        else:
            self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        if not self.transport.is_closing():
            self.transport.write(refusal.write())
            self.transport.close()

    def _break_off(self) -> None:
        self.transport.abort()

    def _wait(self, seconds: float, end: Any) -> None:
        self._stop_waiting()
        self._waits = self.loop.call_later(seconds, end)

    def _stop_writing(self) -> None:
        if self._writes is not None:
            self._writes.cancel()
            self._writes = None

    def _stop_waiting(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None


def _find_end_of_head(error: BaseException | None) -> int:
    """Where in what was given the parser has stopped."""
    return int(error.args[0]) if isinstance(error, httptools.HttpParserUpgrade) else 0


def _make_room(newest: PatientProtocol) -> None:
    """Close the connection that has been without a request for longest, kept ones first; the newest where none is."""
    others = [one for one in newest.connections if isinstance(one, PatientProtocol) and one is not newest]
    idle = [(one.idle_since, one) for one in others if one.idle_since is not None and not one.transport.is_closing()]
    first = min(idle, key=lambda pair: pair[0], default=(None, newest))[1]
    first.transport.close()


def to_patience(settings: Settings) -> Patience:
    """What the settings say."""
    return Patience(
        head=settings.request_head_seconds,
        body=settings.request_body_seconds + _LINGER_SECONDS,
        answer=settings.answer_seconds,
        connections=settings.api_connections,
        kept=settings.keep_alive_seconds,
    )


def make_config(app: Any, patience: Patience, **more: Any) -> uvicorn.Config:
    """How our API is served."""
    return uvicorn.Config(
        app,
        # A class as uvicorn sees it: it is only called.
        http=partial(PatientProtocol, patience=patience),  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        access_log=False,
        # It would believe whoever calls from this machine, and any text for an address: `api.addresses` reads them.
        proxy_headers=False,
        timeout_keep_alive=patience.kept,
        **more,
    )
