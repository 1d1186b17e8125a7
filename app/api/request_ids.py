"""In front of everything: each request has an id, on its log lines and in its answer, and no error leaves untold."""

import re
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.doors import tell_error
from app.platform.logger import log_fields

HEADER = "X-Request-Id"
# What a log, a header and a person can take; anything else is not echoed.
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """The application behind it logs with the request's id; an error that it does not answer itself is told here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(Headers(scope=scope).get(HEADER))
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with log_fields(request=request_id):
            try:
                await self._app(scope, receive, answer)
            except Exception as error:
                told = await tell_error(Request(scope), error)
                # Half an answer cannot be taken back: the server breaks it off.
                if begun:
                    raise
                await told(scope, receive, answer)


def choose_request_id(given: str | None) -> str:
    """The caller's id when it is one that anybody could have made, else a new one."""
    return given if given is not None and _SANE.fullmatch(given) else uuid4().hex
