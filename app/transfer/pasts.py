"""A row of the transfer log as the plan wants to know it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.domain.documents import Totals
from app.domain.reasons.codes import Code, Reason
from app.domain.states import TransferState
from app.tables import Transfer
from app.transfer.log import is_begun, is_unclear
from app.transfer.plan.situation import Past


def past_of(transfer: Transfer, *, key_id: UUID, now: datetime) -> Past:
    """What the log says, as the plan for a key wants to know it; `now` is the database's clock.

    Raises:
        LookupError: it was begun with another key, in whose company alone its remote id means anything.
    """
    if transfer.key_id != key_id and is_begun(transfer):
        raise LookupError(f"transfer {transfer.id} was begun with another key")
    held_for = tuple(map(_read_reason, transfer.reasons)) if transfer.state == TransferState.HELD else ()
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
        held_because="; ".join(reason.cause for reason in held_for),
        held_for=held_for,
        searched_key=(transfer.offer or {}).get("key_id", ""),
        found_there=bool((transfer.offer or {}).get("found")),
        decision=transfer.decision,
        decided_on=transfer.decided_on,
        booking=transfer.booking,
        totals=_read_totals(transfer),
    )


def _read_totals(transfer: Transfer) -> Totals | None:
    net, vat, gross = (transfer.remote_net_amount, transfer.remote_vat_amount, transfer.remote_gross_amount)
    if net is None or vat is None or gross is None:
        return None
    return Totals(net_amount=net, vat_amount=vat, gross_amount=gross)


def _read_reason(stored: Mapping[str, str]) -> Reason:
    """A stored reason; a release before may have held a record under a code that is no more."""
    code = Code(stored["code"]) if stored["code"] in set(Code) else Code.HELD
    return Reason(code=code, cause=stored["cause"], fix=stored["fix"])
