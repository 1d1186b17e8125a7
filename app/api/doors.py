"""What every route shares: the resources, who calls, and how errors are answered (RFC 9457)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from app.admin.audit import Change, record_change
from app.admin.kept_answers import record_carried_out
from app.admin.tenants import load_tenant
from app.admin.tokens import Caller, find_caller
from app.api.addresses import find_address, name_household
from app.api.guesses import Tries
from app.api.methods import list_methods
from app.api.views import PROBLEM
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import (
    BusyError,
    DatabaseAwayError,
    ForbiddenError,
    MethodError,
    NotFoundError,
    RemoteError,
    RequestError,
    SchemaError,
    ServiceError,
    TokenError,
    TooLargeError,
    TooManyDeliveriesError,
    TooManyTriesError,
    TooSlowError,
)
from app.platform.db import Session, is_away, is_unstorable, limit_to_tenant, look_at_all
from app.platform.logger import add_log_fields, get_logger
from app.platform.resources import Resources
from app.platform.schema import is_other_schema

_RETRY_AFTER_SECONDS = "5"
# What is wrong with a request is told to a person: so many places of it, and so much of each one's name.
_MOST_PLACES, _LONGEST_PLACE = 10, 200

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


async def verify_caller(request: Request) -> Caller:
    """Whoever holds the bearer token; asked by the gate before the body is read.

    Raises:
        TooManyTriesError: this address has guessed too often.
        TokenError: no token, or none that is good.
    """
    resources: Resources = request.app.state.resources
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    given = token.strip() if kind.lower() == "bearer" else ""
    caller = await _find_caller(resources, given) if given else None
    if caller is None:
        if given:
            await _note_wrong_token(request, resources)
        raise TokenError(
            "No valid admin token", fix="Send `Authorization: Bearer <token>` with a token that is not expired."
        )
    return caller


async def _find_caller(resources: Resources, token: str) -> Caller | None:
    async with resources.sessions.begin() as session:
        return await find_caller(session, token)


async def _note_wrong_token(request: Request, resources: Resources) -> None:
    """Audit the try, up to a number a minute: neither the trail nor the guesser may run away.

    A good token is let in all the same: many people may share one address behind a proxy.
    """
    address = find_address(request, resources.settings.proxies)
    resources.kept(Tries).check(name_household(address))
    resources.kept(Tries).note(name_household(address))
    change = Change(actor=f"address:{address or 'unknown'}", action="token.refused", subject="token:unknown")
    async with resources.sessions.begin() as session:
        await record_change(session, change)


async def require_caller(
    request: Request, _described: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Whom the gate has let in."""
    caller: Caller = request.state.caller
    return caller


@dataclass(frozen=True, slots=True)
class Door:
    """One request that was let in: its session, who calls, and whose data it may touch (None: every tenant's)."""

    session: Session
    caller: Caller
    tenant_id: UUID | None

    @property
    def tenant(self) -> UUID:
        """The one tenant this request is about."""
        if self.tenant_id is None:
            raise RequestError("This is about one tenant", fix="Name it: `?tenant=<id>`.", code=Code.TENANT_MISSING)
        return self.tenant_id

    def verify_for_all(self) -> None:
        """Make sure that what no tenant has of its own is not asked for as one's.

        Raises:
            RequestError: a tenant was named, and nobody would hear it.
        """
        if self.tenant_id is not None:
            fix = "Leave `tenant` out."
            raise RequestError("This belongs to no tenant, and one was named", fix=fix, code=Code.TENANT_NAMED)

    async def record(
        self,
        action: str,
        subject: str,
        *,
        tenant_id: UUID | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Append to the audit trail, in this request's transaction; `tenant_id` is the owner of what was changed."""
        change = Change(
            actor=self.caller.actor,
            action=action,
            subject=subject,
            tenant_id=tenant_id or self.tenant_id,
            before=before,
            after=after,
        )
        await record_change(self.session, change)


TenantQuery = Annotated[UUID | None, Query(alias="tenant", description="Operators only: the tenant this is about")]


async def _open_door(session: Session, caller: Caller, tenant: UUID | None) -> Door:
    tenant_id = caller.tenant_id
    if tenant_id is None and tenant is not None:
        tenant_id = (await load_tenant(session, tenant)).id
    elif tenant not in (None, tenant_id):
        raise NotFoundError(f"There is no tenant {tenant} for you", fix="Leave `tenant` out: your token has its own.")
    if tenant_id is not None:
        limit_to_tenant(session, tenant_id)
        add_log_fields(tenant=str(tenant_id))
    else:
        look_at_all(session)
    return Door(session, caller, tenant_id)


def _require_role(*roles: str) -> Callable[..., Awaitable[Door]]:
    async def open_door(
        request: Request,
        session: SessionDep,
        caller: Annotated[Caller, Depends(require_caller)],
        tenant: TenantQuery = None,
    ) -> Door:
        if caller.role not in roles:
            raise ForbiddenError(
                f"A token with role {caller.role} may not do this", fix=f"Use one with role {' or '.join(roles)}."
            )
        await _note_carried_out(request, session)
        return await _open_door(session, caller, tenant)

    return open_door


async def _note_carried_out(request: Request, session: Session) -> None:
    """Let the request's own transaction say that it was carried out, if it is one to be carried out once."""
    place = getattr(request.state, "once", None)
    if place is not None:
        await record_carried_out(session, place)


# Health and metrics; look; look and change; everything, over all tenants.
MonitorDoor = Annotated[Door, Depends(_require_role("monitor", "operator"))]
ViewerDoor = Annotated[Door, Depends(_require_role("viewer", "admin", "operator"))]
AdminDoor = Annotated[Door, Depends(_require_role("admin", "operator"))]
OperatorDoor = Annotated[Door, Depends(_require_role("operator"))]


async def tell_error(request: Request, error: Exception) -> JSONResponse:
    """Any error as problem details with code, cause and fix."""
    known = _known(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if isinstance(known, DatabaseAwayError | BusyError | TooManyDeliveriesError | TooManyTriesError):
        headers["Retry-After"] = "60" if isinstance(known, TooManyTriesError) else _RETRY_AFTER_SECONDS
    if isinstance(known, MethodError):
        headers["Allow"] = ", ".join(list_methods(request))
    if isinstance(known, TooLargeError | TooSlowError):
        # The rest of the body is nothing that anybody wants to read.
        headers["Connection"] = "close"
    if isinstance(known, TokenError):
        headers["WWW-Authenticate"] = "Bearer"
    body: dict[str, Any] = {
        "type": _address(request, known.code),
        "title": known.code.replace("_", " "),
        "status": known.status,
        "code": known.code,
        "cause": known.cause,
        "fix": known.fix or _advise(known),
    }
    return JSONResponse(body, status_code=known.status, headers=headers, media_type=PROBLEM)


def _advise(error: ServiceError) -> str:
    """What whoever asked can do where the error says nothing: nobody tries a request again for him."""
    if isinstance(error, RemoteError):
        return f"Ask again in a minute or two; if it stays, see whether {error.system} works."
    return "Ask again; if it stays, give the operator the X-Request-Id of this answer."


def _address(request: Request, code: str) -> str:
    """Where the code is explained; without a host where it happens outside of a running service."""
    resources = getattr(getattr(request.scope.get("app"), "state", None), "resources", None)
    base = resources.settings.public_url.rstrip("/") if resources is not None else ""
    return f"{base}/errors/{code}"


def _known(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        return RequestError(f"The request cannot be used: {_name_places(error)}", fix="Correct the named fields.")
    if isinstance(error, HTTPException):
        return _of_framework(error)
    if is_away(error):
        return DatabaseAwayError("The database does not answer", fix=fix_for(Code.DATABASE_AWAY))
    if is_other_schema(error):
        # No trace either: it would be one for every request until somebody has mended it.
        _log.error("schema_unfit", error=type(error.__cause__ or error).__name__)
        return SchemaError("The database's schema is another one than this version's")
    if is_unstorable(error):
        # No trace: it is the caller's, and would be three of them, one for each layer.
        _log.warning("value_refused", error=type(error.__cause__ or error).__name__)
        cause = "The request holds a value that cannot be: a text with NUL in it, or a number beyond all bounds"
        return RequestError(cause, fix="Correct that value.")
    _log.error("unexpected_error", exc_info=error)
    return ServiceError(
        "An unexpected error", fix="Try again; if it stays, give the operator the X-Request-Id of this answer."
    )


def _name_places(error: RequestValidationError) -> str:
    """The first fields that are wrong, and each one's fault: a caller may send any number of them, of any length."""
    parts = error.errors()
    places = [
        f"{'.'.join(map(str, part['loc']))[:_LONGEST_PLACE]}: {part['msg'][:_LONGEST_PLACE]}"
        for part in parts[:_MOST_PLACES]
    ]
    more = [f"and {len(parts) - _MOST_PLACES} more"] if len(parts) > _MOST_PLACES else []
    return "; ".join([*places, *more])


def _of_framework(error: HTTPException) -> ServiceError:
    """What the framework refuses before any of our rooms is asked."""
    fix = "Compare method and address with /docs."
    if error.status_code == NotFoundError.status:
        return NotFoundError("There is nothing at this address", fix=fix)
    if error.status_code == MethodError.status:
        return MethodError("This address takes another method", fix=fix)
    return RequestError(f"The request cannot be used: {error.detail}", fix="Correct it.")
