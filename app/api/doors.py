"""What every route shares: the resources, who calls, and how errors are told (RFC 9457)."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.db import Session, is_away
from app.errors import DatabaseAwayError, RequestError, ServiceError, SignatureError
from app.log import get_logger
from app.resources import Resources
from app.tokens import Caller, find_caller

_RETRY_AFTER_SECONDS = "5"

_log = get_logger(__name__)
_bearer = HTTPBearer(auto_error=False, description="An admin token")


async def get_resources(request: Request) -> Resources:  # async: a plain function would cost a thread hop
    """This process's resources, opened by the lifespan."""
    resources: Resources = request.app.state.resources
    return resources


ResourcesDep = Annotated[Resources, Depends(get_resources)]


async def open_session(resources: ResourcesDep) -> AsyncIterator[Session]:
    """A session for one request; a route that writes commits before it returns."""
    async with resources.sessions() as session:
        yield session


SessionDep = Annotated[Session, Depends(open_session)]


async def require_caller(
    session: SessionDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Whoever holds the bearer token.

    Raises:
        SignatureError: no token, or none that is good.
    """
    caller = await find_caller(session, credentials.credentials) if credentials is not None else None
    if caller is None:
        raise SignatureError(
            "No valid admin token", fix="Send `Authorization: Bearer <token>` with a token that is not expired."
        )
    return caller


CallerDep = Annotated[Caller, Depends(require_caller)]


async def tell_error(_request: Request, error: Exception) -> JSONResponse:
    """Any error as problem details with code, cause and fix."""
    known = _known(error)
    headers = {}
    if isinstance(known, DatabaseAwayError):
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    if known.status == SignatureError.status:
        headers["WWW-Authenticate"] = "Bearer"
    body: dict[str, Any] = {
        "type": f"urn:recman-unimicro:{known.code}",
        "title": known.code.replace("_", " "),
        "status": known.status,
        "code": known.code,
        "cause": known.cause,
        "fix": known.fix,
    }
    return JSONResponse(body, status_code=known.status, headers=headers, media_type="application/problem+json")


def _known(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        places = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        return RequestError(f"The request cannot be used: {places}", fix="Correct the named fields.")
    if is_away(error):
        return DatabaseAwayError("The database does not answer", fix="Nothing was stored; try again in a few seconds.")
    _log.error("unexpected_error", exc_info=error)
    return ServiceError("An unexpected error", fix="Try again; if it stays, give the operator the time of the call.")
