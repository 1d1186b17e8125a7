"""The rows in an answer of RecMan's API, whatever envelope they come in. Pure.

Source: docs/facts/recman.md §2.4 [O/C].
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.errors import RemoteUnavailableError, System
from app.recman.read.spellings import Raw, read_id


def to_rows(answer: Mapping[str, Any]) -> list[Raw]:
    """Rows of a list or of a map by id, whose keys stand in `_key`; a broken one among others is left out.

    Raises:
        RemoteUnavailableError: there are none, but not because there is nothing: that would look as if records were
            gone.
    """
    data = answer.get("data")
    rows = _rows_of(data)
    # How many there are in this very answer [O].
    if not rows and (data or read_id(answer.get("numRows"))):
        raise RemoteUnavailableError(
            "RecMan answered with data that is neither a list nor a map of records", system=System.RECMAN
        )
    return rows


def _rows_of(data: Any) -> list[Raw]:
    if isinstance(data, list):
        return [row for row in data if isinstance(row, dict)]
    if not isinstance(data, dict):
        return []
    if all(isinstance(row, dict) for row in data.values()) or all(map(read_id, data)):
        return [{"_key": key, **row} for key, row in data.items() if isinstance(row, dict)]
    # One record without its map; asking by id may give that. Source: assumed.
    return [data] if any(name.lower().endswith("id") and read_id(value) for name, value in data.items()) else []


def index_rows(scope: str, rows: Sequence[Raw]) -> dict[str, Raw]:
    """The rows by their id; where a row has none of its own, the key of the map is its id.

    Raises:
        RemoteUnavailableError: no row has an id that can be read.
    """
    found: dict[str, Raw] = {}
    own = f"{scope}Id"
    for row in rows:
        key = read_id(row.get(own)) or read_id(row.get("id"))
        mapped = None if key is not None else read_id(row.get("_key"))
        if key is not None:
            found[key] = row
        elif mapped is not None:
            found[mapped] = {**row, own: mapped}
    if rows and not found:
        raise RemoteUnavailableError(f"RecMan answered with records of {scope} that have no id", system=System.RECMAN)
    return found


def hash_ids(rows: Iterable[str]) -> int:
    """What tells, within this process, whether a page holds the same records as another."""
    return hash(frozenset(rows))
