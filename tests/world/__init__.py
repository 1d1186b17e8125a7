"""The small world that tests play in, and everybody in it; no test module is imported by another."""

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
