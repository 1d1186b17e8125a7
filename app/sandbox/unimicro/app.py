"""The stand-in for Unimicro: a real HTTP app with companies, books and an identity server, all in memory.

The demo runs it over loopback, the tests over loopback or ASGITransport. It shares no code with our own mapping.
Source: docs/facts/unimicro.md; each `unimicro_*` module names its section and marks what is assumed. Assumed here: a
missing CompanyKey is a 401, one that is unknown or of a deleted company a 403.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import simplejson
from fastapi import Request
from starlette.responses import Response

from app.sandbox.faults import FAULT_KEY, Fault, SandboxApp
from app.sandbox.unimicro.actions import KNOWN_ROUTES, run_action
from app.sandbox.unimicro.answers import AnswerError, DecimalResponse, Record, denied, malformed, not_found
from app.sandbox.unimicro.books import Books, Company
from app.sandbox.unimicro.calls import ActionCall, Answer, load
from app.sandbox.unimicro.control import create_control_routes
from app.sandbox.unimicro.files import Files, create_file_routes
from app.sandbox.unimicro.invoices import create_invoice, delete_invoice, update_invoice
from app.sandbox.unimicro.kinds import Entity
from app.sandbox.unimicro.oauth import Identity, create_routes
from app.sandbox.unimicro.options import SandboxOptions
from app.sandbox.unimicro.order_invoices import TRACED, list_tracelinks
from app.sandbox.unimicro.orders import create_order, delete_order, update_order
from app.sandbox.unimicro.preset import update_settings
from app.sandbox.unimicro.query import list_rows, render, select, to_tree
from app.sandbox.unimicro.save import save_body, to_echo
from app.sandbox.unimicro.schema import ROUTES
from app.sandbox.unimicro.seed import ID_RANGE, create_companies
from app.sandbox.unimicro.series import create_series, delete_series, update_series
from app.sandbox.unimicro.shown import to_answer_of_write
from app.sandbox.unimicro.statistics import answer_statistics
from app.sandbox.unimicro.vat import move_before_reading

_ID_IN_FILTER = re.compile(r"(\w*ID) eq (\d+)")
# Called an id, but a KID.
_NO_IDS = {"PAYMENTID"}
METHODS = ["GET", "POST", "PUT", "DELETE"]


@dataclass(slots=True, kw_only=True)
class World:
    """All that one stand-in knows; `companies` by their key, in the order of the seed.

    `strangers` are calls that named an id of another company's range; seen only with `SandboxOptions.separate_ids`.
    """

    options: SandboxOptions
    identity: Identity
    companies: dict[str, Company] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    strangers: list[str] = field(default_factory=list)

    def begin(self, options: SandboxOptions) -> None:
        """As new, under these options: nobody has signed in yet, and all companies are fresh."""
        self.options = options
        self.identity.begin(options)
        self.reset()

    def reset(self) -> None:
        """Fresh companies without files; sign-ins stay."""
        self.companies = create_companies(self.options)
        self.files.stored.clear()
        self.files.links.clear()
        self.strangers.clear()

    def company(self, name: str) -> Company:
        """The company with this name."""
        return next(company for company in self.companies.values() if company.entity["Name"] == name)


def create_app(options: SandboxOptions | None = None) -> SandboxApp:
    """The stand-in as an ASGI application.

    Its books are `app.state.world`; `app.state.identity` is the identity server, an application of its own that shares
    this one's faults and calls.
    """
    chosen = options or SandboxOptions()
    world = World(options=chosen, identity=Identity(options=chosen))
    app = SandboxApp(title="Unimicro (sandbox)")
    app.state.world = world
    app.effects = {"expire_token": lambda _: world.identity.expire_access_tokens(), "read_lag": lambda _: None}
    app.state.identity = SandboxApp(title="Unimicro's identity server (sandbox)")
    app.state.identity.include_router(create_routes(world.identity))
    app.include_router(create_control_routes(app, world))
    app.include_router(create_file_routes(world.identity, world.files))
    app.add_exception_handler(AnswerError, _to_error_response)
    _add_tracelinks(app, world)
    _add_api(app, world)
    begin(app, chosen)
    return app


def begin(app: SandboxApp, options: SandboxOptions) -> None:
    """Make an application of `create_app` as new, under other options; building one takes longer than most tests."""
    app.state.world.begin(options)
    app.begin(sleep=options.sleep)
    identity: SandboxApp = app.state.identity
    identity.begin(sleep=options.sleep)
    identity.faults, identity.calls, identity.effects = app.faults, app.calls, app.effects


def stand_at(app: SandboxApp, *, api: str, issuer: str) -> None:
    """Tell both applications where they are reached: `api` and `issuer` are addresses without a path."""
    identity: Identity = app.state.world.identity
    identity.api_base, identity.issuer = f"{api}/", issuer


async def _to_error_response(_: Request, error: Exception) -> Response:
    if not isinstance(error, AnswerError):
        raise error
    return DecimalResponse(error.body, error.status)


def _add_api(app: SandboxApp, world: World) -> None:
    @app.get("/api/endpoints")
    async def endpoints(request: Request) -> Response:
        return DecimalResponse(_to_endpoints(str(request.base_url), world.identity.issuer))

    @app.get("/api/init/companies")
    async def companies(request: Request) -> Response:
        _verify_token(world, request)
        return DecimalResponse([company.entity for company in world.companies.values()])

    @app.api_route("/api/biz/{route}", methods=METHODS)
    async def collection(request: Request, route: str) -> Response:
        return await _answer(world, request, route, 0)

    @app.api_route("/api/biz/{route}/{record_id:int}", methods=METHODS)
    async def single(request: Request, route: str, record_id: int) -> Response:
        return await _answer(world, request, route, record_id)

    @app.get("/api/statistics")
    async def statistics(request: Request) -> Response:
        answer = answer_statistics(_load_books(world, request), request.query_params)
        return DecimalResponse(answer.body, answer.status)

    @app.api_route("/{path:path}", methods=METHODS)
    async def unknown() -> Response:
        raise denied()


def _add_tracelinks(app: SandboxApp, world: World) -> None:
    @app.get("/api/biz/{route}/{item_id:int}/tracelinks")
    async def tracelinks(request: Request, route: str, item_id: int) -> Response:
        books = _load_books(world, request)
        if route not in TRACED:
            raise denied()
        return DecimalResponse(list_tracelinks(books, TRACED[route], item_id))


def _to_endpoints(base: str, issuer: str) -> dict[str, str]:
    """Source: §2: names of the services [O]; that all but one live at one address is the sandbox's own."""
    others = ("Files", "Job", "License", "Integration", "FrontEnd", "Signalr")
    return {"AppFramework": base, "Identity": issuer} | dict.fromkeys(others, base)


def _verify_token(world: World, request: Request) -> None:
    claims = world.identity.find_claims(request.headers.get("authorization"))
    if not claims or "AppFramework" not in claims["aud"]:
        raise denied()


def _load_books(world: World, request: Request) -> Books:
    _verify_token(world, request)
    key = request.headers.get("companykey")
    if not key:
        raise denied()
    company = world.companies.get(key.lower())
    if company is None or company.entity["Deleted"]:
        raise denied(403)
    return company.books


async def _answer(world: World, request: Request, route: str, record_id: int) -> Response:
    books = _load_books(world, request)
    if route not in KNOWN_ROUTES:
        raise denied()
    raw = await request.body()
    call = ActionCall(books=books, record_id=record_id, query=request.query_params, body=_parse(raw))
    fault: Fault | None = request.scope.get(FAULT_KEY)
    if world.options.separate_ids and route != "companysettings":
        named = find_strangers(books, {"ID": record_id, "query": dict(request.query_params), "body": call.body})
        world.strangers += [f"{request.method} {route}: {one}" for one in named]
    books.lag_seconds = fault.seconds if fault and fault.fault == "read_lag" else 0
    try:
        with books.transaction():
            answer = _run(request.method, route, call)
    finally:
        books.lag_seconds = 0
    return Response(status_code=204) if answer.status == 204 else DecimalResponse(answer.body, answer.status)


def find_strangers(books: Books, value: Any, name: str = "") -> list[str]:
    """Every id in a call that lies outside the company's own range, with the name it stands under."""
    if isinstance(value, dict):
        return [one for key, part in value.items() for one in find_strangers(books, part, key)]
    if isinstance(value, list):
        return [one for part in value for one in find_strangers(books, part, name)]
    if name == "filter":
        return [one for field, text in _ID_IN_FILTER.findall(value) for one in find_strangers(books, text, field)]
    if not name.upper().endswith("ID") or name.upper() in _NO_IDS:
        return []
    if not str(value or "").isdecimal() or int(value) == 0:
        return []
    return [] if books.first_id <= int(value) < books.first_id + ID_RANGE else [f"{name} {value}"]


def _parse(raw: bytes) -> Any:
    try:
        return simplejson.loads(raw, use_decimal=True) if raw.strip() else None
    except ValueError:
        raise malformed("The request is invalid: the body is not JSON.") from None


def _run(method: str, route: str, call: ActionCall) -> Answer:
    if call.query.get("action"):
        return run_action(method, route, call)
    entity = ROUTES.get(route)
    if entity is None:
        raise not_found()
    if method == "GET":
        return _get(entity, call)
    if not entity.writable:
        raise denied(403)
    return _WRITES[method](entity, call)


def _get(entity: Entity, call: ActionCall) -> Answer:
    if not call.record_id:
        if entity.name == "VatType":
            move_before_reading(call.books)
        return Answer(body=list_rows(call.books, entity, call.query))
    return Answer(body=_show(entity, call, call.record_id, call.query.get("expand", "")))


def _show(entity: Entity, call: ActionCall, record_id: int, expand: str) -> Record:
    record = load(call.books, entity.name, record_id)
    return select(render(call.books, entity, record, to_tree(expand)), call.query.get("select", ""))


def _post(entity: Entity, call: ActionCall) -> Answer:
    """The stored tree (§3.1, §6); a POST to a record without an action is a wrong path."""
    body = _to_object(call.body)
    if call.record_id:
        raise not_found()
    create = _CREATE.get(entity.name)
    new_id = create(call.books, body) if create else save_body(call.books, entity, body | {"ID": 0})
    shown = _show_written(entity, call, new_id, body)
    return Answer(status=call.books.options.created_status, body=shown)


def _put(entity: Entity, call: ActionCall) -> Answer:
    body = _to_object(call.body)
    load(call.books, entity.name, call.record_id)
    if body.get("ID") not in (None, call.record_id):
        raise malformed("The request is invalid: ID differs from the path.")
    update = _UPDATE.get(entity.name)
    if update:
        update(call.books, call.record_id, body)
    else:
        save_body(call.books, entity, body | {"ID": call.record_id})
    return Answer(body=_show_written(entity, call, call.record_id, body))


def _show_written(entity: Entity, call: ActionCall, record_id: int, body: Record) -> Record:
    shown = _show(entity, call, record_id, to_echo(entity, body))
    return to_answer_of_write(call.books, shown, body)


def _delete(entity: Entity, call: ActionCall) -> Answer:
    load(call.books, entity.name, call.record_id)
    delete = _REMOVE.get(entity.name)
    if delete:
        delete(call.books, call.record_id)
    else:
        call.books.update(entity.name, call.record_id, {"Deleted": True})
    return Answer(status=204)


_CREATE = {"CustomerInvoice": create_invoice, "CustomerOrder": create_order, "NumberSeries": create_series}
_UPDATE = {
    "CustomerInvoice": update_invoice,
    "CustomerOrder": update_order,
    "NumberSeries": update_series,
    "CompanySettings": update_settings,
}
_REMOVE = {"CustomerInvoice": delete_invoice, "CustomerOrder": delete_order, "NumberSeries": delete_series}
_WRITES = {"POST": _post, "PUT": _put, "DELETE": _delete}


def _to_object(body: Any) -> Record:
    if not isinstance(body, dict):
        raise malformed("The request is invalid: an object was expected.")
    return body
