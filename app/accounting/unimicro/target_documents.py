"""The documents of one company: find, draft, issue, credit. Part of `target.UnimicroTarget`."""

from collections.abc import Callable, Collection, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.client import UnimicroClient
from app.accounting.unimicro.odd_answers import tells_odd_answers
from app.accounting.unimicro.payloads import guid_for, list_lost_lines, to_text
from app.accounting.unimicro.recipients import other_customer, require_active
from app.accounting.unimicro.translate import from_recipient, is_deleted_customer
from app.accounting.unimicro.translate_credits import is_booked_as, seed_of_lines, to_credit_head, to_credit_lines
from app.accounting.unimicro.translate_documents import (
    Currency,
    from_invoice,
    list_cuts,
    to_invoice,
    to_own_number,
    to_rounding,
    to_series,
)
from app.accounting.unimicro.translate_stops import to_stops
from app.accounting.unimicro.translate_sums import read_quote
from app.domain.buyers import find_country
from app.domain.documents import Attachment, Document, DocumentKind, Line
from app.domain.parties import Recipient
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Bookings, Links, Quote, Reference, RemoteDocument, RemoteProduct
from app.errors import (
    HoldError,
    OutcomeUnknownError,
    RemoteError,
    RemoteMissingError,
    RemoteRejectedError,
    RemoteUnavailableError,
    System,
)

_SLOTS = ("InvoiceAddress", "ShippingAddress", "DefaultEmail", "DefaultPhone", "Addresses", "Emails")
CUSTOMER_PARTS = ",".join(("Info", *(f"Info.{slot}" for slot in _SLOTS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft that was made, and what had to be cut to make it.

    `rate` is what one unit of its currency was reckoned with, None where that is not known; guids of further lines hang
    on `seed`.
    """

    document: RemoteDocument
    warnings: tuple[Reason, ...]
    rate: Decimal | None
    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDraft:
    """What a draft is made with: at `rate` for one unit of its currency; `keeps_number`: with the document's own.

    `is_quiet`: the customer has it under another number, so it is neither reminded of nor sold to a factor.
    """

    document: Document
    links: Links
    guid: str
    external_reference: str
    reference: Reference
    rate: Decimal
    is_quiet: bool = False
    keeps_number: bool = False


# What customers look like on an invoice's head, by the customer's id; the caller says how long it is believed.
Recipients = MutableMapping[int, Recipient]


_FILE_ENTITY = "CustomerInvoice"


def quote(text: str) -> str:
    """A text in a filter."""
    return "'" + text.replace("'", "''") + "'"


@tells_odd_answers
class DocumentTarget:
    """The documents of one company's books; errors as `UnimicroClient` raises them.

    `route` and `issuing` are where documents are kept, and the action that gives a draft its number; `read` makes a
    document of what Unimicro answers.
    """

    route = "invoices"
    issuing = "invoice"
    read: Callable[[Mapping[str, Any]], RemoteDocument] = staticmethod(from_invoice)

    def __init__(self, client: UnimicroClient, *, recipients: Recipients | None = None) -> None:
        self._client = client
        self._recipients: Recipients = {} if recipients is None else recipients

    async def find_documents_by_reference(self, external_reference: str) -> tuple[RemoteDocument, ...]:
        """Documents that carry our reference."""
        condition = f"ExternalReference eq {quote(external_reference)}"
        rows = await self._client.fetch_list(self.route, filter=condition)
        found = [one for one in map(self.read, rows) if one.external_reference == external_reference]
        ids = {one.remote_id for one in found}
        # A credit draft may have its invoice's reference until it gets one of its own: then it is not ours.
        return tuple(one for one in found if one.credited_id not in ids)

    async def find_documents_by_number(self, number: str) -> tuple[RemoteDocument, ...]:
        """Invoices and credit notes with this number, whoever made them."""
        if not number:
            return ()
        rows = await self._client.fetch_list(self.route, filter=f"InvoiceNumber eq {quote(number)}")
        return tuple(one for one in map(self.read, rows) if one.number == number)

    async def find_credits(self, credited_id: int) -> tuple[RemoteDocument, ...]:
        """Every credit note of an invoice, drafts and issued ones, whoever made them."""
        condition = f"InvoiceReferenceID eq {credited_id} and InvoiceType eq 1"
        rows = await self._client.fetch_list("invoices", filter=condition)
        return tuple(
            one
            for one in map(from_invoice, rows)
            if one.credited_id == credited_id and one.kind is DocumentKind.CREDIT_NOTE
        )

    async def fetch_document(self, remote_id: int) -> RemoteDocument:
        """The document as it is now, with its lines.

        Raises:
            RemoteMissingError: Unimicro says that there is none.
        """
        return self.read(await self._client.fetch_one(f"{self.route}/{remote_id}", expand="Items"))

    async def create_draft(self, new: NewDraft) -> Draft:
        """The draft, made, with its sums as Unimicro has them.

        Its head shows the customer as Unimicro knows it now, as the UI does: whether the server fills it in is unknown
        (docs/facts/unimicro.md §9 row 7), and RecMan's company is at hand for a customer's first invoice only.
        """
        payload, warnings = await self.prepare_draft(new)
        try:
            row = await self._client.create(self.route, payload)
        except RemoteError:
            # What is remembered of the customer may be the very reason: it is read again before the next try.
            self._recipients.pop(new.links.customer_id, None)
            raise
        lost = list_lost_lines(payload, row, where=f"Invoice {new.document.number}")
        return Draft(document=self.read(row), warnings=(*warnings, *lost), rate=new.rate, seed=new.guid)

    async def prepare_draft(self, new: NewDraft) -> tuple[dict[str, Any], list[Reason]]:
        """The draft as it is sent, and what had to be cut; reads only."""
        document, links, company_id = new.document, new.links, new.document.recman_company_id
        recipient = await self._fetch_own_recipient(links, company_id) if links.customer_id else None
        payload, warnings = to_invoice(
            document,
            links,
            guid=new.guid,
            external_reference=new.external_reference,
            currency=Currency(currency_id=new.reference.currencies[document.currency], rate=new.rate),
            recipient=recipient,
        )
        # Source: docs/facts/unimicro.md §3.2 [O].
        quiet = to_stops(is_quiet=new.is_quiet)
        return payload | quiet | to_own_number(document, keeps=new.keeps_number), warnings

    def list_cuts(self, document: Document) -> tuple[Reason, ...]:
        """What was cut of the texts of a draft whose making was not seen."""
        return tuple(list_cuts(document))

    async def is_booked_as(
        self, remote_id: int, document: Document, bookings: Bookings, *, besides: Collection[int]
    ) -> bool:
        """Whether a draft's lines stand on these products, accounts and VAT types; also where it shows no lines.

        `besides`: products of lines that are none of the document's.
        """
        row = await self._client.fetch_one(f"{self.route}/{remote_id}", expand="Items")
        return is_booked_as(row, document, bookings, besides=besides)

    async def find_customer_country(self, customer_id: int) -> str:
        """Where a customer is, as VAT sees it (domain.buyers); empty where Unimicro does not say or lets nobody see it.

        A customer that cannot be invoiced is the draft's business.
        """
        with suppress(HoldError, RemoteMissingError, RemoteRejectedError):
            recipient = await self._fetch_recipient(Links(customer_id=customer_id), "")
            return find_country(recipient.invoice_address, recipient.org_number)
        return ""

    async def _fetch_own_recipient(self, links: Links, recman_company_id: str) -> Recipient:
        recipient = await self._fetch_recipient(links, recman_company_id)
        if links.customer_number not in ("", recipient.number):
            raise HoldError((other_customer(links, recipient, recman_company_id),))
        return recipient

    async def _fetch_recipient(self, links: Links, recman_company_id: str) -> Recipient:
        found = self._recipients.get(links.customer_id)
        if found is None:
            shown = f"{links.customer_number} {links.customer_name}".strip()
            row = await self.fetch_customer(links.customer_id, recman_company_id=recman_company_id, shown=shown)
            require_active(row)
            found = from_recipient(row)
            self._recipients[links.customer_id] = found
        return found

    async def add_rounding(self, draft: Draft, line: Line, product: RemoteProduct, *, external_reference: str) -> Draft:
        """The draft with one line more, which levels its claim; its sums as Unimicro has them then."""
        remote = draft.document
        body = to_rounding(remote, line, product, guid=guid_for(draft.seed, "rounding"), rate=draft.rate or Decimal(1))
        answer = await self._client.update(
            f"{self.route}/{remote.remote_id}", self.finish_lines(body, external_reference)
        )
        shown = isinstance(answer, dict) and answer.get("ID") == remote.remote_id
        # What a change answers is not documented: where it is not the document, that is read.
        found = self.read(answer) if shown else await self.fetch_document(remote.remote_id)
        return replace(draft, document=found)

    def finish_lines(self, body: dict[str, Any], external_reference: str) -> dict[str, Any]:
        """A change of lines in the form of the route."""
        _ = external_reference
        return body

    async def fetch_customer(self, remote_id: int, *, recman_company_id: str, shown: str) -> dict[str, Any]:
        """A linked customer's record with all that hangs on it; `shown` is what people call it.

        Raises:
            RemoteMissingError: Unimicro says that it is not there; one such answer is a weak sign.
            RemoteRejectedError: it was deleted.
        """
        fix = fix_for(Code.CUSTOMER_DELETED, recman_company_id=recman_company_id)
        cause = f"Customer {shown} was linked with id {remote_id} and is deleted in Unimicro"
        try:
            row = await self._client.fetch_one(f"customers/{remote_id}", expand=CUSTOMER_PARTS)
        except RemoteMissingError as error:
            code = Code.CUSTOMER_DELETED
            raise RemoteMissingError(cause, system=System.UNIMICRO, fix=fix, code=code) from error
        if is_deleted_customer(row):
            raise RemoteRejectedError(cause, system=System.UNIMICRO, fix=fix, code=Code.CUSTOMER_DELETED)
        return row

    async def issue_document(self, remote_id: int) -> None:
        """Issue a draft; its number is read afterwards."""
        await self._client.act("POST", f"{self.route}/{remote_id}", self.issuing)

    async def delete_draft(self, remote_id: int) -> None:
        """Delete a draft.

        Raises:
            RemoteMissingError: Unimicro says that it is not there; another look must tell.
        """
        await self._client.delete(f"{self.route}/{remote_id}")

    async def create_credit_draft(self, credited_id: int) -> RemoteDocument:
        """A whole credit of an issued invoice, as a draft that Unimicro makes itself."""
        row = await self._client.act("PUT", f"invoices/{credited_id}", "create-credit-draft-invoice")
        if not isinstance(row, dict) or not isinstance(row.get("ID"), int):
            raise OutcomeUnknownError("Unimicro made a credit draft but did not say which", system=System.UNIMICRO)
        return from_invoice(row)

    async def mark_credit_draft(self, remote_id: int, *, external_reference: str) -> None:
        """Put our reference on a credit draft, so that nobody else's is taken for it from now on."""
        await self._client.update(f"invoices/{remote_id}", {"ID": remote_id, "ExternalReference": external_reference})

    async def update_credit_draft(
        self,
        remote_id: int,
        document: Document,
        *,
        external_reference: str,
        links: Links,
        rate: Decimal | None = None,
        keeps_number: bool = False,
    ) -> Draft:
        """The credit draft with our reference, dates and texts; where any line differs, with RecMan's lines.

        `rate` is its invoice's, which it keeps; None: the draft's own. `keeps_number`: see `NewDraft`.
        """
        row = await self._client.fetch_one(f"invoices/{remote_id}", expand="Items,Items.Dimensions")
        head, warnings = to_credit_head(
            document, external_reference=external_reference, customer_id=from_invoice(row).customer_id
        )
        kept_rate = rate or from_invoice(row).rate
        lines, cut = to_credit_lines(document, links, there=row, rate=kept_rate or Decimal(1))
        own = {**to_series(links), **to_own_number(document, keeps=keeps_number)}
        await self._client.update(f"invoices/{remote_id}", {"ID": remote_id, **head, **own, **lines})
        made = await self._client.fetch_one(f"invoices/{remote_id}", expand="Items")
        lost = list_lost_lines(lines, made, where=f"Credit note {document.number}")
        return Draft(
            document=from_invoice(made),
            warnings=(*warnings, *cut, *lost),
            rate=kept_rate,
            seed=seed_of_lines(row),
        )

    async def attach_file(
        self, remote_id: int, attachment: Attachment, *, files_base: str, entity: str = _FILE_ENTITY
    ) -> None:
        """Put a file on an issued document, or another entity, unless one of that name is there.

        A wrong upload is answered 200 too, so the list of the document's files decides.
        Source: docs/facts/unimicro.md §3.8 [O].

        Raises:
            RemoteError: it could not be put there, or is not there afterwards.
        """
        if attachment.name in await self._list_files(remote_id, entity):
            return
        answer = await self._client.upload(files_base, attachment.name, attachment.content)
        file_id = answer.get("Id", answer.get("ID")) if isinstance(answer, dict) else None
        if file_id is None:
            raise RemoteUnavailableError("The files service did not say which id the file has", system=System.UNIMICRO)
        place = {"entitytype": entity, "entityid": str(remote_id)}
        await self._client.act("POST", f"files/{file_id}", "link", **place)
        if attachment.name not in await self._list_files(remote_id, entity):
            raise RemoteUnavailableError(
                f"The file {attachment.name} was taken but is not on the document", system=System.UNIMICRO
            )

    async def _list_files(self, remote_id: int, entity: str) -> set[str]:
        rows = await self._client.fetch_list(f"files/{entity}/{remote_id}")
        return {to_text(row.get("Name")) for row in rows}

    async def fetch_quote(self, currency_id: int, base_id: int, day: date) -> Quote:
        """What Unimicro tells of a foreign currency's rate on a day.

        Source: currencies?action=get-currency-exchange-rate (docs/facts/unimicro.md §3.7 [o]).

        Raises:
            HoldError: there is no rate at all.
        """
        answer = await self._client.ask(
            "currencies",
            "get-currency-exchange-rate",
            fromCurrencyCodeID=str(currency_id),
            toCurrencyCodeID=str(base_id),
            currencyDate=day.isoformat(),
        )
        return read_quote(answer, day)
