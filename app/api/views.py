"""What every view and listing of the REST API shares."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.domain.exact import Exact
from app.domain.reasons.codes import Code
from app.tables import OPERATORS

Limit = Annotated[int, Query(ge=1, le=1000, description="At most this many rows")]
# The media type of every refusal.
PROBLEM = "application/problem+json"
# Columns hold more, but a client that reads JSON's numbers as floats gets no larger one right; no id comes near it.
MOST = 2**53 - 1
RowId = Annotated[int, Field(ge=1, le=MOST)]
Before = Annotated[RowId | None, Query(description="Continue a listing: only rows older than the one with this id")]
# What is the operators' own belongs to no tenant.
OwnerId = Annotated[UUID | None, BeforeValidator(lambda owner: None if owner == OPERATORS else owner)]
# What is looked for; and RecMan's id of a department, as documents say it.
Sought = Annotated[str, Field(max_length=200)]
DepartmentId = Annotated[str, Field(max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
OverlapHours = Annotated[float, Field(ge=0, le=24 * 30, description="The old one stays good this long", examples=[24])]


# Of texts that must have a letter, and of all others.
_SPOKEN, _WITHOUT_NUL = r"\S", r"^[^\u0000]*$"


def forbid_nul(described: dict[str, Any]) -> None:
    """Say of a text in the description, or of each in a list, that no NUL is in it."""
    for inner in (*described.get("anyOf", ()), *([described["items"]] if "items" in described else ())):
        forbid_nul(inner)
    if described.get("type") != "string" or not {"enum", "const"}.isdisjoint(described):
        return
    # A password may be any text; what has another form has no place for one.
    if described.get("format", "password") != "password":
        return
    if described.get("pattern") == _SPOKEN:
        described["pattern"] = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
    described.setdefault("pattern", _WITHOUT_NUL)


class View(BaseModel):
    """A row as shown; built from the table's row."""

    model_config = ConfigDict(from_attributes=True)


class Order(Exact):
    """What a caller wants: a misspelled field is an error and not ignored.

    So is a value of another kind, and a text that no column holds.
    """

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The description, which says of every text that it holds no NUL."""
        described = handler(schema)
        for part in handler.resolve_ref_schema(described).get("properties", {}).values():
            forbid_nul(part)
        return described

    @model_validator(mode="before")
    @classmethod
    def _holds_no_nul(cls, given: Any) -> Any:
        for value in given.values() if isinstance(given, dict) else ():
            parts = value if isinstance(value, list) else [value]
            if any(isinstance(part, str) and "\0" in part for part in parts):
                raise ValueError("a text holds a NUL (\\u0000), which nothing can be called")
        return given


def pasted(example: Mapping[str, Any]) -> ConfigDict:
    """The configuration of an order whose example does what it says when it is sent as it stands."""
    return ConfigDict(json_schema_extra={"examples": [dict(example)]})


class Problem(BaseModel):
    """An error (RFC 9457): a stable code, the cause, and what to do about it."""

    type: str = Field(description="Where the code is explained", examples=["https://example.com/errors/name_taken"])
    title: str = Field(examples=["name taken"])
    status: int = Field(examples=[409])
    code: str = Field(examples=[Code.NAME_TAKEN])
    cause: str = Field(examples=["There is a key “Nordlys” already"])
    fix: str = Field(examples=["Choose another name."])


def shown_once(default: Any = ..., **more: Any) -> Any:
    """A field of an answer that is shown in this one and never again, so that nobody may keep the answer."""
    return Field(default, json_schema_extra={"x-shown-once": True}, **more)


def problems(**codes: str) -> dict[int | str, dict[str, Any]]:
    """Answers for a route's description: `_409="name_taken, open_to_all_taken"`.

    Only what the route itself refuses: what every route may answer is added by `description`.
    """
    return {
        int(status.removeprefix("_")): {"model": Problem, "description": f"Codes: {listed}"}
        for status, listed in codes.items()
    }
