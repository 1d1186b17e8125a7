"""Is the process alive, can it do its work, and how does the whole service stand?"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Generic, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.admin.tokens import Caller
from app.api.doors import ResourcesDep, verify_caller
from app.api.health_views import HealthView, view_for_anybody, view_whole
from app.api.views import problems
from app.errors import DatabaseAwayError, ServiceError
from app.monitoring.facts import load_facts
from app.monitoring.health import Health, Status, judge, judge_away
from app.monitoring.readiness import verify_ready
from app.platform.db import check_schema, translate_away
from app.platform.resources import Resources

router = APIRouter(prefix="/health", tags=["health"])

# Anybody may ask, as often as they like; the database is asked so often at most.
_READY_SECONDS = 1.0
_ANYBODY_SECONDS = 5.0
_DOWN: dict[int | str, dict[str, Any]] = {
    503: {"model": HealthView, "description": "Nothing is carried: no worker, no database, or another schema"}
}
Found = TypeVar("Found")


class Alive(BaseModel):
    """The process answers; asked whether it is ready, it can do its work, too."""

    status: Literal["ok"] = "ok"


class Remembered(Generic[Found]):
    """What was found a moment ago: whoever asks again is told the same, and of those that ask at once one looks."""

    def __init__(self) -> None:
        self._found: tuple[float, Found] | None = None
        self._looking = asyncio.Lock()

    async def ask(self, seconds: float, look: Callable[[], Awaitable[Found]]) -> Found:
        """What `look` finds, or has found at most so many seconds ago."""
        async with self._looking:
            if self._found is None or self._found[0] < time.monotonic():
                found = await look()
                self._found = (time.monotonic() + seconds, found)
            return self._found[1]


class Readiness(Remembered[ServiceError | None]):
    """Whether this process could do its work a moment ago."""


class AnybodysHealth(Remembered[Health]):
    """How the service stood a moment ago."""


@router.get("/live", operation_id="show_liveness")
async def live() -> Alive:
    """Whether the process answers."""
    return Alive()


@router.get("/ready", operation_id="show_readiness", responses=problems(_503="database_away, not_ready"))
async def ready(resources: ResourcesDep) -> Alive:
    """Whether this process can do its work: database, schema, write access, secrets, connections for webhooks."""
    found = await resources.kept(Readiness).ask(_READY_SECONDS, lambda: _find_missing(resources))
    if found is not None:
        raise found
    return Alive()


async def _find_missing(resources: Resources) -> ServiceError | None:
    try:
        await verify_ready(resources)
    except ServiceError as error:
        return error
    return None


@router.get("", operation_id="show_health", responses=_DOWN, openapi_extra={"security": [{}, {"HTTPBearer": []}]})
async def health(request: Request, resources: ResourcesDep, response: Response) -> HealthView:
    """How the whole service stands: `ok` and `degraded` are 200, `down` is 503.

    With a token (a monitor's, or any other) also why, process by process and tenant by tenant, as far as it may see.
    """
    view = await _view(request, resources)
    if view.status is Status.DOWN:
        response.status_code = DatabaseAwayError.status
        response.headers["Retry-After"] = str(round(_ANYBODY_SECONDS))
    return view


async def _view(request: Request, resources: Resources) -> HealthView:
    try:
        if "authorization" in request.headers:
            async with translate_away():
                # Before the token: an older schema, or a newer one, may have none where this version looks.
                await check_schema(resources.engine)
            return await _view_for(resources, await verify_caller(request))
    except DatabaseAwayError as error:
        # Who asks cannot be known now; that nothing goes may be told to anybody.
        return view_for_anybody(judge_away(error.cause, error.fix))
    found = await resources.kept(AnybodysHealth).ask(_ANYBODY_SECONDS, lambda: _judge(resources))
    return view_for_anybody(found)


async def _judge(resources: Resources) -> Health:
    try:
        async with translate_away():
            await check_schema(resources.engine)
            async with resources.sessions() as session:
                return judge(await load_facts(session, resources.settings, tenant_id=None))
    except DatabaseAwayError as error:
        return judge_away(error.cause, error.fix)


async def _view_for(resources: Resources, caller: Caller) -> HealthView:
    async with translate_away(), resources.sessions() as session:
        facts = await load_facts(session, resources.settings, tenant_id=caller.tenant_id)
    return view_whole(judge(facts), facts, version=version("recman-unimicro"), with_processes=caller.tenant_id is None)
