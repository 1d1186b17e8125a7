"""The second way in: a server client that signs in with its certificate instead of a person.

Source: docs/facts/unimicro.md §1.2; developer.unimicro.no/guide/authentication/server [O]. That the scope AppFramework
alone is enough, and that the certificate may travel as `x5c`, is assumed.
"""

import base64
import binascii
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from app.accounting.unimicro.auth import Identity, TokenSet, discover, to_tokens, utc_now
from app.accounting.unimicro.oauth import ask_for_tokens
from app.domain.reasons.codes import Code
from app.errors import AuthExpiredError, OutcomeUnknownError, RemoteError, RemoteUnavailableError, RequestError, System
from app.platform.http import AsyncOAuth2Client, ClientTransport, PrivateKeyJWT, httpx

_SCOPE = "AppFramework"
# As in the official sample.
_ASSERTION_SECONDS = 60
_FIX = "Take the certificate file (PKCS#12) and its password from Unimicro's developer portal, and enter them again."


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerClient:
    """A server application of the developer portal; `certificate` is base64 of its DER form, may be empty."""

    client_id: str
    private_key: str = field(repr=False)
    certificate: str = ""


def read_pkcs12(client_id: str, *, pkcs12: str, password: str) -> ServerClient:
    """The client behind a certificate file as the portal gives it; `pkcs12` is base64.

    Raises:
        RequestError: not a PKCS#12 file with an RSA key, or the password is wrong.
    """
    try:
        found, certificate, _ = load_key_and_certificates(base64.b64decode(pkcs12, validate=True), password.encode())
    except (ValueError, binascii.Error):
        raise RequestError("The certificate file cannot be read", fix=_FIX, code=Code.CERTIFICATE_UNUSABLE) from None
    if not isinstance(found, RSAPrivateKey):
        raise RequestError("The certificate file holds no RSA key", fix=_FIX, code=Code.CERTIFICATE_UNUSABLE)
    shown = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode() if certificate is not None else ""
    return ServerClient(client_id=client_id, private_key=_to_pem(found), certificate=shown)


def read_pem(client_id: str, *, private_key: str) -> ServerClient:
    """The client with a private key in PEM form, without password.

    Raises:
        RequestError: no such key.
    """
    try:
        found = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        raise RequestError("The private key cannot be read", fix=_FIX, code=Code.CERTIFICATE_UNUSABLE) from None
    if not isinstance(found, RSAPrivateKey):
        raise RequestError("The private key is no RSA key", fix=_FIX, code=Code.CERTIFICATE_UNUSABLE)
    return ServerClient(client_id=client_id, private_key=_to_pem(found))


def _to_pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def sign_in_server(
    http: httpx.AsyncClient, identity: Identity, client: ServerClient, *, clock: Callable[[], datetime] = utc_now
) -> TokenSet:
    """An access token for the companies that have activated the server application.

    Raises:
        AuthExpiredError: the identity server does not take the client or its certificate.
        RemoteUnavailableError, RemoteThrottledError: no usable answer; nothing is used up, so try again.
        HoldError: the API's host is not on the allow-list.
    """
    endpoints = await discover(http, identity.issuer)
    async with _open_client(http, client, endpoints.token) as oauth:
        try:
            answer = await ask_for_tokens(
                lambda: oauth.fetch_token(
                    endpoints.token, grant_type="client_credentials", scope=_SCOPE, client_id=client.client_id
                ),
                refused=_refused,
            )
        except OutcomeUnknownError as error:
            raise RemoteUnavailableError(error.cause, system=System.UNIMICRO) from error
    return to_tokens(answer, identity, clock())


@asynccontextmanager
async def _open_client(http: httpx.AsyncClient, client: ServerClient, token_endpoint: str) -> AsyncIterator[Any]:
    now = int(time.time())
    oauth = AsyncOAuth2Client(
        client_id=client.client_id,
        client_secret=client.private_key,
        token_endpoint_auth_method=PrivateKeyJWT.name,
        transport=ClientTransport(http),
        timeout=http.timeout,
        trust_env=False,
    )
    claims = {"nbf": now, "exp": now + _ASSERTION_SECONDS}
    headers = {"x5c": [client.certificate]} if client.certificate else None
    oauth.register_client_auth_method(PrivateKeyJWT(token_endpoint, claims=claims, headers=headers))
    async with oauth:
        yield oauth


def _refused(name: str) -> RemoteError:
    if name in {"invalid_client", "unauthorized_client", "invalid_scope", "invalid_grant"}:
        return AuthExpiredError(
            f"The identity server does not take the server client: {name}", system=System.UNIMICRO, fix=_FIX
        )
    return RemoteUnavailableError(
        f"The identity server refuses the server client at present: {name}", system=System.UNIMICRO
    )
