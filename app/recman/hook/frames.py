"""What the surroundings of a record say in a webhook: its scope, what happened to it, and which ids are named. Pure.

Source: assumed (docs/facts/recman.md §1.3).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.recman.hook.envelope import find_value
from app.recman.hook.events import SCOPES, find_scope, is_filler, is_part_event, read_event
from app.recman.read.spellings import read_id

Document = Mapping[str, Any]

SCOPE_FIELDS = ("scope", "module", "entity", "object", "resource")
# Fields that only an envelope has; then those that a record may have too, read strictly.
EVENT_FIELDS = ("event", "eventName", "event_name", "eventType", "event_type", "topic", "trigger")
WEAK_EVENT_FIELDS = ("operation", "action", "webhook", "type", "name")
_EVENT_HEADER = re.compile(r"event|topic", re.IGNORECASE)
# Compared without case, `_` and `-`: `companyId`, `company_id`, `CompanyID`.
_PLAIN_IDS = ("id", "objectid", "entityid", "recordid", "resourceid")
# Other names of a scope's id, the least sure: RecMan has answered `customerId` for `companyId` (§3.2 [C]).
_OTHER_IDS = {"company": ("customerid",), "invoice": ("creditnoteid",), "project": ("assignmentid", "dealid")}
_LONGEST_NAME = 40
# Ids of records that name a company or a project, but are none. An invoice may have any of them (§3.3).
_OTHER_RECORDS = frozenset(
    [
        "orderid",
        "jobid",
        "jobpostid",
        "jobapplicationid",
        "candidateid",
        "employmentid",
        "logid",
        "inquiryid",
        "companycontactid",
        "taskid",
        "timesheetid",
        "invoiceid",
        "invoicelineid",
        "paymentid",
    ]
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What is known before a record is looked at.

    `sure`: the body itself names the scope. `foreign`: the body speaks of something that is none of our scopes.
    `part`: it speaks of a part of a record (`companyContact.updated`), so a plain id is the part's.
    """

    scope: str | None
    operation: str = "unknown"
    occurred_at: str | None = None
    sure: bool = False
    foreign: bool = False
    part: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The record that an object names; `own` when by an id of its scope (`invoiceId`), not just by `id`."""

    scope: str | None
    record_id: str | None = None
    own: bool = False


def read_frame(document: Document, outer: Frame, ids: Mapping[str, Any]) -> Frame:
    """The frame that an object makes for what it holds: what it says itself, else what was known outside."""
    said = _texts(document, SCOPE_FIELDS)
    strong = _texts(document, EVENT_FIELDS)
    # Only one word can name an event; a sentence is somebody's text.
    events = [read_event(text, strict=" " in text) for text in strong]
    weak_events = [read_weak_event(name, document[name]) for name in WEAK_EVENT_FIELDS if name in document]
    clear = next(filter(None, [*map(find_scope, said), *(scope for scope, _ in events)]), None)
    scope = outer.scope if outer.sure else clear or outer.scope
    operations = (operation for _, operation in [*events, *weak_events])
    moment = find_value(document, "occurred_at", "occurredAt", "timestamp", "created_at")
    return Frame(
        scope or _weak_scope([found for found, _ in weak_events], ids),
        outer.operation if outer.operation != "unknown" else next(filter(None, operations), "unknown"),
        # The envelope knows when it happened; a time within the record may be any.
        outer.occurred_at or _to_moment(moment),
        outer.sure or clear is not None,
        outer.foreign or any(map(_is_foreign_scope, said)) or any(map(_is_foreign_event, strong)),
        outer.part or any(map(is_part_event, [*said, *strong])),
    )


def _to_moment(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def read_weak_event(name: str, value: Any) -> tuple[str | None, str | None]:
    """Scope and operation in a field that a record may have too; a name of several words is just a name."""
    if not isinstance(value, str) or name not in WEAK_EVENT_FIELDS or (name == "name" and " " in value):
        return None, None
    return read_event(value, strict=True)


def _texts(document: Document, names: tuple[str, ...]) -> list[str]:
    return [text for name in names if isinstance(text := document.get(name), str)]


def _weak_scope(scopes: list[str | None], ids: Mapping[str, Any]) -> str | None:
    """A scope said where records have words of their own (a project called “New Company”): the ids must agree."""
    found = next(filter(None, scopes), None)
    others = any(f"{scope}id" in ids or f"{scope}ids" in ids for scope in SCOPES)
    return found if f"{found}id" in ids or f"{found}ids" in ids or not others else None


def _is_foreign_scope(text: str) -> bool:
    return find_scope(text) is None and not is_filler(text) and not any(read_event(text))


def _is_foreign_event(text: str) -> bool:
    # “order.created”: something happened, and what it happened to is none of ours.
    scope, operation = read_event(text)
    return scope is None and operation is not None and not any(read_event(text, strict=True))


def read_header_event(headers: Mapping[str, str]) -> tuple[str | None, str]:
    """Scope and operation from a header named like an event or a topic."""
    for name, value in headers.items():
        if _EVENT_HEADER.search(name):
            scope, operation = read_event(value, strict=True)
            if scope or operation:
                return scope, operation or "unknown"
    return None, "unknown"


def collect_ids(document: Document) -> dict[str, Any]:
    """Every field named like an id or a list of ids, by its name in small letters without `_` and `-`."""
    found: dict[str, Any] = {}
    for name, value in document.items():
        # Asked first because most names fail it, and every webhook waits for this loop.
        if name[-1:] in "dDsS" and len(name) <= _LONGEST_NAME:
            plain = name.lower().replace("_", "").replace("-", "")
            if plain.endswith(("id", "ids")):
                found.setdefault(plain, value)
    return found


def is_other_record(scope: str, document: Document) -> bool:
    """Whether an object that names a record of this scope has an id of another kind itself."""
    return scope != "invoice" and any(read_id(collect_ids(document).get(name)) for name in _OTHER_RECORDS)


def find_named(ids: Mapping[str, Any], frame: Frame) -> Named:
    """The record that an object names: `<scope>Id` of the known scope, then a plain id.

    Without a scope the first `<scope>Id` of invoice, project, company: an invoice names its project and company, a
    project its company, and not the other way round.
    """
    for scope in [frame.scope] if frame.scope else SCOPES:
        names = [f"{scope}id"]
        if frame.scope and not frame.part:
            names += _PLAIN_IDS
        names += _OTHER_IDS.get(scope, ())
        for name in names:
            found = read_id(ids.get(name))
            if found is not None:
                return Named(scope, found, own=name not in _PLAIN_IDS)
    return Named(frame.scope)


def list_plurals(ids: Mapping[str, Any], frame: Frame) -> list[tuple[str, Any]]:
    """Scope and ids of every field that lists some, also a single id's field that holds a list."""
    named = [frame.scope] if frame.scope and _names_scope(ids, frame.scope) else list(SCOPES)
    fields = [(scope, f"{scope}id") for scope in named]
    if frame.scope and not frame.part:
        fields += [(frame.scope, name) for name in _PLAIN_IDS]
    found = []
    for scope, name in fields:
        if f"{name}s" in ids:
            found.append((scope, ids[f"{name}s"]))
        value = ids.get(name)
        if isinstance(value, list | dict) or (isinstance(value, str) and "," in value):
            found.append((scope, value))
    return found


def _names_scope(ids: Mapping[str, Any], scope: str) -> bool:
    return any(f"{name}{ending}" in ids for name in (f"{scope}id", *_PLAIN_IDS) for ending in ("", "s"))
