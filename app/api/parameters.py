"""What an operation does not know, or is told twice, is refused: else it would be heard by nobody, and seem to be."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Path, Query
from fastapi.routing import APIRoute

from app.errors import RequestError
from app.platform.aside import run_aside

# Elsewhere others write the address: RecMan, or Unimicro's way back.
_OURS = "/v1/"
# So much of what somebody sent is told back.
_LONGEST, _MOST = 60, 5
# What libraries send where there is nothing to say.
_NOTHING = (b"", b"{}", b"null")
# In an address all is text, and the framework takes much for a number or a truth: " 5", "5.0", "1_000", "on". What it
# takes for none it refuses itself, with everything else that is wrong.
_TAKEN = {
    int: (re.compile(r"\s*[+-]?[\d_]+(\.0*)?\s*"), re.compile(r"0|-?[1-9][0-9]*"), "a whole number, in digits"),
    bool: (re.compile(r"on|off|[tfyn01]|yes|no|true|false", re.IGNORECASE), re.compile("true|false"), "true or false"),
}


async def require_known_parameters(request: Request) -> None:
    """Let a request through whose query the route knows, and says each thing once, and as it is written.

    Raises:
        RequestError: it names a parameter that the route does not have, or one twice, or spells a number otherwise.
    """
    route = request.scope["route"]
    if not request.scope["path"].startswith(_OURS) or not isinstance(route, APIRoute):
        return
    known = _list_known(route)
    given = Counter(name for name, _ in request.query_params.multi_items())
    unknown = sorted(given.keys() - known)
    if unknown:
        fix = f"Leave it out. There are: {', '.join(sorted(known))}." if known else "Leave it out: there are none."
        raise RequestError(f"There is no query parameter {_name(unknown)} here", fix=fix)
    twice = [name for name, count in given.items() if count > 1]
    if twice:
        raise RequestError(f"The query says {_name(twice)} more than once", fix="Say it once.")
    _verify_spelling(route, {**request.query_params, **request.path_params})


def _verify_spelling(route: APIRoute, given: dict[str, Any]) -> None:
    for one in get_flat_params(route.dependant):
        said = str(given.get(one.alias, "")) if isinstance(one.field_info, Query | Path) else ""
        for kind in set(_list_kinds(one.field_info.annotation)) & _TAKEN.keys():
            taken, written, name = _TAKEN[kind]
            if taken.fullmatch(said) and not written.fullmatch(said):
                cause = f"The request cannot be used: {one.alias}: {said[:_LONGEST]!r} is not {name}"
                raise RequestError(cause, fix="Correct the named fields.")


def _list_kinds(annotation: Any) -> Iterator[Any]:
    parts = get_args(annotation)
    if not parts:
        yield annotation
    for part in parts[:1] if get_origin(annotation) is Annotated else parts:
        yield from _list_kinds(part)


def _list_known(route: APIRoute) -> set[str]:
    return {one.alias for one in get_flat_params(route.dependant) if isinstance(one.field_info, Query)}


def _name(names: list[str]) -> str:
    return ", ".join(repr(one[:_LONGEST]) for one in names[:_MOST])


async def require_plain_body(request: Request) -> None:
    """Let a request through that has a body only where the route takes one, and says each thing in it once.

    Raises:
        RequestError: a route without a body is sent one, or a name stands twice in what is JSON.
    """
    route = request.scope["route"]
    if not request.scope["path"].startswith(_OURS) or not isinstance(route, APIRoute):
        return
    body = await request.body()
    if route.body_field is not None:
        # What is no JSON is refused by the framework, before or behind us.
        await run_aside(partial(_verify_names, body), size=len(body))
    elif "requestBody" not in (route.openapi_extra or {}) and body.strip() not in _NOTHING:
        fix = "Leave it out: what it says would be heard by nobody."
        raise RequestError("This operation takes no body, and was sent one", fix=fix)


def _verify_names(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_verify_pairs)
    except (ValueError, RecursionError):
        return


def _verify_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
        raise RequestError(f"The body says {_name(twice)} more than once", fix="Leave one of them out.")
    return found
