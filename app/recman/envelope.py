"""Raw webhook bytes to a document, whatever the content type says; never raises.

Source: assumed (facts/recman-api.md §1.3): nothing public says what RecMan sends.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from app.domain.money import parse_json

_DEEPEST = 40
_JSON_FIELDS = ("payload", "data", "body", "json")


class Unreadable(str):  # noqa: SLOT000 - a text with a meaning of its own
    """Why a body cannot be read."""


def open_body(body: bytes, content_type: str) -> Any:
    """The decoded document, or `Unreadable` with the reason."""
    if not body.strip():
        return Unreadable("empty body")
    text = _to_text(body)
    if "x-www-form-urlencoded" in content_type.lower():
        return _open_form(text)
    found = _open_json(text)
    # Some senders forget the content type of a form.
    if isinstance(found, Unreadable) and "=" in text and text[:1] not in '{["':
        return _open_form(text)
    return found


def _to_text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _open_json(text: str) -> Any:
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
    fields: dict[str, Any] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return Unreadable("a form with too many fields")
    for name, value in pairs:
        _put(fields, name, value)
    for name in _JSON_FIELDS:
        inner = fields.get(name)
        if isinstance(inner, str) and inner[:1] in {"{", "["}:
            found = _open_json(inner)
            if not isinstance(found, Unreadable):
                fields[name] = found
                if len(fields) == 1:
                    return found
    return fields


def _put(fields: dict[str, Any], name: str, value: str) -> None:
    """Store `data[companyId]=1` as PHP means it, one level deep."""
    head, bracket, rest = name.partition("[")
    inner = rest.removesuffix("]")
    if not bracket or not head:
        fields[name] = value
        return
    place = fields.setdefault(head, {})
    if isinstance(place, dict):
        place[inner or str(len(place))] = value


def find_value(document: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that is there and not empty."""
    return next((document[name] for name in names if document.get(name) not in (None, "")), None)
