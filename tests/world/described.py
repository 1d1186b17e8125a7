"""The description of our API, part by part, and addresses with ids that are nobody's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# No id that anything has, whatever it is an id of.
_NOBODY = "00000000-0000-4000-8000-000000000000"
API = json.loads((Path(__file__).parents[2] / "openapi" / "openapi.json").read_text(encoding="utf-8"))


def list_parts(schema: Any, place: str, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """Every schema within a schema, with its place."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        yield from () if name in seen else list_parts(API["components"]["schemas"][name], name, seen | {name})
        return
    yield place, schema
    inner = [(f"{place}.{field}", part) for field, part in schema.get("properties", {}).items()]
    inner += [(place, schema[word]) for word in ("items", "additionalProperties") if isinstance(schema.get(word), dict)]
    inner += [(place, part) for word in ("anyOf", "oneOf", "allOf") for part in schema.get(word, ())]
    for where, part in inner:
        yield from list_parts(part, where, seen)


def list_operations() -> Iterator[tuple[str, str, Any]]:
    """Every operation: method, path, its description."""
    for path, methods in API["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def list_numbers() -> Iterator[tuple[str, str, str, Any]]:
    """Every number in an address: method, path, its name, its schema."""
    for method, path, operation in list_operations():
        for one in operation.get("parameters", ()):
            kinds = [part for _, part in list_parts(one["schema"], "") if part.get("type") == "integer"]
            if kinds:
                yield method, path, one["name"], kinds[0]


def fill_in(path: str) -> str:
    """The address with ids that are nobody's."""
    for name in ("transfer_id", "sweep_id", "series_id", "recman_company_id", "recman_department_id"):
        path = path.replace(f"{{{name}}}", "9")
    return path.replace("{org_number}", "974760673").partition("{")[0] + (
        _NOBODY + path.partition("}")[2] if "{" in path else ""
    )
