"""What every answer says to browsers and caches: show nothing foreign, frame nothing, keep no secret and no person."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# In bytes, as the server takes them: every webhook is answered with them, too.
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
)
_TLS = (b"strict-transport-security", b"max-age=31536000")
# Persons and sums are in what is looked at: a browser may keep that for its own user, and asks before it shows it.
_PRIVATE = (b"cache-control", b"private, no-cache")
_UNKEPT = (b"cache-control", b"no-store")


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
                own = list(message.get("headers", ()))
                set_already = {name.lower() for name, _ in own}
                message["headers"] = own + [one for one in _choose(scope) if one[0] not in set_already]
            await send(message)

        await self._app(scope, receive, answer)


def _choose(scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
    # Secrets are shown in what a change is answered, never in what is looked at.
    is_look = scope["method"] in {"GET", "HEAD"}
    kept = _PRIVATE if is_look and scope["path"].startswith("/v1/") else _UNKEPT
    settings = scope["app"].state.resources.settings
    safe = (_TLS,) if settings.public_url.lower().startswith("https://") else ()
    return (*_ALWAYS, kept, *safe)
