"""A request that is carried out again because two were in each other's way, and an answer that waits to be sent."""

import asyncio
import random
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.platform.db import is_collision
from app.platform.logger import get_logger

_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.02

_log = get_logger(__name__)


@dataclass(slots=True)
class Held:
    """An answer that is whole, and not sent yet."""

    status: int
    messages: list[Message] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """All of its body."""
        return b"".join(message.get("body", b"") for message in self.messages)

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        for message in self.messages:
            await send(message)


async def hold(app: ASGIApp, scope: Scope, message: Message, receive: Receive) -> Held:
    """What the application answers to a request whose first message was read."""
    held = Held(status=0)

    async def keep(part: Message) -> None:
        held.messages.append(part)
        held.status = part.get("status", held.status)

    await app(scope, replay(message, receive), keep)
    return held


def replay(message: Message, receive: Receive) -> Receive:
    """The messages of a request whose first one was read: that one again, then what follows."""
    waiting = [message]

    async def tell() -> Message:
        return waiting.pop() if waiting else await receive()

    return tell


class Replays:
    """The application behind it is asked again when Postgres has undone its work for the sake of another transaction.

    Two that lock the same rows in different order cannot both go on, and neither has done anything wrong.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, a few times if need be."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        message, begun = await receive(), False

        async def answer(part: Message) -> None:
            nonlocal begun
            begun = True
            await send(part)

        for number in range(1, _TRIES + 1):
            try:
                tried = dict(scope)
                await self._app(tried, replay(message, receive), answer)
            except Exception as error:
                if begun or number == _TRIES or not is_collision(error):
                    raise
                _log.warning("request_collided", exc_info=error)
                await asyncio.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS * 2**number))  # noqa: S311 - a pause
            else:
                # Which route it was is asked by those who stand before.
                scope["route"] = tried.get("route")
                return
