"""What a trial works with: one company's client, a notebook of all that is made, and the least that a document needs.

Whatever is made is noted before it is sent, so that it is found and taken back although the process dies.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from app.accounting.unimicro.client import Exchange, UnimicroClient
from app.accounting.unimicro.payloads import DRAFT_ON_CREATE, guid_for, to_day, to_text
from app.accounting.unimicro.target import UnimicroTarget
from app.accounting.unimicro.target_documents import quote
from app.domain.answers import Answer, Question
from app.domain.money import ZERO
from app.domain.reference import Reference, RemoteProduct
from app.errors import RemoteRejectedError, RequestError

_CREDIT_DAYS = timedelta(days=14)
_PRICE = Decimal(100)
_LEAST_LAG_SECONDS = 1.0
# What may be kept of an answer: no person, no other customer's record.
_SHOWN = frozenset({
    "ID", "StatusCode", "InvoiceNumber", "InvoiceType", "InvoiceReferenceID", "InvoiceDate", "PaymentDueDate",
    "PaymentID", "ExternalReference", "CurrencyCodeID", "CurrencyExchangeRate", "CreatedFromJournalEntry",
    "JournalEntryID", "JournalEntryNumber", "PrintStatus", "CustomerNumber", "OrderNumber", "OrderItemId",
    "CustomerOrderID", "Items", "ProductID", "VatTypeID", "VatPercent", "AccountID", "NumberOfItems",
    "PresetCustomerInvoiceNumber", "AutoDistributeInvoice", "ExchangeRate", "Factor", "CurrencyDate", "Message",
    "Messages", "PropertyName", "ErrorReference", "_validationResults",
})  # fmt: skip
_SUMS = frozenset({
    "TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount", "PayableRoundingAmount", "PriceExVat",
    "PriceIncVat", "SumTotalExVat", "SumVat", "SumTotalIncVat",
})  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that a trial makes; it is known there by its `reference` until its id is known."""

    reference: str
    route: str
    what: str
    remote_id: int | None = None
    number: str = ""


class Notebook(Protocol):
    """Keeps what trials make; every note is stored for good before the call returns."""

    async def note(self, route: str, what: str) -> Thing:
        """A thing that is about to be made."""

    async def found(self, thing: Thing, *, remote_id: int, number: str = "") -> Thing:
        """The thing, now that it has an id."""

    async def refused(self, thing: Thing) -> None:
        """The thing was surely not made."""

    async def find(self, route: str) -> Thing | None:
        """The newest thing of the route that is still there."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """One company to try things in; `exchanges` are the writes and looks of the trial under way."""

    client: UnimicroClient
    notebook: Notebook
    today: date
    company_key: str
    answers: Mapping[Question, Answer]
    exchanges: list[Exchange]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _reference: Reference | None = field(default=None)
    _customer_id: int | None = field(default=None)

    async def load_reference(self) -> Reference:
        """The company's reference data, read once."""
        if self._reference is None:
            self._reference = await UnimicroTarget(self.client).fetch_reference()
        return self._reference

    async def load_product(self) -> RemoteProduct:
        """A product that can be sold: active, with VAT and account, the dearest VAT first.

        Raises:
            RequestError: there is none.
        """
        products = [one for found in (await self.load_reference()).products.values() for one in found]
        usable = [one for one in products if one.active and one.vat_rate and one.account_id and one.vat_type_id]
        if not usable:
            fix = "Make a product with a VAT code of sales and a sales account in Unimicro, then run this again."
            raise RequestError("The company has no active product with VAT to try an invoice with", fix=fix)
        return max(usable, key=lambda one: (one.vat_rate or ZERO, -one.remote_id))

    async def load_customer_id(self) -> int:
        """The customer of every trial's documents, made once and kept."""
        if self._customer_id is None:
            known = await self.notebook.find("customers")
            made = known if known is not None and known.remote_id is not None else await self._make_customer()
            self._customer_id = made.remote_id
        if self._customer_id is None:
            raise TypeError("a customer that was made has an id")
        return self._customer_id

    async def _make_customer(self) -> Thing:
        thing = await self.notebook.note("customers", "customer for trials")
        body = {"Info": {"Name": f"RecMan trial {thing.reference}", "_createguid": self.guid(thing, "info")}}
        return await self.send(thing, body)

    def guid(self, thing: Thing, *parts: str) -> str:
        """The `_createguid` of a thing or of a part of it."""
        return guid_for("trial", self.company_key, thing.reference, *parts)

    async def send(self, thing: Thing, body: Mapping[str, Any]) -> Thing:
        """The thing, made and noted with its id."""
        async with self.noting(thing):
            row = await self.client.create(thing.route, {"_createguid": self.guid(thing), **body})
        return await self.notebook.found(thing, remote_id=row["ID"])

    @asynccontextmanager
    async def noting(self, thing: Thing) -> AsyncIterator[None]:
        """Note of what is refused inside that it was never made, so that nobody looks for it."""
        try:
            yield
        except RemoteRejectedError:
            await self.notebook.refused(thing)
            raise

    @property
    def lag_seconds(self) -> float:
        """After this time what was made can be found: twice what was measured, else what is assumed."""
        lag = self.answers[Question.SEARCH_LAG]
        return max(_LEAST_LAG_SECONDS, 2 * float(lag.answer)) if lag.is_known else float(lag.answer)

    async def look_patiently(self, look: Callable[[], Awaitable[T]]) -> T:
        """What a look finds; an empty one is believed once the read lag has passed."""
        found = await look()
        if found:
            return found
        await self.sleep(self.lag_seconds)
        return await look()

    async def make_draft(self, what: str, **head: Any) -> Thing:
        """A draft invoice of one line over 100 before VAT; `head` is put over what it usually has."""
        thing = await self.notebook.note("invoices", what)
        return await self.send(thing, await self.to_draft(thing, **head))

    async def to_draft(self, thing: Thing, *, items: list[dict[str, Any]] | None = None, **head: Any) -> dict[str, Any]:
        """The payload of a draft with our reference."""
        reference = await self.load_reference()
        usual = {
            "StatusCode": DRAFT_ON_CREATE,
            "InvoiceType": 0,
            "CustomerID": await self.load_customer_id(),
            "InvoiceDate": to_day(self.today),
            "PaymentDueDate": to_day(self.today + _CREDIT_DAYS),
            "CurrencyCodeID": reference.currencies[reference.base_currency],
            "CurrencyExchangeRate": Decimal(1),
            "ExternalReference": thing.reference,
            "Items": items or [await self.to_line(thing)],
        }
        return usual | head

    async def to_line(
        self, thing: Thing, *, price: Decimal = _PRICE, quantity: Decimal = Decimal(1), **more: Any
    ) -> dict[str, Any]:
        """One line without sums; `more` also tells lines of one document apart."""
        product = await self.load_product()
        guid = self.guid(thing, "line", str(price), str(more.get("SortIndex", 1)))
        usual = {
            "ID": 0,
            "_createguid": guid,
            "SortIndex": 1,
            "ProductID": product.remote_id,
            "ItemText": "RecMan trial",
        }
        usual |= {"NumberOfItems": quantity, "PriceExVat": price, "PriceExVatCurrency": price, "DiscountPercent": 0}
        return usual | {"VatTypeID": product.vat_type_id, "AccountID": product.account_id} | more

    async def look(self, route: str, **query: str) -> dict[str, Any]:
        """One record as it is now, kept as evidence."""
        row = await self.client.fetch_one(route, **query)
        self.keep(route, query, row)
        return row

    async def look_for(self, route: str, name: str, value: str) -> list[dict[str, Any]]:
        """The rows that have this text in a field, kept as evidence; a filter alone is not believed."""
        query = {"filter": f"{name} eq {quote(value)}"}
        rows = await self.client.fetch_list(route, **query)
        found = [row for row in rows if to_text(row.get(name)) == value]
        self.keep(route, query, found)
        return found

    def keep(self, route: str, query: Mapping[str, str], answer: Any) -> None:
        """Put what was read beside the writes."""
        path = f"api/biz/{route}"
        self.exchanges.append(
            Exchange(
                method="GET", path=path, query=dict(query), request=None, status=200, answer=answer, milliseconds=0
            )
        )

    async def issue(self, thing: Thing) -> dict[str, Any]:
        """The invoice as it is once it was issued."""
        await self.client.act("POST", f"invoices/{thing.remote_id}", "invoice")
        return await self.look(f"invoices/{thing.remote_id}", expand="Items")


def show_exchanges(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """The exchanges as evidence: of what Unimicro answered the fields alone that an answer hangs on.

    A look at the settings, or a filter that was ignored, shows more than anybody should keep.
    """
    return [
        {"method": one.method, "path": one.path, "query": dict(one.query), "request": one.request}
        | {"status": one.status, "answer": _pick(one.answer)}
        for one in exchanges
    ]


def _pick(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_pick(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    return {name: _pick(value) for name, value in answer.items() if name in _SHOWN or _is_sum(name)}


def _is_sum(name: str) -> bool:
    return name.removesuffix("Currency") in _SUMS


class UntoldError(Exception):
    """A trial came to no answer; `args[0]` says why, and what would let it."""


def day_of(value: Any) -> str:
    """The day of a date or a time."""
    return str(value or "")[:10]
