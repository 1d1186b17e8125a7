"""The API as an application: routers, lifespan, one error handler."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.api import (
    answers,
    audit,
    browser,
    catalogue,
    cross_list,
    customers,
    departments,
    docs_page,
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
    read_back,
    recman,
    rules,
    series,
    sign_in,
    tenants,
    tokens,
    transfers,
)
from app.api.counted import Counted
from app.api.description import describe, name_operation
from app.api.doors import tell_error
from app.api.gate import Gate
from app.api.methods import Addresses, HeadAsGet, require_own_method
from app.api.once import Once, describe_once
from app.api.parameters import require_known_parameters, require_plain_body
from app.api.replays import Replays
from app.api.request_ids import RequestIds
from app.api.safe_headers import SafeHeaders
from app.api.webhooks import contact, receive
from app.api.webhooks.form import form
from app.engine.wakeup import notifier
from app.errors import ServiceError
from app.platform.resources import Resources

# In the order of the API's description; a word before an id that would take its place (a test holds it).
ROOMS = (
    receive,
    go_live,
    cross_list,
    invoices,
    jobs,
    transfers,
    sign_in,
    browser,
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
    read_back,
    recman,
    hooks,
    contact,
    tokens,
    tenants,
    audit,
    health,
    metrics,
    catalogue,
    docs_page,
)

# Of every request, before its own operation is asked.
_CHECKS = (require_own_method, require_known_parameters, require_plain_body)

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
        lifespan=lifespan,
        # A redirect would go to whatever host the request names.
        redirect_slashes=False,
        # Our own figures tell it (platform.figures); the framework's ask at every request whether anybody listens.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        # The framework's pages run what they load from elsewhere: `docs_page` has ours.
        openapi_url=None,
        webhooks=form,
        generate_unique_id_function=name_operation,
    )
    for room in ROOMS:
        describe_once(room.router)
        # RecMan's deliveries are in a hurry: solving a dependency costs as much as storing one.
        checks = [] if room is receive else [Depends(one) for one in _CHECKS]
        app.include_router(room.router, dependencies=checks)
    routes = [route for room in ROOMS for route in room.router.routes]
    app.state.addresses = Addresses.of_routes([*app.routes, *routes])
    # The framework's own way to complete a description.
    app.openapi = describe(app)  # type: ignore[method-assign]
    # The last one added is asked first.
    app.add_middleware(Replays)
    app.add_middleware(Once)
    app.add_middleware(Gate)
    app.add_middleware(HeadAsGet)
    # Around all of these: whatever slips past the handlers below is told there, with the request's id.
    app.add_middleware(RequestIds)
    app.add_middleware(SafeHeaders)
    # The outermost one: what is counted is what the caller was told.
    app.add_middleware(Counted)
    for error in (ServiceError, RequestValidationError, HTTPException):
        app.add_exception_handler(error, tell_error)
    return app


def render_openapi() -> str:
    """The API's description as committed in `openapi/openapi.json`."""
    schema = create_app(_open_nothing).openapi()
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def render_errors() -> str:
    """The codes' document as committed in `docs/errors.md`."""
    return catalogue.render_catalogue(create_app(_open_nothing).openapi())


def _open_nothing() -> AbstractAsyncContextManager[Resources]:
    raise RuntimeError("the description is rendered without running the app")
