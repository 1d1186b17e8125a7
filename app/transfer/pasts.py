"""What the transfer log says of some records, all of it at one moment and in one query. Reads only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, false, func, literal, null, or_, select

from app.domain.booking import Booking
from app.domain.dimensions import Department
from app.domain.documents import Totals
from app.domain.policies import MatchedBy
from app.domain.reasons.codes import Code, Reason
from app.domain.states import BY_FILE, TransferState
from app.engine.lanes import Lease
from app.errors import WaitError
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.claims import sent_by_other
from app.transfer.log import INVOICE, is_begun, is_unclear
from app.transfer.plan.situation import Past

# Another lane is making this very customer or project; it takes a second or so.
_OTHER_LANE_SECONDS = 5
# A booked document is looked for this long after it was seen last, when RecMan tells of it; sooner only when asked.
_DRIFT_REST = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the log: records by scope and RecMan id, and what else decides about a document.

    `same` is the condition of a document's doubles, `same_kid` that of invoices with its KID; `credited_id` is RecMan's
    id of the invoice that it credits; `usual_minus` and `booked_before` are figures, asked for where they matter.
    """

    records: Sequence[tuple[str, str]]
    same: ColumnElement[bool] | None = None
    same_kid: ColumnElement[bool] | None = None
    credited_id: str | None = None
    usual_minus: ScalarSelect[Any] | None = None
    booked_before: ScalarSelect[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasts:
    """What our log said of some records at one key when it was asked, by the database's clock at `now`.

    `doubles`: documents that may be the same as the one that was asked for; `same_kid`: invoices with its KID;
    `kept_credits`, `usual_minus` and `booked_before`: see `DocumentSituation`. `department`: the document's own, where
    it was read before.
    """

    key_id: UUID
    now: datetime
    transfers: dict[tuple[str, str], Transfer] = field(default_factory=dict)
    sent_by_others: frozenset[int] = frozenset()
    doubles: tuple[Transfer, ...] = ()
    same_kid: tuple[Transfer, ...] = ()
    kept_credits: frozenset[int] = frozenset()
    usual_minus: bool | None = None
    booked_before: int = 0
    department: Department | None = None
    imagined: Mapping[tuple[str, str], Past] = field(default_factory=dict)

    def imagine(self, scope: str, record_id: str, change: Callable[[Past], Past]) -> "Pasts":
        """The same, as if the log said otherwise of this record, of which it says something."""
        past = self.find(scope, record_id)
        return self if past is None else replace(self, imagined={(scope, record_id): change(past)})

    def find(self, scope: str, record_id: str) -> Past | None:
        """What our log says of a record.

        Raises:
            WaitError: another live lane is sending it right now; it went to another key since this one was chosen; or
                Unimicro has seen its guid and may not show it yet.
        """
        if (scope, record_id) in self.imagined:
            return self.imagined[scope, record_id]
        transfer = self.transfers.get((scope, record_id))
        if transfer is None:
            return None
        name = f"{transfer.kind} {transfer.number or record_id}"
        if transfer.id in self.sent_by_others:
            cause = f"{name} is being sent right now"
            raise WaitError(cause, scope=scope, record_id=record_id, seconds=_OTHER_LANE_SECONDS)
        if transfer.key_id != self.key_id and is_begun(transfer):
            raise WaitError(f"{name} went to another key just now", scope="", record_id="", seconds=1)
        again_at = transfer.look_again_at
        if scope != "invoice" and transfer.guid_spent and again_at is not None and again_at > self.now:
            # Made again too early, it would be there twice.
            seconds = (again_at - self.now).total_seconds() + 0.1
            raise WaitError(f"{name} is looked for once more", scope="", record_id="", seconds=seconds)
        return past_of(transfer, key_id=self.key_id, now=self.now)


def booked_count_of(key_id: UUID, *, most: int) -> ScalarSelect[int]:
    """How many documents of a key are in Unimicro, counted up to `most`."""
    booked = select(Transfer.id).where(
        Transfer.key_id == key_id, Transfer.scope == "invoice", Transfer.booked_at.is_not(None)
    )
    return select(func.count()).select_from(booked.limit(most).subquery()).scalar_subquery()


async def load_pasts(session: Session, lease: Lease, key_id: UUID, question: Question) -> Pasts:
    """Everything that our log knows about the question.

    An invoice is found whichever key it went to, any other record at this key alone.
    """
    same, same_kid = (false() if one is None else one for one in (question.same, question.same_kid))
    # One row also where the log knows nothing yet: the clock and the figures are wanted all the same.
    asked = select(literal(1).label("one")).subquery()
    query = select(
        func.now().label("now"),
        (null() if question.usual_minus is None else question.usual_minus).label("usual_minus"),
        (literal(0) if question.booked_before is None else question.booked_before).label("booked_before"),
        sent_by_other(lease).label("sent_by_other"),
        same.label("is_same"),
        same_kid.label("has_same_kid"),
        Transfer,
    ).select_from(asked)
    wanted = or_(false(), *_list_conditions(key_id, question))
    query = query.outerjoin(Transfer, and_(Transfer.tenant_id == lease.tenant_id, wanted))
    return _read_rows(key_id, question, (await session.execute(query)).all())


def _list_conditions(key_id: UUID, question: Question) -> Iterator[ColumnElement[bool]]:
    invoice_ids = [record_id for scope, record_id in question.records if scope == "invoice"]
    if invoice_ids:
        yield and_(Transfer.scope == INVOICE, Transfer.record_id.in_(invoice_ids))
    for scope, record_id in question.records:
        if scope != "invoice":
            yield and_(Transfer.key_id == key_id, Transfer.scope == scope, Transfer.record_id == record_id)
    yield from (one for one in (question.same, question.same_kid) if one is not None)
    if question.credited_id is not None:
        credited = select(Transfer.remote_id).where(
            Transfer.key_id == key_id, Transfer.scope == INVOICE, Transfer.record_id == question.credited_id
        )
        yield and_(Transfer.key_id == key_id, Transfer.credits_remote_id == credited.scalar_subquery())


def _read_rows(key_id: UUID, question: Question, rows: Sequence[Any]) -> Pasts:
    found = [row for row in rows if row.Transfer is not None]
    transfers = {(row.Transfer.scope, row.Transfer.record_id): row.Transfer for row in found}
    credited = transfers.get(("invoice", question.credited_id or ""))
    return Pasts(
        key_id=key_id,
        now=rows[0].now,
        transfers=transfers,
        sent_by_others=frozenset(row.Transfer.id for row in found if row.sent_by_other),
        doubles=tuple(row.Transfer for row in found if row.is_same),
        same_kid=tuple(row.Transfer for row in found if row.has_same_kid),
        kept_credits=frozenset() if credited is None else list_kept(credited, [row.Transfer for row in found]),
        usual_minus=rows[0].usual_minus,
        booked_before=rows[0].booked_before,
    )


def list_kept(credited: Transfer, others: Sequence[Transfer]) -> frozenset[int]:
    """Unimicro's ids of those that credit this invoice and are booked, issued or left as drafts."""
    return frozenset(
        one.remote_id
        for one in others
        if one.booked_at is not None
        and one.remote_id is not None
        and (one.key_id, one.credits_remote_id) == (credited.key_id, credited.remote_id)
    )


def past_of(transfer: Transfer, *, key_id: UUID, now: datetime) -> Past:
    """What the log says, as the plan for a key wants to know it; `now` is the database's clock.

    Raises:
        LookupError: it was begun with another key, in whose company alone its remote id means anything.
    """
    if transfer.key_id != key_id and is_begun(transfer):
        raise LookupError(f"transfer {transfer.id} was begun with another key")
    held_for = read_reasons(transfer.reasons) if transfer.state == TransferState.HELD else ()
    return Past(
        transfer_id=transfer.id,
        number=transfer.number,
        name=transfer.customer_name,
        remote_id=transfer.remote_id,
        remote_number=transfer.remote_number or "",
        remote_customer_id=transfer.remote_customer_id,
        external_reference=transfer.external_reference or "",
        content_hash=transfer.content_hash,
        guid_version=transfer.guid_version,
        guid_spent=transfer.guid_spent,
        unclear=is_unclear(transfer),
        unclear_since=transfer.unclear_since,
        sent_at=transfer.sent_at,
        credits_remote_id=transfer.credits_remote_id,
        credit_drafts_before=tuple(transfer.credit_drafts_before),
        looked_twice=transfer.look_again_at is not None and transfer.look_again_at <= now,
        booked=transfer.booked_at is not None,
        ignored=transfer.state == TransferState.IGNORED,
        approved=transfer.approved_at is not None,
        approved_by=transfer.approved_by or "",
        decided_by=transfer.decided_by or "",
        held_because="; ".join(reason.cause for reason in held_for),
        held_for=held_for,
        searched_key=(transfer.offer or {}).get("key_id", ""),
        found_there=bool((transfer.offer or {}).get("found")),
        decision=transfer.decision,
        decided_on=transfer.decided_on,
        # An order that was invoiced is an invoice to everybody who asks.
        booking=transfer.booking if transfer.order_id is None else Booking.RENUMBERED,
        totals=_read_totals(transfer),
        matched_by=None if transfer.matched_by is None else MatchedBy(transfer.matched_by),
        booked_as=transfer.booked_as,
        described=_describe(transfer),
        warnings=read_reasons(transfer.warnings),
        is_drift_due=_is_drift_due(transfer, now),
        country=transfer.country,
        by_file=transfer.filed_at is not None or transfer.state in BY_FILE,
        company_id=transfer.recman_company_id or "",
    )


def _is_drift_due(transfer: Transfer, now: datetime) -> bool:
    """Whether a hint is worth a look: what was just booked was just read, too."""
    seen = [at for at in (transfer.booked_at, transfer.drift_looked_at) if at is not None]
    return bool(seen) and now - max(seen) >= _DRIFT_REST


def _describe(transfer: Transfer) -> dict[str, str]:
    """What the overview shows of a document, in the words of `plan.changes`; what it does not show is left out."""
    sums = {name: getattr(transfer, name) for name in ("net_amount", "vat_amount", "gross_amount")}
    shown = {name: f"{amount:.2f}" for name, amount in sums.items() if amount is not None}
    if transfer.invoice_date is not None:
        shown["invoice_date"] = transfer.invoice_date.isoformat()
    return {"kind": transfer.kind, "number": transfer.number, "currency": transfer.currency, **shown}


def _read_totals(transfer: Transfer) -> Totals | None:
    net, vat, gross = (transfer.remote_net_amount, transfer.remote_vat_amount, transfer.remote_gross_amount)
    if net is None or vat is None or gross is None:
        return None
    return Totals(net_amount=net, vat_amount=vat, gross_amount=gross)


def read_reasons(stored: Sequence[Mapping[str, str]]) -> tuple[Reason, ...]:
    """Reasons or warnings as a transfer keeps them."""
    return tuple(map(_read_reason, stored))


def _read_reason(stored: Mapping[str, str]) -> Reason:
    """A stored reason; a release before may have held a record under a code that is no more."""
    code = Code(stored["code"]) if stored["code"] in set(Code) else Code.HELD
    return Reason(code=code, cause=stored["cause"], fix=stored["fix"])
