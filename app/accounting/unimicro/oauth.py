"""Calls to a token endpoint: Authlib's client over our connections, and its troubles told apart by what they mean."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from app.accounting.unimicro.answers import ODD_ANSWER, read_retry_after
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import OutcomeUnknownError, RemoteError, RemoteThrottledError, RemoteUnavailableError, System
from app.platform.figures import timed
from app.platform.http import AsyncOAuth2Client, ClientTransport, OAuthError, httpx, is_header_text

TOKEN_SECONDS = 7
SIGN_IN_AGAIN = fix_for(Code.SIGN_IN_AGAIN)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@asynccontextmanager
async def open_oauth_client(
    http: httpx.AsyncClient, *, client_id: str, client_secret: str, redirect_uri: str
) -> AsyncIterator[Any]:
    """Authlib's client, speaking through `http`; client id and secret travel in the body, of a public client the id.

    Source: docs/facts/unimicro.md §1.2, §11 row 11 [O].
    """
    method = "client_secret_post" if client_secret else "none"
    client = AsyncOAuth2Client(
        client_id=client_id,
        client_secret=client_secret,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        transport=ClientTransport(http),
        timeout=http.timeout,
        trust_env=False,
    )
    async with client:
        yield client


@timed("unimicro_identity", lambda *_, **_refused: "POST token")
async def ask_for_tokens(
    call: Callable[[], Awaitable[Any]], *, refused: Callable[[str], RemoteError]
) -> dict[str, Any]:
    """The token endpoint's answer, with an access token in it; no error text holds a token.

    Raises:
        RemoteError: as `refused` makes it of an OAuth error name.
        RemoteUnavailableError: surely not carried out, or a 5xx.
        RemoteThrottledError: 429.
        OutcomeUnknownError: sent, and no usable answer came: a refresh token may be used up.
    """
    try:
        async with asyncio.timeout(TOKEN_SECONDS):
            answer: dict[str, Any] = dict(await call())
    except OAuthError as error:
        raise refused(str(error.error)) from error
    except _NOT_SENT as error:
        raise to_unavailable(error) from error
    except httpx.HTTPStatusError as error:
        raise _to_status_error(error.response) from error
    except (httpx.RequestError, httpx.InvalidURL, TimeoutError, *ODD_ANSWER) as error:
        cause = "The identity server gave no usable answer to a token call"
        raise OutcomeUnknownError(cause, system=System.UNIMICRO, fix=SIGN_IN_AGAIN) from error
    if not _is_token(answer.get("access_token")) or not _is_token(answer.get("refresh_token") or "none"):
        raise OutcomeUnknownError(
            "The identity server's answer holds no access token", system=System.UNIMICRO, fix=SIGN_IN_AGAIN
        )
    return answer


def _is_token(said: object) -> bool:
    return isinstance(said, str) and bool(said) and is_header_text(said)


def to_unavailable(error: Exception) -> RemoteUnavailableError:
    """The error for an identity server that cannot be reached."""
    return RemoteUnavailableError(
        f"The identity server cannot be reached ({type(error).__name__})", system=System.UNIMICRO
    )


def _to_status_error(answer: httpx.Response) -> RemoteError:
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        seconds = read_retry_after(answer.headers.get("Retry-After"), now=datetime.now(UTC))
        return RemoteThrottledError("The identity server asks for a pause", system=System.UNIMICRO, retry_after=seconds)
    cause = f"The identity server answers {answer.status_code}"
    return RemoteUnavailableError(cause, system=System.UNIMICRO)
