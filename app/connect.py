"""Signing in to Unimicro and making a key of it: begin, come back from the sign-in, choose the company."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from app.accounting.unimicro.auth import (
    Authorization,
    Company,
    TokenSet,
    authorize_url,
    exchange_code,
    fetch_companies,
)
from app.errors import NotFoundError, RequestError
from app.keys import create_key, identity_of
from app.resources import Resources

# Stands for the person: takes the address to sign in at, gives the address they were sent back to.
Browse = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in gives: tokens, and the companies to choose from."""

    tokens: TokenSet
    companies: tuple[Company, ...]


async def begin_sign_in(resources: Resources) -> Authorization:
    """The address to send an administrator to, with the secrets to keep until they come back."""
    return await authorize_url(resources.http, identity_of(resources.settings))


async def end_sign_in(resources: Resources, begun: Authorization, callback: str) -> SignedIn:
    """The tokens and companies behind the address that the administrator was sent back to.

    Raises:
        RequestError: consent was cancelled, or the state is not the one that was sent.
        RemoteError: the identity server refused, or is away.
    """
    query = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
    if query.get("state") != begun.state:
        raise RequestError("The sign-in came back with another state than it left with", fix="Start the sign-in anew.")
    if "code" not in query:
        cause = f"Unimicro ended the sign-in without access ({query.get('error', 'no reason given')})"
        raise RequestError(cause, fix="Start again and accept the permissions.", code="sign_in_cancelled")
    identity = identity_of(resources.settings)
    tokens = await exchange_code(resources.http, identity, begun, code=query["code"], issuer=query.get("iss"))
    companies = await fetch_companies(resources.http, tokens)
    return SignedIn(tokens=tokens, companies=companies)


async def connect_key(
    resources: Resources, browse: Browse, *, tenant_id: UUID, name: str, company: str, open_to_all: bool
) -> UUID:
    """The id of a new key to the named company, signed in through `browse`.

    Raises:
        NotFoundError: the sign-in does not reach a company of that name.
    """
    begun = await begin_sign_in(resources)
    signed_in = await end_sign_in(resources, begun, await browse(begun.url))
    found = [one for one in signed_in.companies if one.name == company]
    if not found:
        names = ", ".join(one.name for one in signed_in.companies)
        raise NotFoundError(f"The sign-in reaches no company “{company}”", fix=f"Choose one of: {names}.")
    async with resources.sessions.begin() as session:
        return await create_key(
            session,
            resources.vault,
            tenant_id=tenant_id,
            name=name,
            company_key=found[0].key,
            company_name=found[0].name,
            tokens=signed_in.tokens,
            open_to_all=open_to_all,
        )


async def browse_without_person(resources: Resources, url: str) -> str:
    """Where the sandbox's sign-in, which asks nobody anything, sends its visitor."""
    answer = await resources.http.get(url)
    location: str = answer.headers.get("location", "")
    return location
