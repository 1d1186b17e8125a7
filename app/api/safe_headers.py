"""What every answer says to browsers and caches: show nothing foreign, frame nothing, keep no secret and no person."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
_TLS = "max-age=31536000"
# Persons and sums are in what is looked at: a browser may keep that for its own user, and asks before it shows it.
_PRIVATE = "private, no-cache"
_UNKEPT = "no-store"


class SafeHeaders:
    """The application behind it answers with these headers, where it has not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**_ALWAYS, **_choose(scope)}.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, answer)


def _choose(scope: Scope) -> dict[str, str]:
    # Secrets are shown in what a change is answered, never in what is looked at.
    is_look = scope["method"] in {"GET", "HEAD"}
    said = {"Cache-Control": _PRIVATE if is_look and scope["path"].startswith("/v1/") else _UNKEPT}
    settings = Request(scope).app.state.resources.settings
    if settings.public_url.lower().startswith("https://"):
        said["Strict-Transport-Security"] = _TLS
    return said
