"""Canaries: every secret of a test world has this word in it, and nothing that anybody reads may ever hold it.

What we make ourselves (tokens, hook addresses and secrets, states) cannot hold the word: it is heard in the one answer
that shows it, and must turn up nowhere else.
"""

import logging
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.platform.http import httpx
from app.platform.logger import configure_logging

# Answers of our API, and what one of them alone may show.
Told = tuple[tuple[str, ...], tuple[str, ...]]
WORD = "canary"
_MADE = 201

_ROWS = """
    SELECT 'attempt', to_jsonb(attempt)::text FROM attempt UNION ALL
    SELECT 'transfer', to_jsonb(transfer)::text FROM transfer UNION ALL
    SELECT 'event', (to_jsonb(event) - 'body')::text || coalesce(encode(body, 'escape'), '') FROM event UNION ALL
    SELECT 'audit', to_jsonb(audit)::text FROM audit UNION ALL
    SELECT 'key', to_jsonb(key)::text FROM key UNION ALL
    SELECT 'hook', to_jsonb(hook)::text FROM hook UNION ALL
    SELECT 'admin_token', to_jsonb(admin_token)::text FROM admin_token UNION ALL
    SELECT 'sign_in', to_jsonb(sign_in)::text FROM sign_in UNION ALL
    SELECT 'customer_check', to_jsonb(customer_check)::text FROM customer_check UNION ALL
    SELECT 'tenant', to_jsonb(tenant)::text FROM tenant
"""


class LogKeeper(logging.Handler):
    """Keeps every log line of the run, as it would be printed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(self.format(record))


class Canaries:
    """What a world let out: log lines, answers of our API; asked at its end whether a secret is among it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._keeper = LogKeeper()
        self._answers: list[str] = []
        self._shown_once: list[str] = []

    @property
    def told(self) -> Told:
        """The answers so far, and what one of them alone may show."""
        return tuple(self._answers), tuple(self._shown_once)

    def start(self, told: Told = ((), ())) -> None:
        """Listen to everything from here on; `told` is what was heard where this world was furnished."""
        self._answers, self._shown_once = list(told[0]), list(told[1])
        configure_logging(style="json", level="DEBUG")
        root = logging.getLogger()
        self._keeper.setFormatter(root.handlers[0].formatter)
        root.handlers = [self._keeper]

    async def hear(self, response: httpx.Response) -> None:
        """Keep an answer of ours, headers and all."""
        if response.request.url.host == "ours.test":
            await response.aread()
            self._answers.append(f"{response.request.method} {response.headers} {response.text}")
            if response.status_code == _MADE:
                self._shown_once += _list_shown(response.json())

    async def find(self, *secrets: str) -> list[str]:
        """Every place that holds the word or one of these secrets; empty is good."""
        logging.getLogger().handlers = []
        kept = [f"log: {line}" for line in self._keeper.lines] + [f"answer: {answer}" for answer in self._answers]
        async with self._engine.connect() as connection:
            rows: Any = await connection.execute(text(_ROWS))
            kept += [f"row: {table} {row}" for table, row in rows]
        found = [place for place in kept if any(secret in place for secret in (WORD, *secrets))]
        for secret in self._shown_once:
            places = [place for place in kept if secret in place]
            found += [f"again: {place}" for place in places[1:]] or [place for place in places if "answer" not in place]
        return found


def _list_shown(made: dict[str, Any]) -> list[str]:
    """What a 201 shows this once, its telling part."""
    ticket = (made.get("authorize_url") or "").rpartition("/")[2]
    address = (made.get("address") or "").rpartition("/")[2]
    return [*filter(None, (made.get("token"), made.get("secret"), address, ticket))]
