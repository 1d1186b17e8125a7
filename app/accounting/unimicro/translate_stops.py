"""Whether Unimicro will ask a customer for the money of one invoice, as the invoice itself says. Pure.

Source: docs/facts/unimicro.md §3.2 (`DontSendReminders`, `DontUseFactoring` [O]).
"""

from collections.abc import Mapping
from typing import Any

from app.accounting.unimicro.translate_settings import read_flag

_STOPS = ("DontSendReminders", "DontUseFactoring")


def to_stops(*, is_quiet: bool) -> dict[str, bool]:
    """What an invoice is sent with of which Unimicro is to remind nobody; nothing where it may."""
    return dict.fromkeys(_STOPS, True) if is_quiet else {}


def read_quiet(row: Mapping[str, Any]) -> bool | None:
    """Whether Unimicro neither reminds of an invoice nor hands it to factoring; None: it does not say."""
    told = [read_flag(row.get(name)) for name in _STOPS]
    if False in told:
        return False
    return None if None in told else True
