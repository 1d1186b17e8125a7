"""The API's description for people, on a page of our own: nothing is loaded from anywhere, and nothing runs on it."""

import base64
import hashlib
import html
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.api.doors import ResourcesDep
from app.errors import NotFoundError
from app.platform.resources import Resources

router = APIRouter(include_in_schema=False)

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h3{font-family:ui-monospace,monospace;margin:2rem 0 .2rem}table{border-collapse:collapse;width:100%}"
    "td{border-top:1px solid #ddd;padding:.2rem .6rem .2rem 0;vertical-align:top}td:first-child{width:16rem}"
    "code,td:first-child{font-family:ui-monospace,monospace}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-cache",
}


@router.get("/docs")
async def show_docs(request: Request, resources: ResourcesDep) -> Response:
    """Every operation, with what it takes and answers."""
    _require_shown(resources)
    return HTMLResponse(render_docs(request.app.openapi()), headers=_HEADERS)


@router.get("/openapi.json")
async def show_openapi(request: Request, resources: ResourcesDep) -> Response:
    """The same for programs."""
    _require_shown(resources)
    return JSONResponse(request.app.openapi(), headers={"Cache-Control": "no-cache"})


def _require_shown(resources: Resources) -> None:
    if not resources.settings.show_docs:
        raise NotFoundError("The description is not shown here", fix="An operator sets RMU_SHOW_DOCS to true.")


def render_docs(described: Mapping[str, Any]) -> str:
    """The page for a description."""
    title = html.escape(described["info"]["title"])
    parts = [f"<h1>{title} {html.escape(described['info']['version'])}</h1>"]
    parts.append('<p>For programs: <a href="/openapi.json">/openapi.json</a>.</p>')
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            parts += _tell_operation(method, path, operation)
    for name, schema in sorted(described["components"]["schemas"].items()):
        parts += _tell_schema(name, schema)
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
    return head + "".join(parts) + "</html>"


def _tell_operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    said = operation.get("description") or operation.get("summary") or ""
    yield f"<h3>{method.upper()} {html.escape(path)}</h3><p>{html.escape(said)}</p><table>"
    for one in operation.get("parameters", ()):
        what = f"{one['in']}{', required' if one.get('required') else ''}. {one.get('description', '')}"
        yield _row(one["name"], html.escape(what))
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield _row("body", f"{html.escape(kind)} {_name_type(content.get('schema', {}))}")
    for status, answer in operation.get("responses", {}).items():
        types = " ".join(_name_type(content.get("schema", {})) for content in answer.get("content", {}).values())
        yield _row(status, f"{html.escape(answer.get('description', ''))} {types}")
    yield "</table>"


def _tell_schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h3 id={_anchor(name)}>{html.escape(name)}</h3><p>{html.escape(schema.get('description', ''))}</p><table>"
    for field, said in schema.get("properties", {}).items():
        mark = " *" if field in schema.get("required", ()) else ""
        yield _row(field + mark, f"{_name_type(said)} {html.escape(said.get('description', ''))}")
    yield "</table>"


def _row(name: str, told: str) -> str:
    return f"<tr><td>{html.escape(name)}</td><td>{told}</td></tr>"


def _name_type(schema: Mapping[str, Any]) -> str:
    """What a value is, with a link to what is described below."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"<a href=#{_anchor(name)}>{html.escape(name)}</a>"
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " or ".join(map(_name_type, schema[word]))
    if "enum" in schema:
        return html.escape(", ".join(map(str, schema["enum"])))
    inner = _name_type(schema["items"]) if isinstance(schema.get("items"), Mapping) else ""
    return f"{html.escape(str(schema.get('type', '')))}{f' of {inner}' if inner else ''}"


def _anchor(name: str) -> str:
    return "schema-" + "".join(letter if letter.isalnum() else "-" for letter in name)
