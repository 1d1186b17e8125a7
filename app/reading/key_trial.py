"""A RecMan API key is tried when it is entered: one call, before anything is kept.

Source: docs/facts/recman.md §2.5 [C], how RecMan refuses a key.
"""

import asyncio
from dataclasses import dataclass

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import (
    AuthExpiredError,
    RemoteRejectedError,
    RemoteThrottledError,
    RemoteUnavailableError,
    RequestError,
    System,
)
from app.platform.resources import Resources
from app.recman.api.client import RecmanClient

# The list of departments is one call whatever the account spells, and what it holds is not looked at.
_SCOPE = "department"
_SECONDS = 10.0
_FIX_AWAY = "Try again when RecMan answers, or enter it without trying it: `untried` true."


@dataclass(slots=True)
class _Counted:
    """Lets every call through, and knows how many there were."""

    calls: int = 0

    async def enter(self, _scope: str) -> None:
        self.calls += 1

    async def rest(self, _error: RemoteThrottledError | AuthExpiredError) -> None:
        """Nobody else calls with this key yet."""


async def try_api_key(resources: Resources, api_key: str) -> int:
    """How many calls it took to see that RecMan takes the key; neither a missing right nor a used up day is a refusal.

    Raises:
        RequestError: RecMan does not take it.
        RemoteUnavailableError: RecMan does not answer.
    """
    gate = _Counted()
    base = resources.settings.recman_api_base
    client = RecmanClient(resources.http, base_url=base, api_key=api_key, gate=gate)
    try:
        async with asyncio.timeout(_SECONDS):
            await client.fetch_v1(_SCOPE)
    except AuthExpiredError as error:
        fix = f"{fix_for(Code.SIGN_IN_AGAIN, 'recman')} Copy it whole."
        raise RequestError(error.cause, fix=fix, code=Code.RECMAN_KEY_REFUSED) from error
    except (RemoteUnavailableError, TimeoutError) as error:
        cause = getattr(error, "cause", "RecMan gave no answer in time")
        raise RemoteUnavailableError(
            f"The key cannot be tried: {cause}", system=System.RECMAN, fix=_FIX_AWAY
        ) from error
    except (RemoteRejectedError, RemoteThrottledError):
        # It knows who asks.
        pass
    return gate.calls
