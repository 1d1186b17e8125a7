"""Documents that go by files: what is kept of each for the next one, and how far its transfer has come.

The only owner of the table `filed_document`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, func, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.documents import Document
from app.domain.file_documents import FileDocument, from_json, to_json
from app.domain.gaps import Gaps
from app.domain.money import ZERO
from app.domain.reasons.codes import Code, Reason
from app.domain.states import BY_FILE, Mode, TransferState
from app.platform.db import Session
from app.tables import FiledDocument, Key, Transfer
from app.transfer.context import Run
from app.transfer.log import INVOICE, record_held, show_reasons
from app.transfer.plan.situation import Past

# The rows that the caller has loaded stay as they are.
_QUIET = {"synchronize_session": False}
# What is wrong with a document whether or not it was imported.
_SEEN = (Code.ISSUED_OTHERWISE, Code.DOCUMENT_TWICE, Code.FILE_NOT_FOUND)
_ALARMS = (Code.CHANGED_AFTER_TRANSFER, *_SEEN)
_SAID_OR_SEEN = (Code.FILE_REFUSED, *_SEEN)


async def record_content(
    session: Session, key_id: UUID, content: FileDocument, *, tenant_id: UUID, credits_record_id: str | None
) -> None:
    """Keep the document as the next file has it, in place of what was kept of it before."""
    place = {"tenant_id": tenant_id, "transfer_id": int(content.transfer_id)}
    values: dict[str, Any] = {"key_id": key_id, "credits_record_id": credits_record_id, "content": to_json(content)}
    values |= {"gross_amount": content.gross_amount, "collected_at": func.now()}
    query = upsert(FiledDocument).values(place | values)
    await session.execute(query.on_conflict_do_update(index_elements=list(place), set_=values))


async def record_collected(session: Session, transfer_id: int, *, key_id: UUID, **values: Any) -> bool:
    """The document is ready for its key's next file; False: something happened to it since the plan was made."""
    open_one = (
        Transfer.id == transfer_id,
        Transfer.key_id == key_id,
        Transfer.filed_at.is_(None),
        Transfer.booked_at.is_(None),
        Transfer.state != TransferState.IGNORED,
    )
    ready: dict[str, Any] = {"state": TransferState.COLLECTED, "reasons": [], "lane_token": None, "look_again_at": None}
    query = update(Transfer).where(*open_one).values(ready | values).returning(Transfer.id)
    return await session.scalar(query) is not None


async def find_filed(session: Session, *, tenant_id: UUID, record_id: str) -> FileDocument | None:
    """An invoice as it was collected last, by RecMan's id; None where it never was."""
    query = select(FiledDocument.content).join(Transfer, Transfer.id == FiledDocument.transfer_id)
    own = (Transfer.tenant_id == tenant_id, Transfer.scope == INVOICE, Transfer.record_id == record_id)
    found = await session.scalar(query.where(FiledDocument.tenant_id == tenant_id, *own))
    return None if found is None else from_json(found)


async def load_filed_credits(run: Run, key: Key, document: Document | Gaps, credited: Past | None) -> Decimal:
    """What other credit notes of an invoice that goes by files come to, which are ready for one, or went into one."""
    credited_id = document.credited_invoice_id if isinstance(document, Document) else None
    if key.mode != Mode.FILE or credited_id is None or credited is None or not credited.by_file:
        return ZERO
    tenant_id = run.lease.tenant_id
    query = select(func.sum(FiledDocument.gross_amount)).join(Transfer, Transfer.id == FiledDocument.transfer_id)
    others = (Transfer.tenant_id == tenant_id, Transfer.record_id != document.recman_invoice_id)
    is_there = or_(Transfer.filed_at.is_not(None), Transfer.state.in_(BY_FILE))
    own = (FiledDocument.tenant_id == tenant_id, FiledDocument.credits_record_id == credited_id)
    async with run.sessions() as session:
        return await session.scalar(query.where(*own, *others, is_there)) or ZERO


async def record_exported(session: Session, transfer_ids: Sequence[int], *, tenant_id: UUID) -> int:
    """How many of these documents, which were ready, are in a file from now on."""
    ready = (Transfer.tenant_id == tenant_id, Transfer.id.in_(transfer_ids), Transfer.filed_at.is_(None))
    query = update(Transfer).where(*ready, Transfer.state == TransferState.COLLECTED)
    values = {"state": TransferState.EXPORTED, "filed_at": func.now(), "reasons": []}
    return len((await session.scalars(query.values(values).returning(Transfer.id), execution_options=_QUIET)).all())


async def record_back(session: Session, transfer_id: int, *, tenant_id: UUID) -> None:
    """A document in a file that was held for a change in RecMan, or could not be looked at, stands as it did before.

    What was refused at the import stays so, and what Unimicro shows: RecMan says nothing of either.
    """
    stopped = Transfer.state.in_((TransferState.HELD, TransferState.FAILED))
    own = (Transfer.tenant_id == tenant_id, Transfer.id == transfer_id)
    query = update(Transfer).where(*own, stopped, not_(_is_held_for(_SAID_OR_SEEN)))
    before = case((Transfer.booked_at.is_(None), TransferState.EXPORTED), else_=TransferState.DONE)
    await session.execute(query.values(state=before, lane_token=None, reasons=[]))


def _is_held_for(codes: Iterable[Code]) -> ColumnElement[bool]:
    return or_(*(Transfer.reasons.contains([{"code": code}]) for code in codes))


def is_refused(transfer: Transfer) -> bool:
    """Whether somebody has said that the import of its file did not take it."""
    return transfer.booked_at is None and any(one["code"] == Code.FILE_REFUSED for one in transfer.reasons)


def is_seen(transfer: Transfer) -> bool:
    """Whether it was found in the accounting system; more than once also."""
    return transfer.remote_id is not None or any(one["code"] == Code.DOCUMENT_TWICE for one in transfer.reasons)


async def record_gone(session: Session, transfer_id: int, *, tenant_id: UUID) -> None:
    """A document that was found more than once is not there any more: it stands as it was exported."""
    own = (Transfer.tenant_id == tenant_id, Transfer.id == transfer_id, Transfer.booked_at.is_(None))
    query = update(Transfer).where(*own, Transfer.state == TransferState.HELD, _is_held_for((Code.DOCUMENT_TWICE,)))
    await session.execute(query.values(state=TransferState.EXPORTED, reasons=[]))


async def record_taken(session: Session, transfer_ids: Collection[int], *, tenant_id: UUID) -> None:
    """A person says that these documents were imported: they are in the books by that word, under their own numbers.

    What RecMan changed since, or what was seen in Unimicro, stays an alarm: the word was about the import alone.
    """
    own = (Transfer.tenant_id == tenant_id, Transfer.id.in_(transfer_ids), Transfer.filed_at.is_not(None))
    is_alarm = and_(Transfer.state == TransferState.HELD, _is_held_for(_ALARMS))
    booked_at = func.coalesce(Transfer.booked_at, func.now())
    alarms = update(Transfer).where(*own, is_alarm).values(booked_at=booked_at)
    await session.execute(alarms, execution_options=_QUIET)
    values: dict[str, Any] = {"state": TransferState.DONE, "reasons": [], "lane_token": None, "booked_at": booked_at}
    await session.execute(update(Transfer).where(*own, not_(is_alarm)).values(values), execution_options=_QUIET)


async def record_refused(session: Session, refused: Mapping[int, Reason]) -> None:
    """A person says that these were not imported, and why; they stay in their file until somebody lets them go."""
    for transfer_id, reason in sorted(refused.items()):
        await record_held(session, transfer_id, [reason], booked_at=None)


async def record_released(session: Session, transfer_ids: Sequence[int], *, tenant_id: UUID) -> None:
    """Let documents go into another file: they are decided about once more, as if they had been in none."""
    own = (Transfer.tenant_id == tenant_id, Transfer.id.in_(transfer_ids), Transfer.booked_at.is_(None))
    values: dict[str, Any] = {"state": TransferState.WAITING, "filed_at": None, "reasons": []}
    await session.execute(update(Transfer).where(*own).values(values), execution_options=_QUIET)


async def list_between(session: Session, key: Key) -> Sequence[Transfer]:
    """The documents of a key that wait, or are ready for its next file, in the order of their lanes."""
    states = (TransferState.WAITING, TransferState.COLLECTED)
    own = (Transfer.tenant_id == key.tenant_id, Transfer.key_id == key.id, Transfer.scope == INVOICE)
    query = select(Transfer).where(*own, Transfer.state.in_(states), Transfer.booked_at.is_(None))
    return (await session.scalars(query.order_by(Transfer.record_id))).all()


async def record_between(session: Session, key: Key, transfer_ids: Sequence[int], *, reason: Reason | None) -> None:
    """These documents, which waited or were ready for a file, wait, or are held for this: their key goes otherwise."""
    states = (TransferState.WAITING, TransferState.COLLECTED)
    own = (Transfer.tenant_id == key.tenant_id, Transfer.id.in_(transfer_ids), Transfer.state.in_(states))
    state = TransferState.WAITING if reason is None else TransferState.HELD
    values = {"state": state, "reasons": [] if reason is None else show_reasons([reason])}
    await session.execute(update(Transfer).where(*own).values(values), execution_options=_QUIET)


async def list_customer_numbers(
    session: Session, *, tenant_id: UUID, transfer_ids: Sequence[int]
) -> set[tuple[UUID, str]]:
    """By which number each key's company has whom these documents were collected for."""
    number = FiledDocument.content["customer"]["number"].astext
    own = (FiledDocument.tenant_id == tenant_id, FiledDocument.transfer_id.in_(transfer_ids))
    return {(row[0], row[1]) for row in await session.execute(select(FiledDocument.key_id, number).where(*own))}


async def erase_contents(session: Session, *, tenant_id: UUID, transfer_ids: Sequence[int]) -> None:
    """Take what was collected of documents that no law keeps."""
    gone = delete(FiledDocument).where(
        FiledDocument.tenant_id == tenant_id, FiledDocument.transfer_id.in_(transfer_ids)
    )
    await session.execute(gone, execution_options=_QUIET)
