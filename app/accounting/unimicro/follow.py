"""What became of drafts and orders that people in Unimicro issue: looked up many at a time. Part of `target`.

Source: docs/facts/unimicro.md §4.1 (states of invoices), §3.4 (states of orders), §3.3 (`OrderItemId` of an invoice's
lines). Whether such lines name the order's is unknown (§3.3): where they do not, its invoice is told by what it says.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.accounting.unimicro.client import UnimicroClient
from app.accounting.unimicro.payloads import INVOICE_DRAFT, to_text
from app.accounting.unimicro.translate_documents import from_invoice
from app.accounting.unimicro.translate_orders import from_order
from app.domain.documents import DocumentKind
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import RemoteMissingError

# A filter names so many records: an address has a longest length.
MOST_AT_ONCE = 50
_ORDER_REGISTERED = 41002


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An invoice there, and what its issuing has made of it; `sent` None: it does not say."""

    document: RemoteDocument
    due_date: date | None
    sent: bool | None
    voucher_id: int | None


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
        return _to_issued(await self._client.fetch_one(f"invoices/{invoice_id}", expand="Items"))

    async def find_invoices_of_order(self, order_id: int) -> tuple[Issued, ...]:
        """The invoices whose lines name a line of the order.

        Raises:
            RemoteMissingError: Unimicro says that there is no such order.
        """
        order = await self._client.fetch_one(f"orders/{order_id}", expand="Items")
        item_ids = {item["ID"] for item in order.get("Items") or ()}
        if not item_ids:
            return ()
        condition = " or ".join(f"OrderItemId eq {one}" for one in sorted(item_ids))
        rows = await self._client.fetch_list("invoiceitems", filter=condition)
        named = {row.get("CustomerInvoiceID") for row in rows if row.get("OrderItemId") in item_ids}
        return await self._fetch_all(one for one in named if isinstance(one, int))

    async def fetch_order(self, order_id: int) -> RemoteDocument:
        """An order as it is now, with its currency."""
        row = await self._client.fetch_one(f"orders/{order_id}", expand="Items")
        return replace(from_order(row), currency_id=row.get("CurrencyCodeID"))

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


def _to_issued(row: Mapping[str, Any]) -> Issued:
    """Source: §3.2: `PrintStatus` says how it was sent, `JournalEntryID` is its voucher."""
    status = row.get("PrintStatus")
    return Issued(
        document=from_invoice(row),
        due_date=_to_day(row.get("PaymentDueDate")),
        sent=None if status is None else bool(status),
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
