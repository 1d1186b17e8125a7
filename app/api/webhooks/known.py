"""The hooks that this process knows, so that a webhook costs no look into the database for its address."""

from dataclasses import dataclass, field
from datetime import timedelta

from app.tables import Hook


@dataclass(slots=True)
class CachedHook:
    """A hook as last seen and until when that may be believed, by the event loop's clock.

    `delay` is how long its records wait for others to be read with; `has_records`: nobody is asked for them, what comes
    is all that there is.
    """

    hook: Hook
    until: float
    delay: timedelta
    has_records: bool


@dataclass(slots=True)
class KnownHooks:
    """Hooks by their secret address; emptied by whoever changes one."""

    by_address: dict[str, CachedHook] = field(default_factory=dict, repr=False)
