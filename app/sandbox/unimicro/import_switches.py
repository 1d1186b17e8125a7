"""Switches of Import central: what nobody said of how workbooks are imported.

Source: docs/facts/files.md §3; what is documented there has no switch. Everything here is assumed.
"""

from dataclasses import dataclass
from enum import StrEnum


class ImportGroups(StrEnum):
    """Which rows of *Bilag* are one voucher: those up to a sum of zero, those of one day, or all of the file."""

    BALANCE = "balance"
    DAY = "day"
    FILE = "file"


class ImportFaults(StrEnum):
    """What a row that cannot be used refuses: the whole file, or its voucher or order alone."""

    FILE = "file"
    GROUP = "group"


class ImportPlaces(StrEnum):
    """A project or department that is not there: refused, left out, or made."""

    REFUSED = "refused"
    IGNORED = "ignored"
    MADE = "made"


class ImportOrderNumbers(StrEnum):
    """The number of an order in *Ordre* that is not known there: the file's, or the series' next."""

    KEPT = "kept"
    SERIES = "series"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSwitches:
    """The part of one company's switches that is about Import central.

    Attributes:
        import_groups: See `ImportGroups`.
        import_faults: See `ImportFaults`.
        import_places: See `ImportPlaces`.
        import_order_numbers: See `ImportOrderNumbers`.
    """

    import_groups: ImportGroups = ImportGroups.BALANCE
    import_faults: ImportFaults = ImportFaults.FILE
    import_places: ImportPlaces = ImportPlaces.REFUSED
    import_order_numbers: ImportOrderNumbers = ImportOrderNumbers.KEPT
