"""What an entity of the stand-in is made of: fields with type and longest text, references, and relations."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """The JSON type a field has."""

    TEXT = "text"
    INT = "int"
    DEC = "dec"
    BOOL = "bool"
    DATE = "date"
    REF = "ref"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One scalar; `owned` means that only the server sets it and input is ignored."""

    kind: Kind
    length: int | None = None
    target: str = ""
    owned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity and its relations.

    Shape: `one` maps a relation to the field with its id; `many` maps a relation to (entity, field that points back);
    without a route it is seen by expanding only.
    """

    name: str
    route: str
    fields: dict[str, Field]
    one: dict[str, str] = field(default_factory=dict)
    many: dict[str, tuple[str, str]] = field(default_factory=dict)
    writable: bool = False
    new_status: int | None = None


def _to_field(kind: str) -> Field:
    owned, kind = kind.endswith("!"), kind.rstrip("!")
    if kind.isdigit():
        return Field(kind=Kind.TEXT, length=int(kind), owned=owned)
    if kind in set(Kind):
        return Field(kind=Kind(kind), owned=owned)
    return Field(kind=Kind.REF, target=kind, owned=owned)


# Every record has these; `_createguid` is left out of answers: it is not known to be readable. Source:
# docs/facts/unimicro.md §3 [O], §5.2.
_COMMON = "ID:int! StatusCode:int CreatedAt:date! CreatedBy:text! UpdatedAt:date! UpdatedBy:text! Deleted:bool!"


def to_fields(text: str) -> dict[str, Field]:
    """Fields of a text of `Name:kind` words.

    Shape: kind is a longest length, a `Kind`, or the entity an id points to; a trailing `!` marks a server-set field.
    """
    pairs = (word.split(":") for word in f"{_COMMON} {text}".split())
    return {name: _to_field(kind) for name, kind in pairs}
