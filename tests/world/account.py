"""A RecMan behind our API client that answers as a test wants."""

from typing import Any

from app.domain.money import dump_json
from app.platform.http import httpx
from app.recman.api.client import RecmanClient
from app.recman.api.notes import RecmanNotes

KEY = "123456789012k0123456789abcdef0123456789abcdef01234567"


class Account:
    """A RecMan that answers as told and remembers what it was asked."""

    def __init__(self, answer: Any, *, status: int = 200) -> None:
        self._answer = answer
        self._status = status
        self.calls: list[dict[str, str]] = []
        self.notes = RecmanNotes()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = dict(request.url.params)
        assert params.pop("key") == KEY
        self.calls.append(params)
        found = self._answer(params) if callable(self._answer) else self._answer
        if isinstance(found, Exception):
            raise found
        if isinstance(found, httpx.Response):
            return found
        content = found if isinstance(found, bytes) else dump_json(found).encode()
        return httpx.Response(self._status, content=content)

    def open(self) -> RecmanClient:
        """A client that asks this RecMan, and never waits."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return RecmanClient(http, base_url="https://api.recman.test/", api_key=KEY, sleep=sleep_not, notes=self.notes)


async def sleep_not(_seconds: float) -> None:
    """Time passes at once."""
    return


def wrap(data: Any, **more: Any) -> dict[str, Any]:
    """An answer that carries records."""
    return {"success": True, "data": data, **more}


def refuse(*messages: str) -> dict[str, Any]:
    """An answer that carries refusals."""
    return {"success": False, "error": [{"code": 4, "message": message} for message in messages]}
