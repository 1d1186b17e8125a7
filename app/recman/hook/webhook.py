"""Stop 2: a webhook's body to hints, as tolerantly as can be; never raises.

A hint says "this record may have changed", no more: the record is read afterwards. So one hint too many costs a look,
one too few a change. A copy of the record is different: tenants without an API key are read from it, so it is kept only
where the delivery says clearly whose it is.
Source: assumed (docs/facts/recman.md §1); our own published form and RecMan's `scope` + `operation` habit come first.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.money import dump_json
from app.recman.hook.envelope import WRAPPERS, TooManyValuesError, Unreadable, find_value, open_body, open_text
from app.recman.hook.events import SCOPES, find_scope, is_test_word
from app.recman.hook.frames import (
    EVENT_FIELDS,
    SCOPE_FIELDS,
    WEAK_EVENT_FIELDS,
    Document,
    Frame,
    Named,
    collect_ids,
    find_named,
    is_other_record,
    list_plurals,
    read_frame,
    read_header_event,
    read_weak_event,
)
from app.recman.read.spellings import INVOICE, SPELLINGS, count_fields, is_empty, read_id

# Each record is an event of its own; more than this in one delivery would keep its sender waiting too long.
MOST_RECORDS = 5000
_PLURALS = {scope: f"{scope}s" for scope in SCOPES} | {"company": "companies"}
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
    """The hints of one delivery, or why there are none.

    Shape: more than `MOST_RECORDS` hints mean that the rest was not read. `scope` is what a delivery without hints is
    about all the same. `too_much`: it holds so many values that nobody has looked at them.
    """

    hints: tuple[Hint, ...]
    note: str = ""
    scope: str | None = None
    too_much: bool = False


def parse_hints(body: bytes, *, content_type: str, path_scope: str | None, headers: Mapping[str, str]) -> Decoded:
    """What a delivery is about; `note` says in plain words why it asks for nothing.

    The body's own event or scope goes before the address, the address before a header.
    """
    try:
        return _parse(body, content_type, path_scope, headers)
    except TooManyValuesError:
        return Decoded((), "too many values", too_much=True)


def _parse(body: bytes, content_type: str, path_scope: str | None, headers: Mapping[str, str]) -> Decoded:
    asked = find_scope(path_scope or "")
    document = open_body(body, content_type)
    if isinstance(document, Unreadable):
        return Decoded((), str(document))
    if _is_test(document, EVENT_FIELDS):
        return Decoded((), "a ping: it asks for nothing")
    scope, operation = read_header_event(headers)
    frame = Frame(asked or scope, operation)
    hints = _merge(_read(document, frame))
    if hints:
        return Decoded(hints)
    explained = _explain(document, frame)
    if path_scope and asked is None and explained.scope is None:
        return Decoded((), f"unknown scope “{_show(path_scope)}” in the address; {explained.note}")
    return explained


def write_hint(hint: Hint) -> bytes:
    """A delivery of its own about one of several records; `parse_hints` reads the same hint in it."""
    said = {
        "scope": hint.scope,
        "operation": hint.operation,
        "id": hint.record_id,
        "occurred_at": hint.occurred_at,
        "data": hint.record,
    }
    return dump_json({name: value for name, value in said.items() if value not in (None, "unknown")}).encode()


def _read(document: Any, frame: Frame) -> Iterator[Hint]:
    if isinstance(document, list):
        for part in document:
            yield from _read(part, frame)
    elif isinstance(document, dict):
        yield from _read_object(document, frame, least=_LEAST_FIELDS_FLAT)
    elif isinstance(document, str) and document[:1] in {"{", "["}:
        yield from _read(open_text(document), frame)
    else:
        yield from _hints_of_ids(frame, document)


def _read_object(document: Document, outer: Frame, *, least: int) -> Iterator[Hint]:
    if _is_map_of_rows(document):
        yield from _read_rows(document, outer)
        return
    ids = collect_ids(document)
    frame = read_frame(document, outer, ids)
    for scope, values in list_plurals(ids, frame):
        yield from _hints_of_ids(replace(frame, scope=scope), values)
    named = find_named(ids, frame)
    inner = list(_read_wrapped(document, frame, named))
    if not inner:
        yield from _hint(frame, named, document, least=least)
    elif _is_other(inner, frame, named):
        # Two ids for one record: both are looked at, and whose the copy is stays open.
        yield replace(inner[0], record=None)
        yield from _hint(frame, named)
    else:
        yield from inner


def _is_other(inner: list[Hint], frame: Frame, named: Named) -> bool:
    return (
        len(inner) == 1
        and named.own
        and (inner[0].scope, named.scope) == (frame.scope, frame.scope)
        and inner[0].record_id != named.record_id
    )


def _is_map_of_rows(document: Document) -> bool:
    """Whether it is v2's map by id, or a PHP array numbered from 0 or 1. Source: §2.4 [O]."""
    return bool(document) and all(
        name.isascii() and name.isdecimal() and (part is None or isinstance(part, dict | bool))
        for name, part in document.items()
    )


def _read_rows(document: Document, frame: Frame) -> Iterator[Hint]:
    is_numbered = "0" in document
    for name, part in document.items():
        named = Named(frame.scope, None if is_numbered else read_id(name))
        if isinstance(part, dict):
            found = list(_read_object(part, frame, least=1))
            yield from found or _hint(frame, named, part)
        else:
            yield from _hint(frame, named)


def _read_wrapped(document: Document, frame: Frame, named: Named) -> Iterator[Hint]:
    """Hints from `{"data": …}` and its kin, also `{"invoice": {…}}`; the outer id stands in for a missing one."""
    for name, inside in [*((name, frame) for name in (*WRAPPERS, *SCOPE_FIELDS)), *_wrappers_named(frame, named)]:
        part = document.get(name)
        if isinstance(part, dict) and part:
            found = list(_read_object(part, inside, least=1))
            yield from found or _hint(inside, Named(inside.scope or named.scope, named.record_id), part)
        elif part is not None and name not in SCOPE_FIELDS:
            yield from _read(part, inside)


def _wrappers_named(frame: Frame, named: Named) -> list[tuple[str, Frame]]:
    # An invoice may bring its company along: only the record that the delivery is about is looked for.
    if frame.scope is None and named.record_id is not None:
        return []
    inner = [frame] if frame.scope else [replace(frame, scope=scope) for scope in SCOPES]
    return [(name, one) for one in inner if one.scope for name in (one.scope, _PLURALS[one.scope])]


def _hints_of_ids(frame: Frame, values: Any) -> Iterator[Hint]:
    if isinstance(values, dict):
        # Ids in numbered fields, or as the names of fields.
        parts: Iterable[Any] = (
            name if value is None or isinstance(value, dict) else value for name, value in values.items()
        )
    elif isinstance(values, str):
        parts = values.split(",")
    else:
        parts = values if isinstance(values, list) else [values]
    seen = set()
    for part in parts:
        found = read_id(part)
        if found is not None and found not in seen:
            seen.add(found)
            yield from _hint(frame, Named(frame.scope, found))


def _hint(frame: Frame, named: Named, found: Document | None = None, *, least: int = 1) -> Iterator[Hint]:
    if named.scope is None or named.record_id is None:
        return
    has_copy = found is not None and _is_record(frame, named, found, least=least)
    yield Hint(
        scope=named.scope,
        record_id=named.record_id,
        operation=frame.operation,
        record=_to_record(SPELLINGS[named.scope]["id"], named.record_id, found) if found and has_copy else None,
        occurred_at=frame.occurred_at,
    )


def _is_record(frame: Frame, named: Named, found: Document, *, least: int) -> bool:
    """Whether the object surely is the record, and says enough of its own; orders and contacts name companies too."""
    if named.scope not in SPELLINGS or frame.part or frame.foreign or is_other_record(named.scope, found):
        return False
    if frame.scope is None and not any(not is_empty(found.get(name)) for name in INVOICE["lines"]):
        return False
    own = {name: value for name, value in found.items() if not any(read_weak_event(name, value))}
    return count_fields(own, named.scope) >= least


def _to_record(id_names: tuple[str, ...], record_id: str, found: Document) -> Document:
    """The copy with its id, without the words of an envelope around it: an event is no name of a company."""
    record = {
        name: value
        for name, value in found.items()
        if (name not in id_names or read_id(value)) and not _is_envelope(name, value)
    }
    return record if any(name in record for name in id_names) else {id_names[0]: record_id, **record}


def _is_envelope(name: str, value: Any) -> bool:
    # `type` “customer” and `name` “New” may be the record's own; “company.updated” is neither.
    scope, operation = read_weak_event(name, value)
    return operation is not None and (name != "name" or scope is not None)


def _is_test(document: Any, names: tuple[str, ...]) -> bool:
    if isinstance(document, str):
        return is_test_word(document)
    if not isinstance(document, dict):
        return False
    words = [word for word in map(document.get, names) if isinstance(word, str)]
    return any(map(is_test_word, words)) or (len(document) == 1 and is_test_word(next(iter(document))))


def _merge(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """One hint a record: the last one about it, with the last copy that came."""
    merged: dict[tuple[str, str], Hint] = {}
    for hint in hints:
        before = merged.get((hint.scope, hint.record_id))
        if before is not None:
            operation = before.operation if hint.operation == "unknown" else hint.operation
            hint = replace(hint, operation=operation, record=hint.record or before.record)  # noqa: PLW2901
        merged[hint.scope, hint.record_id] = hint
        if len(merged) > MOST_RECORDS:
            break
    return tuple(merged.values())


def _explain(document: Any, frame: Frame) -> Decoded:
    if document in ({}, []):
        return Decoded((), "empty document")
    if _is_test(document, WEAK_EVENT_FIELDS):
        return Decoded((), "a ping: it asks for nothing")
    found = read_frame(document, frame, collect_ids(document)) if isinstance(document, dict) else frame
    if found.scope is not None:
        return Decoded((), f"no usable id of scope {found.scope}; the next sweep finds what changed", found.scope)
    if not isinstance(document, dict):
        return Decoded((), "no scope: the address names none")
    named = find_value(document, *SCOPE_FIELDS, *EVENT_FIELDS, *WEAK_EVENT_FIELDS)
    return Decoded((), "neither scope nor event" if named is None else f"unknown scope or event “{_show(named)}”")


def _show(value: object) -> str:
    # Postgres takes no NUL in a text, and a log line no line break.
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:_LONGEST_NOTE])
