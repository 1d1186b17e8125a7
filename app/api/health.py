"""Is the process alive, and can it take work?"""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.doors import ResourcesDep
from app.platform.db import check_schema, translate_away

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """The process answers, and is ready when the database does too."""

    status: Literal["ok"] = "ok"


@router.get("/live", operation_id="show_liveness")
async def live() -> Health:
    """Whether the process answers."""
    return Health()


@router.get(
    "/ready",
    operation_id="show_readiness",
    responses={503: {"description": "The database is away or its schema is not this version's"}},
)
async def ready(resources: ResourcesDep) -> Health:
    """Whether it can take work: the database answers, with the schema of this version."""
    async with translate_away():
        await check_schema(resources.engine)
    return Health()
