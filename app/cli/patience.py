"""How long a connection may take, and how many there are: whoever sends drop by drop keeps nobody else waiting.

uvicorn waits for the rest of a request for ever, and takes a head of any length. A proxy before us may do better, but
none must be needed for that.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.settings import Settings

# What the heads of all clients of ours fit into many times; nginx takes half of it.
_LONGEST_HEAD = 65_536
# The gate tells a slow body that it is too late. This ends what does not listen.
_LINGER_SECONDS = 5.0
_TEXT = "content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"


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
        super().data_received(data)
        self._head_bytes += len(data) if self._in_head else 0
        if self._in_head and self._head_bytes > _LONGEST_HEAD:
            self._refuse("431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """A head begins: the first one, or the next on a connection that was kept."""
        super().on_message_begin()
        self._head_bytes = 0
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is there; from now on the body is waited for."""
        self._in_head = False
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

    def _await_head(self) -> None:
        self._in_head = True
        self._wait(self._patience.head, self._end_head)

    def _end_head(self) -> None:
        if self.is_answering:
            # The next request came with the last one; nobody has looked at it yet.
            self._await_head()
        elif self._head_bytes:
            self._refuse("408 Request Timeout")
        else:
            self.transport.close()

    def _refuse(self, status: str) -> None:
        if not self.transport.is_closing():
            self.transport.write(f"HTTP/1.1 {status}\r\n{_TEXT}content-length: {len(status)}\r\n\r\n{status}".encode())
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
