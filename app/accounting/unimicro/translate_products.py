"""Unimicro's products ↔ ours, and the table that tells VAT types by id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import PRODUCT_ACTIVE, fit_texts, to_text
from app.domain.money import to_decimal
from app.domain.reasons.codes import Reason
from app.domain.reference import RemoteAccount, RemoteProduct, RemoteVatType, VatPeriod


@dataclass(frozen=True, slots=True)
class VatTable:
    """VAT types by code and accounts by number; ids are the company's own."""

    types: Mapping[str, tuple[RemoteVatType, ...]]
    accounts: Mapping[int, RemoteAccount]
    rates: Mapping[int, Decimal]
    vat_of_account: Mapping[int, int | None]
    default_account_id: int | None

    @classmethod
    def from_rows(
        cls,
        types: Iterable[Mapping[str, Any]],
        accounts: Iterable[Mapping[str, Any]],
        *,
        default_account_id: int | None,
    ) -> "VatTable":
        """The table of `vattypes` and `accounts` as listed; sub-ledger accounts of customers are left out."""
        known = [from_vat_type(row) for row in types]
        main = [row for row in accounts if row.get("AccountNumber") is not None and not row.get("CustomerID")]
        return cls(
            types=_by_code(known),
            accounts={row["AccountNumber"]: _from_account(row) for row in main},
            rates={one.remote_id: one.rate for one in known if one.rate is not None},
            vat_of_account={row["ID"]: row.get("VatTypeID") for row in main},
            default_account_id=default_account_id,
        )


def from_vat_type(row: Mapping[str, Any]) -> RemoteVatType:
    """A VAT type, its percentages with their days where they are expanded.

    What is not said forbids nothing. Without a percentage of its own the newest one counts as today's.
    Source: docs/facts/unimicro.md §3.7 [O] for the names; of a period's days, and that both are inclusive, assumed.
    """
    periods = tuple(_from_period(one) for one in row.get("VatTypePercentages") or () if not one.get("Deleted"))
    told = row.get("VatPercent")
    newest = max(periods, key=lambda one: one.first or date.min, default=None)
    return RemoteVatType(
        remote_id=row["ID"],
        rate=to_decimal(told) if told is not None else newest.rate if newest is not None else None,
        code=to_text(row.get("VatCode")),
        is_output=row.get("OutputVat") is not False,
        is_locked=bool(row.get("Locked")),
        is_visible=row.get("Visible") is not False,
        periods=periods,
    )


def _from_period(row: Mapping[str, Any]) -> VatPeriod:
    first, last = (to_text(row.get(name))[:10] for name in ("ValidFrom", "ValidTo"))
    return VatPeriod(
        first=date.fromisoformat(first) if first else None,
        last=date.fromisoformat(last) if last else None,
        rate=to_decimal(row.get("VatPercent") or 0),
    )


def _by_code(types: Iterable[RemoteVatType]) -> dict[str, tuple[RemoteVatType, ...]]:
    """Every VAT type of a code: ids change over time, and an old one may stay behind, locked and hidden."""
    grouped: dict[str, list[RemoteVatType]] = {}
    for one in types:
        grouped.setdefault(one.code, []).append(one)
    return {code: tuple(sorted(found, key=_usefulness)) for code, found in grouped.items() if code}


def _usefulness(vat_type: RemoteVatType) -> tuple[bool, bool, int]:
    return (vat_type.is_locked, not vat_type.is_visible, -vat_type.remote_id)


def _from_account(row: Mapping[str, Any]) -> RemoteAccount:
    return RemoteAccount(
        remote_id=row["ID"],
        vat_type_id=row.get("VatTypeID"),
        number=row["AccountNumber"],
        is_locked=bool(row.get("Locked")),
    )


def from_product(row: Mapping[str, Any], vat: VatTable) -> RemoteProduct:
    """A product with what it falls back to: its account's VAT type, the company's sales account.

    Source: docs/facts/unimicro.md §3.5 [o].
    """
    account_id = row.get("AccountID") or vat.default_account_id
    vat_type_id = row.get("VatTypeID") or (vat.vat_of_account.get(account_id) if account_id else None)
    return RemoteProduct(
        remote_id=row["ID"],
        number=to_text(row.get("PartName")),
        name=to_text(row.get("Name")),
        active=row.get("StatusCode") in (None, PRODUCT_ACTIVE) and not row.get("Deleted"),
        account_id=account_id,
        vat_type_id=vat_type_id,
        vat_rate=vat.rates.get(vat_type_id) if vat_type_id else None,
    )


def to_product(product: RemoteProduct, *, guid: str) -> tuple[dict[str, Any], list[Reason]]:
    """A new product: number, name, account and VAT. Source: docs/facts/unimicro.md §3.5 [O]."""
    payload: dict[str, Any] = {"_createguid": guid, "PartName": product.number, "Name": product.name}
    if product.account_id is not None:
        payload["AccountID"] = product.account_id
    if product.vat_type_id is not None:
        payload["VatTypeID"] = product.vat_type_id
    return payload, fit_texts(payload, "Product", where=f"Product {product.number}")
