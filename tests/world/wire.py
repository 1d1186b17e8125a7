"""What goes over the wire to Unimicro: every write with its body, and how it compares with what a dry run showed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from app.domain.money import parse_json
from app.platform.http import httpx
from tests.world.world import World

_PLACEHOLDER = re.compile(r"\{[a-z]+( [^}]+)?\}")


@dataclass(frozen=True, slots=True)
class Sent:
    """One write as it left."""

    method: str
    path: str
    payload: Any


@contextmanager
def watch_writes(world: World) -> Iterator[list[Sent]]:
    """Every write to Unimicro's API, in order."""
    sent: list[Sent] = []

    async def note(request: httpx.Request) -> None:
        path = request.url.raw_path.decode().lstrip("/")
        if request.method != "GET" and path.startswith("api/"):
            is_json = request.headers.get("content-type", "").startswith("application/json")
            sent.append(Sent(request.method, path, parse_json(await request.aread()) if is_json else None))

    hooks = world.resources.http.event_hooks
    world.resources.http.event_hooks = {**hooks, "request": [*hooks.get("request", []), note]}
    try:
        yield sent
    finally:
        world.resources.http.event_hooks = hooks


@dataclass(slots=True)
class Comparison:
    """Shown against sent; a placeholder stands for one and the same value wherever it is shown."""

    meant: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def compare(self, shown: Any, sent: Any, where: str) -> None:
        """Notes every difference."""
        if isinstance(shown, dict) and isinstance(sent, dict):
            for name in sorted({*shown, *sent}):
                self.compare(shown.get(name, "(not shown)"), sent.get(name, "(not sent)"), f"{where}.{name}")
        elif isinstance(shown, list) and isinstance(sent, list) and len(shown) == len(sent):
            for n, (one, other) in enumerate(zip(shown, sent, strict=True)):
                self.compare(one, other, f"{where}[{n}]")
        elif not self._is_same(shown, sent):
            self.differences.append(f"{where}: shown {shown!r}, sent {sent!r}")

    def _is_same(self, shown: Any, sent: Any) -> bool:
        if isinstance(shown, str) and _PLACEHOLDER.fullmatch(shown):
            return shown == "{guid}" or self.meant.setdefault(shown, str(sent)) == str(sent)
        return bool(_plain(shown) == _plain(sent))

    def compare_path(self, shown: str, sent: str) -> None:
        """A path, with placeholders in it."""
        names = _PLACEHOLDER.findall(shown)
        pattern = re.escape(shown)
        for found in _PLACEHOLDER.finditer(shown):
            pattern = pattern.replace(re.escape(found[0]), r"([^/?&=]+)", 1)
        matched = re.fullmatch(pattern, sent)
        if matched is None:
            self.differences.append(f"path: shown {shown}, sent {sent}")
            return
        found_names = [found[0] for found in _PLACEHOLDER.finditer(shown)]
        assert len(names) == len(found_names) == len(matched.groups())
        for name, value in zip(found_names, matched.groups(), strict=True):
            self.compare(name, value, shown)


def _plain(value: Any) -> Any:
    """Numbers as numbers: what is shown may write them as texts."""
    if value is None or isinstance(value, bool | dict | list):
        return value
    try:
        return Decimal(str(value)).normalize()
    except InvalidOperation:
        return value


def list_differences(told: dict[str, Any], sent: list[Sent]) -> list[str]:
    """In what a dry run's calls differ from the writes that left afterwards."""
    calls = [call for step in told["steps"] for call in step["calls"]]
    comparison = Comparison()
    if [call["method"] for call in calls] != [one.method for one in sent]:
        return [f"shown {[call['path'] for call in calls]}, sent {[one.path for one in sent]}"]
    for call, one in zip(calls, sent, strict=True):
        comparison.compare_path(call["path"], one.path)
        if one.payload is not None or call["payload"] is None:
            comparison.compare(call["payload"], one.payload, call["path"])
    return comparison.differences
