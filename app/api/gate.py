"""In front of every route: who calls is known before a byte of the body is read, and no body is larger than its cap.

The framework reads and parses a body before any dependency of a route may refuse it, so it is done here for all.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.doors import verify_caller
from app.errors import BusyError, RequestError, TooLargeError, TooSlowError

# What needs a token, whatever is there.
GUARDED = ("/v1/", "/metrics")
_WEBHOOKS = "/webhooks/"
_RULES = "/v1/rules"
_EXPORTS = "/v1/exports/"
_LISTS = re.compile(r"/v1/keys/[^/]+/lists/[^/]+")
# More digits say nothing but "too large".
_LONGEST_LENGTH = 18


@dataclass(frozen=True, slots=True)
class Cap:
    """The largest body that an address takes, and what to do about a larger one."""

    most: int
    fix: str

    def error(self) -> TooLargeError:
        """The refusal of a larger body."""
        return TooLargeError(f"The body is over {self.most} bytes", fix=self.fix)


_ORDERS = Cap(262_144, "Send it in several smaller calls.")
_RULES_FILE = Cap(2_097_152, "Send fewer rules.")
# A reason for each of 10,000 documents.
_CONFIRMED = Cap(2_097_152, "Say it of fewer documents at a time.")
_LIST_FILE = Cap(8_388_608, "Leave out of the list what is not needed.")
_ELSEWHERE = Cap(65_536, "Compare method and address with /docs.")


@dataclass(slots=True)
class Bodies:
    """How many bytes of bodies this process holds now."""

    held: int = 0


@dataclass(slots=True)
class Held:
    """What one request holds of them, until it is answered; `seconds` are for its coming."""

    bodies: Bodies
    most: int
    seconds: float
    own: int = 0

    def add(self, size: int) -> None:
        """Hold more.

        Raises:
            BusyError: others hold so much that there is no place.
        """
        if size and self.bodies.held + size > self.most:
            fix = "Send it again in a moment; if it stays, raise RMU_BODIES_BYTES or run more processes."
            raise BusyError("Too many large requests are under way", fix=fix)
        self.bodies.held += size
        self.own += size


@contextmanager
def _holding(request: Request) -> Iterator[Held]:
    resources = request.app.state.resources
    settings = resources.settings
    held = Held(resources.kept(Bodies), most=settings.bodies_bytes, seconds=settings.request_body_seconds)
    try:
        yield held
    finally:
        held.bodies.held -= held.own


class Gate:
    """The application behind it gets a caller in `request.state` where one is needed, and a body within its cap."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through.

        Raises:
            TokenError, TooManyTriesError, RequestError, TooLargeError, TooSlowError, BusyError,
                DatabaseAwayError: it is not; told by `RequestIds`.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if b"%00" in scope["query_string"] or "\0" in scope["path"]:
            raise RequestError("The address holds a NUL (%00), which nothing can be called", fix="Leave it out.")
        request = Request(scope)
        if scope["path"].startswith(GUARDED):
            request.state.caller = await verify_caller(request)
        with _holding(request) as held:
            replay = await _read(Headers(scope=scope), receive, _choose_cap(request), held)
            if replay is not None:
                await self._app(scope, replay, send)


def _choose_cap(request: Request) -> Cap:
    path: str = request.scope["path"]
    if path.startswith(_WEBHOOKS):
        return Cap(request.app.state.resources.settings.max_body_bytes, "Send fewer records in one delivery.")
    if path == _RULES:
        return _RULES_FILE
    if path.startswith(_EXPORTS) and path.endswith("/confirm"):
        return _CONFIRMED
    if _LISTS.fullmatch(path):
        return _LIST_FILE
    return _ORDERS if path.startswith(GUARDED) else _ELSEWHERE


async def _read(headers: Headers, receive: Receive, cap: Cap, held: Held) -> Receive | None:
    """The body, read; handed out as one message. None when who sent it hung up meanwhile: nobody waits for an answer.

    Raises:
        TooLargeError: it is over the cap; nothing was read when its length says so, else no more than the cap.
        TooSlowError: it has not come to its end within so many seconds.
        BusyError: the process holds as much as it can.
    """
    declared = headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > _LONGEST_LENGTH or int(declared) > cap.most):
        raise cap.error()
    if not declared and "transfer-encoding" not in headers:
        return receive
    try:
        async with asyncio.timeout(held.seconds):
            body = await _collect(receive, cap, held)
    except TimeoutError:
        fix = f"Send all of it within {held.seconds:g} seconds."
        raise TooSlowError("The body did not come to its end in time", fix=fix) from None
    if body is None:
        return None
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _collect(receive: Receive, cap: Cap, held: Held) -> bytes | None:
    body = bytearray()
    message: Message = {"type": "http.request", "more_body": True}
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        held.add(len(piece))
        body += piece
        if len(body) > cap.most:
            raise cap.error()
    return bytes(body)
