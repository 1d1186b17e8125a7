"""Orders in place of invoices: Unimicro makes and sends the invoice. The same doings as `DocumentTarget`, on `orders`.

Source: docs/facts/unimicro.md §3.4 [o/O]. That an order is made as a draft like an invoice, and that `register` gives
its number, is assumed.
"""

from typing import Any

from app.accounting.unimicro.odd_answers import tells_odd_answers
from app.accounting.unimicro.payloads import to_text
from app.accounting.unimicro.target import UnimicroTarget
from app.accounting.unimicro.target_documents import NewDraft, quote
from app.accounting.unimicro.translate_orders import from_order, to_order
from app.domain.documents import Document
from app.domain.parties import Recipient
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument
from app.errors import HoldError, RemoteMissingError


@tells_odd_answers
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
        """The order as it is sent, and what had to be cut; reads only.

        Raises:
            HoldError: Unimicro could not send its invoice to the customer.
        """
        payload, warnings = await super().prepare_draft(new)
        recipient = self._recipients.get(new.links.customer_id)
        gap = None if recipient is None else find_unsendable(new.document, recipient)
        if gap is not None:
            # Somebody mends it in Unimicro: what is remembered must not outlive that.
            self._recipients.pop(new.links.customer_id, None)
            raise HoldError((gap,))
        return to_order(payload), warnings

    def finish_lines(self, body: dict[str, Any], external_reference: str) -> dict[str, Any]:
        """A change of lines, each with the reference that the order is found by."""
        return {**body, "Items": [item | {"ExternalReference": external_reference} for item in body["Items"]]}


def find_unsendable(document: Document, recipient: Recipient) -> Reason | None:
    """Why Unimicro could not send the order's invoice: nobody is reached, or an electronic one has no reference. Pure.

    Source: an electronic invoice needs a buyer's reference or an order's (Peppol BIS Billing 3, rule R003).
    """
    shown = f"customer {recipient.number} {recipient.name}"
    if not (recipient.email or recipient.electronic_address):
        cause = f"Unimicro has neither an e-mail address nor an address for electronic invoices of {shown}"
        return Reason(code=Code.ORDER_UNREACHABLE, cause=cause, fix=fix_for(Code.ORDER_UNREACHABLE))
    has_reference = document.your_reference or document.requisition or recipient.agreed_reference
    if recipient.electronic_address and not has_reference:
        cause = f"Invoice {document.number} has no reference, and {shown} gets electronic invoices, which need one"
        return Reason(code=Code.ORDER_WITHOUT_REFERENCE, cause=cause, fix=fix_for(Code.ORDER_WITHOUT_REFERENCE))
    return None
