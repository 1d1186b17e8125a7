"""The transfer log: with `claims` the only owner of the tables `transfer` and `attempt`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, insert, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from app.domain.booking import Booking
from app.domain.documents import DocumentKind, Totals
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.states import UNCLEAR, UNDER_WAY, TransferState
from app.errors import HoldError, NotFoundError
from app.platform.db import Session, locked, tenant_of
from app.platform.logger import add_log_fields
from app.tables import Attempt, Key, Transfer

# Written into the statement instead of handed in: only so can a prepared one use the indexes that hold invoices alone.
INVOICE = literal("invoice", literal_execute=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record's transfer stands: which record, towards which key."""

    tenant_id: UUID
    key_id: UUID | None
    scope: str
    record_id: str


async def find_transfers(session: Session, tenant_id: UUID, invoice_ids: Sequence[str]) -> dict[str, Transfer]:
    """The transfers of these invoices by RecMan's id, as far as there are any, whichever keys they went to."""
    known = (Transfer.tenant_id == tenant_id, Transfer.scope == INVOICE, Transfer.record_id.in_(invoice_ids))
    return {one.record_id: one for one in (await session.scalars(select(Transfer).where(*known))).all()}


async def find_transfer(session: Session, place: Place, *, lock: bool = False) -> Transfer | None:
    """The record's transfer, as it is now; an invoice has one at most, whichever key it went to."""
    query = select(Transfer).where(
        Transfer.tenant_id == place.tenant_id, Transfer.scope == place.scope, Transfer.record_id == place.record_id
    )
    if place.scope != "invoice":
        query = query.where(Transfer.key_id == place.key_id)
    # Whatever the session has read of it before.
    query = locked(query) if lock else query.execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def record_transfer(session: Session, place: Place, *, kind: str, values: Mapping[str, Any]) -> Transfer:
    """The record's transfer, made if there was none; `values` describe it for the overview."""
    made = await record_new(session, place, kind=kind, values=values)
    if made is not None:
        return made
    transfer = await load_known(session, place)
    if any(getattr(transfer, name) != value for name, value in values.items()):
        await record_values(session, transfer.id, **values)
    return transfer


async def record_new(session: Session, place: Place, *, kind: str, values: Mapping[str, Any]) -> Transfer | None:
    """The record's transfer, made with these values; None when there is one already, which stays as it is."""
    row = {**asdict(place), "kind": kind, **values}
    query = upsert(Transfer).values(row).on_conflict_do_nothing().returning(Transfer)
    return (await session.scalars(query)).one_or_none()


async def load_known(session: Session, place: Place) -> Transfer:
    """The record's transfer, which was made before.

    Raises:
        LookupError: there is none.
    """
    transfer = await find_transfer(session, place)
    if transfer is None:
        raise LookupError(f"transfer of {place.scope} {place.record_id} vanished")
    return transfer


def is_begun(transfer: Transfer) -> bool:
    """Whether anything of it may be in Unimicro, or in a file that is imported there: then it stays with its key."""
    marks = (transfer.booked_at, transfer.remote_id, transfer.filed_at)
    return any(mark is not None for mark in marks) or is_unclear(transfer)


def is_unclear(transfer: Transfer) -> bool:
    """Whether a write of it was begun whose outcome is not known."""
    return transfer.unclear or transfer.state in UNCLEAR


def booking_of(transfer: Transfer, key: Key) -> Booking:
    """How a document gets into the books: what is begun as it was begun, what is new as its key books now.

    There are no orders that credit: where Unimicro sends, a credit note is a draft for people, made for the invoice
    that its order became. An order that was invoiced is looked for among invoices.
    """
    booking = Booking(transfer.booking if transfer.booking and is_begun(transfer) else key.booking)
    is_no_order = transfer.order_id is not None or transfer.kind == DocumentKind.CREDIT_NOTE
    return Booking.DRAFT if booking is Booking.ORDER and is_no_order else booking


async def record_values(session: Session, transfer_id: int, **values: Any) -> None:
    """Set columns of a transfer."""
    await session.execute(update(Transfer).where(Transfer.id == transfer_id).values(**values))


async def record_remote(
    session: Session, transfer_id: int, key: Key, *, remote_id: int, booking: str | None = None, **values: Any
) -> None:
    """The document is this one in the key's company; `booking`: how it got there, where the key's is another by now.

    Raises:
        HoldError: another document of ours is that one already; the caller's transaction is lost.
    """
    place = {
        "company_key": key.company_key,
        "remote_type": "order" if (booking or key.booking) == Booking.ORDER else "invoice",
    }
    try:
        await record_values(session, transfer_id, remote_id=remote_id, **place, **values)
    except IntegrityError as error:
        if "uq_transfer_remote" not in str(error.orig):
            raise
        cause = f"The document with id {remote_id} in Unimicro belongs to another document of RecMan's already"
        raise HoldError((Reason(code=Code.DOCUMENT_TAKEN, cause=cause, fix=fix_for(Code.DOCUMENT_TAKEN)),)) from error


def show_done() -> dict[str, Any]:
    """The columns of a record that is in Unimicro; nothing about it is open any more."""
    done: dict[str, Any] = {"state": TransferState.DONE, "lane_token": None, "look_again_at": None, "reasons": []}
    done |= {"booked_at": func.coalesce(Transfer.booked_at, func.now())}
    return done | {"unclear": False, "unclear_since": None, "guid_spent": False}


async def record_done(session: Session, transfer_id: int, **values: Any) -> None:
    """The record is in Unimicro."""
    await record_values(session, transfer_id, **show_done(), **values)


async def record_held(session: Session, transfer_id: int, gaps: Sequence[Reason], **values: Any) -> None:
    """A person must decide; every gap is listed. What a person has just chosen not to send stays so."""
    query = update(Transfer).where(Transfer.id == transfer_id, Transfer.state != TransferState.IGNORED)
    await session.execute(query.values(state=TransferState.HELD, lane_token=None, reasons=show_reasons(gaps), **values))


async def record_not_wanted(session: Session, transfer_id: int, reason: Reason) -> None:
    """The rules keep it from being sent; what a person said about an ignored one stays."""
    query = update(Transfer).where(Transfer.id == transfer_id, Transfer.state != TransferState.IGNORED)
    await session.execute(query.values(state=TransferState.IGNORED, lane_token=None, reasons=show_reasons([reason])))


async def record_unread(session: Session, transfer_id: int, reason: Reason, *, failed: bool) -> None:
    """RecMan could not be asked about it; what is booked, held or ignored stays so."""
    open_states = UNDER_WAY if failed else {TransferState.WAITING}
    query = update(Transfer).where(Transfer.id == transfer_id, Transfer.state.in_(open_states))
    values = {"reasons": show_reasons([reason]), **({"state": TransferState.FAILED} if failed else {})}
    await session.execute(query.values(values))


async def record_reason(session: Session, transfer_id: int, reason: Reason, *, failed: bool) -> None:
    """Why it is not through yet; the alarm about a booked record stays, and a document that is done is through."""
    is_alarm = and_(Transfer.booked_at.is_not(None), Transfer.state == TransferState.HELD)
    is_through = and_(Transfer.scope == "invoice", Transfer.state.in_({TransferState.DONE, TransferState.EXPORTED}))
    query = update(Transfer).where(Transfer.id == transfer_id, ~(is_alarm if failed else or_(is_alarm, is_through)))
    values = {"reasons": show_reasons([reason]), **({"state": TransferState.FAILED} if failed else {})}
    await session.execute(query.values(values))


async def record_settled(session: Session, transfer_id: int, **values: Any) -> None:
    """A booked record that was held is as it was booked; `values` are what else was learned of it."""
    query = update(Transfer).where(
        Transfer.id == transfer_id, Transfer.booked_at.is_not(None), Transfer.state == TransferState.HELD
    )
    await session.execute(query.values(state=TransferState.DONE, lane_token=None, reasons=[]))
    if values:
        await record_values(session, transfer_id, **values)


async def record_unknown(session: Session, transfer_id: int, cause: str) -> None:
    """A write got no answer; the next run looks before it does anything."""
    reason = Reason(code=Code.OUTCOME_UNKNOWN, cause=cause, fix=fix_for(Code.OUTCOME_UNKNOWN))
    await record_values(
        session, transfer_id, state=TransferState.UNKNOWN, lane_token=None, reasons=show_reasons([reason])
    )


async def record_looked(session: Session, transfer_id: int, *, seconds: float) -> None:
    """A look-up found nothing; only after `seconds` may an empty second look be believed."""
    await session.execute(
        update(Transfer)
        .where(Transfer.id == transfer_id)
        .values(look_again_at=text("now() + make_interval(secs => :s)").bindparams(s=seconds))
    )


async def record_guid_spent(session: Session, transfer_id: int, *, seconds: float) -> None:
    """Unimicro has seen the guid of this version; what was not found until now is looked for again after `seconds`."""
    await record_values(session, transfer_id, guid_spent=True)
    query = update(Transfer).where(Transfer.id == transfer_id, Transfer.scope != "invoice")
    await session.execute(query.values(look_again_at=text("now() + make_interval(secs => :s)").bindparams(s=seconds)))


async def record_ignored(session: Session, transfer: Transfer, *, reason: str, actor: str) -> bool:
    """Choose not to send a record of which nothing is in Unimicro; False when something happened to it meanwhile."""
    gap = Reason(code=Code.IGNORED, cause=f"{reason} ({actor})", fix=fix_for(Code.IGNORED, transfer_id=transfer.id))
    query = update(Transfer).where(
        Transfer.id == transfer.id,
        Transfer.booked_at.is_(None),
        Transfer.filed_at.is_(None),
        Transfer.remote_id.is_not_distinct_from(transfer.remote_id),
        Transfer.state.not_in(UNCLEAR),
    )
    values: dict[str, Any] = {"state": TransferState.IGNORED, "reasons": show_reasons([gap])}
    # The later one counts: a retry asks again.
    values |= dict.fromkeys(("decision", "decided_on", "decided_at", "decided_by"))
    if is_begun(transfer):
        # What was there took its guid with it.
        values |= {"remote_id": None, "unclear": False, "unclear_since": None, "guid_spent": False}
        values |= {"guid_version": Transfer.guid_version + 1, "credits_remote_id": None}
    done = await session.scalar(query.values(values).returning(Transfer.id))
    await session.refresh(transfer)
    return done is not None


async def record_approval(session: Session, transfer: Transfer, *, actor: str) -> None:
    """Let a document through every review, as it is now.

    One that is held as a double is none from now on; where its KID is the same customer's already, that is allowed.
    """
    codes = {reason["code"] for reason in transfer.reasons}
    answers = {
        "not_same": transfer.not_same or Code.SAME_AS_OTHER in codes,
        "kid_allowed": transfer.kid_allowed or bool(codes & {Code.SAME_AS_OTHER, Code.KID_REPEATED}),
    }
    await record_values(session, transfer.id, approved_at=func.now(), approved_by=actor, **answers)
    await session.refresh(transfer)


async def record_reopened(session: Session, transfer: Transfer) -> None:
    """Take back what keeps a record from being sent: that somebody ignored it, or that its tries were used up."""
    if transfer.state in {TransferState.IGNORED, TransferState.FAILED} and transfer.filed_at is None:
        await record_values(session, transfer.id, state=TransferState.WAITING)
        await session.refresh(transfer)


async def record_attempt(  # noqa: PLR0913 - the columns of one row
    session: Session,
    transfer_id: int,
    *,
    step: str,
    outcome: str,
    detail: str,
    exchanges: Sequence[Mapping[str, Any]],
    rules_version: int,
    milliseconds: int,
    clears: bool = False,
) -> None:
    """Append one try; `exchanges` come masked. `clears`: what became of every write is known by now."""
    values = {"unclear": False, "unclear_since": None} if clears else {"updated_at": Transfer.updated_at}
    # One statement for both: every write of every document ends with them. Counted here, for old attempts may be gone,
    # and looking for the newest one would mean looking into every month.
    tenant_id = tenant_of(session)
    counted = update(Transfer).where(Transfer.tenant_id == tenant_id, Transfer.id == transfer_id)
    n = counted.values(attempts=Transfer.attempts + 1, **values).returning(Transfer.attempts).cte("counted")
    row: dict[str, Any] = {
        "tenant_id": literal(tenant_id),
        "transfer_id": literal(transfer_id),
        "n": n.c.attempts,
        "step": literal(step),
        "outcome": literal(outcome),
        "detail": literal(detail),
        "exchanges": literal(list(exchanges), JSONB),
        "rules_version": literal(rules_version),
        "milliseconds": literal(milliseconds),
        "started_at": func.now() - text("make_interval(secs => :s)").bindparams(s=milliseconds / 1000),
    }
    await session.execute(insert(Attempt).from_select(list(row), select(*row.values()), include_defaults=False))


async def is_linked(session: Session, *, key_id: UUID, remote_id: int, besides: int) -> bool:
    """Whether another document of ours is this invoice or credit note in Unimicro; orders have ids of their own."""
    own = (Transfer.key_id == key_id, Transfer.scope == "invoice", Transfer.remote_type == "invoice")
    query = select(Transfer.id).where(*own, Transfer.remote_id == remote_id, Transfer.id != besides)
    return await session.scalar(query.limit(1)) is not None


async def record_released(session: Session, transfer: Transfer) -> None:
    """Forget what a customer was linked with; what was there took its guid with it."""
    gone = dict.fromkeys(("booked_at", "remote_id", "remote_number", "content_hash", "matched_by", "lane_token"))
    values: dict[str, Any] = {**gone, "state": TransferState.WAITING, "reasons": [], "warnings": []}
    values |= {"guid_version": Transfer.guid_version + 1, "guid_spent": False, "look_again_at": None}
    await record_values(session, transfer.id, **values, unclear=False, unclear_since=None)
    await session.refresh(transfer)


async def list_customer_links(session: Session, *, key_id: UUID) -> dict[str, int]:
    """Unimicro's id of every customer of a key that went all the way, by RecMan's company id."""
    query = select(Transfer.record_id, Transfer.remote_id).where(
        Transfer.key_id == key_id, Transfer.scope == "company", Transfer.booked_at.is_not(None)
    )
    return {row.record_id: row.remote_id for row in await session.execute(query) if row.remote_id is not None}


async def list_linked_numbers(session: Session, *, key_id: UUID) -> dict[str, str]:
    """Unimicro's number of every such customer, as it was linked or made, by RecMan's company id."""
    query = select(Transfer.record_id, Transfer.remote_number).where(
        Transfer.key_id == key_id, Transfer.scope == "company", Transfer.booked_at.is_not(None)
    )
    return {row.record_id: row.remote_number or "" for row in await session.execute(query)}


async def count_open(session: Session, *, key_id: UUID) -> int:
    """How many documents have been begun with a key, or wait for it."""
    query = select(func.count()).where(Transfer.key_id == key_id, Transfer.state.in_(UNDER_WAY))
    return int(await session.scalar(query) or 0)


async def load_transfer(session: Session, transfer_id: int, *, tenant_id: UUID | None) -> Transfer:
    """The transfer, when it is this tenant's (None: any tenant's).

    Raises:
        NotFoundError: there is none that this tenant may see.
    """
    query = select(Transfer).where(Transfer.id == transfer_id)
    if tenant_id is not None:
        query = query.where(Transfer.tenant_id == tenant_id)
    transfer = (await session.scalars(query)).one_or_none()
    if transfer is None:
        raise NotFoundError(f"There is no transfer {transfer_id}", fix="Take an id from GET /v1/transfers.")
    add_log_fields(tenant=str(transfer.tenant_id), transfer=transfer_id)
    return transfer


def show_reasons(reasons: Sequence[Reason]) -> list[dict[str, str]]:
    """Reasons as stored and shown."""
    return [asdict(reason) for reason in reasons]


def show_totals(prefix: str, totals: Totals) -> dict[str, Any]:
    """The three sums as columns; `prefix` is empty or `remote_`."""
    return {f"{prefix}{name}": value for name, value in asdict(totals).items()}
