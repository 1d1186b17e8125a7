"""HEAD wherever GET is answered, and every method of an address, no more and no fewer, in `Allow`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import MethodError

# What is looked at once here is used up: who only looks (a preview of a link) must not.
_USED_UP = "/oauth/"
_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class HeadAsGet:
    """The application behind it sees a GET where somebody asked for the head alone, who then gets no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(_USED_UP):
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            body = {"body": b""} if message["type"] == "http.response.body" else {}
            await send({**message, **body})

        # A copy: the server goes by its own scope when it decides what to send.
        tried = {**scope, "method": "GET", "is_head": True}
        await self._app(tried, receive, send_head)
        # Which route it was is asked by those who stand before.
        scope["route"] = tried.get("route")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Which methods each address of the application takes.

    The framework names those of the first route that has the address, and takes a word in an address, as in
    /v1/keys/removed, for an id where another route of another method has one in its place.
    """

    literal: dict[str, frozenset[str]]
    patterns: tuple[tuple[re.Pattern[str], frozenset[str]], ...]

    @classmethod
    def of_routes(cls, routes: Iterable[BaseRoute]) -> "Addresses":
        """The addresses of these routes."""
        literal: dict[str, frozenset[str]] = {}
        patterns = []
        for route in routes:
            if not isinstance(route, Route):
                continue
            methods = frozenset(route.methods or ())
            if "{" in route.path:
                patterns.append((route.path_regex, methods))
            else:
                literal[route.path] = literal.get(route.path, frozenset()) | methods
        return cls(literal, tuple(patterns))

    def list_methods(self, path: str) -> list[str]:
        """The methods that the address takes, in one order."""
        methods = self.literal.get(path)
        if methods is None:
            methods = frozenset().union(*(known for pattern, known in self.patterns if pattern.fullmatch(path)))
        has_head = "GET" in methods and not path.startswith(_USED_UP)
        found = methods | ({"HEAD"} if has_head else set())
        return [method for method in _ORDER if method in found]


async def require_own_method(request: Request) -> None:
    """Let a request through whose address takes its method, also where a word stands in the place of an id.

    Raises:
        MethodError: it does not.
    """
    if request.method not in list_methods(request):
        raise MethodError("This address takes another method", fix="Compare method and address with /docs.")


def list_methods(request: Request) -> list[str]:
    """The methods that the request's address takes."""
    addresses: Addresses = request.app.state.addresses
    # As it came: an address that is made anew of it has lost its line breaks.
    return addresses.list_methods(request.scope["path"])
