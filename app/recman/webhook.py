"""Stop 2: a webhook's body to hints, as tolerantly as can be; never raises.

A hint says "this record may have changed", no more: the record is read afterwards. So one hint too many costs a look,
one too few a change.
Source: assumed (facts/recman-api.md §1); our own published form and RecMan's `scope` + `operation` habit come first.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.recman.envelope import WRAPPERS, Unreadable, find_value, open_body
from app.recman.events import SCOPES, find_scope, is_test_word, read_event
from app.recman.payloads import SPELLINGS, count_fields, read_id

# Fields that only an envelope has; then those that a record may have too, read strictly.
_EVENT_FIELDS = ("event", "eventName", "event_name", "eventType", "event_type", "topic", "trigger")
_WEAK_EVENT_FIELDS = ("operation", "action", "webhook", "type", "name")
_SCOPE_FIELDS = ("scope", "module", "entity", "object", "resource")
_ID_FIELDS = ("id", "Id", "ID", "objectId", "entityId", "recordId", "resourceId")
_EVENT_HEADER = re.compile(r"event|topic", re.IGNORECASE)
# An envelope may say one thing about its record (a number, a date); two make it the record itself.
_LEAST_FIELDS_FLAT = 2
_LONGEST_NOTE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One record that may have changed.

    Shape: `record` is the payload's own copy when it carries one, always with an id of its own in it.
    """

    scope: str
    record_id: str
    operation: str = "unknown"
    record: Mapping[str, Any] | None = field(default=None, repr=False)
    occurred_at: str | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """The hints of one delivery, or why there are none."""

    hints: tuple[Hint, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the surroundings of a record say; `sure` when the body itself names the scope."""

    scope: str | None
    operation: str = "unknown"
    occurred_at: str | None = None
    sure: bool = False


def parse_hints(body: bytes, *, content_type: str, path_scope: str | None, headers: Mapping[str, str]) -> Decoded:
    """What a delivery is about; `note` tells in plain words why it asks for nothing.

    The body's own event or scope goes before the address, the address before a header.
    """
    asked = find_scope(path_scope or "")
    if path_scope and asked is None:
        return Decoded((), f"unknown scope “{_show(path_scope)}” in the address")
    document = open_body(body, content_type)
    if isinstance(document, Unreadable):
        return Decoded((), str(document))
    if _is_test(document, _EVENT_FIELDS):
        return Decoded((), "a ping: it asks for nothing")
    scope, operation = _read_header_event(headers)
    frame = _Frame(asked or scope, operation)
    hints = _merge(_read(document, frame))
    return Decoded(hints, "" if hints else _explain(document, frame))


def _read(document: Any, frame: _Frame) -> Iterator[Hint]:
    if isinstance(document, list):
        for part in document:
            yield from _read(part, frame)
    elif isinstance(document, dict):
        yield from _read_object(document, frame, least=_LEAST_FIELDS_FLAT)
    else:
        yield from _hints_of_ids(frame, document)


def _read_object(document: Mapping[str, Any], outer: _Frame, *, least: int) -> Iterator[Hint]:
    if document and all(read_id(name) and isinstance(part, dict) for name, part in document.items()):
        for name, part in document.items():
            yield from _read_row(name, part, outer)
        return
    frame = _read_frame(document, outer)
    yield from _read_plural(document, frame)
    inner = list(_read_wrapped(document, frame))
    if inner:
        yield from inner
        return
    scope, record_id = _read_own_id(document, frame)
    yield from _hint(replace(frame, scope=scope), record_id, document, least=least)


def _read_row(name: str, part: Mapping[str, Any], frame: _Frame) -> Iterator[Hint]:
    found = list(_read_object(part, frame, least=1))
    yield from found or _hint(frame, read_id(name), part, least=1)


def _read_wrapped(document: Mapping[str, Any], frame: _Frame) -> Iterator[Hint]:
    """Hints from `{"data": …}` and its kin, also `{"invoice": {…}}`; the outer id stands in for a missing one."""
    for name in (*WRAPPERS, *_SCOPE_FIELDS, *_named_after_scope(document, frame)):
        part, inside = document.get(name), frame
        if frame.scope is None and name in SCOPES:
            inside = replace(frame, scope=name)
        if isinstance(part, dict) and part:
            found = list(_read_object(part, inside, least=1))
            scope, outer_id = _read_own_id(document, inside)
            yield from found or _hint(replace(inside, scope=scope), outer_id, part, least=1)
        elif name not in _SCOPE_FIELDS:
            yield from _hints_of_ids(inside, part) if isinstance(part, str) else _read(part, inside)


def _named_after_scope(document: Mapping[str, Any], frame: _Frame) -> tuple[str, ...]:
    # An invoice may bring its company along: only the record that the delivery is about is looked for.
    if frame.scope is not None:
        return (frame.scope,)
    return () if _read_own_id(document, frame)[1] else SCOPES


def _read_plural(document: Mapping[str, Any], frame: _Frame) -> Iterator[Hint]:
    names: list[tuple[str, str | None]] = [
        (name, scope) for scope in SCOPES for name in (f"{scope}Ids", f"{scope}_ids", f"{scope}Id", f"{scope}_id")
    ]
    for name, scope in [*names, ("ids", frame.scope), ("id", frame.scope)]:
        values = document.get(name)
        # A single id is read with its record; here are the lists, whatever their field is called.
        if name in document and (name.endswith("ds") or not isinstance(values, str | int) or "," in str(values)):
            yield from _hints_of_ids(replace(frame, scope=scope), values)


def _hints_of_ids(frame: _Frame, values: Any) -> Iterator[Hint]:
    parts = values.values() if isinstance(values, dict) else values
    if isinstance(values, str):
        parts = values.split(",")
    for part in parts if isinstance(parts, Iterable) else [parts]:
        yield from _hint(frame, read_id(part))


def _read_own_id(document: Mapping[str, Any], frame: _Frame) -> tuple[str | None, str | None]:
    """Scope and id: `<scope>Id` of the known scope, then a plain id.

    Without a scope the first `<scope>Id` of invoice, project, company: an invoice names its project and company, a
    project its company, and not the other way round.
    """
    for scope in [frame.scope] if frame.scope else SCOPES:
        names = (f"{scope}Id", f"{scope}_id", *(_ID_FIELDS if frame.scope else ()))
        found = next(filter(None, (read_id(document.get(name)) for name in names)), None)
        if found is not None:
            return scope, found
    return frame.scope, None


def _hint(
    frame: _Frame, record_id: str | None, record: Mapping[str, Any] | None = None, *, least: int = 1
) -> Iterator[Hint]:
    if frame.scope is None or record_id is None:
        return
    if record is not None:
        record = _to_record(frame.scope, record_id, record, least=least)
    yield Hint(
        scope=frame.scope,
        record_id=record_id,
        operation=frame.operation,
        record=record,
        occurred_at=frame.occurred_at,
    )


def _to_record(scope: str, record_id: str, found: Mapping[str, Any], *, least: int) -> Mapping[str, Any] | None:
    """The object when it says enough of its own to be the record, with its id; None for a bare envelope."""
    spellings = SPELLINGS.get(scope, {})
    own = {name: value for name, value in found.items() if not _is_event(name, value)}
    if count_fields(own, spellings) < least:
        return None
    has_id = any(read_id(found.get(name)) == record_id for name in spellings["id"])
    return found if has_id else {spellings["id"][0]: record_id, **found}


def _is_event(name: str, value: Any) -> bool:
    return name in _WEAK_EVENT_FIELDS and isinstance(value, str) and any(read_event(value, strict=True))


def _read_frame(document: Mapping[str, Any], outer: _Frame) -> _Frame:
    said = [find_scope(word) for name in _SCOPE_FIELDS if isinstance(word := document.get(name), str)]
    strong = [read_event(word) for name in _EVENT_FIELDS if isinstance(word := document.get(name), str)]
    weak = [read_event(word, strict=True) for name in _WEAK_EVENT_FIELDS if isinstance(word := document.get(name), str)]
    clear = next(filter(None, [*said, *(event[0] for event in strong)]), None)
    scope = outer.scope if outer.sure else clear or outer.scope
    operations = [event[1] for event in [*strong, *weak]]
    known = [] if outer.operation == "unknown" else [outer.operation]
    moment = find_value(document, "occurred_at", "occurredAt", "timestamp", "created_at")
    return _Frame(
        scope or next(filter(None, (event[0] for event in weak)), None),
        next(filter(None, [*known, *operations]), "unknown"),
        moment if isinstance(moment, str) else outer.occurred_at,
        outer.sure or clear is not None,
    )


def _read_header_event(headers: Mapping[str, str]) -> tuple[str | None, str]:
    for name, value in headers.items():
        if _EVENT_HEADER.search(name):
            scope, operation = read_event(value, strict=True)
            if scope or operation:
                return scope, operation or "unknown"
    return None, "unknown"


def _is_test(document: Any, names: tuple[str, ...]) -> bool:
    if isinstance(document, str):
        return is_test_word(document)
    if not isinstance(document, dict):
        return False
    words = [word for word in map(document.get, names) if isinstance(word, str)]
    return any(map(is_test_word, words)) or (len(document) == 1 and is_test_word(next(iter(document))))


def _merge(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """One hint a record: the last word on it, with the last copy that came."""
    merged: dict[tuple[str, str], Hint] = {}
    for hint in hints:
        before = merged.get((hint.scope, hint.record_id), hint)
        operation = before.operation if hint.operation == "unknown" else hint.operation
        merged[hint.scope, hint.record_id] = replace(hint, operation=operation, record=hint.record or before.record)
    return tuple(merged.values())


def _explain(document: Any, frame: _Frame) -> str:
    if document in ({}, []):
        return "empty document"
    if _is_test(document, _WEAK_EVENT_FIELDS):
        return "a ping: it asks for nothing"
    found = _read_frame(document, frame) if isinstance(document, dict) else frame
    if found.scope is not None:
        return f"no usable id of scope {found.scope}; the next sweep finds what changed"
    if not isinstance(document, dict):
        return "no scope: the address names none"
    named = find_value(document, *_SCOPE_FIELDS, *_EVENT_FIELDS, *_WEAK_EVENT_FIELDS)
    return "neither scope nor event" if named is None else f"unknown scope or event “{_show(named)}”"


def _show(value: object) -> str:
    # Postgres takes no NUL in a text, and a log line no line break.
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:_LONGEST_NOTE])
