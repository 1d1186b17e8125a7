"""Which names Unimicro's entities have: the committed list, and what of a payload is not on it.

The list is derived from Unimicro's old machine-made description; what only the newer facts know stands there with its
source.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.domain.money import parse_json

KNOWN = parse_json((Path(__file__).parent.parent / "contract" / "unimicro_properties.json").read_bytes())
# Which entity stands behind a relation.
RELATIONS = {
    "Info": "BusinessRelation",
    "InvoiceAddress": "Address",
    "ShippingAddress": "Address",
    "Addresses": "Address",
    "DefaultEmail": "Email",
    "Emails": "Email",
    "DefaultPhone": "Phone",
    "Items": "CustomerInvoiceItem",
    "Dimensions": "Dimensions",
    "DefaultDimensions": "Dimensions",
}


def find_unknown_names(entity: str, payload: Mapping[str, Any]) -> Iterator[str]:
    """Every `Entity.Name` in the payload, at any depth, that Unimicro does not have."""
    known = {*KNOWN[entity]["swagger"], *KNOWN[entity]["facts"]}
    for name, value in payload.items():
        if name not in known:
            yield f"{entity}.{name}"
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict):
                yield from find_unknown_names(RELATIONS[name], child)
