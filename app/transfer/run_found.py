"""Taking over a document that an earlier try of ours has left in Unimicro."""

import time
from decimal import Decimal

from app.accounting.targets import Draft, guid_for
from app.domain.documents import Document
from app.domain.reasons.codes import Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.engine.lanes import check_fence
from app.errors import WaitError
from app.transfer.attempts import record_outcome
from app.transfer.books import Books
from app.transfer.claims import claim_sending
from app.transfer.context import Run
from app.transfer.log import record_remote
from app.transfer.plan.situation import DocumentSituation
from app.transfer.plan.steps import AdoptDocument
from app.transfer.rates import load_rate


async def adopt_document(run: Run, books: Books, step: AdoptDocument, situation: DocumentSituation) -> Draft:
    """The document that was found, ours from now on, with what its making had warned of.

    Raises:
        HoldError: it belongs to another document of RecMan's, or its rate is not believed.
        WaitError, StaleLeaseError: somebody else is at it.
    """
    transfer_id = run.own_transfer_id
    rate = await _find_rate(run, books, step.remote, situation)
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        if await claim_sending(session, transfer_id, run.lease, key_id=books.key.id, step="look") is None:
            raise WaitError("it is being sent right now", scope="", record_id="", seconds=1)
        books.exchanges.clear()
        found = f"found in Unimicro as {step.remote.state} with id {step.remote.remote_id}"
        now = time.monotonic()
        await record_outcome(
            session, books, transfer_id, step="look", outcome="found", detail=found, started=now, clears=True
        )
        await record_remote(
            session,
            transfer_id,
            books.key,
            booking=books.booking,
            remote_id=step.remote.remote_id,
            remote_customer_id=step.remote.customer_id,
            external_reference=step.remote.external_reference or None,
        )
    return Draft(
        document=step.remote, warnings=_recall_warnings(books, situation), rate=rate, seed=_seed_of(books, situation)
    )


def _recall_warnings(books: Books, situation: DocumentSituation) -> tuple[Reason, ...]:
    """What making the draft had warned of, kept with it or seen again where nobody was left to keep it."""
    kept = () if situation.past is None else situation.past.warnings
    document = situation.document
    return (*kept, *books.target.list_cuts(document)) if isinstance(document, Document) else kept


async def _find_rate(run: Run, books: Books, remote: RemoteDocument, situation: DocumentSituation) -> Decimal | None:
    """The rate that a found draft must have; what is issued already has the one that it has."""
    document = situation.document
    if not isinstance(document, Document) or remote.state is not DocumentState.DRAFT:
        return remote.rate
    return await load_rate(run, books, document)


def _seed_of(books: Books, situation: DocumentSituation) -> str:
    """What guids of further lines of a found draft hang on: the guid that it was made with."""
    version = 1 if situation.past is None else situation.past.guid_version
    recman_id = situation.document.recman_invoice_id if isinstance(situation.document, Document) else ""
    return guid_of_draft(books, recman_id, version)


def guid_of_draft(books: Books, recman_invoice_id: str, version: int) -> str:
    """What a document's draft of this version is made with."""
    return guid_for(str(books.key.id), "invoice", recman_invoice_id, str(version))
