"""A POST that changes something is carried out once for each `Idempotency-Key`: its repeats are answered as it was."""

import hashlib
import json
import re
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.admin.kept_answers import Kept, Place, end_request, record_answer, record_request
from app.api.doors import tell_error
from app.api.replays import Held, hold
from app.errors import RequestError, ServiceError
from app.platform.db import Session
from app.platform.logger import get_logger
from app.platform.resources import Resources
from app.tables import OPERATORS

HEADER = "Idempotency-Key"
_SANE = re.compile(r"[\x21-\x7e]{1,255}")
_PREFIX = "/v1/"
_DONE = (200, 201, 202)
# What only looks may be asked as often as anybody likes: it is looked anew, and no answer full of persons is kept.
LOOKS = frozenset(
    {
        "/v1/departments/refresh",
        "/v1/exports/{export_id}/read-back",
        "/v1/invoices/dry-run",
        "/v1/keys/{key_id}/check",
        "/v1/keys/{key_id}/customer-check",
        "/v1/recman/probe",
    }
)
# After these nobody can tell from the answer alone whether something was done.
_UNCLEAR = (500, 503)

_log = get_logger(__name__)

_PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    "description": "Of your own making, new for each request. Repeats within 24 hours are not carried out again: they "
    "are answered as the first one was, with `Idempotency-Replayed: true`.",
    "example": "0b6c3a52-6f1e-4c4f-9f1b-3d2a8f8f7f10",
}


class Once:
    """The application behind it carries out a request with a key of its own once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it as it was answered before."""
        is_asked = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(_PREFIX)
        given = Headers(scope=scope).get(HEADER) if is_asked else None
        if given is None:
            await self._app(scope, receive, send)
            return
        request, message = Request(scope), await receive()
        try:
            place = _choose_place(request, given)
            answer = await self._answer(request, place, message, receive)
        except ServiceError as error:
            answer = await tell_error(request, error)
        await answer(scope, receive, send)

    async def _answer(self, request: Request, place: Place, message: Message, receive: Receive) -> Response | Held:
        resources: Resources = request.app.state.resources
        async with resources.sessions.begin() as session:
            kept = await record_request(session, place, _hash(request.scope, message))
        if kept is not None:
            headers = {"Idempotency-Replayed": "true"}
            return Response(kept.body, status_code=kept.status, headers=headers, media_type="application/json")
        request.state.once = place
        try:
            held = await hold(self._app, request.scope, message, receive)
        except Exception:
            await _settle(resources, place, Held(status=500), request.scope)
            raise
        await _settle(resources, place, held, request.scope)
        return held


def _choose_place(request: Request, given: str) -> Place:
    if not _SANE.fullmatch(given):
        fix = "Send up to 255 characters without spaces: a UUID serves."
        raise RequestError(f"This {HEADER} cannot be used", fix=fix)
    caller = request.state.caller
    return Place(tenant_id=caller.tenant_id or OPERATORS, holder_id=caller.holder_id, idempotency_key=given)


def _hash(scope: Scope, message: Message) -> bytes:
    parts = (scope["path"].encode(), scope["query_string"], message.get("body", b""))
    return hashlib.sha256(b"\n".join(hashlib.sha256(part).digest() for part in parts)).digest()


async def _settle(resources: Resources, place: Place, held: Held, scope: Scope) -> None:
    """Keep the answer, or forget what made nothing; an answer that cannot be kept is given all the same."""
    try:
        async with resources.sessions.begin() as session:
            await _record(session, place, held, scope)
    except Exception as error:  # noqa: BLE001 - whatever it is, what was done is done
        _log.warning("answer_not_kept", exc_info=error)


async def _record(session: Session, place: Place, held: Held, scope: Scope) -> None:
    route = scope.get("route")
    if held.status not in _DONE or not (isinstance(route, APIRoute) and takes_key(route)):
        await end_request(session, place, unless_carried_out=held.status in _UNCLEAR)
        return
    made = _name_made(held) if shows_secret(route) else None
    await record_answer(session, place, Kept(status=held.status, body=held.body.decode()), made=made)


def _name_made(held: Held) -> str:
    shown = json.loads(held.body)
    return str(shown.get("id") or shown.get("pending_id"))


def shows_secret(route: Any) -> bool:
    """Whether the route's answer holds something that is shown this once."""
    model = getattr(route, "response_model", None)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return False
    extras = (field.json_schema_extra for field in model.model_fields.values())
    return any(isinstance(extra, dict) and extra.get("x-shown-once") is True for extra in extras)


def describe_once(router: APIRouter) -> None:
    """Let each route that changes something say that it takes the header."""
    for route in router.routes:
        if isinstance(route, APIRoute) and takes_key(route):
            said = route.openapi_extra or {}
            # The router may have been asked before: it serves every application that a process makes.
            others = [one for one in said.get("parameters", ()) if one["name"] != HEADER]
            route.openapi_extra = {**said, "parameters": [*others, _PARAMETER]}


def takes_key(route: APIRoute) -> bool:
    """Whether the route changes something, so that it matters how often it is carried out."""
    return "POST" in (route.methods or ()) and route.path.startswith(_PREFIX) and route.path not in LOOKS
