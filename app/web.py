"""The API as an application: routers, lifespan, one error handler."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.api import (
    answers,
    audit,
    cross_list,
    customers,
    departments,
    exports,
    go_live,
    health,
    hooks,
    invoices,
    jobs,
    key_customers,
    key_lists,
    key_open,
    keys,
    layouts,
    metrics,
    recman,
    rules,
    series,
    sign_in,
    tenants,
    tokens,
    transfers,
)
from app.api.doors import tell_error
from app.api.gate import Gate
from app.api.request_ids import RequestIds
from app.api.webhooks import contact, receive
from app.api.webhooks.form import form
from app.engine.wakeup import notifier
from app.errors import ServiceError
from app.platform.resources import Resources

# In the order of the API's description; `sign_in` before `keys`, whose `/{key_id}` would take its paths.
_ROOMS = (
    receive,
    go_live,
    invoices,
    cross_list,
    jobs,
    transfers,
    sign_in,
    key_customers,
    keys,
    series,
    key_lists,
    key_open,
    exports,
    layouts,
    answers,
    customers,
    rules,
    departments,
    recman,
    hooks,
    contact,
    tokens,
    tenants,
    audit,
    health,
    metrics,
)

Opener = Callable[[], AbstractAsyncContextManager[Resources]]


def create_app(open_resources: Opener) -> FastAPI:
    """The API; `open_resources` gives it what it needs for as long as it runs."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources() as resources, notifier(resources):
            app.state.resources = resources
            yield

    app = FastAPI(
        title="RecMan → Unimicro",
        version=version("recman-unimicro"),
        description="Carries invoices, credit notes, customers and projects from RecMan into Unimicro.",
        lifespan=lifespan,
        webhooks=form,
    )
    for room in _ROOMS:
        app.include_router(room.router)
    app.add_middleware(Gate)
    # The outermost one: whatever slips past the handlers below is told there, with the request's id.
    app.add_middleware(RequestIds)
    for error in (ServiceError, RequestValidationError, HTTPException):
        app.add_exception_handler(error, tell_error)
    return app


def render_openapi() -> str:
    """The API's description as committed in `openapi/openapi.json`."""
    schema = create_app(_open_nothing).openapi()
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _open_nothing() -> AbstractAsyncContextManager[Resources]:
    raise RuntimeError("the description is rendered without running the app")
