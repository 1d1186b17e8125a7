"""Stop 2: a webhook's body to hints, as tolerantly as can be; never raises.

A hint says "this record may have changed", no more: the record is read afterwards.
Source: assumed (facts/recman-api.md §1); our own published form and RecMan's `scope` + `operation` habit come first.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.recman.envelope import Unreadable, find_value, open_body

SCOPES = ("company", "project", "invoice", "product", "department")

_SCOPE_WORDS = {scope: scope for scope in SCOPES} | {
    "customer": "company",
    "client": "company",
    "deal": "project",
    "assignment": "project",
    "creditnote": "invoice",
}
_OPERATION_WORDS = (
    dict.fromkeys(("insert", "inserted", "create", "created", "add", "added", "new"), "insert")
    | dict.fromkeys(("update", "updated", "change", "changed", "edit", "edited", "save", "saved"), "update")
    | dict.fromkeys(("delete", "deleted", "remove", "removed"), "delete")
)
_TEST_WORDS = frozenset({"ping", "test", "webhooktest", "hello"})
_EVENT_FIELDS: tuple[str, ...] = (
    "event",
    "eventName",
    "eventType",
    "event_type",
    "type",
    "topic",
    "trigger",
    "action",
    "operation",
)
_EVENT_FIELDS += ("webhook", "name")
_SCOPE_FIELDS = ("scope", "module", "entity", "object", "resource")
_ID_FIELDS = ("id", "Id", "ID", "objectId", "entityId", "recordId", "resourceId")
_DELIVERY_FIELDS = ("deliveryId", "delivery_id", "eventId", "event_id", "messageId", "message_id")
_DELIVERY_HEADER = re.compile(r"^(webhook-id|.*delivery.*id|.*delivery|.*message-id)$", re.IGNORECASE)
_EVENT_HEADER = re.compile(r"event|topic", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_LONGEST_ID = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One record that may have changed; `record` is the payload's own copy when it carries one."""

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
    """What the surroundings of a record say: path, headers, outer fields."""

    scope: str | None
    operation: str
    occurred_at: str | None = None


def parse_hints(body: bytes, *, content_type: str, path_scope: str | None, headers: Mapping[str, str]) -> Decoded:
    """What a delivery is about; `note` tells in plain words why it asks for nothing."""
    document = open_body(body, content_type)
    if isinstance(document, Unreadable):
        return Decoded((), str(document))
    scope, operation = _read_header_event(headers)
    asked = _SCOPE_WORDS.get((path_scope or "").lower())
    if path_scope is not None and asked is None:
        return Decoded((), f"unknown scope “{path_scope[:50]}” in the address")
    frame = _Frame(asked or scope, operation)
    if _is_test(document):
        return Decoded((), "a ping: it asks for nothing")
    hints = _merge(_read(document, frame))
    return Decoded(hints, "" if hints else _explain(document, frame))


def delivery_key(headers: Mapping[str, str], body: bytes) -> str | None:
    """The delivery's own id, when it has one; together with the body it recognises a repeat for ever."""
    for name, value in headers.items():
        if _DELIVERY_HEADER.match(name) and value:
            return value[:200]
    if not any(name.encode() in body for name in _DELIVERY_FIELDS):
        return None
    document = open_body(body, "")
    found = find_value(document, *_DELIVERY_FIELDS) if isinstance(document, dict) else None
    return str(found)[:200] if isinstance(found, str | int) and not isinstance(found, bool) else None


def read_id(value: object) -> str | None:
    """An id as a plain decimal text, from a whole positive number or digits; None for anything else."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_ID:
        return None
    return text.lstrip("0") or None


def _read(document: Any, frame: _Frame) -> Iterator[Hint]:
    if isinstance(document, list):
        for part in document:
            yield from _read(part, frame)
    elif isinstance(document, dict):
        yield from _read_object(document, frame)
    elif frame.scope is not None:
        yield from _hint(frame, read_id(document))


def _read_object(document: Mapping[str, Any], outer: _Frame) -> Iterator[Hint]:
    frame = _read_frame(document, outer)
    plural = list(_read_plural(document, frame))
    if plural:
        yield from plural
        return
    data = document.get("data")
    if isinstance(data, dict | list) and data:
        yield from _read_data(document, data, frame)
        return
    scope, record_id = _read_own_id(document, frame)
    # An envelope that names its event is no record; without one, it may be the record itself.
    record = document if scope is not None and len(document) > _ENVELOPE_FIELDS else None
    yield from _hint(_Frame(scope, frame.operation, frame.occurred_at), record_id, record)


# A record of interest has more fields than an envelope could have.
_ENVELOPE_FIELDS = 6


def _read_data(document: Mapping[str, Any], data: Any, frame: _Frame) -> Iterator[Hint]:
    if isinstance(data, dict) and all(read_id(key) and isinstance(part, dict) for key, part in data.items()):
        for key, part in data.items():
            scope, record_id = _read_own_id(part, frame)
            yield from _hint(_Frame(scope, frame.operation, frame.occurred_at), record_id or read_id(key), part)
        return
    if isinstance(data, dict):
        scope, own = _read_own_id(data, frame)
        outer_scope, outer = _read_own_id(document, frame)
        yield from _hint(_Frame(scope or outer_scope, frame.operation, frame.occurred_at), own or outer, data)
        return
    yield from _read(data, frame)


def _read_plural(document: Mapping[str, Any], frame: _Frame) -> Iterator[Hint]:
    names = [(f"{scope}Ids", scope) for scope in SCOPES] + ([("ids", frame.scope)] if frame.scope else [])
    for name, scope in names:
        values = document.get(name)
        parts = values.split(",") if isinstance(values, str) else values
        if isinstance(parts, list):
            for part in parts:
                yield from _hint(_Frame(scope, frame.operation, frame.occurred_at), read_id(part))


def _read_own_id(document: Mapping[str, Any], frame: _Frame) -> tuple[str | None, str | None]:
    """Scope and id: `<scope>Id` of the known scope, then a plain id; without scope the only `<scope>Id` there is."""
    if frame.scope is not None:
        named = find_value(document, f"{frame.scope}Id", f"{frame.scope}_id", *_ID_FIELDS)
        return frame.scope, read_id(named)
    found = {scope: find_value(document, f"{scope}Id", f"{scope}_id") for scope in SCOPES}
    present = [scope for scope, value in found.items() if value is not None]
    return (present[0], read_id(found[present[0]])) if len(present) == 1 else (None, None)


def _hint(frame: _Frame, record_id: str | None, record: Mapping[str, Any] | None = None) -> Iterator[Hint]:
    if frame.scope is not None and record_id is not None:
        yield Hint(
            scope=frame.scope,
            record_id=record_id,
            operation=frame.operation,
            record=record,
            occurred_at=frame.occurred_at,
        )


def _read_frame(document: Mapping[str, Any], outer: _Frame) -> _Frame:
    scope, operation = outer.scope, outer.operation
    for name in _SCOPE_FIELDS:
        word = document.get(name)
        if isinstance(word, str) and scope is None:
            scope = _SCOPE_WORDS.get(_plain(word))
    for name in _EVENT_FIELDS:
        word = document.get(name)
        if isinstance(word, str):
            event_scope, event_operation = read_event(word)
            scope = scope or event_scope
            operation = event_operation if operation == "unknown" and event_operation else operation
    moment = find_value(document, "occurred_at", "occurredAt", "timestamp", "created_at")
    return _Frame(scope, operation, moment if isinstance(moment, str) else outer.occurred_at)


def read_event(text: str) -> tuple[str | None, str | None]:
    """Scope and operation in a name like `invoice.updated`, `CompanyCreated` or `insert`."""
    words = [word.lower() for word in _WORDS.findall(text[:100])]
    scope = next((_SCOPE_WORDS[word] for word in words if word in _SCOPE_WORDS), None)
    if scope is None and "".join(words).startswith("creditnote"):
        scope = "invoice"
    return scope, next((_OPERATION_WORDS[word] for word in words if word in _OPERATION_WORDS), None)


def _read_header_event(headers: Mapping[str, str]) -> tuple[str | None, str]:
    for name, value in headers.items():
        if _EVENT_HEADER.search(name):
            scope, operation = read_event(value)
            if scope or operation:
                return scope, operation or "unknown"
    return None, "unknown"


def _is_test(document: Any) -> bool:
    if isinstance(document, str):
        return _plain(document) in _TEST_WORDS
    if not isinstance(document, dict):
        return False
    return any(_plain(word) in _TEST_WORDS for word in map(document.get, _EVENT_FIELDS) if isinstance(word, str)) or (
        len(document) == 1 and _plain(next(iter(document))) in _TEST_WORDS
    )


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())


def _merge(hints: Iterator[Hint]) -> tuple[Hint, ...]:
    merged: dict[tuple[str, str], Hint] = {}
    for hint in hints:
        merged[hint.scope, hint.record_id] = hint
    return tuple(merged.values())


def _explain(document: Any, frame: _Frame) -> str:
    if document in ({}, []):
        return "empty document"
    if not isinstance(document, dict):
        return "no scope: the address names none" if frame.scope is None else f"no usable id of scope {frame.scope}"
    scope = _read_frame(document, frame).scope
    if scope is not None:
        return f"no usable id of scope {scope}; the next sweep finds what changed"
    named = find_value(document, *_SCOPE_FIELDS, *_EVENT_FIELDS)
    return f"unknown scope or event “{str(named)[:50]}”" if named is not None else "neither scope nor event"
