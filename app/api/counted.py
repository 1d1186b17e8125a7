"""Around everything: each request and its answer is counted, and the time between the two measured."""

import time
from functools import lru_cache

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.platform.figures import ANSWERS, REQUEST_SECONDS, REQUESTS

# By the beginning of an address, the busiest first; none holds an id.
_DOORS = (("/webhooks/", "webhook"), ("/v1/", "api"), ("/health", "health"), ("/metrics", "metrics"))
_OTHER = "other"
# A caller that hung up, or half an answer: nginx' own number for it.
_UNANSWERED = 499
# Looked up once: finding a series costs more than counting in it.
_RECEIVED = {door: REQUESTS.labels(door) for door in (*(door for _, door in _DOORS), _OTHER)}
_SECONDS = {door: REQUEST_SECONDS.labels(door) for door in _RECEIVED}


class Counted:
    """The application behind it is counted by door and status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        door, started, status = _name_door(scope["path"]), time.perf_counter(), _UNANSWERED

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        _RECEIVED[door].inc()
        try:
            await self._app(scope, receive, answer)
        finally:
            _find_answers(door, status).inc()
            _SECONDS[door].observe(time.perf_counter() - started)


@lru_cache(maxsize=256)
def _find_answers(door: str, status: int) -> Counter:
    return ANSWERS.labels(door, str(status))


def _name_door(path: str) -> str:
    return next((door for beginning, door in _DOORS if path.startswith(beginning)), _OTHER)
