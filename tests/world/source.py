"""RecMan's side of a world: the records as they stand in the stand-in, and what a person changes there."""

import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import FastAPI
from stdnum import luhn


def to_kid(number: str) -> str:
    """A KID that banks take, out of an invoice's number."""
    return f"{number}{luhn.calc_check_digit(number)}"


@dataclass(frozen=True, slots=True)
class Source:
    """The records of the sandbox RecMan."""

    app: FastAPI

    def records(self, scope: str = "invoice") -> dict[str, Any]:
        """Every record of a scope by its id."""
        found: dict[str, Any] = self.app.state.store.records[scope]
        return found

    def record(self, record_id: str | int, *, scope: str = "invoice") -> dict[str, Any]:
        """One record, an invoice or credit note unless told otherwise."""
        found: dict[str, Any] = self.records(scope)[str(record_id)]
        return found

    def double(self, record_id: str | int, new_id: int, **changes: Any) -> int:
        """The id of a copy of an invoice; one with another number has a KID of its own, as RecMan makes them."""
        made = {**copy.deepcopy(self.record(record_id)), "invoiceId": new_id, **changes}
        if "invoiceNumber" in changes and "kid" not in changes:
            made["kid"] = to_kid(changes["invoiceNumber"])
        self.records()[str(new_id)] = made
        return new_id

    def credit_part(self, record_id: str = "5008", *, gross: str = "125.00", **changes: Any) -> dict[str, Any]:
        """A credit note of invoice 5003 over one line of consultant's work."""
        net = Decimal(gross) / Decimal("1.25")
        line: dict[str, Any] = {"productNumber": "1001", "description": "For mye", "quantity": "1", "unit": "timer"}
        line |= {"vatRate": "25", "unitPrice": f"{net:.2f}", "total": f"{net:.2f}", "position": 1}
        sums = {"totalExVat": f"{net:.2f}", "vat": f"{net / 4:.2f}", "totalIncVat": gross}
        made = self.record("5008") | {"invoiceId": int(record_id), "invoiceNumber": f"2{record_id}"} | sums
        self.records()[record_id] = made | {"lines": [line]} | changes
        return self.record(record_id)

    def credit_hours(self, record_id: str = "5008", *, hours: int = 2, price: int = 100) -> None:
        """A credit note of invoice 5003 over so many hours."""
        net = hours * price
        line = {"productNumber": "1001", "description": "For mye fakturert", "vatRate": "25", "unit": "timer"}
        line |= {"quantity": str(hours), "unitPrice": f"{price}.00", "total": f"{net}.00"}
        sums = {"totalExVat": f"{net}.00", "vat": f"{net * 0.25:.2f}", "totalIncVat": f"{net * 1.25:.2f}"}
        named = {"invoiceId": record_id, "invoiceNumber": f"2{record_id}"}
        self.records()[record_id] = self.record("5008") | named | sums | {"lines": [line]}

    def credit_without_sums(self, *, price: str = "100.00", product: str = "1001") -> None:
        """5008 credits one line of invoice 5003, and not all of it; its sums are not told."""
        line = {"productNumber": product, "description": "For mye fakturert", "quantity": "2", "unitPrice": price}
        total = str(2 * Decimal(price))
        self.record("5008")["lines"] = [{**line, "vatRate": "25", "unit": "timer", "total": total}]
        for name in ("totalExVat", "vat", "totalIncVat"):
            self.record("5008").pop(name, None)

    def make_twins(self, **changes: Any) -> tuple[int, int]:
        """Two companies with one organisation number under two numbers; the ids of an invoice for each."""
        companies = self.records("company")
        for company_id, number in (("21300", "100400"), ("21301", "100401")):
            values = {"companyId": company_id, "companyNumber": number, "name": "Dobbel Bedrift AS"}
            companies[company_id] = {**copy.deepcopy(companies["201"]), **values, "vatNumber": "974760673", **changes}
        self.double("5001", 9941, invoiceNumber="109941", companyId=21300, projectId=None)
        self.double("5001", 9942, invoiceNumber="109942", companyId=21301, projectId=None)
        return 9941, 9942

    def list_calls(self) -> list[dict[str, Any]]:
        """Every call of RecMan's API: its path and what was asked."""
        found: list[dict[str, Any]] = []
        for (path, params), count in self.app.state.store.calls.items():
            found += [{"path": path, **dict(params)}] * count
        return found
