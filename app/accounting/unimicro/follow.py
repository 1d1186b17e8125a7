"""What became of drafts and orders that people in Unimicro issue: looked up many at a time. Part of `target`.

Source: docs/facts/unimicro.md §4.1 (states of invoices), §3.4 (states of orders), §3.3 (`OrderItemId` of an invoice's
lines). Whether such lines name the order's is unknown (§3.3): where they do not, its invoice is told by what it says.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.accounting.unimicro.client import UnimicroClient
from app.accounting.unimicro.odd_answers import tells_odd_answers
from app.accounting.unimicro.payloads import INVOICE_DRAFT, to_text
from app.accounting.unimicro.translate_documents import from_day, from_invoice
from app.accounting.unimicro.translate_orders import from_order
from app.domain.documents import DocumentKind
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import RemoteMissingError, RemoteRejectedError, RemoteUnavailableError

# A filter names so many records: an address has a longest length.
MOST_AT_ONCE = 50
_ORDER_REGISTERED, _ORDER_PARTLY = 41002, 41003
_SENT = 70003
# Each line's trace links are a call; so many lines tell where an order went.
_MOST_TRACED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An invoice there, and what its issuing has made of it; `sent` None: it does not say."""

    document: RemoteDocument
    due_date: date | None
    sent: bool | None
    voucher_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderInvoices:
    """The invoices whose lines name an order's; `is_partly`: others may still come, for not all of it is invoiced."""

    found: tuple[Issued, ...] = ()
    is_partly: bool = False


@tells_odd_answers
class FollowTarget:
    """The part of one company's books that tells what became of what we left there for people."""

    _client: UnimicroClient

    async def list_standing(self, ids: Collection[int], *, orders: bool) -> frozenset[int]:
        """Of these drafts or orders those that stand as we left them; one call for fifty."""
        route, last = ("orders", _ORDER_REGISTERED) if orders else ("invoices", INVOICE_DRAFT)
        condition = " or ".join(f"ID eq {one}" for one in sorted(ids))
        rows = await self._client.fetch_list(route, filter=condition)
        standing = {row["ID"] for row in rows if not row.get("Deleted") and (row.get("StatusCode") or 0) <= last}
        return frozenset(standing & set(ids))

    async def fetch_issued(self, invoice_id: int) -> Issued:
        """The invoice as it is now, issued or not.

        Raises:
            RemoteMissingError: Unimicro says that there is none.
        """
        row = await self._client.fetch_one(f"invoices/{invoice_id}", expand="Items")
        return _to_issued(row, sent=await fetch_sent(self._client, row))

    async def find_invoices_of_order(self, order_id: int) -> OrderInvoices:
        """The invoices whose lines name a line of the order.

        Raises:
            RemoteMissingError: Unimicro says that there is no such order.
        """
        order = await self._client.fetch_one(f"orders/{order_id}", expand="Items")
        is_partly = order.get("StatusCode") == _ORDER_PARTLY
        item_ids = {item["ID"] for item in order.get("Items") or ()}
        if not item_ids:
            return OrderInvoices(is_partly=is_partly)
        found = await self._fetch_all(await find_invoice_ids(self._client, item_ids))
        # The lines of an invoice's credit note may name the order's as well: they were copied with all the rest.
        invoices = tuple(one for one in found if one.document.kind is DocumentKind.INVOICE)
        return OrderInvoices(found=invoices, is_partly=is_partly)

    async def fetch_order(self, order_id: int) -> RemoteDocument:
        """An order as it is now, with its currency."""
        row = await self._client.fetch_one(f"orders/{order_id}", expand="Items")
        return replace(from_order(row), currency_id=row.get("CurrencyCodeID"))

    async def find_orders_of(self, customer_id: int, day: date) -> tuple[RemoteDocument, ...]:
        """A customer's orders of a day, whoever made them."""
        condition = f"CustomerID eq {customer_id} and OrderDate eq '{day.isoformat()}'"
        rows = await self._client.fetch_list("orders", filter=condition)
        found = [from_order(row) for row in rows if not row.get("Deleted") and from_day(row.get("OrderDate")) == day]
        return tuple(one for one in found if one.customer_id == customer_id)

    async def find_invoices_like(self, document: RemoteDocument, *, since: date) -> tuple[Issued, ...]:
        """The customer's invoices of a day or later that come to the same sums in the same currency."""
        condition = f"CustomerID eq {document.customer_id} and InvoiceDate ge '{since.isoformat()}'"
        rows = await self._client.fetch_list("invoices", filter=condition)
        found = [one for one in map(from_invoice, rows) if _is_like(one, document)]
        return await self._fetch_all(one.remote_id for one in found)

    async def _fetch_all(self, ids: Iterable[int]) -> tuple[Issued, ...]:
        found = []
        for one in sorted(ids):
            try:
                found.append(await self.fetch_issued(one))
            except RemoteMissingError:
                # The lines of a deleted draft may still be listed.
                continue
        return tuple(found)


async def find_invoice_ids(client: UnimicroClient, item_ids: Collection[int]) -> frozenset[int]:
    """The invoices whose lines were an order's lines: as their lines name them, else by the trace links of the first.

    Source: §3.3 (`OrderItemId`), §0 swagger (trace links); which of the two there are is unknown.
    """
    condition = " or ".join(f"OrderItemId eq {one}" for one in sorted(item_ids))
    rows = await client.fetch_list("invoiceitems", filter=condition)
    named = [row for row in rows if row.get("OrderItemId") in item_ids]
    return frozenset(_list_invoices(named or await _list_traced(client, sorted(item_ids)[:_MOST_TRACED])))


def _list_invoices(items: Iterable[Mapping[str, Any]]) -> Iterable[int]:
    return (item["CustomerInvoiceID"] for item in items if isinstance(item.get("CustomerInvoiceID"), int))


async def _list_traced(client: UnimicroClient, item_ids: Collection[int]) -> list[dict[str, Any]]:
    """The lines that these lines of an order became; none where there are no such links."""
    ids = set()
    for one in item_ids:
        try:
            links = await client.fetch_list(f"orderitems/{one}/tracelinks")
        except (RemoteRejectedError, RemoteUnavailableError):
            return []
        ends = [link for link in links if link.get("SourceInstanceID") == one]
        ids |= {link.get("DestinationInstanceID") for link in ends}
    known = {one for one in ids if isinstance(one, int)}
    if not known:
        return []
    condition = " or ".join(f"ID eq {one}" for one in sorted(known))
    rows = await client.fetch_list("invoiceitems", filter=condition)
    return [row for row in rows if row["ID"] in known]


async def fetch_sent(client: UnimicroClient, row: Mapping[str, Any]) -> bool | None:
    """Whether an invoice went out, by the log of deliveries, else as it says itself; None: nothing tells.

    Source: §4.2 (model Sharing, 70003 is completed [O]), §3.2 (`PrintStatus`).
    """
    columns = ",".join(f"{name} as {name}" for name in ("ID", "EntityID", "EntityType", "StatusCode"))
    try:
        rows = await client.fetch_statistics("Sharing", select=columns, filter=f"EntityID eq {row['ID']}")
    except (RemoteRejectedError, RemoteUnavailableError):
        rows = []
    log = [one for one in rows if one.get("EntityID") == row["ID"] and "Invoice" in to_text(one.get("EntityType"))]
    if log:
        return any(one.get("StatusCode") == _SENT for one in log)
    status = row.get("PrintStatus")
    return None if status is None else bool(status)


def _to_issued(row: Mapping[str, Any], *, sent: bool | None) -> Issued:
    """Source: §3.2: `JournalEntryID` is its voucher."""
    return Issued(
        document=from_invoice(row),
        due_date=_to_day(row.get("PaymentDueDate")),
        sent=sent,
        voucher_id=row.get("JournalEntryID"),
    )


def _to_day(value: Any) -> date | None:
    try:
        return date.fromisoformat(to_text(value)[:10])
    except ValueError:
        return None


def _is_like(one: RemoteDocument, other: RemoteDocument) -> bool:
    is_issued = one.state is not DocumentState.DRAFT and one.kind is DocumentKind.INVOICE
    same_money = (one.totals, one.currency_id) == (other.totals, other.currency_id)
    return is_issued and one.customer_id == other.customer_id and same_money
