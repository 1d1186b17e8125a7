"""The identity server, on a port of its own: discovery, authorise, token, revocation, userinfo, keys.

Source: docs/facts/unimicro.md §1.1-§1.5 [O/T], §11 row 12 (a bare host as issuer, no `nbf` asked for). Assumed:
refresh tokens rotate (option), `invalid_client` is a 400, revocation follows RFC 7009, the issuer is the address the
request was sent to, a sign-in is bound to the company chosen there (the first, or the key in `sandbox_company`).
"""

import base64
import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.sandbox.unimicro.assertions import find_assertion
from app.sandbox.unimicro.options import DEFAULT_REDIRECT_URI, SandboxOptions
from app.sandbox.unimicro.seed import COMPANIES, to_company_key

SUBJECT = "sandbox-user"
PERSON = {"sub": SUBJECT, "name": "Sandbox Administrator", "email": "admin@nordlys.example"}
SCOPES: tuple[str, ...] = (
    "AppFramework",
    "openid",
    "profile",
    "offline_access",
    "Sales.Admin",
    "Sales.Manager",
    "Sales.Invoice",
)
SCOPES += ("Administrator", "Webhook.Admin", "Accounting.Reporting")


FIRST_COMPANY = to_company_key(COMPANIES[0][1])


class OAuthError(Exception):
    """An OAuth error answer, e.g. `invalid_grant`; always a 400 here."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a code or a refresh token stands for."""

    scope: str
    redirect_uri: str
    nonce: str | None
    code_challenge: str | None
    company_key: str = ""


@dataclass(slots=True, kw_only=True)
class Identity:
    """The identity server's memory: codes, refresh tokens, and the access tokens that still work.

    Shape: `api_base` is where the API stands, with a slash at its end; `issuer` where this server does, without.
    """

    options: SandboxOptions
    api_base: str = "http://127.0.0.1:8102/"
    issuer: str = "http://127.0.0.1:8103"
    codes: dict[str, Grant] = field(default_factory=dict)
    refresh_tokens: dict[str, Grant] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    assertions: set[str] = field(default_factory=set)
    refreshes: int = 0

    def begin(self, options: SandboxOptions) -> None:
        """As new, under these options: nobody has signed in yet."""
        self.options = options
        self.codes, self.refresh_tokens = {}, {}
        self.live, self.assertions = set(), set()
        self.refreshes = 0

    def expire_access_tokens(self) -> None:
        """Every access token given out so far is refused from now on."""
        self.live.clear()

    def find_claims(self, authorization: str | None) -> dict[str, Any] | None:
        """The claims of a Bearer header, or None when the token is not valid now."""
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer":
            return None
        try:
            claims = _read_token(token)
        except (JoseError, ValueError):
            return None
        alive = claims["jti"] in self.live and claims["exp"] > self.options.clock().timestamp()
        return claims if alive else None


@cache
def signing_key() -> RSAKey:
    """The key all tokens of this process are signed with."""
    return RSAKey.generate_key(2048, {"kid": "sandbox-1", "use": "sig", "alg": "RS256"})


@lru_cache(maxsize=1000)
def _read_token(token: str) -> dict[str, Any]:
    # Every call brings one, mostly the same, and a signature that was right stays right.
    return jwt.decode(token, signing_key(), algorithms=["RS256"]).claims


def to_issuer(request: Request) -> str:
    """The issuer, as in discovery, in tokens and in the callback: the address the request came to."""
    return str(request.base_url).rstrip("/")


def create_routes(identity: Identity) -> APIRouter:
    """The identity server's routes."""
    router = APIRouter(tags=["identity"])

    @router.get("/.well-known/openid-configuration")
    async def discovery(request: Request) -> Response:
        return JSONResponse(_to_discovery(to_issuer(request)))

    @router.get("/.well-known/openid-configuration/jwks")
    async def jwks() -> Response:
        return JSONResponse(KeySet([signing_key()]).as_dict(private=False))

    @router.get("/connect/authorize")
    async def authorize(request: Request) -> Response:
        return _authorize(identity, request)

    @router.post("/connect/token")
    async def token(request: Request) -> Response:
        return _give_tokens(identity, request, await request.body())

    @router.post("/connect/revocation")
    async def revocation(request: Request) -> Response:
        return _revoke(identity, await request.body())

    @router.get("/connect/userinfo")
    async def userinfo(request: Request) -> Response:
        known = identity.find_claims(request.headers.get("authorization"))
        return JSONResponse(PERSON) if known else Response(status_code=401)

    return router


def _to_discovery(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/openid-configuration/jwks",
        "authorization_endpoint": f"{issuer}/connect/authorize",
        "token_endpoint": f"{issuer}/connect/token",
        "userinfo_endpoint": f"{issuer}/connect/userinfo",
        "revocation_endpoint": f"{issuer}/connect/revocation",
        "scopes_supported": list(SCOPES),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "none", "private_key_jwt"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": True,
    }


def _authorize(identity: Identity, request: Request) -> Response:
    """Back to the client with a code, as if a user had agreed; `sandbox_error` in the query ends it with that error."""
    query = request.query_params
    redirect_uri = query.get("redirect_uri", "")
    if query.get("client_id") != identity.options.client_id:
        return JSONResponse({"error": "unauthorized_client"}, 400)
    if redirect_uri not in (DEFAULT_REDIRECT_URI, *identity.options.redirect_uris):
        return JSONResponse({"error": "invalid_request", "error_description": "Invalid redirect_uri"}, 400)
    answer = {"state": query["state"]} if "state" in query else {}
    answer["iss"] = to_issuer(request)
    error = query.get("sandbox_error") or identity.options.authorize_error or _find_request_error(request)
    if error:
        answer["error"] = error
    else:
        answer["code"] = secrets.token_urlsafe(24)
        identity.codes[answer["code"]] = Grant(
            scope=query.get("scope", ""),
            redirect_uri=redirect_uri,
            nonce=query.get("nonce"),
            code_challenge=query.get("code_challenge"),
            company_key=query.get("sandbox_company") or FIRST_COMPANY,
        )
    return RedirectResponse(f"{redirect_uri}?{urlencode(answer)}", 302)


def _find_request_error(request: Request) -> str | None:
    query = request.query_params
    scopes = query.get("scope", "").split()
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if not scopes or not set(scopes) <= set(SCOPES):
        return "invalid_scope"
    if "code_challenge" in query and query.get("code_challenge_method") != "S256":
        return "invalid_request"
    return None


def _verify_client(options: SandboxOptions, form: dict[str, str]) -> dict[str, str]:
    wanted = (options.client_id, options.client_secret or None)
    if (form.get("client_id"), form.get("client_secret")) != wanted:
        raise OAuthError("invalid_client")
    return form


def _give_tokens(identity: Identity, request: Request, body: bytes) -> Response:
    try:
        tokens = _exchange(identity, request, dict(parse_qsl(body.decode())))
    except OAuthError as error:
        return JSONResponse({"error": error.code}, 400)
    return JSONResponse(tokens, headers={"Cache-Control": "no-store"})


def _exchange(identity: Identity, request: Request, form: dict[str, str]) -> dict[str, Any]:
    kind = form.get("grant_type")
    if kind == "client_credentials":
        _verify_server(identity, request, form)
        return _issue_to_server(identity, request, form.get("scope", ""))
    _verify_client(identity.options, form)
    if kind == "authorization_code":
        grant = _take_code(identity, form)
        return _issue(identity, request, grant, refresh_token=None)
    if kind == "refresh_token":
        old = form.get("refresh_token", "")
        known = identity.refresh_tokens.get(old)
        if known is None:
            raise OAuthError("invalid_grant")
        identity.refreshes += 1
        if identity.options.rotate_refresh_tokens:
            del identity.refresh_tokens[old]
        return _issue(identity, request, known, refresh_token=old)
    raise OAuthError("unsupported_grant_type")


def _verify_server(identity: Identity, request: Request, form: dict[str, str]) -> None:
    used = find_assertion(identity.options, form, audience=f"{to_issuer(request)}/connect/token")
    if used is None or used in identity.assertions:
        raise OAuthError("invalid_client")
    identity.assertions.add(used)


def _issue_to_server(identity: Identity, request: Request, scope: str) -> dict[str, Any]:
    if not scope or not set(scope.split()) <= set(SCOPES) - {"openid", "profile", "offline_access"}:
        raise OAuthError("invalid_scope")
    return {
        "access_token": _to_access_token(identity, request, scope),
        "expires_in": identity.options.token_seconds,
        "token_type": "Bearer",
        "scope": scope,
    }


def _take_code(identity: Identity, form: dict[str, str]) -> Grant:
    """A code works once; a wrong address or verifier uses it up too."""
    grant = identity.codes.pop(form.get("code", ""), None)
    if grant is None or grant.redirect_uri != form.get("redirect_uri"):
        raise OAuthError("invalid_grant")
    if not identity.options.client_secret and not grant.code_challenge:
        raise OAuthError("invalid_grant")
    if grant.code_challenge and grant.code_challenge != _to_challenge(form.get("code_verifier", "")):
        raise OAuthError("invalid_grant")
    return grant


def _to_challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _issue(identity: Identity, request: Request, grant: Grant, *, refresh_token: str | None) -> dict[str, Any]:
    tokens: dict[str, Any] = {
        "access_token": _to_access_token(identity, request, grant.scope),
        "expires_in": identity.options.token_seconds,
        "token_type": "Bearer",
        "scope": grant.scope,
    }
    scopes = grant.scope.split()
    if "openid" in scopes and refresh_token is None:
        tokens["id_token"] = _to_id_token(identity, request, grant)
    if "offline_access" in scopes:
        rotated = refresh_token is None or identity.options.rotate_refresh_tokens
        tokens["refresh_token"] = secrets.token_urlsafe(32) if rotated else refresh_token
        identity.refresh_tokens[tokens["refresh_token"]] = grant
    return tokens


def _to_access_token(identity: Identity, request: Request, scope: str) -> str:
    """A JWT for the API; claim `AppFramework` = API base (§1.5 [T]). Without that scope the API refuses it (§1.4)."""
    audience = [f"{to_issuer(request)}/resources"]
    claims: dict[str, Any] = {"jti": uuid.uuid4().hex, "scope": scope.split()}
    if "AppFramework" in claims["scope"]:
        audience.insert(0, "AppFramework")
        claims |= {"AppFramework": identity.api_base} if identity.options.access_token_base else {}
    claims |= {"aud": audience, "client_id": identity.options.client_id}
    identity.live.add(claims["jti"])
    return _sign(identity, request, claims, kind="at+jwt")


def _to_id_token(identity: Identity, request: Request, grant: Grant) -> str:
    claims: dict[str, Any] = {"aud": identity.options.client_id, "name": PERSON["name"]}
    if grant.nonce:
        claims["nonce"] = grant.nonce
    if identity.options.id_token_company and "AppFramework" in grant.scope.split():
        claims |= {"AppFramework": identity.api_base, "companyKey": grant.company_key}
    claims |= identity.options.id_token_claims
    return _sign(identity, request, claims, kind="JWT")


def _sign(identity: Identity, request: Request, claims: dict[str, Any], *, kind: str) -> str:
    now = int(identity.options.clock().timestamp())
    times = {"iat": now, "nbf": now, "exp": now + identity.options.token_seconds}
    header = {"alg": "RS256", "typ": kind, "kid": "sandbox-1"}
    whole = {"iss": to_issuer(request), "sub": SUBJECT} | times | claims
    return jwt.encode(header, {name: value for name, value in whole.items() if value is not None}, signing_key())


def _revoke(identity: Identity, body: bytes) -> Response:
    try:
        token = _verify_client(identity.options, dict(parse_qsl(body.decode()))).get("token", "")
    except OAuthError as error:
        return JSONResponse({"error": error.code}, 400)
    identity.refresh_tokens.pop(token, None)
    claims = identity.find_claims(f"Bearer {token}")
    if claims:
        identity.live.discard(claims["jti"])
    return Response(status_code=200)
