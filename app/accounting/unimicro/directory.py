"""What a sign-in reaches: the companies of its user, and where the other services of the platform are.

Source: docs/facts/unimicro.md §1.6, §2; developer.unimicro.no/guide/authentication/overview [O].
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.accounting.unimicro.auth import TokenSet
from app.accounting.unimicro.claims import split_address
from app.accounting.unimicro.oauth import SIGN_IN_AGAIN
from app.errors import AuthExpiredError, RemoteUnavailableError, System
from app.platform.http import httpx, is_header_text, read_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company there; `key` is what every business call must carry."""

    key: str
    name: str
    organization_number: str
    is_test: bool


async def fetch_companies(http: httpx.AsyncClient, tokens: TokenSet) -> tuple[Company, ...]:
    """The companies of the tokens' user, deleted ones left out, in Unimicro's order.

    Source: docs/facts/unimicro.md §1.6 [O MCP, T].

    Raises:
        AuthExpiredError: the token is not taken.
        RemoteUnavailableError: no usable answer.
    """
    address = f"{tokens.api_base.rstrip('/')}/api/init/companies"
    try:
        answer = await http.get(
            address, headers={"Authorization": f"Bearer {tokens.access_token}"}, follow_redirects=False
        )
    except httpx.RequestError as error:
        raise RemoteUnavailableError(
            f"Unimicro cannot be reached ({type(error).__name__})", system=System.UNIMICRO
        ) from error
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise AuthExpiredError("Unimicro does not accept the sign-in", system=System.UNIMICRO, fix=SIGN_IN_AGAIN)
    try:
        rows = await read_json(answer)
    except ValueError:
        rows = None
    if not answer.is_success or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RemoteUnavailableError(
            f"Unimicro gave no list of companies (status {answer.status_code})", system=System.UNIMICRO
        )
    companies = [row for row in rows if not row.get("Deleted")]
    if not all(map(_has_key, companies)):
        raise RemoteUnavailableError("Unimicro names a company without a key", system=System.UNIMICRO)
    return tuple(map(_to_company, companies))


def _has_key(row: dict[str, Any]) -> bool:
    key = row.get("Key")
    # It goes into a header of every call.
    return isinstance(key, str | int) and bool(key) and is_header_text(str(key))


def _to_company(row: dict[str, Any]) -> Company:
    return Company(
        key=str(row["Key"]),
        name=str(row.get("Name") or ""),
        organization_number=str(row.get("OrganizationNumber") or ""),
        is_test=bool(row.get("IsTest")),
    )


async def fetch_files_base(http: httpx.AsyncClient, api_base: str, *, allowed_hosts: frozenset[str]) -> str | None:
    """Where files are kept, with a slash at its end; None when the platform does not say, or names a foreign host.

    Source: `/api/endpoints`, anonymous (§2 [O]).

    Raises:
        RemoteUnavailableError: no answer.
    """
    try:
        answer = await http.get(f"{api_base.rstrip('/')}/api/endpoints", follow_redirects=False)
    except httpx.RequestError as error:
        raise RemoteUnavailableError(
            f"Unimicro cannot be reached ({type(error).__name__})", system=System.UNIMICRO
        ) from error
    try:
        services = await read_json(answer)
    except ValueError:
        services = None
    files = services.get("Files") if answer.is_success and isinstance(services, dict) else None
    if not isinstance(files, str):
        return None
    address = split_address(files)
    if address is None:
        return None
    is_safe = address.scheme in {"https", urlsplit(api_base).scheme} and address.netloc.lower() in allowed_hosts
    return f"{files.rstrip('/')}/" if is_safe else None
