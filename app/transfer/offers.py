"""What was found of an old document, and what a person decided about it: kept on its transfer."""

from typing import Any
from uuid import UUID

from sqlalchemy import func

from app.platform.db import Session
from app.tables import Transfer
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.log import record_values
from app.transfer.plan.go_live import find_offer
from app.transfer.plan.situation import DocumentSituation

# The columns of a document about which nobody has decided.
NO_DECISION = dict.fromkeys(("decision", "decided_on", "decided_at", "decided_by"))


async def record_search(run: Run, books: Books, situation: DocumentSituation) -> None:
    """Keep what a search found, and in whose books, so that RecMan's repeats cost no further one."""
    if situation.twins is None or run.transfer_id is None:
        return
    offer = find_offer(situation.twins)
    found = any(not twin.differences for twin in situation.twins)
    kept: dict[str, Any] = {"key_id": str(books.key.id), "found": found, "id": None}
    if offer is not None:
        day, there = getattr(situation.document, "invoice_date", None), offer.invoice_date
        kept |= {"id": offer.remote_id, "number": offer.number, "same_day": there in (None, day)}
    async with run.sessions.begin() as session:
        await record_values(session, run.transfer_id, offer=kept)


def forget_decision(transfer: Transfer, *, key_id: UUID | None) -> dict[str, None]:
    """The columns to empty when the document goes to another key: what was decided was decided about one company."""
    if transfer.key_id in (None, key_id) or transfer.decision is None:
        return {}
    return NO_DECISION


async def record_decision(session: Session, transfer: Transfer, decision: str, *, seen: int | None, actor: str) -> None:
    """Keep what a person decided, and which offer (its id) that person saw."""
    values = {"decision": decision, "decided_on": seen, "decided_by": actor, "decided_at": func.now()}
    await record_values(session, transfer.id, **values)
