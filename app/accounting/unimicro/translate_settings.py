"""Unimicro's company settings to ours: an absent or unreadable field says nothing, neither yes nor no. Pure."""

from collections.abc import Mapping
from typing import Any

from app.domain.company_settings import CompanySettings, RoundingType

# What tells whether prices have ten decimals. Source: assumed; the action that turns them on is known
# (docs/facts/unimicro.md §3.7), no field is. Any flag whose name speaks of ten decimals is believed.
_TEN = ("10decimal", "tendecimal")


def from_settings(row: Mapping[str, Any]) -> CompanySettings:
    """The settings as far as they are there. Source: docs/facts/unimicro.md §3.7 [O]."""
    return CompanySettings(
        rounding_type=_read_rounding(row.get("RoundingType")),
        rounding_decimals=read_number(row.get("RoundingNumberOfDecimals")),
        shown_decimals=read_number(row.get("ShowNumberOfDecimals")),
        ten_decimals=_read_ten_decimals(row),
        books_on_delivery_date=read_flag(row.get("BookCustomerInvoiceOnDeliveryDate")),
        shows_kid=read_flag(row.get("ShowKIDOnCustomerInvoice")),
        uses_factoring=read_flag(row.get("UseFactoring")),
        sends_by_itself=read_flag(row.get("AutoDistributeInvoice")),
        merges_attachments=read_flag(row.get("MergeAttachments")),
        overrides_order=read_flag(row.get("OverrideSortIndex")),
        presets_number=read_flag(row.get("PresetCustomerInvoiceNumber")),
    )


def read_flag(value: Any) -> bool | None:
    """Yes or no; None where it is neither."""
    return value if isinstance(value, bool) else None


def read_number(value: Any) -> int | None:
    """A whole number; None where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _read_rounding(value: Any) -> RoundingType | None:
    number = read_number(value)
    return RoundingType(number) if number in set(RoundingType) else None


def _read_ten_decimals(row: Mapping[str, Any]) -> bool | None:
    told = (read_flag(value) for name, value in row.items() if any(word in name.lower() for word in _TEN))
    return next((flag for flag in told if flag is not None), None)
