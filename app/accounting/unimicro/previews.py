"""The calls that a rehearsal has noted, for people to look at before anything is sent. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.accounting.unimicro.client import Exchange
from app.domain.reasons.codes import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One call as it would be sent; in braces: an id that does not exist yet."""

    method: str
    path: str
    payload: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    warnings: tuple[Reason, ...] = ()


def to_previews(exchanges: Sequence[Exchange], warnings: Sequence[Reason] = ()) -> tuple[Preview, ...]:
    """The calls of one step; what had to be cut for it stands with the first."""
    return tuple(
        Preview(
            method=one.method,
            path=_show_path(one),
            payload=one.request,
            warnings=tuple(warnings) if one is exchanges[0] else (),
        )
        for one in exchanges
    )


def _show_path(exchange: Exchange) -> str:
    query = "&".join(f"{name}={value}" for name, value in exchange.query.items())
    return f"{exchange.path}?{query}" if query else exchange.path
