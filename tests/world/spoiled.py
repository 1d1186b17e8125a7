"""Answers of either system with one value put in the place of another, as a broken server would give them."""

import random
from collections.abc import Iterator
from typing import Any

import simplejson

from app.domain.money import dump_json
from app.platform.http import httpx

ODD: tuple[Any, ...] = (
    *(None, True, -1, 7, 10**30, 1.5, "", "x", "\u00e6\n", "2026-13-45", "https://[", "1e400"),
    *([], {}, [1], ["x"], {"a": 1}, [[]], [None]),
)
WHOLE = (b"", b"<html>busy</html>", b"\xff\xfe\x00", b"[" * 5000, b'{"a":' * 200 + b"1" + b"}" * 200, b"NaN", b'"x"')


class Spoiling(httpx.AsyncBaseTransport):
    """Passes calls to another client and spoils one answer, the `nth` (from 0); `spoiled` says what was done to it."""

    def __init__(self, lender: httpx.AsyncClient, *, seed: int, nth: int) -> None:
        self._lender = lender
        self._dice = random.Random(f"{seed} {nth}")
        self._left = nth
        self.spoiled = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The lender's answer, or what became of it."""
        answer = await self._lender.send(request)
        self._left -= 1
        content = answer.content
        if self._left == -1 and answer.is_success and content:
            content = self._spoil(content, f"{request.method} {request.url.path}")
        return httpx.Response(answer.status_code, headers={"content-type": "application/json"}, content=content)

    def _spoil(self, content: bytes, name: str) -> bytes:
        document = simplejson.loads(content, use_decimal=True)
        places = list(list_places(document))
        if not places or self._dice.random() < 0.1:
            whole = self._dice.choice(WHOLE)
            self.spoiled = f"{name}: {whole[:20]!r}"
            return whole
        holder, name_of = self._dice.choice(places)
        value = self._dice.choice(ODD)
        self.spoiled = f"{name}: {name_of} = {value!r}"
        holder[name_of] = value
        return dump_json(document).encode()


def list_places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document that holds a value: what holds it, and its name or number there."""
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in list(inside):
        yield document, name
        yield from list_places(value)
