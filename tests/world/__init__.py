"""The small world that tests play in, and everybody in it; no test module is imported by another.

A name is loaded when somebody asks for it: a unit test that builds a document needs neither service nor stand-ins.
"""

from importlib import import_module
from typing import TYPE_CHECKING

_PLACES = {
    "Ledger": "ledger",
    "Office": "office",
    "Source": "source",
    "World": "world",
    "make_settings": "opening",
    "open_slow_world": "opening",
    "open_world": "opening",
    "rows_of": "office",
}

if TYPE_CHECKING:
    from tests.world.ledger import Ledger
    from tests.world.names import (
        CLIENT_SECRET,
        COMPANY,
        GO_LIVE,
        LATE,
        OTHER,
        OURS,
        RECMAN,
        RECMAN_KEY,
        RENUMBERED,
        TOKEN,
        UNIMICRO,
    )
    from tests.world.office import Office, rows_of
    from tests.world.opening import make_settings, open_slow_world, open_world
    from tests.world.source import Source
    from tests.world.world import World
else:

    def __getattr__(name: str) -> object:
        """What the module that holds the name has by it."""
        if name not in __all__:
            raise AttributeError(name)
        found: object = getattr(import_module(f"tests.world.{_PLACES.get(name, 'names')}"), name)
        globals()[name] = found
        return found


__all__ = [
    "CLIENT_SECRET",
    "COMPANY",
    "GO_LIVE",
    "LATE",
    "OTHER",
    "OURS",
    "RECMAN",
    "RECMAN_KEY",
    "RENUMBERED",
    "TOKEN",
    "UNIMICRO",
    "Ledger",
    "Office",
    "Source",
    "World",
    "make_settings",
    "open_slow_world",
    "open_world",
    "rows_of",
]
