"""Every route with values that nobody means: a refusal with cause and fix, never an accident of ours."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.web import render_openapi
from tests.world import World
from tests.world.routes import BODIES, ROUTES

ODD_TEXTS = ["a\0b", "\U0001f9fe" * 400, "-1", "9" * 30, "%00", "' OR 1=1 --", ""]
ODD_VALUES = ["a\0b", "x" * 100_000, 10**30, -(10**30), 1.5e300, True, [], {}, [[]], {"\0": "\0"}]
_DESCRIBED = json.loads(render_openapi())["paths"]
_ERROR = 500


def list_parameters(method: str, path: str) -> tuple[list[str], list[str]]:
    """The names of a route's path and query parameters."""
    parameters = _DESCRIBED[path][method.lower()].get("parameters", [])
    inside, behind = ([one["name"] for one in parameters if one["in"] == place] for place in ("path", "query"))
    return inside, behind


def vary(body: Any) -> Iterator[Any]:
    """The body with one of its values, or itself, replaced by an odd one."""
    yield from ODD_VALUES
    if isinstance(body, dict):
        for name, value in body.items():
            for odd in vary(value):
                changed = copy.copy(body)
                changed[name] = odd
                yield changed


async def list_faults(world: World, method: str, path: str, query: dict[str, str], body: Any) -> list[Any]:
    """What is wrong with the answer to such a call: an accident of ours, or a refusal that lacks cause or fix."""
    url = path + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")
    answer = await world.call(method, url, body)
    is_accident = answer.status_code >= _ERROR and answer.json()["code"] in {"internal", "unexpected"}
    is_mute = answer.is_client_error and not set(answer.json()) >= {"code", "cause", "fix"}
    return [(method, url, body, answer.text)] if is_accident or is_mute else []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_value_is_an_accident(world: World, method: str, path: str) -> None:
    inside, behind = list_parameters(method, path)
    body = BODIES.get((method, path))
    tenant = {"tenant": str(world.tenant_id)}
    fine = dict.fromkeys(inside, "1")
    for odd in map(encode, ODD_TEXTS):
        for name in inside:
            assert await list_faults(world, method, path.format(**{**fine, name: odd}), tenant, body) == []
        for name in behind:
            assert await list_faults(world, method, path.format(**fine), {**tenant, name: odd}, body) == []
    for changed in vary(body) if method not in {"GET", "DELETE"} else ():
        assert await list_faults(world, method, path.format(**fine), tenant, changed) == []


def encode(text: str) -> str:
    """The text as it stands in an address."""
    return "".join(f"%{byte:02X}" for byte in text.encode())
