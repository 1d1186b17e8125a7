"""Orders in place of invoices: Unimicro makes and sends the invoice. The same doings as `DocumentTarget`, on `orders`.

Source: facts/unimicro-api.md §3.4 [o/O]. That an order is made as a draft like an invoice, and that `register` gives
its number, is assumed.
"""

from typing import Any

from app.accounting.unimicro.target import UnimicroTarget
from app.accounting.unimicro.target_documents import Draft, quote
from app.accounting.unimicro.translate_documents import from_order, to_order
from app.domain.documents import Document
from app.domain.reference import Links, Reference, RemoteDocument
from app.errors import Reason


class UnimicroOrderTarget(UnimicroTarget):
    """One company's books, documents as orders."""

    route = "orders"
    issuing = "register"

    async def find_documents_by_reference(self, external_reference: str) -> tuple[RemoteDocument, ...]:
        """Orders that carry our reference."""
        rows = await self._client.fetch_list("orders", filter=f"ExternalReference eq {quote(external_reference)}")
        return tuple(one for one in map(from_order, rows) if one.external_reference == external_reference)

    async def fetch_document(self, remote_id: int) -> RemoteDocument:
        """The order as it is now."""
        return from_order(await self._client.fetch_one(f"orders/{remote_id}"))

    async def create_draft(
        self, document: Document, links: Links, *, guid: str, external_reference: str, reference: Reference
    ) -> Draft:
        """The new order with its sums as Unimicro has them."""
        payload, warnings = await self.prepare_draft(
            document, links, guid=guid, external_reference=external_reference, reference=reference
        )
        return Draft(from_order(await self._client.create("orders", payload)), tuple(warnings))

    async def prepare_draft(
        self, document: Document, links: Links, *, guid: str, external_reference: str, reference: Reference
    ) -> tuple[dict[str, Any], list[Reason]]:
        """The order as it is sent, and what had to be cut; reads only."""
        payload, warnings = await super().prepare_draft(
            document, links, guid=guid, external_reference=external_reference, reference=reference
        )
        return to_order(payload), warnings

    async def issue_document(self, remote_id: int) -> None:
        """Register an order; its number is read afterwards."""
        await self._client.act("POST", f"orders/{remote_id}", "register")

    async def delete_draft(self, remote_id: int) -> None:
        """Delete an order that is a draft; one that is gone already is as good."""
        await self._client.delete(f"orders/{remote_id}")
