"""Raw webhook bytes to a document, whatever the content type says; raises only when there is too much of it.

Source: assumed (docs/facts/recman.md §1.3): nothing public says what RecMan sends.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes
from email.utils import collapse_rfc2231_value
from typing import Any
from urllib.parse import parse_qsl

from app.domain.money import make_storable, parse_json
from app.recman.hook.events import is_test_word

_DEEPEST = 40
_MOST_FIELDS = 10_000
# Of a part of a form. The library walks through a head again for each of its parameters, and calls itself for each
# message in a message: it sees no more than this, and no body.
_LONGEST_HEAD = 2048
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
# What costs is how many values there are to be walked through, whatever they are; five for every record that one
# delivery may name, and twenty values. Commas tell how many a list or an object holds.
_MOST_CONTAINERS = 25_000
_MOST_VALUES = 100_000
_MOST_BRACKETS = 4
# Fields under which a sender may wrap what it means.
WRAPPERS = ("data", "payload", "body", "json", "record", "records", "events")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


class Unreadable(str):  # noqa: SLOT000 - a text with a meaning of its own
    """Why a body cannot be read."""


class TooManyValuesError(ValueError):
    """A text holds more values than anybody may be kept waiting for."""


def open_body(body: bytes, content_type: str) -> Any:
    """The decoded document, or `Unreadable` with the reason.

    Raises:
        TooManyValuesError: it would take too long to walk through.
    """
    if not body.strip():
        return Unreadable("empty body")
    if content_type.strip().lower().startswith("multipart/form-data"):
        return _open_parts(body, content_type)
    text = _to_text(body).strip()
    if not text:
        return Unreadable("empty body")
    # A form that begins like JSON is JSON with a wrong content type.
    if "x-www-form-urlencoded" in content_type.lower() and text[:1] not in '{["':
        return _open_form(text)
    found = open_text(text)
    if not isinstance(found, Unreadable):
        return found
    if is_test_word(text):
        return text
    # Some senders forget the content type of a form.
    return _open_form(text) if "=" in text and text[:1] not in '{["' else found


def _to_text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def open_text(text: str) -> Any:
    """The document in a JSON text, or `Unreadable` with the reason.

    Raises:
        TooManyValuesError: it would take too long to walk through.
    """
    # Here, and not where the body is: a form, or a text within, may hide what it holds behind `%5B` or `\u005b`.
    containers = text.count("{") + text.count("[")
    if containers > _MOST_CONTAINERS or containers + text.count(",") > _MOST_VALUES:
        raise TooManyValuesError
    if _is_too_deep(text):
        return Unreadable("nested too deep")
    try:
        return parse_json(text)
    except ValueError:
        return Unreadable("not JSON")


def _is_too_deep(text: str) -> bool:
    """Whether brackets pile up; counts those inside strings too, which only makes it stricter."""
    if text.count("{") + text.count("[") <= _DEEPEST:
        return False
    depth = 0
    for letter in text:
        if letter in "{[":
            depth += 1
            if depth > _DEEPEST:
                return True
        elif letter in "}]":
            depth -= 1
    return False


def _open_form(text: str) -> Any:
    try:
        pairs = _parse_form(text)
    except ValueError:
        return Unreadable("a form with too many fields")
    return _open_pairs(pairs)


def _open_parts(body: bytes, content_type: str) -> Any:
    """A form in parts, as browsers send files; what a file holds is text here, too."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    boundary = message_from_bytes(head).get_boundary()
    if boundary is None:
        return Unreadable("a form in parts without its boundary")
    if body.count(boundary.encode("latin-1", "replace")) > _MOST_FIELDS:
        return Unreadable("a form with too many fields")
    pairs = list(_list_parts(body, boundary.encode("latin-1", "replace")))
    return _open_pairs(pairs) if pairs else Unreadable("a form in parts without any")


def _list_parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, str]]:
    """Name and text of each part that has a name."""
    border = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(?:[ \t]*\r?\n|(--))")
    begin = border.search(body)
    while begin is not None and begin[1] is None:
        # The line before the next border is the border's; the next one may begin where this one's line has ended.
        end = border.search(body, begin.end() - 1)
        if end is None:
            # The end never came; what is there is taken, as the library does.
            yield from _open_part(body[begin.end() :])
            return
        yield from _open_part(body[begin.end() : end.start()])
        begin = end


def _open_part(part: bytes) -> Iterator[tuple[str, str]]:
    split = _END_OF_HEAD.search(b"\n" + part, 0, _LONGEST_HEAD)
    if split is None:
        return
    head, content = part[: max(0, split.start() - 1)], part[split.end() - 1 :]
    message = message_from_bytes(head)
    name = message.get_param("name", header="content-disposition")
    # Whatever it says that it is, it is a field's value, and no message of its own.
    packed = message.get("content-transfer-encoding", "")
    value = message_from_bytes(f"Content-Transfer-Encoding: {packed}\n\n".encode("latin-1", "replace"))
    value.set_payload(content.decode("latin-1"))
    unpacked = value.get_payload(decode=True)
    if name and isinstance(unpacked, bytes):
        yield collapse_rfc2231_value(name), _to_text(unpacked)


def _open_pairs(pairs: Sequence[tuple[str, str]]) -> Any:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        _put(fields, make_storable(name), make_storable(value))
    opened = {name: _open_field(name, value) for name, value in fields.items()}
    only = next(iter(opened.items()), ("", None))
    # One field that holds JSON is only its wrapping paper.
    return only[1] if len(opened) == 1 and only[0] in WRAPPERS and isinstance(only[1], dict | list) else opened


def _parse_form(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except UnicodeDecodeError:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, encoding="latin-1")


def _open_field(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _to_list(value)
    if name in WRAPPERS and isinstance(value, str) and value[:1] in {"{", "["}:
        found = open_text(value)
        return value if isinstance(found, Unreadable) else found
    return value


def _put(fields: dict[str, Any], name: str, value: str) -> None:
    """Store `data[0][companyId]=1` as PHP means it; a plain name given twice becomes a list."""
    head = name.partition("[")[0]
    parts = _BRACKETS.findall(name)[:_MOST_BRACKETS]
    if not head or not parts:
        _put_plain(fields, name, value)
        return
    place = fields.setdefault(head, {})
    for part in parts[:-1]:
        place = place.setdefault(part or str(len(place)), {}) if isinstance(place, dict) else None
    if isinstance(place, dict):
        place[parts[-1] or str(len(place))] = value


def _put_plain(fields: dict[str, Any], name: str, value: str) -> None:
    before = fields.get(name)
    if before is None:
        fields[name] = value
    elif isinstance(before, list):
        before.append(value)
    else:
        fields[name] = [before, value]


def _to_list(fields: dict[str, Any]) -> Any:
    """A PHP array numbered from 0 as the list it is; other maps stay maps."""
    inner = {name: _to_list(value) if isinstance(value, dict) else value for name, value in fields.items()}
    return list(inner.values()) if list(inner) == [str(index) for index in range(len(inner))] else inner


def find_value(document: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that is there and not empty."""
    return next((document[name] for name in names if document.get(name) not in (None, "")), None)
