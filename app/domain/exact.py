"""What people order is taken at its word: no text for a number, no number for a day. Pure."""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_AS_THEY_ARE = frozenset({"int", "float", "bool"})
# What may stand beside a schema in a schema, and is none itself; and names, which are always text in JSON.
_OTHER = frozenset(
    {"default", "default_factory", "metadata", "serialization", "expected", "members", "config", "keys_schema"}
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DAY_NAME = "a day as 2026-12-01"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?")


def _walk(node: Any) -> Any:
    if isinstance(node, list):
        return [_walk(one) for one in node]
    if isinstance(node, tuple):
        return tuple(_walk(one) for one in node)
    if not isinstance(node, dict):
        return node
    walked = {name: value if name in _OTHER else _walk(value) for name, value in node.items()}
    kind = node.get("type")
    if kind in _AS_THEY_ARE:
        exact = {**walked, "strict": True}
        return core_schema.no_info_before_validator_function(_to_whole, exact) if kind == "int" else exact
    if kind == "date":
        return _only(_DAY, _DAY_NAME, walked)
    if kind == "datetime":
        return _only(_MOMENT, "a moment as 2026-12-01T09:00:00Z", walked)
    return walked


def _to_whole(value: Any) -> Any:
    """5.0 is a whole number for JSON, and some languages write it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _only(form: re.Pattern[str], name: str, schema: Any) -> CoreSchema:
    return core_schema.no_info_before_validator_function(_looks_like(form, name), schema)


def _looks_like(form: re.Pattern[str], name: str) -> Callable[[Any], Any]:
    def verify(value: Any) -> Any:
        if isinstance(value, date) or (isinstance(value, str) and form.fullmatch(value)):
            return value
        raise PydanticCustomError("form", "Input should be {name}", {"name": name})

    return verify


# A day in a query, which is no part of a model: written as one, and nothing that would convert.
Day = Annotated[date, BeforeValidator(_looks_like(_DAY, _DAY_NAME))]


class Exact(BaseModel):
    """A model none of whose values is converted out of another kind; a model in one of its fields must be one, too."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Its schema, whose parts take their own kind alone."""
        exact: CoreSchema = _walk(handler(source))
        return exact
