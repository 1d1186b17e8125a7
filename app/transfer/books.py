"""One key's accounting system, opened for a run: where to write, what it has, and what was said so far."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

from cachetools import TTLCache

from app.accounting.targets import Exchange, Target
from app.admin.answers import load_answers
from app.admin.customer_checks import is_cleared
from app.admin.key_check import open_key_target
from app.admin.rules import RulesInForce, load_rules
from app.domain.answers import Answer, Question, hangs_on_answers
from app.domain.booking import Booking
from app.domain.parties import Recipient
from app.domain.policies import NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference
from app.domain.rules import Rules
from app.domain.states import KeyState, Mode, Proof
from app.errors import HoldError, KeyPausedError
from app.platform.db import Session, load_now
from app.platform.places import is_crowded, standing_in
from app.platform.resources import Resources
from app.tables import Key

# A resumed key and a new sign-in wake their lanes; this is only the net below. Each look costs RecMan's quota.
REST_SECONDS = 6 * 3600.0
_MOST_RECIPIENTS = 10_000
# What was read of RecMan for the record is still good then.
_CROWDED_SECONDS = (2.0, 6.0)


@dataclass(slots=True)
class CachedReference:
    """Reference data of one key and when its reading began, by the database's clock.

    `confirmed_at`: when the company's settings were last seen to be as it has them; `answers`: what was known of the
    company besides.
    """

    reference: Reference
    read_at: datetime
    confirmed_at: datetime
    answers: Mapping[Question, Answer]


@dataclass(slots=True)
class KnownBooks:
    """What this process remembers of keys' companies, by key; `recipients`: what customers look like on an invoice."""

    references: dict[UUID, CachedReference] = field(default_factory=dict)
    recipients: dict[UUID, MutableMapping[int, Recipient]] = field(default_factory=dict)
    cleared_keys: set[UUID] = field(default_factory=set)
    locks: dict[UUID, asyncio.Lock] = field(default_factory=dict)

    def list_answers(self, key_id: UUID) -> Mapping[Question, Answer]:
        """What was known of a key's company when its reference data were read."""
        cached = self.references.get(key_id)
        return {} if cached is None else cached.answers

    def forget(self, key_id: UUID, reference: Reference) -> None:
        """Read the reference data again when they are needed next, unless somebody has done so."""
        cached = self.references.get(key_id)
        if cached is not None and cached.reference is reference:
            del self.references[key_id]


class Refresh(Protocol):
    """Reads the reference data again when it is too old."""

    def __call__(self, *, entirely: bool) -> Awaitable[Reference | None]:
        """The new reference data, or None when there is nothing newer to have."""


class Confirm(Protocol):
    """Makes sure that the company's settings are as they were read."""

    def __call__(self, *, surely: bool) -> Awaitable[Reference | None]:
        """Other reference data when they are not, or None when what there is stands."""


@dataclass(slots=True, kw_only=True)
class Books:
    """What a run needs of one key.

    `booking`: how the run's document gets in: as it was begun, else as the key books now.
    `refresh` reads the reference data again, unless what there is was read since the hint came in (then None);
    `entirely` asks for what was read since this run began. `forget` has the next run read it again. `confirm` looks at
    the settings alone, when they are older than the newest hint: `surely` at once, else only once in a while.
    `answers`: what is known of the company; read again along with the reference data, and each time where the key's
    booking hangs on it.
    """

    key: Key
    target: Target
    reference: Reference
    refresh: Refresh
    confirm: Confirm
    booking: Booking = Booking.RENUMBERED
    forget: Callable[[], None] = lambda: None
    send_customer_number: bool = True
    rules: Rules = field(default_factory=Rules)
    rules_version: int = 0
    rule_makers: frozenset[str] = frozenset()
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def by_file(self) -> bool:
        """Whether nothing is sent: documents go into files."""
        return self.key.mode == Mode.FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a key's books are opened on: how the document gets in, the rules in force, and what is known of the company.

    `answers` is empty where the booking does not hang on them.
    """

    booking: Booking
    in_force: RulesInForce
    answers: Mapping[Question, Answer]


async def load_terms(session: Session, key: Key, booking: Booking | None = None) -> Terms:
    """The terms as they are now; `booking`: how the document gets in, where its key books otherwise by now."""
    booking = booking or Booking(key.booking)
    in_force = await load_rules(session, key.id)
    return Terms(booking=booking, in_force=in_force, answers=await _load_answers(session, key, booking))


async def open_books(
    resources: Resources,
    key: Key,
    *,
    heard_at: datetime,
    terms: Terms | Booking | None = None,
    sends: bool = True,
    rehearses: bool = False,
) -> Books:
    """The books of a key that may be used now; `heard_at` is when the newest hint of this run came in.

    `terms` are those that were read a moment ago; else they are read here, for this booking or the key's own.
    `rehearses`: nothing that is written is sent, so that a person's pause of the key is none.

    Raises:
        KeyPausedError: the key rests, or the run `sends` something and the customers were never compared.
        HoldError: the key was removed.
        RemoteError: the reference data could not be read.
    """
    resources = resources.of_tenant(key.tenant_id)
    if not isinstance(terms, Terms):
        async with resources.sessions() as session:
            terms = await load_terms(session, key, terms)
    in_force, now = terms.in_force, terms.in_force.read_at
    _check_usable(key, now, rehearses=rehearses)
    _check_crowd(resources, key)
    if sends:
        await _require_going(resources, key)
    exchanges: list[Exchange] = []
    target = _open_target(resources, key, terms.booking, exchanges, rehearses=rehearses)
    oldest = now - timedelta(seconds=resources.settings.unimicro_reference_seconds)
    reference = await _load_reference(resources, key, target, oldest=oldest)
    refresh, confirm = _renewals(resources, key, target, reference, heard_at=heard_at, now=now)
    return Books(
        key=key,
        target=target,
        reference=reference,
        booking=terms.booking,
        refresh=refresh,
        forget=partial(resources.kept(KnownBooks).forget, key.id, reference),
        confirm=confirm,
        send_customer_number=_sends_customer_number(resources, key, in_force.rules),
        rules=in_force.rules,
        rules_version=in_force.version,
        rule_makers=in_force.makers,
        answers=terms.answers or resources.kept(KnownBooks).list_answers(key.id),
        exchanges=exchanges,
    )


def _renewals(
    resources: Resources, key: Key, target: Target, reference: Reference, *, heard_at: datetime, now: datetime
) -> tuple[Refresh, Confirm]:
    """How the reference data that were read are read again, and how they are confirmed."""

    async def refresh(*, entirely: bool) -> Reference | None:
        # Read after the hint came in is fresh enough: a hundred held documents must not mean a hundred reads.
        fresh = await _load_reference(resources, key, target, oldest=now if entirely else heard_at)
        return fresh if fresh is not reference else None

    async def confirm(*, surely: bool) -> Reference | None:
        # One look serves all whose hints came before it: those that waited to be read together share it.
        seconds = 0 if surely else resources.settings.unimicro_confirm_seconds
        oldest = min(heard_at, now - timedelta(seconds=seconds))
        fresh = await _confirm_reference(resources, key, target, oldest=oldest)
        return fresh if fresh is not reference else None

    return refresh, confirm


async def _load_answers(session: Session, key: Key, booking: Booking) -> Mapping[Question, Answer]:
    if not hangs_on_answers(booking):
        return {}
    return await load_answers(session, tenant_id=key.tenant_id, company_key=key.company_key)


def _open_target(
    resources: Resources, key: Key, booking: Booking, exchanges: list[Exchange], *, rehearses: bool
) -> Target:
    return open_key_target(
        resources,
        key,
        on_exchange=exchanges.append,
        recipients=_recipients_of(resources, key.id),
        orders=booking is Booking.ORDER,
        rehearses=rehearses,
    )


def _sends_customer_number(resources: Resources, key: Key, rules: Rules) -> bool:
    if rules.customer_number is NumberPolicy.LINKED:
        return False
    return bool(key.settings.get("send_customer_number", resources.settings.unimicro_send_customer_number))


async def _load_reference(resources: Resources, key: Key, target: Target, *, oldest: datetime) -> Reference:
    # One reader at a time: whoever waited finds what the first one read.
    async with _alone(resources, key):
        cached = resources.kept(KnownBooks).references.get(key.id)
        if cached is not None and cached.read_at > oldest:
            return cached.reference
        async with resources.sessions() as session:
            read_at = await load_now(session)
            answers = await load_answers(session, tenant_id=key.tenant_id, company_key=key.company_key)
        reference = await target.fetch_reference()
        read = CachedReference(reference=reference, read_at=read_at, confirmed_at=read_at, answers=answers)
        resources.kept(KnownBooks).references[key.id] = read
        return reference


async def _confirm_reference(resources: Resources, key: Key, target: Target, *, oldest: datetime) -> Reference:
    """The reference data, whose settings were looked at since `oldest`; one look serves all who ask at a time."""
    async with _alone(resources, key):
        cached = resources.kept(KnownBooks).references.get(key.id)
        if cached is not None and cached.confirmed_at > oldest:
            return cached.reference
        async with resources.sessions() as session:
            looked_at = await load_now(session)
        if cached is not None and await target.is_current(cached.reference):
            cached.confirmed_at = looked_at
            return cached.reference
    return await _load_reference(resources, key, target, oldest=looked_at)


@asynccontextmanager
async def _alone(resources: Resources, key: Key) -> AsyncIterator[None]:
    """While open, nobody else of this process reads what the key's company has; others stand in line as for a slot."""
    async with AsyncExitStack() as stack:
        with standing_in(key.company_key):
            await stack.enter_async_context(resources.kept(KnownBooks).locks.setdefault(key.id, asyncio.Lock()))
        yield


def _recipients_of(resources: Resources, key_id: UUID) -> MutableMapping[int, Recipient]:
    """Believed for as long as the other reference data."""
    seconds = resources.settings.unimicro_reference_seconds
    return resources.kept(KnownBooks).recipients.setdefault(key_id, TTLCache(_MOST_RECIPIENTS, ttl=seconds))


def _check_usable(key: Key, now: datetime, *, rehearses: bool) -> None:
    if key.state == KeyState.REMOVED:
        cause = f"Key “{key.name}” ({key.company_name}) was removed"
        raise HoldError(
            (Reason(code=Code.KEY_REMOVED, cause=cause, fix=fix_for(Code.KEY_REMOVED, "begun_with", former_id=key.id)),)
        )
    if key.state == KeyState.SIGN_IN_AGAIN:
        raise KeyPausedError(
            f"The sign-in of key “{key.name}” is no longer good",
            seconds=REST_SECONDS,
            fix=fix_for(Code.SIGN_IN_AGAIN),
        )
    if key.state == KeyState.PAUSED and not rehearses:
        raise pause_of(key)
    if key.paused_until is not None and key.paused_until > now:
        seconds = (key.paused_until - now).total_seconds()
        cause = f"Key “{key.name}” rests: {key.pause_reason}"
        raise KeyPausedError(cause, seconds=seconds, fix=fix_for(Code.KEY_PAUSED, "for_a_while"))


def _check_crowd(resources: Resources, key: Key) -> None:
    """Leave some of the tenant's places to its other keys, whatever keeps this one's company from answering."""
    if is_crowded(key.id, most=resources.settings.places_of_a_tenant):
        raise KeyPausedError(
            f"As many records as may are on their way to {key.company_name} already",
            seconds=random.uniform(*_CROWDED_SECONDS),  # noqa: S311 - spread, not secrecy
            fix=fix_for(Code.KEY_PAUSED, "for_a_while"),
        )


def pause_of(key: Key) -> KeyPausedError:
    """What keeps everything from a key that a person has paused."""
    fix = fix_for(Code.KEY_PAUSED, key_id=key.id)
    return KeyPausedError(f"Key “{key.name}” is paused", seconds=REST_SECONDS, fix=fix)


def stop_of(key: Key) -> KeyPausedError:
    """What keeps everything from a key of which something stands in Unimicro as no customer has it."""
    cause = f"Key “{key.name}” was stopped: a document stands in Unimicro otherwise than the customer has it"
    fix = fix_for(Code.KEY_STOPPED, key_id=key.id)
    return KeyPausedError(cause, seconds=REST_SECONDS, fix=fix, code=Code.KEY_STOPPED)


async def _require_going(resources: Resources, key: Key) -> None:
    if key.proof == Proof.STOPPED:
        raise stop_of(key)
    await require_customer_check(resources, key)


async def require_customer_check(resources: Resources, key: Key) -> None:
    """Hold everything back until a check is green or accepted: a wrong customer is cheaper to find before than after.

    What was cleared once stays so, which is why it is remembered and asked only once.
    """
    if key.id in resources.kept(KnownBooks).cleared_keys or not resources.settings.require_customer_check:
        return
    async with resources.of_tenant(key.tenant_id).sessions() as session:
        cleared = await is_cleared(session, key.id)
    if not cleared:
        raise KeyPausedError(
            f"The customers of key “{key.name}” have not been compared with RecMan's yet",
            seconds=REST_SECONDS,
            fix=fix_for(Code.CUSTOMER_CHECK_MISSING, key_id=key.id),
            code=Code.CUSTOMER_CHECK_MISSING,
        )
    resources.kept(KnownBooks).cleared_keys.add(key.id)
