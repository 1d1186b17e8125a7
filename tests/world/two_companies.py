"""Two companies behind two departments, and a person who moves, removes, makes again and mends, through doors alone."""

import asyncio
import random
import re
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.sandbox.unimicro.books import Books
from tests.world.names import COMPANY
from tests.world.world import World

OTHER = "Nordlys Konsulent AS"
HOMES = {"1": COMPANY, "2": OTHER}
DRAFT = 42001


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit note over one hour of a product."""

    record_id: str
    credited: str
    department: str
    product: str
    price: int
    vat: int = 25


# Some from another department than their invoice's; two of one invoice.
CREDITS = (
    Credit("5201", "5001", "2", "1001", 1000),
    Credit("5202", "5001", "1", "1001", 2000),
    Credit("5203", "5002", "1", "1002", 400),
    Credit("5204", "5006", "2", "5001", 300, vat=0),
)


@dataclass(slots=True)
class TwoCompanies:
    """The keys as they are, and which companies each department has ever been sent to."""

    world: World
    keys: dict[str, str] = field(default_factory=dict)
    made: int = 0

    async def open(self) -> None:
        """Departments, and a key for each to its company."""
        world = self.world
        await self._call("POST", "/v1/departments/refresh", None)
        for department, company in HOMES.items():
            await self.make_key(company, [department])
        records = world.recman.state.store.records["invoice"]
        # The whole credit of invoice 5003 comes from the other department.
        records["5008"]["departmentId"] = "1"
        for credit in CREDITS:
            records[credit.record_id] = to_record(records, credit)

    async def make_key(self, company: str, departments: list[str]) -> None:
        """Sign in and make a key, on a calm day."""
        world = self.world
        faults = world.unimicro.faults  # type: ignore[attr-defined]
        waiting, faults.waiting = faults.waiting, []
        await world.http.post(f"{world.recman_url}/sandbox/recman/faults", json={"fault": "unavailable", "times": 0})
        self.made += 1
        name = f"{company} {self.made}"
        made = await world.office.make_key(
            world.tenant_id, name=name, company=company, checked=False, departments=departments
        )
        self.keys[company] = str(made)
        await self._open_gate(str(made))
        faults.waiting = waiting

    async def _open_gate(self, key_id: str) -> None:
        await self._call("POST", f"/v1/keys/{key_id}/customer-check", None)
        check = await self.world.get(f"/v1/keys/{key_id}/customer-check")
        if check["state"] != "green":
            await self._call("POST", f"/v1/keys/{key_id}/customer-check/accept", {"reason": "seen in a storm"})

    async def remove_key(self, company: str) -> bool:
        """Whether the company's key could be removed; a department is moved to it at the same moment."""
        key_id = self.keys[company]
        removed, _ = await asyncio.gather(
            self.world.call("DELETE", f"/v1/keys/{key_id}"),
            self.world.call("PUT", "/v1/departments/2/key", {"key_id": key_id}, tenant=self.world.tenant_id),
        )
        assert removed.status_code in {200, 409}, removed.text
        if removed.status_code == 200:
            del self.keys[company]
        return removed.status_code == 200

    async def choose(self, department: str, company: str) -> None:
        """Let the company's key serve the department."""
        await self._call("PUT", f"/v1/departments/{department}/key", {"key_id": self.keys[company]})

    async def go_home(self) -> None:
        """A key for each company, and each department with its own; what removed keys left goes to the next."""
        for department, company in HOMES.items():
            if company not in self.keys:
                await self.make_key(company, [])
            await self.choose(department, company)
        for former in await self.world.get("/v1/keys/removed"):
            path = f"/v1/keys/{self.keys[former['company_name']]}/take-over"
            await self._call("POST", path, {"from_key_id": former["id"]})
        for department, company in HOMES.items():
            await self.choose(department, company)

    async def mend(self, row: dict[str, Any]) -> None:
        """What the fix of a held document tells a person to do, then a retry."""
        codes = {reason["code"] for reason in row["reasons"]}
        if row["state"] == "held" and codes & {"key_removed", "credited_not_sent"}:
            credited = self.world.recman.state.store.records["invoice"][row["record_id"]].get("creditedInvoiceId")
            is_begun = any("had been begun" in reason["cause"] for reason in row["reasons"])
            await self._settle_past(await self._load(str(credited)) if credited and not is_begun else row)
        if row["state"] == "held" and "credited_with_other_key" in codes:
            await self._settle_past(row)
        if row["state"] in {"held", "failed", "ignored"}:
            await self._call("POST", f"/v1/transfers/{row['id']}/retry", None)

    async def _load(self, record_id: str) -> dict[str, Any]:
        rows = await self.list_documents()
        return next(row for row in rows if row["record_id"] == record_id)

    async def _settle_past(self, row: dict[str, Any]) -> None:
        """What is in a company is linked with that company's key; a draft there is deleted."""
        for company in HOMES.values():
            books = books_of(self.world, company)
            for invoice in [*find_documents(books, row["record_id"]), *find_unmarked(books, company, row)]:
                if invoice["StatusCode"] == DRAFT:
                    books.update("CustomerInvoice", invoice["ID"], {"Deleted": True})
                    continue
                await self.choose(str(self._record(row)["departmentId"]), company)
                path = f"/v1/invoices/{row['id']}/done-elsewhere"
                await self.world.call("POST", path, {"remote_id": invoice["ID"]})
        if row["state"] == "held":
            await self.world.call("POST", f"/v1/transfers/{row['id']}/ignore", {"reason": "looked for it there"})

    async def list_documents(self) -> list[dict[str, Any]]:
        """Every transfer of an invoice or credit note."""
        rows = await self.world.get("/v1/transfers", limit=1000)
        return [row for row in rows if row["kind"] in {"invoice", "credit_note"}]

    def _record(self, row: dict[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = self.world.recman.state.store.records["invoice"][row["record_id"]]
        return record

    async def _call(self, method: str, path: str, body: Any) -> None:
        answer = await self.world.call(method, path, body, tenant=self.world.tenant_id)
        assert answer.is_success, (method, path, answer.text)


def to_record(records: dict[str, Any], credit: Credit) -> dict[str, Any]:
    """The credit note as RecMan has it."""
    line = {"position": 1, "productNumber": credit.product, "description": "For mye fakturert", "quantity": "1"}
    line |= {"unitPrice": f"{credit.price}.00", "vatRate": str(credit.vat), "total": f"{credit.price}.00"}
    tax = Decimal(credit.price * credit.vat) / 100
    record: dict[str, Any] = deepcopy(records[credit.credited])
    record |= {"totalExVat": f"{credit.price}.00", "vat": f"{tax:.2f}", "totalIncVat": f"{credit.price + tax:.2f}"}
    record |= {"invoiceId": credit.record_id, "invoiceNumber": f"3{credit.record_id}", "type": "creditNote"}
    return record | {"creditedInvoiceId": credit.credited, "departmentId": credit.department, "lines": [line]}


def books_of(world: World, company: str) -> Books:
    """A company's books."""
    found: Books = world.unimicro.state.world.company(company).books
    return found


def find_documents(books: Books, record_id: str) -> list[dict[str, Any]]:
    """What a company has of a RecMan document."""
    return [row for row in books.rows("CustomerInvoice") if row["ExternalReference"] == f"RM-{record_id}"]


def find_unmarked(books: Books, company: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The credit draft with the id that the document's hold names, as long as no reference is on it."""
    told = "; ".join(reason["cause"] for reason in row["reasons"])
    named = re.search(rf"{company} \(id (\d+)\), as a credit note of the invoice with id (\d+)", told)
    if named is None:
        return []
    draft_id, credited_id = map(int, named.groups())
    return [
        draft
        for draft in books.rows("CustomerInvoice")
        if (draft["ID"], draft["InvoiceReferenceID"]) == (draft_id, credited_id) and not draft["ExternalReference"]
    ]


async def change_keys(office: TwoCompanies, chance: random.Random) -> None:
    """Somebody moves a department, removes a key, or makes one again."""
    missing = [company for company in HOMES.values() if company not in office.keys]
    if missing and chance.random() < 0.7:
        await office.make_key(missing[0], [])
    if office.keys and chance.random() < 0.5:
        await office.choose(chance.choice(list(HOMES)), chance.choice(list(office.keys)))
    if not missing and chance.random() < 0.4:
        await office.remove_key(chance.choice(list(office.keys)))
