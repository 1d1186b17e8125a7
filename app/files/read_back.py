"""Read-back: each document of an export is looked for in Unimicro, and its state says what was found.

A person's word is one thing (`settle`), what Unimicro shows another: whatever was found there is there. Nothing is
written to Unimicro.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import func

from app.accounting.targets import Target
from app.admin.key_check import open_key_target
from app.admin.keys import load_key
from app.admin.listed_keys import require_sign_in
from app.admin.proving import Candidate, record_confirmed, record_stopped
from app.domain.booking import Booking
from app.domain.documents import DocumentKind
from app.domain.file_documents import FileDocument, from_json
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument
from app.domain.states import FileState, Proof
from app.engine.lanes import lock_record
from app.files.back_compare import Outcome, Place, Sight, choose_found
from app.files.exports import list_documents, load_document, load_export, record_said
from app.platform.db import Session, load_now
from app.platform.resources import Resources
from app.tables import Export, ExportDocument, Key, Transfer
from app.transfer.booked import show_place
from app.transfer.filed import record_gone
from app.transfer.log import is_linked, record_done, record_held, record_remote, show_totals
from app.transfer.plan.issued import Difference, stops_key

# By whose word a document is in the books that was found there.
_SAID_BY = "read-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found of one document; `cause` says how it differs, or why it is not believed."""

    position: int
    transfer_id: int
    number: str
    outcome: Outcome = Outcome.FOUND
    remote_number: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found of an export's documents, from one position on; `after`: go on behind this one, None: no more."""

    seen: Sequence[Seen]
    after: int | None

    @property
    def counts(self) -> dict[str, int]:
        """How many were found how."""
        return dict(Counter(one.outcome.value for one in self.seen))


@dataclass(slots=True, kw_only=True)
class _Reader:
    """One company's books, and whose number there is which customer's."""

    target: Target
    key: Key
    customers: dict[str, int | None] = field(default_factory=dict)

    @property
    def booking(self) -> Booking:
        """How the key's documents get in."""
        return Booking(self.key.booking)

    async def find(self, content: FileDocument) -> tuple[Place, list[RemoteDocument]]:
        """Everything there that may be the document."""
        customer_id = await self._find_customer(content.customer.number)
        place = Place(customer_id, self.booking)
        if self.booking is not Booking.ORDER:
            return place, [*await self.target.find_documents_by_number(content.number)]
        if customer_id is None:
            return place, []
        return place, [*await self.target.find_orders_of(customer_id, content.invoice_date)]

    async def _find_customer(self, number: str) -> int | None:
        if number not in self.customers:
            found = await self.target.find_customers(number=number, org_number=None)
            self.customers[number] = found[0].remote_id if len(found) == 1 else None
        return self.customers[number]


async def read_back(resources: Resources, export_id: UUID, *, tenant_id: UUID, after: int, most: int) -> Report:
    """What Unimicro has of the export's documents behind position `after`, `most` of them; each is recorded at once.

    Raises:
        NotFoundError: there is no such export, or its key was removed.
        ConflictError: the key has no sign-in.
        RemoteError: Unimicro could not be asked; what was found until then is recorded.
    """
    resources = resources.of_tenant(tenant_id)
    async with resources.sessions() as session:
        export = await load_export(session, export_id)
        key = await load_key(session, export.key_id)
        require_sign_in(key, wish="nobody can look there; say what became of each document instead")
        rows = await list_documents(session, export, after=after, limit=most + 1)
    target = open_key_target(resources, key, orders=key.booking == Booking.ORDER)
    reader = _Reader(target=target, key=key)
    seen = [await _look(resources, reader, export, *row) for row in rows[:most] if _is_looked_for(row[0])]
    return Report(seen=seen, after=rows[most - 1][0].position if len(rows) > most else None)


def _is_looked_for(row: ExportDocument) -> bool:
    """Whether it is this file that may have brought the document there."""
    return row.state in (FileState.IN_FILE, FileState.TAKEN)


async def _look(resources: Resources, reader: _Reader, export: Export, row: ExportDocument, transfer: Transfer) -> Seen:
    content = from_json(row.content)
    seen = Seen(position=row.position, transfer_id=row.transfer_id, number=content.number)
    if transfer.remote_id is not None:
        return replace(seen, remote_number=transfer.remote_number or "", cause="seen before")
    place, found = await reader.find(content)
    async with resources.sessions.begin() as session:
        if reader.booking is Booking.ORDER:
            # Two orders of one customer may come to the same: the other document's is not this one's.
            found = [one for one in found if not await _is_others(session, reader.key, transfer, one)]
        sight = choose_found(content, place, found)
        cause = await _record(session, export, content, sight)
    number = "" if sight.remote is None else sight.remote.number
    return replace(seen, outcome=sight.outcome, remote_number=number, cause=cause)


async def _is_others(session: Session, key: Key, transfer: Transfer, remote: RemoteDocument) -> bool:
    return await is_linked(session, key_id=key.id, remote_id=remote.remote_id, besides=transfer.id)


async def _record(session: Session, export: Export, content: FileDocument, sight: Sight) -> str:
    """Keep what was found, unless somebody has said or found something else meanwhile; its cause for people."""
    # As whoever confirms: the export, the lane, the transfer.
    export = await load_export(session, export.id, lock=True)
    await lock_record(session, tenant_id=export.tenant_id, scope="invoice", record_id=content.record_id)
    row, transfer = await load_document(session, export, int(content.transfer_id))
    # The document before may have opened the key, or stopped it.
    key = await session.get_one(Key, (export.tenant_id, export.key_id), populate_existing=True)
    if not _is_looked_for(row) or transfer.remote_id is not None:
        return "somebody has said something else of it meanwhile"
    match sight.outcome:
        case Outcome.FOUND if sight.remote is not None:
            await _record_place(session, key, transfer, sight.remote)
            await record_done(session, transfer.id, **_show(key, sight.remote))
            await _record_taken(session, key, export, row, transfer)
            return ""
        case Outcome.DIFFERENT if sight.remote is not None:
            alarm = _explain(content, sight.remote, sight.differences, transfer)
            await _record_place(session, key, transfer, sight.remote)
            await record_held(session, transfer.id, [alarm], booked_at=func.now(), **_show(key, sight.remote))
            await record_said(session, export, {transfer.id: alarm.cause}, state=FileState.TAKEN, said_by=_SAID_BY)
            await _record_stop(session, key, transfer, alarm, sight.differences)
            return alarm.cause
        case Outcome.TWICE:
            cause = f"Unimicro has more than one document with number {content.number}"
            twice = Reason(code=Code.DOCUMENT_TWICE, cause=cause, fix=fix_for(Code.DOCUMENT_TWICE))
            await record_held(session, transfer.id, [twice])
            return cause
        case _:
            return await _record_missing(session, export, row, transfer)


async def _record_place(session: Session, key: Key, transfer: Transfer, remote: RemoteDocument) -> None:
    customer_id = remote.customer_id
    await record_remote(
        session, transfer.id, key, booking=key.booking, remote_id=remote.remote_id, remote_customer_id=customer_id
    )


def _show(key: Key, remote: RemoteDocument) -> dict[str, object]:
    return {"booking": key.booking, **show_place(remote), **show_totals("remote_", remote.totals)}


async def _record_taken(session: Session, key: Key, export: Export, row: ExportDocument, transfer: Transfer) -> None:
    """What was found as it was exported counts as imported, once."""
    if row.state == FileState.TAKEN:
        return
    await record_said(session, export, {transfer.id: None}, state=FileState.TAKEN, said_by=_SAID_BY)
    is_credit = transfer.kind == DocumentKind.CREDIT_NOTE
    # The last one of a file proves the key, when nothing of it is missing.
    still_open = int(export.settled_at is None)
    reason = f"all of file {export.number} stands in Unimicro as it was exported"
    word = {"name": _SAID_BY, "reason": reason, "at": (await load_now(session)).isoformat(), "by": _SAID_BY}
    await record_confirmed(session, key, taken=1, credit_notes=int(is_credit), refused=still_open, word=word)


def _explain(
    content: FileDocument, remote: RemoteDocument, differences: Sequence[Difference], transfer: Transfer
) -> Reason:
    told = "; ".join(one.cause for one in differences)
    cause = f"{content.number} was imported, and is not what the file had ({remote.number} in Unimicro). {told}"
    return Reason(code=Code.ISSUED_OTHERWISE, cause=cause, fix=fix_for(Code.ISSUED_OTHERWISE, transfer_id=transfer.id))


async def _record_stop(
    session: Session, key: Key, transfer: Transfer, alarm: Reason, differences: Sequence[Difference]
) -> None:
    """The same stops a key that makes files as one that sends: what is true of the company, or anything at first."""
    if not stops_key(differences, booking=Booking(key.booking), is_proving=key.proof != Proof.OPEN):
        return
    candidate = Candidate(key_id=key.id, tenant_id=key.tenant_id, record_id=transfer.record_id, lane_token=key.id)
    reason = Reason(code=Code.KEY_STOPPED, cause=alarm.cause, fix=fix_for(Code.KEY_STOPPED, key_id=key.id))
    await record_stopped(session, candidate, reason, booking=key.booking)


async def _record_missing(session: Session, export: Export, row: ExportDocument, transfer: Transfer) -> str:
    """Nobody has said that it was imported: then it waits on; somebody has: then a person must look."""
    cause = f"{transfer.number} is not in Unimicro, as far as it shows"
    if row.state == FileState.TAKEN:
        fix = fix_for(Code.FILE_NOT_FOUND, export_id=export.id)
        await record_held(session, transfer.id, [Reason(code=Code.FILE_NOT_FOUND, cause=cause, fix=fix)])
    else:
        await record_gone(session, transfer.id, tenant_id=export.tenant_id)
    return cause
