"""Orders in place of invoices: Unimicro makes and sends the invoice. The same doings as `DocumentTarget`, on `orders`.

Source: docs/facts/unimicro.md §3.4 [o/O]. That an order is made as a draft like an invoice, and that `register` gives
its number, is assumed.
"""

from typing import Any

from app.accounting.unimicro.payloads import to_text
from app.accounting.unimicro.target import UnimicroTarget
from app.accounting.unimicro.target_documents import NewDraft, quote
from app.accounting.unimicro.translate_orders import from_order, to_order
from app.domain.reasons.codes import Reason
from app.domain.reference import RemoteDocument
from app.errors import RemoteMissingError


class UnimicroOrderTarget(UnimicroTarget):
    """One company's books, documents as orders."""

    route = "orders"
    issuing = "register"
    read = staticmethod(from_order)

    async def find_documents_by_reference(self, external_reference: str) -> tuple[RemoteDocument, ...]:
        """Orders of which a line carries our reference; their heads have none."""
        condition = f"ExternalReference eq {quote(external_reference)}"
        lines = await self._client.fetch_list("orderitems", filter=condition)
        ours = [line for line in lines if to_text(line.get("ExternalReference")) == external_reference]
        found = []
        for order_id in sorted({line["CustomerOrderID"] for line in ours if line.get("CustomerOrderID")}):
            try:
                found.append(await self.fetch_document(order_id))
            except RemoteMissingError:
                # The lines of a deleted order may still be listed.
                continue
        return tuple(one for one in found if one.external_reference == external_reference)

    async def find_documents_by_number(self, number: str) -> tuple[RemoteDocument, ...]:
        """None: an order's number is Unimicro's own, and an invoice's id is no order's."""
        _ = number
        return ()

    async def prepare_draft(self, new: NewDraft) -> tuple[dict[str, Any], list[Reason]]:
        """The order as it is sent, and what had to be cut; reads only."""
        payload, warnings = await super().prepare_draft(new)
        return to_order(payload), warnings

    def finish_lines(self, body: dict[str, Any], external_reference: str) -> dict[str, Any]:
        """A change of lines, each with the reference that the order is found by."""
        return {**body, "Items": [item | {"ExternalReference": external_reference} for item in body["Items"]]}
