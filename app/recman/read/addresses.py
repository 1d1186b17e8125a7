"""Addresses, and whom a document itself is addressed to. Pure."""

from typing import Any

from app.domain.countries import find_country_code
from app.domain.parties import Address
from app.recman.read.reader import Reader
from app.recman.read.spellings import ADDRESS, Unclear, read_text, show


def read_address(reader: Reader, name: str) -> Address:
    """An address of a company, empty when there is none."""
    return reader.find(name, _to_address) or Address()


def _to_address(value: Any) -> Address:
    if not isinstance(value, dict):
        raise Unclear(f"“{show(value)}” is no address")
    line1, line2, postal_code, city, country = (read_text(value.get(name)) for name in ADDRESS)
    return Address(
        line1=line1, line2=line2, postal_code=postal_code, city=city, country_code=find_country_code(country)
    )


def read_recipient(reader: Reader) -> dict[str, Any]:
    """Whom the document is addressed to, if RecMan says so; an odd value is left out: the customer is known anyhow."""
    name = reader.guess("recipient", _to_recipient_name) or ""
    address = reader.guess("recipient", _to_recipient_address) or reader.guess("recipient_address", _to_address)
    return {"recipient_name": name, "recipient_address": address or Address()}


def _to_recipient_name(value: Any) -> str:
    name = read_text(value.get("name") if isinstance(value, dict) else value)
    # Nobody is called so: it is an id of RecMan's.
    return "" if name.isdecimal() else name


def _to_recipient_address(value: Any) -> Address | None:
    found = _to_address(value) if isinstance(value, dict) else None
    return None if found is None or found.is_empty else found
