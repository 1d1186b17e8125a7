"""Signing in to Unimicro: the OAuth protocol alone; who stores what comes of it is not decided here.

Source: docs/facts/unimicro.md §1; developer.unimicro.no/guide/authentication/auth-code [O].
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from app.accounting.unimicro.claims import (
    choose_api_base,
    find_company,
    name_person,
    read_claims,
    split_address,
    verify_identity,
)
from app.accounting.unimicro.oauth import (
    SIGN_IN_AGAIN,
    TOKEN_SECONDS,
    ask_for_tokens,
    open_oauth_client,
    to_unavailable,
)
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import AuthExpiredError, RemoteError, RemoteRejectedError, RemoteUnavailableError, System
from app.platform.figures import timed
from app.platform.http import httpx, read_json

SCOPE = "AppFramework openid profile offline_access"
# A refresh happens under a row lock which may be held for 10 s: this and TOKEN_SECONDS share them.
_DISCOVERY_SECONDS = 3
# Source: §1.3 [O]; for an answer that leaves `expires_in` out.
_TOKEN_LIFE = 3600
_LONGEST_LIFE = 86_400
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Our client at one identity server.

    Shape: `allowed_hosts` are the hosts (with port, if any) that a token may name as API base, lower case.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    default_api_base: str
    allowed_hosts: frozenset[str]
    scope: str = SCOPE


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """What a sign-in or a refresh gives; `expires_at` is the access token's end, in UTC.

    A server client's refresh token is empty: it signs in again with its certificate.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    api_base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What came of a person's sign-in; `company_key` is the company chosen there, None: it is not told."""

    tokens: TokenSet
    person: str = ""
    company_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """What discovery offers; `revocation` None: nothing can be revoked; `sends_issuer`: the callback carries `iss`."""

    issuer: str
    authorization: str
    token: str
    revocation: str | None = None
    sends_issuer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A sign-in that has begun; all but `url` must be kept until the callback."""

    url: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@timed("unimicro_identity", lambda *_: "GET configuration")
async def discover(http: httpx.AsyncClient, issuer: str) -> Endpoints:
    """The identity server's addresses.

    Raises:
        RemoteUnavailableError: it does not answer, or what answers is not this issuer's identity server.
    """
    issuer = issuer.rstrip("/")
    try:
        async with asyncio.timeout(_DISCOVERY_SECONDS):
            answer = await http.get(f"{issuer}/.well-known/openid-configuration", follow_redirects=False)
    except (httpx.RequestError, TimeoutError) as error:
        raise to_unavailable(error) from error
    found = await _parse_discovery(answer) if answer.is_success else None
    if found is None or found.issuer.rstrip("/") != issuer or _is_weaker(found, issuer):
        raise RemoteUnavailableError(
            f"{issuer} does not answer as an identity server (status {answer.status_code})",
            system=System.UNIMICRO,
            fix=fix_for(Code.ISSUER_UNUSABLE),
            code=Code.ISSUER_UNUSABLE,
        )
    return found


async def _parse_discovery(answer: httpx.Response) -> Endpoints | None:
    try:
        document = await read_json(answer)
    except ValueError:
        document = None
    said = document if isinstance(document, dict) else {}
    issuer, begin, token = map(said.get, ("issuer", "authorization_endpoint", "token_endpoint"))
    revocation = said.get("revocation_endpoint")
    if not (isinstance(issuer, str) and isinstance(begin, str) and isinstance(token, str)):
        return None
    return Endpoints(
        issuer=issuer,
        authorization=begin,
        token=token,
        revocation=revocation if isinstance(revocation, str) and revocation else None,
        sends_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _is_weaker(endpoints: Endpoints, issuer: str) -> bool:
    """Whether an address would leave TLS although the issuer has it, or is none."""
    schemes = {"https", urlsplit(issuer).scheme}
    addresses = map(split_address, filter(None, (endpoints.authorization, endpoints.token, endpoints.revocation)))
    return any(address is None or address.scheme not in schemes for address in addresses)


async def authorize_url(
    http: httpx.AsyncClient,
    identity: Identity,
    *,
    new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32),
) -> Authorization:
    """Where to send the administrator, with fresh state, nonce and PKCE verifier.

    Source: §1.3 [O]: `prompt=login`, PKCE S256 accepted beside the client secret.

    Raises:
        RemoteUnavailableError: the identity server does not answer.
    """
    endpoints = await discover(http, identity.issuer)
    state, nonce, verifier = new_secret(), new_secret(), new_secret()
    async with _open_client(http, identity) as client:
        url, _ = client.create_authorization_url(
            endpoints.authorization,
            state=state,
            code_verifier=verifier,
            nonce=nonce,
            scope=identity.scope,
            prompt="login",
        )
    return Authorization(url=url, state=state, nonce=nonce, code_verifier=verifier)


async def exchange_code(
    http: httpx.AsyncClient,
    identity: Identity,
    begun: Authorization,
    *,
    code: str,
    issuer: str | None,
    clock: Callable[[], datetime] = utc_now,
) -> Arrival:
    """What is behind a callback's code; the caller has compared `state` with the one in `begun`.

    `issuer` is the callback's `iss`. Source: §1.3 [O]; RFC 9207.

    Raises:
        RemoteRejectedError: the callback is not from our issuer, the code is used up, or offline access is missing.
        HoldError: the API's host is not on the allow-list.
        RemoteUnavailableError, OutcomeUnknownError: no usable answer; begin again.
    """
    endpoints = await discover(http, identity.issuer)
    if issuer != endpoints.issuer and (issuer is not None or endpoints.sends_issuer):
        raise _refused("The callback does not come from our identity server", Code.WRONG_ISSUER)
    async with _open_client(http, identity) as client:
        answer = await ask_for_tokens(
            lambda: client.fetch_token(
                endpoints.token, grant_type="authorization_code", code=code, code_verifier=begun.code_verifier
            ),
            refused=to_refusal,
        )
    now, id_token = clock(), str(answer.get("id_token"))
    claims = verify_identity(
        id_token, issuer=endpoints.issuer, client_id=identity.client_id, nonce=begun.nonce, now=now
    )
    tokens = _to_lasting_tokens(answer, identity, now, told=claims)
    return Arrival(tokens=tokens, person=name_person(claims), company_key=find_company(claims))


def to_refusal(name: str) -> RemoteError:
    """The error for an OAuth error name with which a person's sign-in ended.

    Source: RFC 6749, 4.1.2.1 and 5.2; of `invalid_scope`: docs/facts/unimicro.md §11 row 10 [T].
    """
    if name in {"server_error", "temporarily_unavailable"}:
        return RemoteUnavailableError(f"The identity server cannot sign anybody in now: {name}", system=System.UNIMICRO)
    if name == "invalid_scope":
        return _refused(
            "The identity server does not let our client ask for these rights: invalid_scope", Code.SCOPE_REFUSED
        )
    if name in {"invalid_client", "unauthorized_client", "invalid_request", "unsupported_response_type"}:
        return _refused(f"The identity server does not take our client: {name}", Code.CLIENT_REFUSED)
    return _refused(f"The identity server refused the sign-in: {name}", Code.SIGN_IN_REFUSED)


async def refresh(
    http: httpx.AsyncClient, identity: Identity, refresh_token: str, *, clock: Callable[[], datetime] = utc_now
) -> TokenSet:
    """New tokens; the old refresh token must be taken for used up.

    Source: §1.3 [O/T]; that refresh tokens rotate is assumed (§9 row 4).

    Raises:
        AuthExpiredError: the refresh token is no longer good.
        OutcomeUnknownError: the call was sent and no answer came; the old token may be used up.
        RemoteUnavailableError: the identity server cannot be reached, or does not take our client at present.
        RemoteThrottledError: too many calls.
        HoldError: the API's host is not on the allow-list.
    """
    endpoints = await discover(http, identity.issuer)
    async with _open_client(http, identity) as client:
        answer = await ask_for_tokens(
            lambda: client.refresh_token(endpoints.token, refresh_token=refresh_token), refused=_refresh_refused
        )
    return _to_lasting_tokens(answer, identity, clock())


async def revoke(http: httpx.AsyncClient, identity: Identity, refresh_token: str) -> bool:
    """Whether the refresh token was revoked; False when the identity server offers no revocation.

    Source: §1.1 [I]: taken from discovery, treated as optional; RFC 7009.

    Raises:
        RemoteUnavailableError: it could not be asked, or did not agree.
    """
    endpoints = await discover(http, identity.issuer)
    if endpoints.revocation is None:
        return False
    async with _open_client(http, identity) as client:
        try:
            async with asyncio.timeout(TOKEN_SECONDS):
                answer = await client.revoke_token(
                    endpoints.revocation,
                    token=refresh_token,
                    token_type_hint="refresh_token",  # noqa: S106 - the kind of token
                )
        except (httpx.RequestError, TimeoutError) as error:
            raise to_unavailable(error) from error
    if not answer.is_success:
        raise RemoteUnavailableError(
            f"The identity server answers {answer.status_code} to the revocation", system=System.UNIMICRO
        )
    return True


def _to_lasting_tokens(
    answer: dict[str, Any], identity: Identity, now: datetime, *, told: Mapping[str, Any] | None = None
) -> TokenSet:
    if not answer.get("refresh_token"):
        raise RemoteRejectedError(
            "The sign-in gave no refresh token: the client may not use the scope offline_access",
            system=System.UNIMICRO,
            fix=fix_for(Code.NO_OFFLINE_ACCESS),
            code=Code.NO_OFFLINE_ACCESS,
        )
    return to_tokens(answer, identity, now, told=told)


def to_tokens(
    answer: dict[str, Any], identity: Identity, now: datetime, *, told: Mapping[str, Any] | None = None
) -> TokenSet:
    """The token endpoint's answer with its end in time and the API base it names.

    `told`: the id token's claims, for an access token that nobody can read.

    Raises:
        HoldError: the API's host is not on the allow-list.
    """
    access_token = answer["access_token"]
    claims, hosts = {**(told or {}), **read_claims(access_token)}, identity.allowed_hosts
    return TokenSet(
        access_token=access_token,
        refresh_token=answer.get("refresh_token") or "",
        expires_at=now + timedelta(seconds=_read_life(answer.get("expires_in"))),
        api_base=choose_api_base(claims, default=identity.default_api_base, allowed_hosts=hosts),
    )


def _read_life(said: object) -> int:
    """How many seconds a token is good for; what is no such number is as good as left out."""
    is_number = isinstance(said, int | str) and not isinstance(said, bool) and str(said).isascii()
    seconds = int(said) if is_number and str(said).isdecimal() and len(str(said)) < _MOST_DIGITS else 0  # type: ignore[call-overload]
    return min(seconds, _LONGEST_LIFE) or _TOKEN_LIFE


def _refresh_refused(name: str) -> RemoteError:
    if name == "invalid_grant":
        return AuthExpiredError("Unimicro no longer accepts the sign-in", system=System.UNIMICRO, fix=SIGN_IN_AGAIN)
    # Our client's registration or secret: once that is corrected every key works again, without a sign-in.
    return RemoteUnavailableError(
        f"The identity server does not take our client: {name}",
        system=System.UNIMICRO,
        fix=fix_for(Code.CLIENT_REFUSED),
        code=Code.CLIENT_REFUSED,
    )


def _refused(cause: str, code: Code) -> RemoteRejectedError:
    return RemoteRejectedError(cause, system=System.UNIMICRO, fix=fix_for(code), code=code)


def _open_client(http: httpx.AsyncClient, identity: Identity) -> AbstractAsyncContextManager[Any]:
    return open_oauth_client(
        http,
        client_id=identity.client_id,
        client_secret=identity.client_secret,
        redirect_uri=identity.redirect_uri,
    )
