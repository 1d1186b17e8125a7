"""Signing in to Unimicro: begin, come back, look at what came of it."""

import html
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import Field, SecretStr

from app.accounting.connections import ServerClient, read_pem, read_pkcs12
from app.admin.connect import Callback, begin_server, begin_sign_in, end_sign_in
from app.admin.keys import load_key
from app.admin.listed_keys import require_sign_in
from app.admin.sign_ins import Beginning, load_sign_in, tell_state
from app.api.doors import AdminDoor, Door, ResourcesDep, tell_error
from app.api.views import Order, View, problems
from app.domain.reasons.codes import Code
from app.domain.states import SignInState
from app.errors import RequestError, ServiceError
from app.tables import SignIn

router = APIRouter(tags=["keys"])


class CompanyView(View):
    """A company that the sign-in reaches."""

    key: str = Field(description="To be given as `company_key`")
    name: str = Field(examples=["Nordlys Bemanning AS"])
    organization_number: str = Field(examples=["914778271"])
    is_test: bool


class PendingView(View):
    """A sign-in on its way to a key."""

    pending_id: UUID
    state: SignInState
    key_id: UUID | None = Field(description="The key that is signed in again, if it is one")
    companies: list[CompanyView]
    failure: str | None
    expires_at: datetime


class BegunView(PendingView):
    """A sign-in that has begun; for a server client it is over already."""

    authorize_url: str | None = Field(
        description="Open this in a browser and sign in to Unimicro",
        examples=["https://login.unimicro.no/connect/authorize?client_id=…&state=…"],
    )


class ServerApplication(Order):
    """A server application of Unimicro's developer portal: its certificate file, or its private key."""

    client_id: str = Field(min_length=1, max_length=200, examples=["7e0f3c1a-recman-unimicro"])
    pkcs12: SecretStr | None = Field(None, description="The certificate file, base64")
    password: SecretStr = SecretStr("")
    private_key: SecretStr | None = Field(None, description="An RSA key in PEM form, without password")


class SignInOrder(Order):
    """What to sign in for."""

    key_id: UUID | None = Field(
        None,
        description="Sign this key in again; left out: for a new key",
        examples=["0d1f6c4e-7d0a-4d4e-9c59-7f5b8f1c2a3b"],
    )
    server: ServerApplication | None = Field(None, description="Without a person, as a server application")


@router.post(
    "/v1/keys/connect",
    status_code=201,
    responses=problems(
        _404="not_found",
        _409="key_without_sign_in",
        _422="certificate_unusable",
        _502="client_refused, issuer_unusable",
    ),
)
async def connect(door: AdminDoor, resources: ResourcesDep, order: SignInOrder) -> BegunView:
    """Begin a sign-in to Unimicro; it must come back within ten minutes."""
    tenant_id = door.tenant
    if order.key_id is not None:
        key = await load_key(door.session, order.key_id)
        require_sign_in(key, wish="there is nothing to sign in again")
        tenant_id = key.tenant_id
    # No transaction is open while the identity server is asked.
    await door.session.commit()
    beginning = Beginning(tenant_id=tenant_id, actor=door.caller.actor, key_id=order.key_id)
    url = None
    if order.server is not None:
        sign_in = await begin_server(resources, beginning, _read_client(order.server))
    else:
        sign_in, url = await begin_sign_in(resources, beginning)
    after = {"key_id": str(order.key_id) if order.key_id else None, "server": order.server is not None}
    await door.record("key.connect", f"sign_in:{sign_in.id}", tenant_id=tenant_id, after=after)
    view = await _view(door, sign_in)
    await door.session.commit()
    return BegunView(**view.model_dump(), authorize_url=url)


def _read_client(application: ServerApplication) -> ServerClient:
    if application.pkcs12 is not None:
        pkcs12, password = application.pkcs12.get_secret_value(), application.password.get_secret_value()
        return read_pkcs12(application.client_id, pkcs12=pkcs12, password=password)
    if application.private_key is not None:
        return read_pem(application.client_id, private_key=application.private_key.get_secret_value())
    fix = "Send `pkcs12` with its `password`, or `private_key`."
    raise RequestError("Neither certificate file nor private key was given", fix=fix, code=Code.CERTIFICATE_UNUSABLE)


@router.get("/v1/keys/pending/{pending_id}", responses=problems(_404="sign_in_unknown"))
async def show_pending(door: AdminDoor, pending_id: UUID) -> PendingView:
    """How far a sign-in has come, and the companies to choose from."""
    return await _view(door, await load_sign_in(door.session, pending_id))


_Text = Annotated[str | None, Query(max_length=4000)]


@router.get(
    "/oauth/unimicro/callback",
    responses=problems(
        _409="company_not_reached",
        _422="state_unknown, state_used, state_expired, sign_in_cancelled",
        _502="wrong_issuer, sign_in_refused, no_offline_access",
    ),
    response_model=None,
)
async def come_back(
    request: Request,
    resources: ResourcesDep,
    state: _Text = None,
    code: _Text = None,
    iss: _Text = None,
    error: _Text = None,
) -> Response:
    """Where Unimicro sends the administrator back to; a browser is shown a page, everything else JSON."""
    wants_page = "text/html" in request.headers.get("accept", "")
    try:
        sign_in = await end_sign_in(resources, Callback(state=state, code=code, issuer=iss, error=error))
    except ServiceError as trouble:
        if not wants_page:
            return await tell_error(request, trouble)
        return _page("The sign-in did not work", [f"{trouble.cause}.", trouble.fix], status=trouble.status)
    if wants_page:
        return _page("Signed in to Unimicro", _tell(sign_in), status=200)
    companies = [CompanyView(**row).model_dump() for row in sign_in.companies]
    key_id = str(sign_in.key_id) if sign_in.key_id is not None else None
    return JSONResponse({"pending_id": str(sign_in.id), "key_id": key_id, "companies": companies})


def _tell(sign_in: SignIn) -> list[str]:
    if sign_in.key_id is not None:
        return ["The key is in use again; what waited for it goes on now. You may close this page."]
    listed = [f"{row['name']}{' (test company)' if row['is_test'] else ''}: {row['key']}" for row in sign_in.companies]
    return [f"Now make the key with POST /v1/keys: pending_id {sign_in.id} and one of these companies.", *listed]


def _page(title: str, lines: list[str], *, status: int) -> HTMLResponse:
    body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    text = f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}"
    # The address holds the code: it must not travel on, and nothing foreign may run here.
    headers = {"Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'"}
    return HTMLResponse(text, status_code=status, headers=headers)


async def _view(door: Door, sign_in: SignIn) -> PendingView:
    return PendingView(
        pending_id=sign_in.id,
        state=await tell_state(door.session, sign_in),
        key_id=sign_in.key_id,
        companies=[CompanyView(**row) for row in sign_in.companies],
        failure=sign_in.failure,
        expires_at=sign_in.expires_at,
    )
