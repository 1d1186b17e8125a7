"""Signing in to Unimicro and making a key of it: begin, come back from the sign-in, choose the company.

No transaction is open while the identity server is asked.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from app.accounting.connections import (
    Authorization,
    Company,
    ServerClient,
    TokenSet,
    authorize_url,
    exchange_code,
    fetch_companies,
    fetch_files_base,
    revoke,
    sign_in_server,
    to_refusal,
)
from app.accounting.slots import slots_of
from app.accounting.targets import Target, open_target
from app.admin.audit import Change, record_change
from app.admin.departments import record_served_departments
from app.admin.keys import (
    Grant,
    NewKey,
    create_key,
    identity_of,
    load_key,
    record_grant,
    record_signed_in,
    to_unmade_key,
)
from app.admin.proving import require_provable
from app.admin.sending import Answer, verify_answer
from app.admin.sign_ins import (
    Beginning,
    SignedIn,
    is_own_browser,
    load_sign_in,
    read_sign_in,
    record_beginning,
    record_confirmed,
    record_return,
    record_server_sign_in,
    record_sign_in_failure,
    take_return,
    use_sign_in,
)
from app.domain.booking import Booking
from app.domain.reasons.codes import Code
from app.engine.lanes import wake_key
from app.engine.wakeup import wake_workers
from app.errors import AuthExpiredError, ConflictError, RemoteRejectedError, RequestError, ServiceError, System
from app.platform.db import Session
from app.platform.resources import Resources
from app.tables import Key, SignIn

# What a person has done, or not done, there; all else is about our client or the server.
_PERSONS_OWN = frozenset({"access_denied", "login_required", "consent_required", "interaction_required"})
_PERSONS_OWN |= {"account_selection_required"}
_ERROR_NAME = re.compile(r"[a-z_]{1,50}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What Unimicro's identity server sent the administrator back with; `browser` is what our cookie calls his."""

    state: str | None = None
    code: str | None = None
    issuer: str | None = None
    error: str | None = None
    browser: str | None = None


async def begin_sign_in(resources: Resources, beginning: Beginning) -> tuple[SignIn, str]:
    """A sign-in, and the address of our own that the administrator opens: it knows the browser again.

    Raises:
        RemoteUnavailableError: the identity server does not answer.
        ConflictError: too many have begun and not ended.
    """
    resources = resources.of_tenant(beginning.tenant_id)
    begun = await authorize_url(resources.http, identity_of(resources.settings))
    async with resources.sessions.begin() as session:
        sign_in, ticket = await record_beginning(session, resources.vault, beginning, begun)
    return sign_in, f"{resources.settings.begin_uri}/{ticket}"


async def begin_server(resources: Resources, beginning: Beginning, client: ServerClient) -> SignIn:
    """The sign-in of a server client, over at once.

    Raises:
        RemoteRejectedError: the identity server does not take the client.
        RemoteError: no usable answer.
    """
    try:
        tokens = await sign_in_server(resources.http, identity_of(resources.settings), client)
    except AuthExpiredError as error:
        raise RemoteRejectedError(error.cause, system=error.system, fix=error.fix, code=Code.CLIENT_REFUSED) from error
    signed_in = await _look_around(resources, tokens, client)
    resources = resources.of_tenant(beginning.tenant_id)
    async with resources.sessions.begin() as session:
        sign_in = await record_server_sign_in(session, resources.vault, beginning, signed_in)
        if sign_in.key_id is not None:
            await _renew_key(session, resources, sign_in)
        return sign_in


async def end_sign_in(resources: Resources, callback: Callback) -> SignIn:
    """The sign-in that came back, with the companies it reaches; an existing key is in use again at once.

    Raises:
        RequestError: the state is unknown, used or expired, or the administrator cancelled.
        ConflictError: the existing key's company cannot be reached with this sign-in.
        RemoteError: the identity server refused, or is away.
    """
    async with resources.sessions.begin() as session:
        sign_in, begun = await take_return(session, resources.vault, callback.state or "")
    sign_in_id, resources = sign_in.id, resources.of_tenant(sign_in.tenant_id)
    waits = not is_own_browser(sign_in, callback.browser)
    try:
        signed_in = await _exchange(resources, begun, callback)
        # Kept before anything is done with it: what nobody uses is revoked later, and so must be known.
        async with resources.sessions.begin() as session:
            sign_in = await load_sign_in(session, sign_in_id, lock=True)
            await record_return(session, resources.vault, sign_in, signed_in, unconfirmed=waits)
        if sign_in.key_id is not None and not waits:
            async with resources.sessions.begin() as session:
                sign_in = await load_sign_in(session, sign_in_id, lock=True)
                await _renew_key(session, resources, sign_in)
    except Exception as error:
        # Whatever it was: the code is used up, and whoever waits for this sign-in waits in vain.
        cause = error.cause if isinstance(error, ServiceError) else "An unexpected error"
        async with resources.sessions.begin() as session:
            await record_sign_in_failure(session, await load_sign_in(session, sign_in_id, lock=True), cause)
        raise
    wake_workers(resources)
    return sign_in


async def confirm_sign_in(session: Session, resources: Resources, sign_in_id: UUID) -> SignIn:
    """The sign-in that came back in another browser, with an administrator's yes; its key is in use again at once.

    Raises:
        NotFoundError: there is none that this session may see.
        ConflictError: nobody waits for a yes; or it does not reach the key's company.
    """
    sign_in = await load_sign_in(session, sign_in_id, lock=True)
    await record_confirmed(session, sign_in)
    if sign_in.key_id is not None:
        await _renew_key(session, resources, sign_in)
    return sign_in


async def _exchange(resources: Resources, begun: Authorization, callback: Callback) -> SignedIn:
    if callback.code is None:
        raise _ended(callback.error or "")
    identity = identity_of(resources.settings)
    arrival = await exchange_code(resources.http, identity, begun, code=callback.code, issuer=callback.issuer)
    try:
        signed_in = await _look_around(resources, arrival.tokens, None)
    except ServiceError:
        # Nobody will ever use it. If it cannot be revoked now either, it ends by itself.
        with suppress(ServiceError):
            await revoke(resources.http, identity, arrival.tokens.refresh_token)
        raise
    return replace(signed_in, person=arrival.person, company_key=arrival.company_key)


def _ended(error: str) -> ServiceError:
    """Why Unimicro sent the administrator back without a code; what no protocol knows is not repeated."""
    name = error if _ERROR_NAME.fullmatch(error) else "no reason given"
    if error and name == error and error not in _PERSONS_OWN:
        return to_refusal(error)
    cause = f"Unimicro ended the sign-in without access ({name})"
    return RequestError(cause, fix="Start again and accept the permissions.", code=Code.SIGN_IN_CANCELLED)


async def _look_around(resources: Resources, tokens: TokenSet, server: ServerClient | None) -> SignedIn:
    hosts = resources.settings.allowed_hosts
    companies = await fetch_companies(resources.http, tokens)
    files_base = await fetch_files_base(resources.http, tokens.api_base, allowed_hosts=hosts)
    return SignedIn(grant=Grant(tokens=tokens, server=server, files_base=files_base), companies=companies)


async def _renew_key(session: Session, resources: Resources, sign_in: SignIn) -> None:
    if sign_in.key_id is None:
        raise TypeError("only a sign-in for a key renews one")
    signed_in = await use_sign_in(session, resources.vault, sign_in.id)
    key = await load_key(session, sign_in.key_id, lock=True)
    if key.company_key not in {company.key for company in signed_in.companies}:
        raise ConflictError(
            f"This sign-in does not reach {key.company_name}, the company of key “{key.name}”",
            fix="Sign in as a user of that company, or make a new key.",
            code=Code.COMPANY_NOT_REACHED,
        )
    before = {"state": key.state}
    await record_grant(session, resources.vault, key, signed_in.grant)
    await record_signed_in(session, key)
    await wake_key(session, tenant_id=key.tenant_id, key_id=key.id)
    change = Change(
        actor=sign_in.begun_by,
        action="key.signed_in",
        subject=f"key:{key.id}",
        tenant_id=key.tenant_id,
        before=before,
        after={"state": key.state, "client": key.client},
    )
    await record_change(session, change)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOrder:
    """What an administrator chose for a new key; `departments` None means all.

    `company_key` None: the company that was chosen at Unimicro.
    """

    sign_in_id: UUID
    company_key: str | None
    name: str
    mode: str
    sender: str | None
    booking: str | None
    go_live: date
    departments: Sequence[str] | None
    acceptance: Mapping[str, Any] | None = None
    kid_acceptance: Mapping[str, Any] | None = None


async def make_key(session: Session, resources: Resources, order: KeyOrder) -> Key:
    """The new key, in the caller's transaction: when anything is refused, the sign-in can still be used.

    Raises:
        NotFoundError: no such sign-in or department.
        ConflictError: the sign-in cannot be used; the name, a department or “all” is taken; nobody has accepted or
            proven that documents can be booked so.
        RequestError: the sign-in does not reach the company, or nobody has said who sends the invoices.
    """
    verify_answer(Answer(mode=order.mode, sender=order.sender, booking=order.booking, acceptance=order.acceptance))
    sign_in = await load_sign_in(session, order.sign_in_id)
    signed_in = await use_sign_in(session, resources.vault, order.sign_in_id)
    company = _choose_company(signed_in, order)
    booking = Booking(order.booking or Booking.RENUMBERED)
    if order.mode == "full":
        await require_provable(session, tenant_id=sign_in.tenant_id, company_key=company.key, booking=booking)
    new = NewKey(
        tenant_id=sign_in.tenant_id,
        name=order.name,
        company_key=company.key,
        company_name=company.name,
        go_live=order.go_live,
        grant=signed_in.grant,
        mode=order.mode,
        sender=order.sender,
        booking=booking,
        acceptance=order.acceptance,
        kid_acceptance=order.kid_acceptance,
        open_to_all=order.departments is None,
    )
    key = await create_key(session, resources.vault, new)
    await record_served_departments(session, key, order.departments or ())
    return key


def _choose_company(signed_in: SignedIn, order: KeyOrder) -> Company:
    wanted = order.company_key or signed_in.company_key
    company = next((one for one in signed_in.companies if one.key == wanted), None)
    if company is None:
        names = ", ".join(f"{one.name} ({one.key})" for one in signed_in.companies)
        cause = f"The sign-in reaches no company {wanted or 'without a key'}"
        raise RequestError(cause, fix=f"Choose one of: {names}.", code=Code.COMPANY_UNKNOWN)
    return company


@dataclass(frozen=True, slots=True)
class Prospect:
    """A key that is not made yet, and its company to look into."""

    key: Key
    target: Target


async def look_ahead(session: Session, resources: Resources, order: KeyOrder) -> Prospect:
    """The key as the order would make it, for whoever must look into its company before; nothing is made or used.

    Raises:
        NotFoundError, ConflictError, RequestError: see `make_key`.
    """
    verify_answer(Answer(mode=order.mode, sender=order.sender, booking=order.booking, acceptance=order.acceptance))
    sign_in = await load_sign_in(session, order.sign_in_id)
    signed_in = await read_sign_in(session, resources.vault, sign_in)
    company, tokens = _choose_company(signed_in, order), signed_in.grant.tokens
    key = to_unmade_key(tenant_id=sign_in.tenant_id, name=order.name, company_key=company.key, go_live=order.go_live)
    target = open_target(
        resources.http,
        base_url=tokens.api_base,
        company_key=company.key,
        token=partial(_tell_token, tokens),
        on_exchange=lambda _: None,
        slot=lambda: slots_of(resources).hold(company.key),
    )
    return Prospect(key, target)


async def _tell_token(tokens: TokenSet, refused: str | None) -> str:
    if refused is not None:
        cause = "Unimicro does not take the sign-in any more"
        raise AuthExpiredError(cause, system=System.UNIMICRO, fix="Sign in again (POST /v1/keys/connect).")
    return tokens.access_token
