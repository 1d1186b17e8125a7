"""The rules of a key, in versions: as JSON, or as a YAML file for people."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.admin.keys import load_key
from app.admin.rules import list_versions, load_rules, load_version, read_rules, record_rules, show_rules
from app.admin.rules_check import verify_rules
from app.admin.rules_file import dump_yaml, parse_yaml
from app.api.doors import AdminDoor, ResourcesDep, ViewerDoor
from app.api.etags import SeenDep
from app.api.pages import Page, to_whole
from app.api.views import View, problems
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change
from app.domain.rules import Rules, VatCodeRule
from app.engine.wakeup import wake_workers
from app.errors import RequestError
from app.platform.aside import run_aside
from app.tables import Key, SeenCode
from app.transfer.retry import retry_held
from app.transfer.seen_codes import list_codes

router = APIRouter(prefix="/v1/rules", tags=["rules"])

# As many as the column counts, and one more can be made.
_MOST_VERSIONS = 2**31 - 2
KeyId = Annotated[UUID, Query(description="The key whose rules these are")]


class RulesView(View):
    """One version of a key's rules."""

    key_id: UUID
    version: int = Field(description="0: nobody has made any", examples=[3])
    rules: Rules


class VersionView(View):
    """Who made which version."""

    version: int
    made_by: str = Field(examples=["token:5b0e…:Kari at Nordlys"])
    made_at: datetime


class VatCodeView(View):
    """A VAT code of RecMan's, and what the rules make it to."""

    recman: str = Field(examples=["52"])
    is_mapped: bool = Field(description="Whether the rules say what it is; a document with one that is not is held")
    unimicro: str | None = Field(description="Unimicro's code; none though mapped: it says nothing", examples=["52"])
    first_seen_at: datetime | None = Field(None, description="When a document first stated it while it was unknown")
    first_invoice_id: str | None = Field(None, description="RecMan's id of that document", examples=["9201"])
    vat_rate: Decimal | None = Field(None, description="The VAT rate of its line there", examples=["0"])


_YAML = "application/yaml"
_AS_YAML: dict[int | str, dict[str, Any]] = {200: {"content": {_YAML: {"schema": {"type": "object"}}}}}


@router.get(
    "",
    operation_id="show_rules",
    response_model=RulesView,
    responses=_AS_YAML | problems(_404="not_found"),
)
async def show_rules_in_force(
    door: ViewerDoor,
    request: Request,
    key_id: KeyId,
    version: Annotated[
        int | None, Query(ge=1, le=_MOST_VERSIONS, description="An older version; left out: the one in force")
    ] = None,
    form: Annotated[
        Literal["json", "yaml"] | None,
        Query(alias="format", description="yaml: a file to keep and edit; left out: as `Accept` says, else json"),
    ] = None,
) -> Response:
    """The rules in force, or an older version of them."""
    key = await load_key(door.session, key_id)
    if version is None:
        in_force = await load_rules(door.session, key.id)
        found, rules = in_force.version, in_force.rules
    else:
        row = await load_version(door.session, key.id, version)
        found, rules = row.version, await read_rules(row)
    as_yaml = form == "yaml" or (form is None and _wants_yaml(request))
    return await _answer(key, found, rules, as_yaml=as_yaml)


def _wants_yaml(request: Request) -> bool:
    return _YAML in request.headers.get("accept", "")


async def _answer(key: Key, version: int, rules: Rules, *, as_yaml: bool) -> Response:
    # Written at once: as a model it would be looked through and taken apart before.
    shown = RulesView(key_id=key.id, version=version, rules=rules).model_dump_json()
    if not as_yaml:
        return Response(shown, media_type="application/json", headers=_headers(version))
    text = await run_aside(partial(_show_yaml, rules), size=len(shown))
    return Response(
        f"# Rules of key “{key.name}”, version {version}\n{text}", media_type=_YAML, headers=_headers(version)
    )


def _show_yaml(rules: Rules) -> str:
    return dump_yaml(show_rules(rules))


def _headers(version: int) -> dict[str, str]:
    return {"ETag": _tag(version)}


def _tag(version: int) -> str:
    return f'"{version}"'


@router.get("/versions", operation_id="list_rules_versions", responses=problems(_404="not_found"))
async def list_all_versions(door: ViewerDoor, key_id: KeyId) -> Page[VersionView, None]:
    """Every version, newest first."""
    key = await load_key(door.session, key_id)
    rows = await list_versions(door.session, key.id, with_rules=False)
    return to_whole([VersionView.model_validate(row) for row in rows])


@router.get("/vat-codes", responses=problems(_404="not_found"))
async def list_vat_codes(door: ViewerDoor, key_id: KeyId) -> Page[VatCodeView, None]:
    """RecMan's VAT codes: those that documents have stated and those entered, each with what it is in Unimicro.

    A document with a code that is not mapped is held. To say what a code is: `vat_codes` in `PUT /v1/rules`.
    """
    key = await load_key(door.session, key_id)
    rules = (await load_rules(door.session, key.id)).rules
    seen = {row.code: row for row in await list_codes(door.session, key)}
    codes = sorted({*seen, *(rule.recman for rule in rules.vat_codes)})
    return to_whole([_show_code(code, rules.find_vat_code(code), seen.get(code)) for code in codes])


def _show_code(code: str, rule: VatCodeRule | None, seen: SeenCode | None) -> VatCodeView:
    view = VatCodeView(recman=code, is_mapped=rule is not None, unimicro=None if rule is None else rule.unimicro)
    if seen is None:
        return view
    return view.model_copy(
        update={"first_seen_at": seen.seen_at, "first_invoice_id": seen.record_id, "vat_rate": seen.vat_rate}
    )


@router.put(
    "",
    response_model=RulesView,
    responses=_AS_YAML
    | problems(
        _404="not_found",
        _412="changed_meanwhile",
        _422="rules_empty, rules_unreadable, rules_unusable",
        _428="if_match_missing",
        _502="remote",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Rules"}},
                "application/yaml": {"schema": {"type": "string"}, "example": "not_before: 2026-12-01\n"},
            },
        }
    },
)
async def make_rules(
    door: AdminDoor,
    resources: ResourcesDep,
    request: Request,
    seen: SeenDep,
    key_id: KeyId,
) -> Response:
    """Make the next version of the rules, from JSON or YAML; `If-Match` says which version was changed.

    They are given back as YAML to whoever says so in `Accept`.

    VAT codes and accounts that no sale may be booked on in Unimicro are refused when they are named first, and so is an
    account for rounding. What is held for a reason that a rule may mend is tried again. `{}` takes every rule back.
    """
    key = await load_key(door.session, key_id)
    seen.require()
    text = await _read_text(request)
    rules = await run_aside(partial(parse_yaml, text), size=len(text))
    in_force = await load_rules(door.session, key.id)
    seen.verify(_tag(in_force.version))
    known, before = in_force.rules, show_rules(in_force.rules)
    # No transaction is open while Unimicro is asked what may be booked on.
    await door.session.commit()
    await verify_rules(resources, key, rules, known=known)
    row = await record_rules(door.session, key, rules, after_version=in_force.version, made_by=door.caller.actor)
    after = {"version": row.version, "rules": row.rules}
    subject = f"rules:{key.id}"
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.RULES_CHANGED)
    await door.record("rules.make", subject, tenant_id=key.tenant_id, before={"rules": before}, after=after)
    await door.session.commit()
    wake_workers(resources)
    return await _answer(key, row.version, rules, as_yaml=_wants_yaml(request))


async def _read_text(request: Request) -> str:
    # JSON is YAML, so one reader serves both.
    try:
        return (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError("The file is not UTF-8", fix="Save it as UTF-8.", code=Code.RULES_UNREADABLE) from None
