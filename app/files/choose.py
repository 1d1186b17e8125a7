"""Which documents of a key go into its next file."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_, select

from app.domain.file_documents import FileDocument, from_json
from app.domain.reasons.codes import Code
from app.domain.states import TransferState
from app.errors import ConflictError
from app.platform.db import Session
from app.tables import FiledDocument, Key, Transfer
from app.transfer.log import INVOICE

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of the documents that are ready; what is None does not limit.

    `ids`: of transfers, each of which must be ready. `customer`: a part of the name.
    """

    ids: Sequence[int] | None = None
    dated_from: date | None = None
    dated_to: date | None = None
    department: str | None = None
    customer: str | None = None

    def show(self) -> dict[str, Any]:
        """The same as an export keeps it."""
        shown = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: value if isinstance(value, list) else str(value) for name, value in shown.items()}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A document for a file, as it was collected at that moment."""

    transfer_id: int
    collected_at: datetime
    invoice_date: date


async def choose_documents(session: Session, key: Key, wanted: Wanted, *, most: int) -> tuple[list[Chosen], int]:
    """The documents in the order of the file, `most` of them; how many more are ready.

    Shape: by day, an invoice before what credits it. A credit note whose invoice is in no file, or was
    refused at the import, waits for that.

    Raises:
        ConflictError: one that was named is not ready.
    """
    rows = (await session.execute(_select(key, wanted))).all()
    credited = await _load_credited(session, key, [row.credits_record_id for row in rows if row.credits_record_id])
    chosen: list[Chosen] = []
    there: set[int] = set()
    for row in rows:
        transfer_id, is_in = credited.get(row.credits_record_id, (None, row.credits_record_id is None))
        if is_in or transfer_id in there:
            there.add(row.id)
            chosen.append(Chosen(row.id, row.collected_at, row.invoice_date))
    _require_named(wanted, there)
    return chosen[:most], max(0, len(chosen) - most)


def _require_named(wanted: Wanted, there: set[int]) -> None:
    missing = sorted(set(wanted.ids or ()) - there)
    if missing:
        named = ", ".join(map(str, missing[:_MOST_NAMED]))
        raise ConflictError(
            f"{len(missing)} of the named documents are not ready for a file: {named}",
            fix="Look at them (GET /v1/invoices): they are in a file already, held, or credit what is in no file yet.",
            code=Code.DOCUMENT_NOT_READY,
        )


def _select(key: Key, wanted: Wanted) -> Any:
    query = select(Transfer.id, Transfer.invoice_date, FiledDocument.collected_at, FiledDocument.credits_record_id)
    query = query.join(FiledDocument, FiledDocument.transfer_id == Transfer.id).where(*_conditions(key, wanted))
    return query.order_by(Transfer.invoice_date, Transfer.kind.desc(), Transfer.number, Transfer.id)


async def _load_credited(session: Session, key: Key, record_ids: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """The transfers of the invoices that are credited, and whether each is in the books or in a file that may bring it.

    Not joined: few documents credit anything, and a plan that thinks otherwise takes minutes.
    """
    # What the import refused stands in a file, and in no books.
    is_refused = Transfer.reasons.contains([{"code": Code.FILE_REFUSED}])
    may_come = and_(Transfer.filed_at.is_not(None), not_(is_refused))
    is_in = or_(may_come, Transfer.booked_at.is_not(None)).label("is_in")
    own = (Transfer.tenant_id == key.tenant_id, Transfer.scope == INVOICE, Transfer.record_id.in_(record_ids))
    rows = await session.execute(select(Transfer.record_id, Transfer.id, is_in).where(*own))
    return {row.record_id: (row.id, row.is_in) for row in rows}


def _conditions(key: Key, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [
        Transfer.tenant_id == key.tenant_id,
        Transfer.key_id == key.id,
        Transfer.state == TransferState.COLLECTED,
        FiledDocument.tenant_id == key.tenant_id,
        # Its department may be another key's since it was collected: then it is collected anew first.
        FiledDocument.key_id == key.id,
    ]
    if wanted.ids is not None:
        conditions.append(Transfer.id.in_(wanted.ids))
    if wanted.dated_from is not None:
        conditions.append(Transfer.invoice_date >= wanted.dated_from)
    if wanted.dated_to is not None:
        conditions.append(Transfer.invoice_date <= wanted.dated_to)
    if wanted.department is not None:
        conditions.append(Transfer.recman_department_id == wanted.department)
    if wanted.customer is not None:
        conditions.append(Transfer.customer_name.icontains(wanted.customer, autoescape=True))
    return conditions


async def load_contents(session: Session, key: Key, page: Sequence[Chosen]) -> list[FileDocument]:
    """What was collected of these documents, in their order."""
    ids = [one.transfer_id for one in page]
    query = select(FiledDocument.transfer_id, FiledDocument.content)
    query = query.where(FiledDocument.tenant_id == key.tenant_id, FiledDocument.transfer_id.in_(ids))
    found = {row.transfer_id: row.content for row in await session.execute(query)}
    return [from_json(found[one]) for one in ids]


async def find_overtaken(session: Session, key: Key, chosen: Sequence[Chosen]) -> list[int]:
    """Those of the documents that were collected anew, or let go, since they were chosen."""
    query = select(FiledDocument.transfer_id, FiledDocument.collected_at).where(
        FiledDocument.tenant_id == key.tenant_id
    )
    rows = await session.execute(query.where(FiledDocument.transfer_id.in_([one.transfer_id for one in chosen])))
    known = {row.transfer_id: row.collected_at for row in rows}
    return [one.transfer_id for one in chosen if known.get(one.transfer_id) != one.collected_at]
