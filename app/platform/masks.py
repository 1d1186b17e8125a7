"""The masks that keep persons and secrets out of what is stored of a conversation; amounts, numbers and ids stay.

A name is taken for a person's unless it is known to be a thing's: customers may be persons, and so may whatever a later
version of the other system names.
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from app.domain.org_numbers import hide_person_numbers
from app.domain.remarks import MASK, hide_emails, hide_known, hide_persons

# Parts of a key, matched without case, anywhere in it.
_SECRET_KEYS: tuple[str, ...] = ("token", "secret", "password", "authorization", "assertion", "apikey", "api_key")
_PERSON_KEYS: tuple[str, ...] = (
    "email",
    "phone",
    "mobile",
    "telefax",
    "socialsecurity",
    "address",
    "postalcode",
    "zipcode",
)
_PERSON_KEYS += ("customerperson", "yourreference", "ourreference", "salesperson", "contactperson", "efaktura")
# Staffing invoices name the people whose hours they bill.
_PERSON_KEYS += ("itemtext", "comment", "freetxt")
_CITY = re.compile(r"(?i:city)|\w*City")
_NAME = re.compile(r"(?i)\w*names?")
# Names of things, in whatever object.
_THING_NAMES = ("partname", "productname", "entityname", "propertyname", "fieldname", "modelname", "columnname")
# Objects whose name is a thing's: by the field that holds them, and by the route that they come from. No accounts: a
# customer has one of his name.
_THINGS = frozenset({"product", "vattype", "department", "currencycode", "numberseries", "terms", "paymentterms"})
_THINGS |= {"deliveryterms", "companysettings", "customfield", "model", "valuelist"}
# What tells one record or kind from another, and nothing of anybody.
_KINDS = frozenset({"_createguid", "type", "statuscode", "deleted", "countrycode", "country", "sortindex"})
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_FILTER = re.compile(r"([\w.]+)(\s+(?:eq|ne|like|notlike|gt|ge|lt|le)\s+|\s*,\s*)'(?:[^']|'')*'")
# Whose value is a sentence of the other system: it may say anything of anybody.
_SAID = frozenset(
    {"answer", "message", "messages", "error", "errors", "title", "detail", "details", "error_description"}
)
_SAID |= {"warning", "warnings", "reason", "cause", "exceptionmessage", "innermessage", "errormessage"}


def mask(value: Any) -> Any:
    """The same structure without persons and secrets.

    Shape: of an exchange, `path` says what kind of thing `request` and `answer` are about.
    """
    route = _name_route(value.get("path")) if isinstance(value, Mapping) else ""
    masked = _mask(value, name="", is_thing=route in _THINGS)
    return _hide_said(masked, "", frozenset(_list_gone(value, masked)))


def mask_said(said: str, *about: Any) -> str:
    """A sentence of the other system without the persons that it names, and those whom `about` names."""
    return hide_persons(hide_known(said, {gone for one in about for gone in _list_gone(one, mask(one))}))


def _list_gone(value: Any, masked: Any) -> Iterator[str]:
    """What was hidden as a whole."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _list_gone(inner, masked[key])
    elif isinstance(value, list | tuple):
        for inner, shown in zip(value, masked, strict=True):
            yield from _list_gone(inner, shown)
    elif masked == MASK:
        yield str(value)
    elif isinstance(value, str) and value != masked:
        yield from (literal[1:-1].replace("''", "'") for literal in _LITERAL.findall(value) if literal not in masked)


def _hide_said(value: Any, name: str, known: AbstractSet[str]) -> Any:
    """The same, each sentence without what was hidden elsewhere."""
    if isinstance(value, Mapping):
        return {key: _hide_said(inner, str(key).lower(), known) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hide_said(inner, name, known) for inner in value]
    return hide_persons(hide_known(value, known)) if isinstance(value, str) and name in _SAID else value


def _mask(value: Any, *, name: str, is_thing: bool) -> Any:
    if isinstance(value, Mapping):
        return {key: _mask_field(str(key), inner, is_thing=is_thing) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(inner, name=name, is_thing=is_thing) for inner in value]
    return _mask_text(name, value) if isinstance(value, str) else value


def _mask_field(key: str, value: Any, *, is_thing: bool) -> Any:
    lowered = key.lower()
    if any(part in lowered for part in _SECRET_KEYS):
        return _hide(value, keeps_kinds=False)
    if _is_kind(lowered, value):
        return value
    if _is_personal(key, is_thing=is_thing):
        return _hide(value, keeps_kinds=True)
    is_whole = is_thing and lowered in {"request", "answer"}
    return _mask(value, name=lowered, is_thing=is_whole or _name_thing(lowered) in _THINGS)


def _is_kind(lowered: str, value: Any) -> bool:
    return not isinstance(value, Mapping | list | tuple) and (
        lowered in _KINDS or (lowered.endswith("id") and isinstance(value, int))
    )


def _is_personal(key: str, *, is_thing: bool) -> bool:
    lowered = key.lower()
    if any(part in lowered for part in _PERSON_KEYS) or _CITY.fullmatch(key):
        return True
    is_name = _NAME.fullmatch(key) is not None and not lowered.startswith(_THING_NAMES)
    return not is_thing and (is_name or lowered == "description")


def _hide(value: Any, *, keeps_kinds: bool) -> Any:
    """Nothing of what is below, but for what tells records apart."""
    if isinstance(value, Mapping):
        return {
            key: inner if keeps_kinds and _is_kind(str(key).lower(), inner) else _hide(inner, keeps_kinds=keeps_kinds)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hide(inner, keeps_kinds=keeps_kinds) for inner in value]
    is_said = (isinstance(value, str) and value) or isinstance(value, int | float | Decimal)
    return MASK if is_said and not isinstance(value, bool) else value


def _mask_text(lowered: str, value: str) -> str:
    if "orgnumber" in lowered:
        return hide_person_numbers(value)
    return _FILTER.sub(_hide_literal, value) if lowered == "filter" else hide_emails(value)


def _hide_literal(found: re.Match[str]) -> str:
    field, operator = found.group(1), found.group(2)
    *above, own = field.split(".")
    is_thing = bool(above) and _name_thing(above[-1].lower()) in _THINGS
    return f"{field}{operator}'{MASK}'" if _is_personal(own, is_thing=is_thing) else found.group(0)


def _name_route(path: object) -> str:
    """`products/7` is about a product. Source: docs/facts/unimicro.md §2 [O]."""
    first = str(path or "").removeprefix("/api/biz/").lstrip("/").partition("/")[0].partition("?")[0]
    return _name_thing(first.lower().replace("-", ""))


def _name_thing(name: str) -> str:
    return name if name in _THINGS else name.removesuffix("s")
