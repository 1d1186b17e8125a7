"""Stop 1: RecMan's webhooks come in. Stored first and durably, answered 202, worked on later."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute

from app.admin.hook_headers import record_headers
from app.admin.hook_shapes import record_shape
from app.admin.hooks import HeardHooks, find_hook, open_secrets
from app.admin.tenants import load_tenant
from app.api.webhooks.encodings import unpack
from app.api.webhooks.known import CachedHook, KnownHooks
from app.api.webhooks.share import require_share
from app.engine.inbox import PART, Arrival, accept, accept_at_once, dedupe_key, record_meaningless
from app.engine.recorded import record_arrivals
from app.engine.wakeup import wake_workers
from app.errors import NotFoundError, SignatureError, TooLargeError
from app.platform.aside import run_aside
from app.platform.db import translate_away
from app.platform.figures import WEBHOOK_RECORDS, Accepted
from app.platform.logger import add_log_fields
from app.platform.resources import Resources
from app.recman.hook.contact import describe_body
from app.recman.hook.verify import Verification, verify
from app.recman.hook.webhook import MOST_RECORDS, Decoded, parse_hints, write_hint
from app.tables import Hook

_LONGEST_TYPE = 200
# What may be echoed: nothing that a browser or a log could take for more than plain text.
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_MOST_HOOKS = 10_000
_RECORDS = {outcome: WEBHOOK_RECORDS.labels(outcome) for outcome in Accepted}


class StraightRoute(APIRoute):
    """A route whose function is called with the request and the parts of its path, and nothing is solved for it.

    Solving what a function asks for costs as much as storing a delivery.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's own place for another way to call a route's function."""

        async def handle(request: Request) -> Response:
            answer: Response = await self.endpoint(request=request, **request.path_params)
            return answer

        return handle


router = APIRouter(prefix="/webhooks/recman", tags=["webhooks"], route_class=StraightRoute)

_ANSWERS: dict[int | str, dict[str, str]] = {
    202: {"description": "Stored; it is worked on in a moment. Also for deliveries that mean nothing to us."},
    401: {"description": "The signature is wrong"},
    404: {"description": "There is no such hook"},
    413: {"description": "The body is over the cap"},
    415: {"description": "The body is packed, or made of parts, in a way that is not read"},
    429: {"description": "The hook is sent more than its share: send it again later"},
    503: {"description": "Nothing was stored: send it again"},
}


# First in the list: routes are tried in order, and this one is in a hurry.
@router.post("/{hook_id}", operation_id="receive_webhook", status_code=202, response_class=Response, responses=_ANSWERS)
async def receive(hook_id: str, request: Request) -> Response:
    """A change webhook; the body says its scope."""
    return await _receive(request, address=hook_id, path_scope=None)


@router.put("/{hook_id}", operation_id="put_webhook", status_code=202, response_class=Response, responses=_ANSWERS)
async def receive_put(hook_id: str, request: Request) -> Response:
    """The same, from a sender that puts."""
    return await _receive(request, address=hook_id, path_scope=None)


@router.post(
    "/{hook_id}/{scope}",
    operation_id="receive_scoped_webhook",
    status_code=202,
    response_class=Response,
    responses=_ANSWERS,
)
async def receive_scope(hook_id: str, scope: str, request: Request) -> Response:
    """A change webhook about one scope (`company`, `project`, `invoice`, `product`, `department`)."""
    return await _receive(request, address=hook_id, path_scope=scope)


@router.put(
    "/{hook_id}/{scope}",
    operation_id="put_scoped_webhook",
    status_code=202,
    response_class=Response,
    responses=_ANSWERS,
)
async def receive_scope_put(hook_id: str, scope: str, request: Request) -> Response:
    """The same, from a sender that puts."""
    return await _receive(request, address=hook_id, path_scope=scope)


@router.get(
    "/{hook_id}",
    operation_id="check_webhook",
    response_class=PlainTextResponse,
    responses={200: {"description": "The address answers"}},
)
async def check(hook_id: str, request: Request) -> PlainTextResponse:  # noqa: ARG001
    """Whether somebody answers here. A challenge is echoed; whether there is such a hook is not said."""
    return _echo(request)


@router.get(
    "/{hook_id}/{scope}",
    operation_id="check_scoped_webhook",
    response_class=PlainTextResponse,
    responses={200: {"description": "The address answers"}},
)
async def check_scope(hook_id: str, scope: str, request: Request) -> PlainTextResponse:  # noqa: ARG001
    """The same for an address with a scope."""
    return _echo(request)


def _echo(request: Request) -> PlainTextResponse:
    # The same for every address, so that nobody learns which hooks exist.
    name = request.app.state.resources.settings.webhook_challenge
    challenge = request.query_params.get(name, "") if name else ""
    echo = challenge if _CHALLENGE.fullmatch(challenge) else ""
    return PlainTextResponse(echo, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})


# Taken as well, though not described: a slash at the end. Few senders follow a redirect with their body, and a redirect
# would tell the secret address to whoever writes answers down.
for _path, _receive_it, _check_it in (
    ("/{hook_id}/", receive, check),
    ("/{hook_id}/{scope}/", receive_scope, check_scope),
):
    router.add_api_route(_path, _receive_it, methods=["POST", "PUT"], status_code=202, include_in_schema=False)
    router.add_api_route(_path, _check_it, methods=["GET"], include_in_schema=False)


async def _receive(request: Request, *, address: str, path_scope: str | None) -> Response:
    resources: Resources = request.app.state.resources
    # No larger than its cap: the gate has seen to that.
    packed = await request.body()
    async with translate_away():
        cached = await _load_hook(resources, address)
        # For nobody who does not know the address.
        body = unpack(packed, request.headers, most=resources.settings.max_body_bytes)
        hook = cached.hook
        add_log_fields(tenant=str(hook.tenant_id))
        now = datetime.now(UTC)
        _verify(resources, hook, request.headers, (packed, body), now=now)
        await require_share(resources, hook.id)
        await record_headers(resources, hook, request.scope["headers"])
        content_type = _show(request.headers.get("content-type", ""))
        decode = partial(parse_hints, body, content_type=content_type, path_scope=path_scope, headers=request.headers)
        decoded = await run_aside(decode, size=len(body))
        _require_bearable(decoded)
        split = partial(_to_arrivals, cached, decoded, body=body, content_type=content_type)
        arrivals = await run_aside(split, size=len(body) if len(decoded.hints) > 1 else 0)
        await _store(resources, hook, decoded, arrivals, body=body, content_type=content_type)
        await record_shape(resources, hook, len(body), partial(describe_body, body, content_type))
        resources.kept(HeardHooks).note(hook)
    wake_workers(resources)
    return Response(status_code=202)


def _require_bearable(decoded: Decoded) -> None:
    if decoded.too_much:
        raise TooLargeError("The body holds too many values", fix="Send fewer records in one delivery.")
    if len(decoded.hints) > MOST_RECORDS:
        raise TooLargeError(f"The delivery names over {MOST_RECORDS} records", fix="Send fewer in one delivery.")


def _show(content_type: str) -> str:
    # It is stored beside the body, and Postgres takes no NUL in a text.
    return "".join(letter for letter in content_type[:_LONGEST_TYPE] if letter.isprintable())


async def _load_hook(resources: Resources, address: str) -> CachedHook:
    now = asyncio.get_running_loop().time()
    cached = resources.kept(KnownHooks).by_address.get(address)
    if cached is not None and cached.until > now:
        return cached
    async with resources.sessions() as session:
        hook = await find_hook(session, address)
        tenant = await load_tenant(session, hook.tenant_id) if hook is not None else None
    if hook is None or tenant is None:
        raise NotFoundError(
            "There is no such hook", fix="Take the address from the hook's settings, or make a new one."
        )
    if len(resources.kept(KnownHooks).by_address) > _MOST_HOOKS:
        resources.kept(KnownHooks).by_address.clear()
    # What is read from the webhooks themselves costs no call, so nothing is gained by waiting.
    has_records = tenant.recman_reads != "api"
    delay = timedelta(seconds=0 if has_records else resources.settings.recman_debounce_seconds)
    until = now + resources.settings.hook_cache_seconds
    found = CachedHook(hook, until=until, delay=delay, has_records=has_records)
    resources.kept(KnownHooks).by_address[address] = found
    return found


def _verify(
    resources: Resources, hook: Hook, headers: Mapping[str, str], forms: tuple[bytes, bytes], *, now: datetime
) -> None:
    if hook.verification.get("kind") == "path":
        return
    secrets = open_secrets(resources.vault, hook)
    verification, (packed, body) = Verification.from_config(hook.verification, secrets), forms
    # Some sign what they send, others what they have packed: either way it was somebody with the secret.
    if packed is not body:
        with suppress(SignatureError):
            verify(verification, headers=headers, body=packed, now=now)
            return
    verify(verification, headers=headers, body=body, now=now)


async def _store(
    resources: Resources, hook: Hook, decoded: Decoded, arrivals: list[Arrival], *, body: bytes, content_type: str
) -> None:
    if len(arrivals) == 1 and not hook.record_first:
        # One statement is its own transaction: it has committed when the answer comes back.
        _RECORDS[_name_outcome(await accept_at_once(resources, arrivals[0]))].inc()
        return
    async with resources.sessions.begin() as session:
        if hook.record_first:
            await record_arrivals(session, arrivals)
            outcomes = [Accepted.RECORDED] * len(arrivals)
        else:
            outcomes = [_name_outcome(await accept(session, arrival)) for arrival in arrivals]
        if len(arrivals) != 1:
            note = f"holds {len(arrivals)} records, each an event of its own" if arrivals else decoded.note
            scope = decoded.scope if not hook.record_first else None
            await record_meaningless(session, hook=hook, note=note, scope=scope, content_type=content_type, body=body)
    for outcome in outcomes or [Accepted.MEANINGLESS]:
        _RECORDS[outcome].inc()


def _name_outcome(event_id: int | None) -> Accepted:
    return Accepted.REPEAT if event_id is None else Accepted.NEW


def _to_arrivals(cached: CachedHook, decoded: Decoded, *, body: bytes, content_type: str) -> list[Arrival]:
    """One for each record, in the order in which lanes are taken; of several, each has its own part of the body."""
    hook, single = cached.hook, len(decoded.hints) == 1
    # Once: of a megabyte with thousands of records it would be gigabytes.
    whole = hashlib.sha256(body).digest()
    return [
        Arrival(
            tenant_id=hook.tenant_id,
            hook_id=hook.id,
            source="webhook" if single else PART,
            scope=hint.scope,
            record_id=hint.record_id,
            operation=hint.operation,
            dedupe=dedupe_key(hook.id, hint.scope, hint.record_id, whole),
            content_type=content_type if single else "application/json",
            body=body if single else write_hint(hint),
            delay=cached.delay,
            is_record=cached.has_records,
        )
        for hint in sorted(decoded.hints, key=lambda hint: (hint.scope, hint.record_id))
    ]
