"""Vouchers of one company: book, read back, look up. Part of `target.UnimicroTarget`.

A voucher is booked at once, and whether it can be found again by our reference is unknown: so it is looked for by its
number as well, and whatever is found is looked at itself.
Source: docs/facts/unimicro.md §12.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.accounting.unimicro.odd_answers import tells_odd_answers
from app.accounting.unimicro.payloads import to_text
from app.accounting.unimicro.target_documents import DocumentTarget, quote
from app.accounting.unimicro.translate_documents import from_invoice
from app.accounting.unimicro.translate_vouchers import NewVoucher, from_voucher, to_voucher
from app.domain.documents import Attachment
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Links, RemoteDocument
from app.domain.vouchers import RemoteVoucher
from app.errors import HoldError, OutcomeUnknownError, RemoteError, RemoteMissingError, RemoteRejectedError, System

_BOOK = "book-journal-entries-create-invoices"
_FILE_ENTITY = "JournalEntry"
# Of a list whose filter may not be known: so many of the newest, instead of all that there ever were.
_NEWEST = {"orderby": "ID desc", "top": "50"}
_LINE_FIELDS = ("Amount", "AmountCurrency", "VatTypeID", "TaxBasisAmount", "SubAccountID", "JournalEntryNumber")
_HEAD_FIELDS = (
    *("InvoiceNumber", "InvoiceType", "PaymentID", "InvoiceDate", "PaymentDueDate", "CustomerID", "StatusCode"),
    *("CurrencyCodeID", "CurrencyExchangeRate", "JournalEntryID", "CreatedFromJournalEntry"),
    *("TaxInclusiveAmount", "TaxInclusiveAmountCurrency"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedEntry:
    """A voucher that Unimicro says it has booked, and what had to be cut for it."""

    row: Mapping[str, Any]
    warnings: tuple[Reason, ...]

    @property
    def entry_id(self) -> int:
        """The journal entry's id."""
        return int(self.row["ID"])


@tells_odd_answers
class VoucherTarget(DocumentTarget):
    """Documents as vouchers; errors as `UnimicroClient` raises them."""

    async def book_voucher(self, new: NewVoucher) -> BookedEntry:
        """The voucher, booked: it can be credited afterwards, never changed.

        Raises:
            HoldError: the customer is not the one that was linked, or has not one account of its own.
        """
        account_id = await self._find_claims_account(new.links, new.document.recman_company_id)
        body, warnings = to_voucher(new, account_id=account_id)
        try:
            row = await self._client.book(body, _BOOK)
        except RemoteError:
            # What is remembered of the customer may be the very reason: it is read again before the next try.
            self._recipients.pop(new.links.customer_id, None)
            raise
        return BookedEntry(row=row, warnings=tuple(warnings))

    async def _find_claims_account(self, links: Links, recman_company_id: str) -> int:
        """The id of the customer's own account. Source: docs/facts/unimicro.md §3.7, §12 [O]."""
        recipient = await self._fetch_own_recipient(links, recman_company_id)
        if recipient.account_id is None:
            rows = await self._client.fetch_list("accounts", filter=f"CustomerID eq {links.customer_id}")
            ids = [row["ID"] for row in rows if row.get("CustomerID") == links.customer_id and not row.get("Deleted")]
            if len(ids) != 1:
                cause = f"Customer {recipient.number} {recipient.name} has {len(ids)} accounts of its own in Unimicro"
                fix = fix_for(Code.CUSTOMER_WITHOUT_ACCOUNT)
                raise HoldError((Reason(code=Code.CUSTOMER_WITHOUT_ACCOUNT, cause=cause, fix=fix),))
            recipient = replace(recipient, account_id=ids[0])
            self._recipients[links.customer_id] = recipient
        return recipient.account_id or 0

    async def read_back(self, entry: BookedEntry, number: str) -> RemoteVoucher:
        """The voucher as it stands there, with the head that it made; one call where Unimicro joins the two.

        Raises:
            OutcomeUnknownError: it is booked, and cannot be read now.
        """
        try:
            joined = await self._read_joined(entry)
            return joined if joined is not None else await self._read_apart(entry, number)
        except RemoteError as error:
            cause = f"The voucher is booked but could not be read back: {error.cause}"
            raise OutcomeUnknownError(cause, system=System.UNIMICRO) from error

    async def _read_joined(self, entry: BookedEntry) -> RemoteVoucher | None:
        """The lines of the voucher, each with its head; None where that is not answered as it was asked.

        Source: the web client asks so (docs/facts/unimicro.md §0 FE [o]); that a join tells of a voucher and its head
        is assumed.
        """
        columns = [f"JournalEntryLine.{name} as {name}" for name in ("ID", *_LINE_FIELDS)]
        columns += [f"CustomerInvoice.{name} as Head{name}" for name in ("ID", *_HEAD_FIELDS)]
        try:
            rows = await self._client.fetch_statistics(
                "JournalEntryLine",
                select=",".join(columns),
                join="JournalEntryLine.JournalEntryID eq CustomerInvoice.JournalEntryID",
                filter=f"JournalEntryLine.JournalEntryID eq {entry.entry_id}",
            )
        except (RemoteMissingError, RemoteRejectedError):
            return None
        heads = {row.get("HeadID") for row in rows}
        if len(heads) != 1 or any(row.get("HeadJournalEntryID") != entry.entry_id for row in rows):
            return None
        head = {name: rows[0].get(f"Head{name}") for name in ("ID", *_HEAD_FIELDS)}
        return from_voucher(entry.row, rows, head)

    async def _read_apart(self, entry: BookedEntry, number: str) -> RemoteVoucher:
        """Head and lines each by a call of its own; whether the booking answers its lines is unknown (assumed)."""
        heads = await self._list_heads(number)
        head = next((row for row in heads if row.get("JournalEntryID") == entry.entry_id), None)
        if entry.row.get("Lines"):
            return from_voucher(entry.row, entry.row["Lines"], head)
        return await self._read_entry(entry.entry_id, head)

    async def _read_entry(self, entry_id: int, head: Mapping[str, Any] | None) -> RemoteVoucher:
        entry = await self._client.fetch_one(f"journalentries/{entry_id}", expand="Lines")
        return from_voucher(entry, entry.get("Lines") or (), head)

    async def _list_heads(self, number: str) -> list[dict[str, Any]]:
        rows = await self._client.fetch_list("invoices", filter=f"InvoiceNumber eq {quote(number)}")
        return [row for row in rows if to_text(row.get("InvoiceNumber")) == number and not row.get("Deleted")]

    async def find_vouchers(
        self, number: str, external_reference: str, *, thoroughly: bool
    ) -> tuple[RemoteVoucher, ...]:
        """Whatever has the document's number; `thoroughly`: a voucher without head too, by number and by reference.

        Shape: without head are those alone that stand, and are ours by their reference or have none.
        """
        found = [await self._read_head(head) for head in await self._list_heads(number)]
        if not thoroughly or any(one.external_reference == external_reference for one in found):
            return tuple(found)
        ids = [*await self._list_entries_by_number(number), *await self._list_entries_by_reference(external_reference)]
        known = {one.entry_id for one in found}
        others = [await self._read_entry(one, None) for one in dict.fromkeys(ids) if one not in known]
        ours = ("", external_reference)
        return (*found, *(one for one in others if one.external_reference in ours and not one.is_credited))

    async def _read_head(self, head: Mapping[str, Any]) -> RemoteVoucher:
        entry_id = head.get("JournalEntryID")
        if head.get("CreatedFromJournalEntry") and entry_id:
            return await self._read_entry(entry_id, head)
        document = from_invoice(head)
        reference = document.external_reference
        return RemoteVoucher(
            entry_id=entry_id, number="", external_reference=reference, document=document, is_made=False
        )

    async def _list_entries_by_number(self, number: str) -> Iterable[int]:
        condition = f"InvoiceNumber eq {quote(number)}"
        lines = await self._client.fetch_page("journalentrylines", filter=condition, **_NEWEST)
        return [
            line["JournalEntryID"]
            for line in lines
            if to_text(line.get("InvoiceNumber")) == number and line.get("JournalEntryID")
        ]

    async def _list_entries_by_reference(self, external_reference: str) -> Iterable[int]:
        """A filter that is not known answers everything: then it is among the newest."""
        condition = f"ExternalReference eq {quote(external_reference)}"
        rows = await self._client.fetch_page("journalentries", filter=condition, **_NEWEST)
        return [row["ID"] for row in rows if to_text(row.get("ExternalReference")) == external_reference]

    async def fetch_document(self, remote_id: int) -> RemoteDocument:
        """The document as it is now, with its lines; those of a voucher's head are the voucher's.

        Raises:
            RemoteMissingError: Unimicro says that there is none.
        """
        row = await self._client.fetch_one(f"{self.route}/{remote_id}", expand="Items")
        if not row.get("CreatedFromJournalEntry"):
            return self.read(row)
        return (await self._read_head(row)).document or self.read(row)

    async def attach_to_voucher(self, entry_id: int, attachment: Attachment, *, files_base: str) -> None:
        """Put a file on the voucher, unless one of that name is there. Source: assumed, as §3.8 has it for invoices.

        Raises:
            RemoteError: it could not be put there, or is not there afterwards.
        """
        await self.attach_file(entry_id, attachment, files_base=files_base, entity=_FILE_ENTITY)
