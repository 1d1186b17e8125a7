"""The sample data: one RecMan account as raw records, the webhooks of the demo, and what must come of them."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import simplejson

from app.sandbox.recman.hooks import Delivery

DATA = Path(__file__).parent / "data"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Where an invoice must stand when the demo is over.

    Shape: `state` is done or held; `product_number` is what the reason of a held one must name.
    Units: the invoice's currency, two decimals, positive also on a credit note.
    """

    state: str
    product_number: str | None
    currency: str
    net: Decimal
    vat: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Everything the demo starts from; a fresh copy per load, so callers may change the records.

    Shape: `records` by scope, raw as RecMan would answer them, quirks included; `expected` by invoice id.
    """

    records: dict[str, list[Record]]
    webhooks: tuple[Delivery, ...]
    expected: dict[str, Expected]


def load_samples() -> Samples:
    """The sample account, read from `data/`."""
    return Samples(
        records={
            "company": _load("companies"),
            "project": _load("projects"),
            "invoice": _load("invoices"),
            "department": _load("departments"),
            "user": _load("users"),
            "corporation": _load("corporations"),
            "job": _load("jobs"),
            "log": _load("logs"),
        },
        webhooks=tuple(Delivery.model_validate(item) for item in _load("webhooks")),
        expected={invoice_id: _to_expected(item) for invoice_id, item in _load("expected").items()},
    )


def _load(name: str) -> Any:
    return simplejson.loads((DATA / f"{name}.json").read_text(encoding="utf-8"), use_decimal=True)


def _to_expected(item: dict[str, str | None]) -> Expected:
    return Expected(
        state=item["state"] or "",
        product_number=item["product_number"],
        currency=item["currency"] or "",
        net=Decimal(item["net"] or ""),
        vat=Decimal(item["vat"] or ""),
        gross=Decimal(item["gross"] or ""),
    )
