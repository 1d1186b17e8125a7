"""What every code of a refusal or a reason means: at the address that a problem's `type` names, and as a document."""

import html
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import Field

from app.api.pages import Page, to_whole
from app.api.views import View, problems
from app.domain.reasons.catalogue import CATALOGUE, REFUSED
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Mender
from app.errors import NotFoundError

PATH = "/errors"
router = APIRouter(prefix=PATH, tags=["errors"])

_HEAD = """# What codes mean

Every refusal of the API and every reason on a document carries a `code`: stable, for programs. Its `cause` says what
is the matter with this one request or document, and its `fix` what its reader can do. The `type` of a refusal is the
address of its code: `GET /errors/{code}`, without a token.

Written by `make openapi` out of `app/domain/reasons/`; `{…}` is filled in where the code is used.
"""
_MEN = {
    Mender.CLERK: "a clerk",
    Mender.ACCOUNTANT: "an accountant",
    Mender.RECMAN_ADMINISTRATOR: "whoever administers RecMan",
    Mender.UNIMICRO_ADMINISTRATOR: "whoever administers Unimicro",
    Mender.ADMINISTRATOR: "an administrator",
    Mender.OPERATOR: "an operator",
    Mender.NOBODY: "nobody: it goes on by itself",
}
_HEADERS = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}


class CodeView(View):
    """A code, and what it means wherever it stands."""

    code: str = Field(examples=[Code.NAME_TAKEN])
    kind: Literal["refusal", "reason"] = Field(
        description="refusal: of a call of the API alone; reason: why a record is not through, or a note on it, too"
    )
    meaning: str = Field(examples=["The name is in use."])
    mender: Mender | None = Field(description="Who can do what the fix says; null: whoever made the call")
    fix: str | None = Field(description="What that person can do; null: the refusal itself says it")
    other_fixes: dict[str, str] = Field(description="What else it may take, by case")


@router.get("", operation_id="list_codes")
async def list_all_codes() -> Page[CodeView, None]:
    """Every code."""
    return to_whole([_view(code) for code in sorted(Code)])


@router.get(
    "/{code}",
    operation_id="show_code",
    response_model=CodeView,
    responses={200: {"content": {"text/html": {}}}, **problems(_404="not_found")},
)
async def show_code(request: Request, code: str) -> Response:
    """What a code means; a browser is shown a page."""
    if code not in set(Code):
        raise NotFoundError(f"There is no code {code[:60]!r}", fix=f"Take one from GET {PATH}.")
    view = _view(Code(code))
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_to_html(view), headers=_HEADERS)
    return JSONResponse(view.model_dump(mode="json"))


def _view(code: Code) -> CodeView:
    row = CATALOGUE.get(code)
    if row is None:
        meaning = REFUSED[code].sentence.en
        return CodeView(code=code, kind="refusal", meaning=meaning, mender=None, fix=None, other_fixes={})
    return CodeView(
        code=code,
        kind="reason",
        meaning=row.sentence.en,
        mender=row.mender,
        fix=row.fix.en,
        other_fixes={case: text.en for case, text in row.cases.items()},
    )


def _to_html(view: CodeView) -> str:
    lines = [view.meaning, *([view.fix] if view.fix else []), *view.other_fixes.values()]
    body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    title = html.escape(view.code)
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}</html>"


def render_catalogue(description: Mapping[str, Any]) -> str:
    """The document `docs/errors.md`; the description says which status a code is answered with."""
    statuses = _list_statuses(description)
    views = [_view(code) for code in sorted(Code)]
    return "\n".join([_HEAD, *_tell_refusals(views, statuses), "", *_tell_reasons(views, statuses)]) + "\n"


def _list_statuses(description: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for methods in description["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                for word in answer["description"].partition("Codes: ")[2].replace(",", " ").split():
                    found.setdefault(word, set()).add(status)
    return {word: sorted(numbers) for word, numbers in found.items()}


def _tell_refusals(views: list[CodeView], statuses: Mapping[str, list[str]]) -> Iterator[str]:
    yield "## Refusals\n\nOf a call of the API alone; what to do stands in the refusal itself.\n"
    yield "| code | status | means |"
    yield "|---|---|---|"
    for view in views:
        if view.kind == "refusal":
            yield f"| `{view.code}` | {', '.join(statuses.get(view.code, []))} | {_cell(view.meaning)} |"


def _tell_reasons(views: list[CodeView], statuses: Mapping[str, list[str]]) -> Iterator[str]:
    yield "## Reasons\n\nWhy a record is not through, or a note on it; with a status where a call is refused for it.\n"
    yield "| code | status | means | who can mend it | how |"
    yield "|---|---|---|---|---|"
    for view in views:
        if view.mender is not None:
            fixes = [view.fix or "", *(f"*{case}*: {text}" for case, text in view.other_fixes.items())]
            told = (view.meaning, _MEN[view.mender], "<br>".join(fixes))
            yield f"| `{view.code}` | {', '.join(statuses.get(view.code, []))} | {' | '.join(map(_cell, told))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
