"""A record out of the webhooks that spoke of it, for an account that cannot be asked. Pure.

Source: assumed throughout (docs/facts/recman.md §1): nothing public says what a webhook of RecMan carries.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from app.recman.hook.webhook import parse_hints
from app.recman.read.spellings import Raw

# Seconds since 1970 have ten digits for the next centuries, milliseconds have three more.
_SECONDS_DIGITS = 10
_MILLISECONDS_DIGITS = 13


@dataclass(frozen=True, slots=True)
class Delivered:
    """A stored delivery about one record, and what it said had happened."""

    body: bytes
    content_type: str
    operation: str


@dataclass(frozen=True, slots=True)
class _Word:
    """What one delivery said of the record."""

    moment: datetime | None
    is_deletion: bool
    copy: Raw | None


def list_copies(deliveries: Iterable[Delivered], *, scope: str, record_id: str) -> Iterator[Raw]:
    """The record as deliveries (newest first) show it, best first; nothing when the newest says that it was deleted.

    The newest copy comes first, then that one filled up with what older ones say: a later webhook may carry no more
    than what has changed. Deliveries overtake each other, so where all tell when they happened, that is their order.
    """
    words = [word for one in deliveries for word in _read_words(one, scope, record_id)]
    moments = [word.moment for word in words if word.moment is not None]
    if len(moments) == len(words):
        words = [word for _, word in sorted(zip(moments, words, strict=True), key=lambda pair: pair[0], reverse=True)]
    known: Raw = {}
    for word in words:
        if word.is_deletion:
            return
        if word.copy is not None:
            known = {**word.copy, **known}
            yield known


def _read_words(delivered: Delivered, scope: str, record_id: str) -> Iterator[_Word]:
    decoded = parse_hints(delivered.body, content_type=delivered.content_type, path_scope=scope, headers={})
    for hint in decoded.hints:
        if (hint.scope, hint.record_id) == (scope, record_id):
            is_deletion = "delete" in (hint.operation, delivered.operation)
            yield _Word(_read_moment(hint.occurred_at), is_deletion, hint.record)


def _read_moment(said: str | None) -> datetime | None:
    """A moment from ISO 8601, or from seconds or milliseconds since 1970; one without a zone is taken as UTC."""
    if said is None:
        return None
    try:
        if said.isascii() and said.isdecimal() and len(said) in (_SECONDS_DIGITS, _MILLISECONDS_DIGITS):
            return datetime.fromtimestamp(int(said[:_SECONDS_DIGITS]), UTC)
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
