"""The API's description: whatever every operation has, said once for all of them.

A route says what is its own: its summary, its answer, the codes of its own refusals (`problems`). Its name, its error
answers in their real form, its security and what stands at the top of the document are added here, so that a new route
cannot forget them (tests/contract/test_description.py).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.api.gate import GUARDED
from app.api.views import PROBLEM, Problem, forbid_nul
from app.domain.reasons.codes import Code
from app.errors import (
    ConflictError,
    DatabaseAwayError,
    ForbiddenError,
    NotFoundError,
    RequestError,
    ServiceError,
    SignatureError,
    TooLargeError,
    TooManyTriesError,
)

_PROBLEM_SCHEMA = {"$ref": f"#/components/schemas/{Problem.__name__}"}
_LEAST_ERROR = 400
_ABOUT = """Carries invoices, credit notes, customers and projects from RecMan into Unimicro.

Every refusal is problem details (RFC 9457): a stable `code`, the `cause`, and the `fix`. Its `type` is an address of
this service that tells more about the code. A list is an object: `rows`, and `next` for the page after it.

`/v1` needs an admin token. It belongs to one tenant; operators name theirs with `?tenant=<id>`. A query parameter that
an operation does not know is refused, and so is a field that a body does not have.
"""
# In the order of the document; an operation has one of them.
TAGS = {
    "webhooks": "Where RecMan sends its changes.",
    "invoices": "Where every invoice and credit note is, and what a clerk can do about it.",
    "transfers": "The life of every record towards a key, and every hint that came in.",
    "keys": "Named accesses to companies in Unimicro: sign in, choose, check, pause, remove.",
    "number series": "The series in which a key's documents are issued under RecMan's numbers.",
    "exports": "Files for Unimicro's Import central: made, imported, confirmed; the layouts they have.",
    "customer check": "The comparison of customers before a key's first transfer.",
    "customers": "The customers of a key, and what was said about their numbers.",
    "rules": "What a key's documents are booked on, in versions.",
    "departments": "RecMan's departments, and which key serves which.",
    "recman": "RecMan's side: the day's calls, sweeps, backfills, spellings.",
    "hooks": "The secret addresses of webhooks, and how deliveries are verified.",
    "tokens": "Who may come in, and as what.",
    "tenants": "RecMan accounts. For operators.",
    "audit": "Who changed what and when.",
    "health": "What monitoring reads.",
    "errors": "What the codes of refusals and reasons mean.",
}
_INFO: dict[str, Any] = {
    "contact": {"name": "The operator of this installation"},
    "license": {"name": "Proprietary", "identifier": "LicenseRef-Proprietary"},
}
_SERVERS = [{"url": "/", "description": "The installation that this description was fetched from"}]
# What refuses before or around the route itself: of anybody, of who needs a token.
_ALWAYS: tuple[type[ServiceError], ...] = (TooLargeError, DatabaseAwayError, ServiceError)
_GUARDED: tuple[type[ServiceError], ...] = (SignatureError, ForbiddenError, RequestError, TooManyTriesError)
_CONFLICTS = {
    "Idempotency-Key": (
        Code.IDEMPOTENCY_KEY_REUSED,
        Code.MADE_ALREADY,
        Code.REQUEST_RUNNING,
        Code.REQUEST_UNFINISHED,
    )
}
_HEADERS = {
    SignatureError.status: {"WWW-Authenticate": "Bearer"},
    TooManyTriesError.status: {"Retry-After": "60"},
    DatabaseAwayError.status: {"Retry-After": "5"},
}
_SAID = {
    RequestError.status: "The request cannot be used.",
    SignatureError.status: "Who calls is not known.",
    ForbiddenError.status: "The caller may not do this.",
    NotFoundError.status: "There is no such thing for this caller.",
    ConflictError.status: "Something is in another state than the request supposes.",
    412: "Somebody has changed it since.",
    TooLargeError.status: "The body is too large.",
    415: "The body has a form that cannot be read.",
    428: "The request does not say what its sender looked at.",
    TooManyTriesError.status: "Too many calls, or too many wrong tokens, came.",
    ServiceError.status: "Something of ours broke.",
    502: "RecMan or Unimicro refused, or did not answer.",
    DatabaseAwayError.status: "The service is not ready: try again.",
}

_LIMITS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
# What a column holds.
_LARGEST = 2**63 - 1
# What a schema may say of a text that fits whatever it is.
_SAID_OF_ANY = frozenset({"type", "title", "description", "examples", "default"})

Operation = dict[str, Any]


def name_operation(route: APIRoute) -> str:
    """An operation's id: the name of its function, for whoever generates a client."""
    return route.name.replace("list_all_", "list_")


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What `app.openapi` is to be: made once, when it is first asked for."""

    def render() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    summary="RecMan's invoices, customers and projects into Unimicro",
                    description=_ABOUT,
                    routes=app.routes,
                    webhooks=app.webhooks.routes,
                    servers=_SERVERS,
                    tags=[{"name": name, "description": text} for name, text in TAGS.items()],
                )
            )
        return app.openapi_schema

    return render


def _name_pages(document: dict[str, Any]) -> dict[str, Any]:
    """The document in which a page of invoices is an `InvoicePage` and not `Page_InvoiceView_int_`."""
    text = json.dumps(document, ensure_ascii=False)
    text = re.sub(r"\bPage_(\w+?)(?:View)?_(?:int|str|UUID|NoneType)_", r"\1Page", text)
    named: dict[str, Any] = json.loads(re.sub(r"\bPage\[(\w+?)(?:View)?, \w+\]", r"\1Page", text))
    return named


def _say_limits(node: Any) -> None:
    """Limits of whole numbers as such: the framework writes them as floats, and the largest one as a larger one."""
    if isinstance(node, list):
        for one in node:
            _say_limits(one)
    if isinstance(node, dict):
        if node.get("type") == "integer":
            for name in _LIMITS & node.keys():
                node[name] = min(int(node[name]), _LARGEST)
        for one in node.values():
            _say_limits(one)


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    document = _name_pages(document)
    _say_limits(document)
    document["info"] |= _INFO
    for path, operation in _operations(document["paths"]):
        _complete_operation(path, operation)
    for _, operation in _operations(document.get("webhooks", {})):
        operation["responses"].pop("422", None)
        operation["security"] = []
    schemas = document["components"]["schemas"]
    # What the framework would answer itself: we never let it.
    for unsent in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unsent, None)
    schemas[Problem.__name__] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return document


def _operations(paths: Mapping[str, Mapping[str, Operation]]) -> Iterator[tuple[str, Operation]]:
    for path, methods in paths.items():
        for operation in methods.values():
            yield path, operation


def _complete_operation(path: str, operation: Operation) -> None:
    security = operation.setdefault("security", [])
    if security and not path.startswith(GUARDED):
        # More is told to whoever has a token; nobody needs one.
        security.append({})
    for parameter in operation.get("parameters", []):
        # No header can have one.
        if parameter["in"] in ("path", "query"):
            forbid_nul(parameter["schema"])
    answers = operation["responses"]
    if not _declares(answers.get("422", {})):
        answers.pop("422", None)
    for status, code in _list_errors(path, operation):
        _add(answers, str(status), code)
    for status in [status for status in answers if int(status) >= _LEAST_ERROR]:
        answers[status] = _as_problem(int(status), answers[status])
    operation["responses"] = dict(sorted(answers.items()))


def _declares(answer: Mapping[str, Any]) -> bool:
    """Whether the route itself says something of it, and not the framework."""
    return "HTTPValidationError" not in str(answer)


def _list_errors(path: str, operation: Operation) -> Iterator[tuple[int, Code]]:
    """Everything that may refuse this operation without its own doing: a status and a code of it."""
    for error in _list_classes(path, operation):
        yield error.status, error.code
    if _asks_for_tenant(operation):
        yield RequestError.status, Code.TENANT_MISSING
    for parameter in operation.get("parameters", []):
        for code in _CONFLICTS.get(parameter["name"], ()):
            yield ConflictError.status, code


def _asks_for_tenant(operation: Operation) -> bool:
    """Whether it makes or changes something of one tenant, which an operator must name."""
    return "requestBody" in operation and any(one["name"] == "tenant" for one in operation.get("parameters", []))


def _list_classes(path: str, operation: Operation) -> Iterator[type[ServiceError]]:
    yield from _ALWAYS
    if operation["security"]:
        yield from _GUARDED
    parameters = operation.get("parameters", [])
    # An operator may name a tenant that is not there.
    if "{" in path or any(one["name"] == "tenant" for one in parameters):
        yield NotFoundError
    if "requestBody" in operation or any(_is_limited(one["schema"]) for one in parameters):
        yield RequestError


def _is_limited(schema: Mapping[str, Any]) -> bool:
    """Whether there are texts that do not fit: a parameter is always sent as text."""
    kinds = schema.get("anyOf", [schema])
    return any(
        {**kind, "type": ""}.keys() - _SAID_OF_ANY or kind.get("type") not in {"string", "null"} for kind in kinds
    )


def _add(answers: dict[str, Any], status: str, code: Code) -> None:
    answer = answers.setdefault(status, {"description": ""})
    if not re.search(rf"\b{code}\b", answer["description"]):
        answer["description"] = _with_code(answer["description"], code)


def _with_code(described: str, code: Code) -> str:
    text, marked, codes = described.partition("Codes: ")
    return f"{text}{marked}{codes}, {code}" if marked else f"{text.rstrip('. ')}{'. ' if text else ''}Codes: {code}"


def _as_problem(status: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    described = answer["description"]
    if described.startswith("Codes: "):
        described = f"{_SAID.get(status, HTTPStatus(status).phrase + '.')} {described}"
    # A route may tell how things stand with the status of an error: its own form stands beside the problem then.
    own = {kind: told for kind, told in answer.get("content", {}).items() if told.get("schema") != _PROBLEM_SCHEMA}
    made: dict[str, Any] = {"description": described, "content": {**own, PROBLEM: {"schema": _PROBLEM_SCHEMA}}}
    headers = _HEADERS.get(status)
    if headers is not None:
        made["headers"] = {
            name: {"schema": {"type": "string"}, "example": value, "required": not own}
            for name, value in headers.items()
        }
    return made
