"""What the overview shows of a document: kept on its transfer before anything is decided."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.parties import Customer
from app.engine.lanes import check_fence
from app.errors import HoldError, WaitError
from app.platform.db import Session
from app.tables import Key, Transfer
from app.transfer.booked import show_payer
from app.transfer.books import Terms, load_terms
from app.transfer.context import Run
from app.transfer.doubles import claim_content, fingerprint, show_fingerprint
from app.transfer.log import booking_of, is_begun, load_known, record_new, record_values, show_totals
from app.transfer.offers import NO_DECISION, forget_decision
from app.transfer.plan.situation import DocumentSituation
from app.transfer.route import choose_key, require_in_use


async def place(run: Run, document: Document | Gaps) -> tuple[Key, Transfer, Terms]:
    """Its key, its transfer, which shows from now on what RecMan says of it, and the terms of the key.

    Raises:
        HoldError, WaitError: it has no key yet; it is shown all the same, with its number and sums.
    """
    async with run.sessions.begin() as session:
        try:
            key = await choose_key(session, run, document)
        except (HoldError, WaitError) as error:
            await _describe(session, run, document, None)
            trouble = error
        else:
            run.key_id = key.id
            transfer = await _describe(session, run, document, key)
            return key, transfer, await load_terms(session, key, booking_of(transfer, key))
    raise trouble


async def _describe(session: Session, run: Run, document: Document | Gaps, key: Key | None) -> Transfer:
    """The document's transfer, which shows from now on what RecMan says of it.

    Raises:
        WaitError: the key was removed since it was chosen.
    """
    place = run.place(run.key_id, "invoice", document.recman_invoice_id)
    kind, values = document.kind.value, {"lane_id": run.lease.lane_id, **_show_document(document)}
    if key is not None:
        # The key's row before the transfer's, as whoever removes a key takes them.
        await require_in_use(session, key)
    made = await record_new(session, place, kind=kind, values={**values, "fingerprint": fingerprint(document)})
    transfer = made or await load_known(session, place)
    run.show_transfer(transfer.id)
    run.number = document.number
    if made is None:
        await _describe_again(run, session, transfer, document, values)
    return transfer


async def _describe_again(
    run: Run, session: Session, transfer: Transfer, document: Document | Gaps, values: dict[str, Any]
) -> None:
    if transfer.booked_at is not None or transfer.filed_at is not None:
        # What was booked, or is in a file, is shown as it was then; only whose lane it is may be news.
        if transfer.lane_id != run.lease.lane_id:
            await record_values(session, transfer.id, lane_id=run.lease.lane_id)
        return
    await record_values(
        session,
        transfer.id,
        # What was begun stays with its key.
        key_id=transfer.key_id if is_begun(transfer) else run.key_id,
        kind=document.kind.value,
        **values,
        **show_fingerprint(transfer, document),
        **forget_decision(transfer, key_id=run.key_id),
        **_forget_words(transfer, document),
    )


def _forget_words(transfer: Transfer, document: Document | Gaps) -> dict[str, Any]:
    """The columns to set back when the document says something else than what a person approved, or chose to send."""
    is_said = transfer.approved_at is not None or transfer.decision == "send"
    if not is_said or is_begun(transfer):
        return {}
    day = document.invoice_date if isinstance(document, Document) else None
    seen = (transfer.fingerprint, transfer.invoice_date, transfer.recman_company_id)
    # A backfill that a person confirmed says so before anything of the document is kept: its list knew what it was.
    if seen in ((None, None, None), (fingerprint(document), day, document.recman_company_id)):
        return {}
    # What is linked is compared once more; what is sent is not.
    chosen = NO_DECISION if transfer.decision == "send" else {}
    return {"approved_at": None, "approved_by": None, "not_same": False, **chosen}


def _show_document(document: Document | Gaps) -> dict[str, Any]:
    """What the overview shows of a document, as columns; sums that RecMan does not tell stay as they were."""
    totals = document.totals if isinstance(document, Document) else document.stated_totals
    return {
        "number": document.number,
        "currency": document.currency,
        "invoice_date": document.invoice_date if isinstance(document, Document) else None,
        "recman_department_id": document.recman_department_id,
        **show_payer(document),
        "has_minus": isinstance(document, Document) and document.has_minus,
        **(show_totals("", totals) if totals is not None else {}),
    }


async def name_customer(run: Run, situation: DocumentSituation) -> None:
    """Note whose document it is; one that goes gets it along with its claim."""
    name, past = find_customer_name(situation), situation.past
    if name and run.transfer_id is not None and (past is None or past.name != name):
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await record_values(session, run.transfer_id, customer_name=name)


def find_customer_name(situation: DocumentSituation) -> str:
    """From RecMan when it was just read, else as our log knows it; a credit note has its invoice's customer."""
    customer = situation.customer
    if customer is not None and isinstance(customer.record, Customer):
        return customer.record.name
    known = customer.past if customer is not None else situation.credited
    return known.name if known is not None else ""


def claim_of(run: Run, situation: DocumentSituation) -> Callable[[Session], Awaitable[None]]:
    """What makes sure, in a transaction that has checked the fence, that of all doubles this document alone goes."""
    name = find_customer_name(situation)
    return partial(claim_content, run=run, document=situation.document, customer_name=name)
