"""What a token says about itself, read without checking its signature.

Only for tokens that came straight from the token endpoint over TLS, where the connection vouches for them.
Source: OpenID Connect Core 1.0 §3.1.3.7, item 6.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit

from app.domain.money import parse_json
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.errors import HoldError, RemoteRejectedError, System
from app.platform.http import httpx

_LONGEST_NAME = 200


def split_address(text: str) -> SplitResult | None:
    """The parts of an address; None when it is none."""
    try:
        found = urlsplit(text)
        # Asked for now, for these raise as well.
        _ = found.hostname, found.port, httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        return None
    return found


# Two clocks are seldom the same.
_SKEW_SECONDS = 60
_LONGEST_NAME = 200


def read_claims(token: str) -> dict[str, Any]:
    """The claims of a JWT; empty when the token is none (an opaque token is allowed to be)."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return {}
    try:
        claims = parse_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def verify_identity(token: str, *, issuer: str, client_id: str, nonce: str, now: datetime) -> dict[str, Any]:
    """The claims of an id token that answers our own sign-in, and is good still.

    Source: OpenID Connect Core 1.0 §3.1.3.7, items 2 to 5, 9 and 11.

    Raises:
        RemoteRejectedError: issuer, audience, authorised party, end or nonce is not as it must be.
    """
    claims = read_claims(token)
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp", client_id if len(listed) == 1 else None)
    wrong = [
        name
        for name, good in (
            ("issuer", claims.get("iss") == issuer),
            ("audience", client_id in listed),
            ("authorised party", party == client_id),
            ("end", _ends_later(claims.get("exp"), now)),
            ("nonce", claims.get("nonce") == nonce),
        )
        if not good
    ]
    if wrong:
        raise RemoteRejectedError(
            f"The identity token has not the {' and '.join(wrong)} that this sign-in needs",
            system=System.UNIMICRO,
            fix=fix_for(Code.SIGN_IN_MISMATCH),
            code=Code.SIGN_IN_MISMATCH,
        )
    return claims


def _ends_later(end: object, now: datetime) -> bool:
    is_number = isinstance(end, int | Decimal) and not isinstance(end, bool)
    return is_number and end > now.timestamp() - _SKEW_SECONDS  # type: ignore[operator]


def name_person(claims: Mapping[str, Any]) -> str:
    """Who has signed in, as people know him; empty: nobody says. Source: OpenID Connect Core 1.0 §5.1."""
    told = (claims.get(name) for name in ("name", "preferred_username", "email", "sub"))
    return next((one[:_LONGEST_NAME] for one in told if isinstance(one, str) and one.strip()), "")


def find_company(claims: Mapping[str, Any]) -> str | None:
    """The key of the company that was chosen at the sign-in, if it is told. Source: docs/facts/unimicro.md §1.5 [T]."""
    company = claims.get("companyKey")
    return company if isinstance(company, str) and company else None


def choose_api_base(claims: Mapping[str, Any], *, default: str, allowed_hosts: frozenset[str]) -> str:
    """Where the API of the platform is that the user chose: claim `AppFramework`, else the configured base.

    Shape: ends with a slash, so that a path can be put behind it; without one the host itself would change.

    Plain http is taken only where the configured base has it (a sandbox).
    Source: docs/facts/unimicro.md §1.5 [T, three independent].

    Raises:
        HoldError: the claim names a host that is not on the allow-list.
    """
    claim = claims.get("AppFramework")
    if not isinstance(claim, str) or not claim:
        return f"{default.rstrip('/')}/"
    address = split_address(claim)
    good_scheme = address is not None and address.scheme in {"https", urlsplit(default).scheme}
    if address is None or not good_scheme or address.netloc.lower() not in allowed_hosts:
        named = "something else than an address" if address is None else f"{address.scheme}://{address.hostname}"
        cause = f"Unimicro names {named[:_LONGEST_NAME]} as its API, which is not an allowed host"
        raise HoldError((Reason(code=Code.API_HOST_NOT_ALLOWED, cause=cause, fix=fix_for(Code.API_HOST_NOT_ALLOWED)),))
    return f"{claim.rstrip('/')}/"
