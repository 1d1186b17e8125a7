"""A key without sign-in: for files alone, and what is known of its company was sent as lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from app.admin.departments import record_served_departments
from app.admin.keys import NewKey, create_key
from app.admin.sending import Answer, verify_answer
from app.domain.booking import Booking
from app.domain.reasons.codes import Code
from app.domain.states import Access
from app.errors import ConflictError, RequestError
from app.platform.db import Session
from app.platform.resources import Resources
from app.tables import Key

_FIX = "Make another key with a sign-in (POST /v1/keys/connect), and move the departments to it."


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKeyOrder:
    """What an administrator chose for a new key without sign-in; `departments` None means all."""

    company_name: str
    name: str
    mode: str
    sender: str | None
    booking: str | None
    go_live: date
    departments: Sequence[str] | None
    acceptance: Mapping[str, Any] | None = None
    kid_acceptance: Mapping[str, Any] | None = None


async def make_listed_key(session: Session, resources: Resources, order: ListedKeyOrder, *, tenant_id: UUID) -> Key:
    """The new key, in the caller's transaction; it exports nothing before its lists are there.

    Raises:
        ConflictError: the name, a department or “all” is taken.
        RequestError: it is to send by itself, or nobody has said who sends the invoices.
    """
    if order.mode != "file":
        cause = "A key that sends to Unimicro needs a sign-in"
        fix = "Sign in first (POST /v1/keys/connect) and name its `pending_id`; or make the key for files: `mode` file."
        raise RequestError(cause, fix=fix, code=Code.KEY_WITHOUT_SIGN_IN)
    verify_answer(Answer(mode=order.mode, sender=order.sender, booking=order.booking))
    new = NewKey(
        tenant_id=tenant_id,
        name=order.name,
        # No company of Unimicro's has it: what is known of this key's company is known of no other.
        company_key=f"lists-{uuid4()}",
        company_name=order.company_name,
        go_live=order.go_live,
        grant=None,
        mode=order.mode,
        sender=order.sender,
        booking=Booking(order.booking or Booking.VOUCHER),
        kid_acceptance=order.kid_acceptance,
        open_to_all=order.departments is None,
    )
    key = await create_key(session, resources.vault, new)
    await record_served_departments(session, key, order.departments or ())
    return key


def require_sign_in(key: Key, *, wish: str) -> None:
    """Make sure that a key is signed in where that is needed.

    Raises:
        ConflictError: it has lists instead.
    """
    if key.client == Access.LISTS:
        cause = f"Key “{key.name}” has lists and no sign-in, so {wish}"
        raise ConflictError(cause, fix=_FIX, code=Code.KEY_WITHOUT_SIGN_IN)


def require_lists(key: Key) -> None:
    """Make sure that a key has no sign-in, for what Unimicro itself says is better than any list.

    Raises:
        ConflictError: it is signed in.
    """
    if key.client != Access.LISTS:
        cause = f"Key “{key.name}” has a sign-in: its products, VAT codes and customers are read from Unimicro"
        raise ConflictError(cause, fix="Nothing to do; nothing was kept.", code=Code.KEY_IS_SIGNED_IN)
