"""Which names and types raw records have, never their values: how an account spells, and whether that changes."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from app.recman.read.spellings import Raw, read_id

# Records come with a few dozen names; more would be ids taken for names.
_MOST_NAMES = 200
_PLAIN_NAME = re.compile(r"_?[A-Za-zÆØÅæøå][\wæøåÆØÅ.:-]{0,39}", re.ASCII)
_MOST_DIGITS = 3
_MOST_SHAPES = 3
_DEEPEST = 8


def list_fields(records: Iterable[Raw]) -> dict[str, dict[str, Any]]:
    """The names in some records of one scope, those of inner rows as `lines[].description`.

    Shape: name → `{"types": [...], "always": bool}`; types are text, number, yes/no, map, list, null and empty (also
    for `""`, `[]` and `{}`); `always` means that every record, or every row of every list, had it.
    """
    rows = [record for record in records if isinstance(record, Mapping)]
    types: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    inner: dict[str, list[Raw]] = {}
    for row in rows:
        for name, value in row.items():
            if name == "_key":
                continue
            shown = _show_name(name)
            types.setdefault(shown, set()).add(_type_of(value))
            counts[shown] = counts.get(shown, 0) + 1
            inner.setdefault(shown, []).extend(_rows_in(value))
    found = {name: {"types": sorted(types[name]), "always": counts[name] == len(rows)} for name in types}
    for name, parts in inner.items():
        if parts:
            found |= {f"{name}[].{part}": said for part, said in list_fields(parts).items()}
    return dict(sorted(found.items())[:_MOST_NAMES])


def _rows_in(value: Any) -> list[Raw]:
    """Rows of a list or of a map by id; a map with names of its own is one row."""
    if isinstance(value, list):
        return [part for part in value if isinstance(part, Mapping)]
    if not isinstance(value, Mapping):
        return []
    if value and all(read_id(name) for name in value):
        return [part for part in value.values() if isinstance(part, Mapping)]
    return [value]


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "yes/no"
    if value in ("", [], {}):
        return "empty"
    if isinstance(value, int | Decimal):
        return "number"
    return "text" if isinstance(value, str) else "map" if isinstance(value, Mapping) else "list"


def describe_shape(document: Any, depth: int = 0) -> str:
    """A document as its names and types, without any value: `{data: {<id>: {name: text}}, event: text}`."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(document, Mapping) and document:
        return _describe_map(document, depth)
    if isinstance(document, list) and document:
        return f"[{_merge_shapes(document, depth)}]"
    return _type_of(document)


def _describe_map(document: Mapping[str, Any], depth: int) -> str:
    if all(read_id(name) for name in document):
        return f"{{<id>: {_merge_shapes(document.values(), depth)}}}"
    names = sorted(document)[:_MOST_NAMES]
    parts = [f"{_show_name(name)}: {describe_shape(document[name], depth + 1)}" for name in names]
    return f"{{{', '.join(parts)}}}"


def _show_name(name: str) -> str:
    # A value stands in the place of a name in maps by id or e-mail, and in a text that was taken for a form.
    if read_id(name):
        return "<id>"
    is_plain = _PLAIN_NAME.fullmatch(name) and sum(map(str.isdigit, name)) <= _MOST_DIGITS
    return name if is_plain else "<other>"


def _merge_shapes(parts: Iterable[Any], depth: int) -> str:
    shapes = sorted({describe_shape(part, depth + 1) for part in parts})
    return " | ".join(shapes[:_MOST_SHAPES]) + (" | …" if len(shapes) > _MOST_SHAPES else "")
