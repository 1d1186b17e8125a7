"""How a server client shows who it is: a signed assertion in place of a secret, good for five minutes at most.

Source: docs/facts/unimicro.md §1.2 [O]; §11 row 12: a client that works sends no `nbf`, so none is asked for.
"""

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from app.sandbox.unimicro.options import SandboxOptions

_LONGEST_SECONDS = 300
_KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def find_assertion(options: SandboxOptions, form: dict[str, str], *, audience: str) -> str | None:
    """The `jti` of a good assertion, which may be used once; None of a bad one."""
    if options.server_public_key is None or form.get("client_id") != options.server_client_id:
        return None
    if form.get("client_assertion_type") != _KIND:
        return None
    try:
        key = RSAKey.import_key(options.server_public_key)
        claims = jwt.decode(form.get("client_assertion", ""), key, registry=_to_registry()).claims
    except (JoseError, ValueError):
        return None
    now = options.clock().timestamp()
    good = (
        claims.get("iss") == claims.get("sub") == options.server_client_id
        and claims.get("aud") == audience
        and {"jti", "exp"} <= claims.keys()
        and now < claims["exp"] <= now + _LONGEST_SECONDS
    )
    return str(claims["jti"]) if good else None


def _to_registry() -> JWSRegistry:
    """Takes a header with a certificate chain in it (`x5c`), longer than the library's caution allows."""
    registry = JWSRegistry(algorithms=["RS256"])
    registry.max_header_length = 16_384
    return registry
