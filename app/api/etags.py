"""`ETag` and `If-Match`: whoever changes something says what it was when he looked, and is stopped when it has changed.

The tag is made of what a person can change, as the audit trail shows it: what the service itself counts or notes on the
row meanwhile is nobody's change.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header

from app.domain.money import dump_json
from app.errors import ChangedError, UnseenError

_LOOK_AGAIN = "Look at it again, make your change there, and send it with that ETag as `If-Match`."


@dataclass(frozen=True, slots=True)
class Seen:
    """What the caller says that he saw.

    Shape: `tags` None: he says nothing, and takes what is there; empty: whatever is there (`*`).
    """

    tags: frozenset[str] | None

    def verify(self, tag: str) -> None:
        """Pass if it is what is there now.

        Raises:
            ChangedError: somebody has changed it since.
        """
        if self.tags and tag not in self.tags:
            raise ChangedError("Somebody has changed it since you looked", fix=_LOOK_AGAIN)

    def require(self) -> None:
        """Pass if anything was said.

        Raises:
            UnseenError: nothing was.
        """
        if self.tags is None:
            raise UnseenError(
                "The request does not say which state it is to change",
                fix="Look at it, and send the answer's ETag as `If-Match` (`*`: whatever is there).",
            )


async def _read_if_match(
    if_match: Annotated[
        str | None,
        Header(description="The ETag of what you looked at: refused (412) when it has changed since. `*`: whatever is"),
    ] = None,
) -> Seen:
    if if_match is None:
        return Seen(None)
    parts = {part.strip() for part in if_match.split(",")}
    return Seen(frozenset() if "*" in parts else frozenset(parts))


SeenDep = Annotated[Seen, Depends(_read_if_match)]


def to_etag(shown: Mapping[str, Any]) -> str:
    """The tag of what is shown."""
    return f'"{hashlib.sha256(dump_json(shown).encode()).hexdigest()[:32]}"'
