"""Which key a document goes to: its own once it was begun, its invoice's for a credit note, else its department's.

A key that was removed still answers: its documents are held until a person says where they belong.
"""

from app.admin.departments import route_department
from app.admin.keys import lock_in_use
from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.states import KeyState, TransferState
from app.errors import HoldError, WaitError
from app.platform.db import Session
from app.tables import Key, Transfer
from app.transfer.context import Run
from app.transfer.log import find_transfers, is_begun
from app.transfer.pasts import past_of
from app.transfer.plan.document import plan_booked
from app.transfer.plan.steps import Hold, Skip
from app.transfer.removed_keys import explain_credit, explain_orphan

# A lane that waits is woken by the other record's end; this is only the net below. Each look costs RecMan's quota.
WAIT_SECONDS = 6 * 3600.0


async def choose_key(session: Session, run: Run, document: Document | Gaps, *, by_hand: bool = False) -> Key:
    """The document's key, which may have been removed; once anything was sent to a key, that key, whatever moved since.

    `by_hand`: a person says where it is, so a removed key has no say any more.

    Raises:
        WaitError: the credited invoice must show first to which key it goes.
        HoldError: no key serves the department; or invoice and credit note were begun with two keys.
    """
    own, credited = await _find_both(session, run, document)
    key = None if own is None or own.key_id is None else await session.get_one(Key, (own.tenant_id, own.key_id))
    if by_hand and key is not None and key.state == KeyState.REMOVED:
        own = key = None
    if own is not None and key is not None and is_begun(own):
        # What was begun stays, whether its invoice is known or not; what is booked also when its invoice moved.
        is_open = own.booked_at is None
        if is_open and credited is not None and is_begun(credited) and credited.key_id != key.id:
            raise HoldError((await _explain_two_keys(session, own, credited, key),))
        return key
    _require_known(document, credited)
    if credited is not None and credited.key_id is not None:
        return await session.get_one(Key, (credited.tenant_id, credited.key_id))
    if key is not None and key.state == KeyState.REMOVED:
        return key
    department_id = document.recman_department_id
    return await route_department(session, tenant_id=run.lease.tenant_id, recman_department_id=department_id)


async def _find_both(session: Session, run: Run, document: Document | Gaps) -> tuple[Transfer | None, Transfer | None]:
    """The transfers of the document and of the invoice that it credits, whichever keys they are with."""
    own_id, credited_id = document.recman_invoice_id, _credited_id(document)
    found = await find_transfers(session, run.lease.tenant_id, list(filter(None, (own_id, credited_id))))
    return found.get(own_id), found.get(credited_id or "")


def _credited_id(document: Document | Gaps) -> str | None:
    return document.credited_invoice_id if isinstance(document, Document) else None


def _require_known(document: Document | Gaps, found: Transfer | None) -> None:
    """A credit note waits until its invoice has a key, or nobody will send the invoice."""
    invoice_id = _credited_id(document)
    if invoice_id is None or (found is not None and (found.key_id is not None or found.state == TransferState.IGNORED)):
        return
    cause, fix = f"waits for invoice {invoice_id}, which it credits", ""
    if found is not None and found.state == TransferState.HELD:
        cause += f" and which is held: {'; '.join(reason['cause'] for reason in found.reasons)}"
        fix = fix_for(Code.WAITS, "held_invoice")
    raise WaitError(cause, scope="invoice", record_id=invoice_id, seconds=WAIT_SECONDS, fix=fix)


async def _explain_two_keys(session: Session, own: Transfer, credited: Transfer, key: Key) -> Reason:
    other = await session.get_one(Key, (credited.tenant_id, credited.key_id))
    return Reason(
        code=Code.CREDITED_WITH_OTHER_KEY,
        cause=f"This credit note was begun with key “{key.name}” ({key.company_name}), but invoice {credited.number}, "
        f"which it credits, is with key “{other.name}” ({other.company_name})",
        fix=fix_for(Code.CREDITED_WITH_OTHER_KEY, company=key.company_name, transfer_id=own.id),
    )


async def require_in_use(session: Session, key: Key) -> None:
    """Make sure that nothing new is put with a key that was removed since it was chosen.

    Raises:
        WaitError: it was removed a moment ago; choose again.
    """
    if key.state != KeyState.REMOVED and not await lock_in_use(session, key.id):
        raise WaitError(f"key “{key.name}” was removed just now", scope="", record_id="", seconds=0)


async def decide_without_key(run: Run, key: Key, document: Document | Gaps) -> Skip | Hold:
    """What becomes of a document whose key was removed: booked stays booked, everything else is a person's decision."""
    async with run.sessions() as session:
        own, credited = await _find_both(session, run, document)
        if own is not None and own.booked_at is not None and own.key_id == key.id:
            if not isinstance(document, Document):
                return Skip("already in Unimicro")
            return plan_booked(document, past_of(own, key_id=key.id, now=own.updated_at))
        if own is not None and own.state == TransferState.IGNORED:
            return Skip("a person chose not to send it")
        if own is not None and is_begun(own):
            return Hold((explain_orphan(key, own),))
        if credited is not None and credited.key_id == key.id:
            return Hold((explain_credit(key, credited),))
        return Hold((explain_orphan(key, own),))
