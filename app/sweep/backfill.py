"""A backfill's list and a person's approval: what a dry run showed, and as it showed it, passes a key's go-live day."""

from collections.abc import Mapping
from typing import Any

from app.admin.departments import route_department
from app.domain.documents import Document, DocumentKind
from app.domain.states import TransferState
from app.errors import HoldError
from app.platform.db import Session
from app.recman.read.spellings import Raw
from app.recman.read.translate import read_invoice, read_made_day
from app.sweep.listed import find_listed, record_listed
from app.sweep.sweeps import load_sweep
from app.tables import Key, ListedDocument, Sweep
from app.transfer.log import Place, is_begun, record_transfer
from app.transfer.offers import record_decision


async def list_documents(session: Session, sweep: Sweep, rows: Mapping[str, Raw]) -> int:
    """Put a page's documents on the dry run's list; how many of them are dated before their key's go-live day."""
    keys: dict[str | None, Key | None] = {}
    listed = []
    for record_id, raw in rows.items():
        shown = _show(raw)
        department_id = read_invoice(raw).recman_department_id
        if department_id not in keys:
            keys[department_id] = await _find_key(session, sweep, department_id)
        key = keys[department_id]
        is_old = key is not None and shown["invoice_date"] < key.go_live
        place = {"tenant_id": sweep.tenant_id, "sweep_id": sweep.id, "record_id": record_id}
        listed.append({**place, **shown, "key_id": key.id if key is not None else None, "before_go_live": is_old})
    await record_listed(session, listed)
    return sum(one["before_go_live"] for one in listed)


def _show(raw: Raw) -> dict[str, Any]:
    document = read_invoice(raw)
    totals = document.totals if isinstance(document, Document) else document.stated_totals
    return {
        "number": document.number,
        "invoice_date": read_made_day("invoice", raw),
        "currency": document.currency,
        "gross_amount": totals.gross_amount if totals is not None else None,
    }


async def _find_key(session: Session, sweep: Sweep, department_id: str | None) -> Key | None:
    try:
        return await route_department(session, tenant_id=sweep.tenant_id, recman_department_id=department_id)
    except HoldError:
        return None


async def find_confirmed(session: Session, sweep: Sweep, rows: Mapping[str, Raw]) -> dict[str, ListedDocument]:
    """Of a page's documents those that a person confirmed as old, and that are as they were shown."""
    preview_id = sweep.wanted.get("confirm")
    if preview_id is None:
        return {}
    listed = await find_listed(session, await load_sweep(session, preview_id), list(rows))
    return {one: row for one, row in listed.items() if row.before_go_live and _is_as_shown(row, rows[one])}


def _is_as_shown(row: ListedDocument, raw: Raw) -> bool:
    return all(getattr(row, name) == value for name, value in _show(raw).items())


async def confirm_document(session: Session, sweep: Sweep, row: ListedDocument) -> None:
    """Keep that whoever began the backfill wants this document sent by the key that the list named for it.

    What is begun, ignored or at another key by now stays as it is.
    """
    place = Place(tenant_id=sweep.tenant_id, key_id=row.key_id, scope="invoice", record_id=row.record_id)
    transfer = await record_transfer(session, place, kind=DocumentKind.INVOICE.value, values={})
    if transfer.key_id == row.key_id and not is_begun(transfer) and transfer.state != TransferState.IGNORED:
        await record_decision(session, transfer, "send", seen=None, actor=sweep.started_by)
