"""The one door to the network: the HTTP library, Authlib's client on top of it, and our client with its limits.

Nobody else in `app/` imports httpx or Authlib (the sandbox aside). Authlib binds to `httpx2` when that is installed and
to `httpx` otherwise; with two libraries in one process its errors would slip past `except httpx.RequestError`. So this
module takes the one that Authlib took, and a unit test holds it to that.
"""

import importlib
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

# Imported before the filter below: this module puts an "always" filter of its own in front of all others.
from authlib.deprecate import AuthlibDeprecationWarning

with warnings.catch_warnings():
    # Authlib ≥ 1.9 asks for httpx2. FastAPI's test tools and our stand-ins speak httpx; goes when they have moved.
    warnings.filterwarnings("ignore", message="The httpx module is deprecated", category=AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT

if TYPE_CHECKING:
    import httpx
else:
    httpx = importlib.import_module("httpx2" if find_spec("httpx2") else "httpx")

__all__ = ["AsyncOAuth2Client", "ClientTransport", "OAuthError", "PrivateKeyJWT", "httpx", "new_client"]

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
# One worker has 8 lanes, and a lane speaks to one system at a time.
_MAX_CONNECTIONS = 50
# A length or an encoding describes the bytes on the wire; what is lent on has been decoded.
_WIRE_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def new_client(*, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client with our limits and timeouts that follows no redirect: an API that redirects is misconfigured.

    Units: 5 s to connect and to get a connection from the pool, 30 s between two pieces of an answer.
    """
    return httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=_MAX_CONNECTIONS, max_keepalive_connections=_MAX_CONNECTIONS),
        follow_redirects=False,
        headers={"User-Agent": f"recman-unimicro/{version('recman-unimicro')}"},
    )


class ClientTransport(httpx.AsyncBaseTransport):
    """Lets another client speak through ours: its pool and limits, and in tests its stand-ins.

    Authlib's client *is* an HTTP client and cannot be handed one.
    """

    def __init__(self, lender: httpx.AsyncClient) -> None:
        self._lender = lender

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The lender's answer, read to its end."""
        answer = await self._lender.send(request, follow_redirects=False)
        headers = [(name, value) for name, value in answer.headers.multi_items() if name not in _WIRE_HEADERS]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)
