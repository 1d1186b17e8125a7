"""Unimicro's products ↔ ours, and the table that tells VAT types by id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import PRODUCT_ACTIVE, fit_texts, to_text
from app.domain.money import to_decimal
from app.domain.reasons.codes import Reason
from app.domain.reference import RemoteAccount, RemoteProduct, RemoteVatType


@dataclass(frozen=True, slots=True)
class VatTable:
    """VAT types by code and accounts by number; ids are the company's own."""

    types: Mapping[str, RemoteVatType]
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
        rated = [row for row in types if row.get("VatPercent") is not None]
        rates = {row["ID"]: to_decimal(row["VatPercent"]) for row in rated}
        main = [row for row in accounts if row.get("AccountNumber") is not None and not row.get("CustomerID")]
        return cls(
            types={
                to_text(row.get("VatCode")): RemoteVatType(remote_id=row["ID"], rate=rates[row["ID"]]) for row in rated
            },
            accounts={
                row["AccountNumber"]: RemoteAccount(
                    remote_id=row["ID"], vat_type_id=row.get("VatTypeID"), is_locked=bool(row.get("Locked"))
                )
                for row in main
            },
            rates=rates,
            vat_of_account={row["ID"]: row.get("VatTypeID") for row in main},
            default_account_id=default_account_id,
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
