"""Signing in to Unimicro: begin, look at what came of it, say yes to it; the browser's part is in `browser`."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, SecretStr

from app.accounting.connections import ServerClient, read_pem, read_pkcs12
from app.admin.connect import begin_server, begin_sign_in, confirm_sign_in
from app.admin.keys import load_key
from app.admin.sign_ins import Beginning, load_sign_in, tell_state
from app.api.doors import AdminDoor, Door, ResourcesDep
from app.api.views import Order, View, problems, shown_once
from app.domain.reasons.codes import Code
from app.domain.states import SignInState
from app.engine.wakeup import wake_workers
from app.errors import RequestError
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
    person: str | None = Field(description="Who has signed in, as Unimicro names him", examples=["Kari Nordmann"])
    company_key: str | None = Field(description="The company that was chosen at Unimicro, where it tells that")
    companies: list[CompanyView]
    failure: str | None
    expires_at: datetime


class BegunView(PendingView):
    """A sign-in that has begun; for a server client it is over already."""

    authorize_url: str | None = shown_once(
        description="Open this in the browser that is to come back: it leads to Unimicro's sign-in",
        examples=["https://example.com/oauth/unimicro/begin/ticket_9fK2…"],
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
    operation_id="begin_sign_in",
    status_code=201,
    responses=problems(
        _404="not_found",
        _409="sign_ins_open",
        _422="certificate_unusable",
        _502="client_refused, issuer_unusable, scope_refused",
    ),
)
async def connect(door: AdminDoor, resources: ResourcesDep, order: SignInOrder) -> BegunView:
    """Begin a sign-in to Unimicro; it must come back within ten minutes."""
    tenant_id = door.tenant
    if order.key_id is not None:
        tenant_id = (await load_key(door.session, order.key_id)).tenant_id
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


@router.get("/v1/sign-ins/{pending_id}", operation_id="show_sign_in", responses=problems(_404="sign_in_unknown"))
async def show_pending(door: AdminDoor, pending_id: UUID) -> PendingView:
    """How far a sign-in has come, who it was, and the companies to choose from."""
    return await _view(door, await load_sign_in(door.session, pending_id))


@router.post(
    "/v1/sign-ins/{pending_id}/confirm",
    operation_id="confirm_sign_in",
    responses=problems(_404="sign_in_unknown", _409="sign_in_confirmed, company_not_reached"),
)
async def confirm(door: AdminDoor, resources: ResourcesDep, pending_id: UUID) -> PendingView:
    """Say yes to a sign-in that came back in another browser than the one that opened `authorize_url`.

    Somebody else may have signed in with an address that was handed on: look at `person` and `companies` first.
    """
    sign_in = await confirm_sign_in(door.session, resources, pending_id)
    after = {"person": sign_in.person, "key_id": str(sign_in.key_id) if sign_in.key_id else None}
    await door.record("key.confirm_sign_in", f"sign_in:{sign_in.id}", tenant_id=sign_in.tenant_id, after=after)
    view = await _view(door, sign_in)
    await door.session.commit()
    wake_workers(resources)
    return view


async def _view(door: Door, sign_in: SignIn) -> PendingView:
    return PendingView(
        pending_id=sign_in.id,
        state=await tell_state(door.session, sign_in),
        key_id=sign_in.key_id,
        person=sign_in.person or None,
        company_key=sign_in.company_key,
        companies=[CompanyView(**row) for row in sign_in.companies],
        failure=sign_in.failure,
        expires_at=sign_in.expires_at,
    )
