"""In front of every route: who calls is known before a byte of the body is read, and no body is larger than its cap.

The framework reads and parses a body before any dependency of a route may refuse it, so it is done here for all.
"""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.doors import verify_caller
from app.errors import TooLargeError

# What needs a token, whatever is there.
_GUARDED = ("/v1/", "/metrics")
_WEBHOOKS = "/webhooks/"
_RULES = "/v1/rules"
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
_LIST_FILE = Cap(8_388_608, "Leave out of the list what is not needed.")
_ELSEWHERE = Cap(65_536, "Compare method and address with /docs.")


class Gate:
    """The application behind it gets a caller in `request.state` where one is needed, and a body within its cap."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through.

        Raises:
            SignatureError, TooManyTriesError, TooLargeError, DatabaseAwayError: it is not; told by `RequestIds`.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if scope["path"].startswith(_GUARDED):
            request.state.caller = await verify_caller(request)
        replay = await _read(Headers(scope=scope), receive, _choose_cap(request))
        if replay is not None:
            await self._app(scope, replay, send)


def _choose_cap(request: Request) -> Cap:
    path: str = request.scope["path"]
    if path.startswith(_WEBHOOKS):
        return Cap(request.app.state.resources.settings.max_body_bytes, "Send fewer records in one delivery.")
    if path == _RULES:
        return _RULES_FILE
    if _LISTS.fullmatch(path):
        return _LIST_FILE
    return _ORDERS if path.startswith(_GUARDED) else _ELSEWHERE


async def _read(headers: Headers, receive: Receive, cap: Cap) -> Receive | None:
    """The body, read; handed out as one message. None when who sent it hung up meanwhile: nobody waits for an answer.

    Raises:
        TooLargeError: it is over the cap; nothing was read when its length says so, else no more than the cap.
    """
    declared = headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > _LONGEST_LENGTH or int(declared) > cap.most):
        raise cap.error()
    if not declared and "transfer-encoding" not in headers:
        return receive
    body = bytearray()
    message: Message = {"type": "http.request", "more_body": True}
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > cap.most:
            raise cap.error()
    waiting = [{**message, "body": bytes(body)}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
