"""One key's accounting system, opened for a run: where to write, what it has, and what was said so far."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.accounting.targets import Exchange, Target, open_target
from app.domain.reference import Reference
from app.errors import HoldError, KeyPausedError, Reason
from app.keys import fresh_token, seconds_paused
from app.resources import CachedReference, Resources
from app.tables import Key

# Reference data this young is not read again on a hold: many held documents must not mean many reads.
_FRESH_SECONDS = 3


@dataclass(slots=True, kw_only=True)
class Books:
    """What a run needs of one key.

    `refresh` reads the reference data anew, unless it is fresh already (then None).
    """

    key: Key
    target: Target
    reference: Reference
    refresh: Callable[[], Awaitable[Reference | None]]
    send_customer_number: bool = True
    exchanges: list[Exchange] = field(default_factory=list)


async def open_books(resources: Resources, key: Key) -> Books:
    """The books of a key that may be used now.

    Raises:
        KeyPausedError: the key rests.
        HoldError: the key is in file mode.
        RemoteError: the reference data could not be read.
    """
    _check_usable(key, await seconds_paused(resources, key))
    exchanges: list[Exchange] = []

    async def token(refused: bool) -> str:  # noqa: FBT001 - the client's own signature
        return await fresh_token(resources, key.id, refused=refused)

    target = open_target(
        resources.http,
        base_url=key.api_base,
        company_key=key.company_key,
        token=token,
        on_exchange=exchanges.append,
    )
    started_at = asyncio.get_running_loop().time()
    reference = await _load_reference(resources, key, target, max_age=resources.settings.unimicro_reference_seconds)

    async def refresh() -> Reference | None:
        cached = resources.references[key.id]
        if cached.read_at >= started_at - _FRESH_SECONDS and cached.reference is not reference:
            return cached.reference
        if cached.read_at >= started_at - _FRESH_SECONDS:
            return None
        return await _load_reference(resources, key, target, max_age=0)

    return Books(
        key=key,
        target=target,
        reference=reference,
        refresh=refresh,
        send_customer_number=resources.settings.unimicro_send_customer_number,
        exchanges=exchanges,
    )


async def _load_reference(resources: Resources, key: Key, target: Target, *, max_age: float) -> Reference:
    now = asyncio.get_running_loop().time()
    cached = resources.references.get(key.id)
    if cached is not None and now - cached.read_at < max_age:
        return cached.reference
    reference = await target.fetch_reference()
    resources.references[key.id] = CachedReference(reference=reference, read_at=now)
    return reference


def _check_usable(key: Key, paused_seconds: float) -> None:
    if key.state == "sign_in_again":
        raise KeyPausedError(
            f"The sign-in of key “{key.name}” is no longer good",
            seconds=60,
            fix="An administrator must sign in to Unimicro again; everything waits until then.",
        )
    if key.state == "paused":
        raise KeyPausedError(f"Key “{key.name}” is paused", seconds=60, fix="Resume the key.")
    if paused_seconds > 0:
        raise KeyPausedError(
            f"Key “{key.name}” rests: {key.pause_reason}", seconds=paused_seconds, fix="Nothing to do: it goes on."
        )
    if key.mode != "full":
        cause = f"Key “{key.name}” is in file mode"
        raise HoldError((Reason(code="key_in_file_mode", cause=cause, fix="Export the invoice as a file."),))
