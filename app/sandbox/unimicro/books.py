"""The books of one company in memory: tables of records, ids, seen guids, and what is not yet visible in lists.

Pure: no HTTP, no clock of its own. Records are dicts and are replaced, never changed in place, so that a refused
request can be undone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from app.sandbox.unimicro.answers import Record, duplicate_guid
from app.sandbox.unimicro.options import SandboxOptions
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.switches import Switches

PARENT_FIELDS = {"CustomerInvoiceID", "CustomerOrderID", "BusinessRelationID", "JournalEntryID", "CustomerID"}
AUTHOR = "00000000-0000-0000-0000-0000000000aa"


def to_stamp(moment: datetime) -> str:
    """A moment in UTC as the API writes it."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(slots=True, kw_only=True)
class Books:
    """One company's records.

    Shape: `tables[entity name][id]` is a record; ids start at `first_id`; `rates` has what one unit of a currency is
    worth where the seed's rate is not to hold.
    """

    options: SandboxOptions
    first_id: int
    switches: Switches = field(default_factory=Switches)
    rates: dict[str, Decimal] = field(default_factory=dict)
    tables: dict[str, dict[int, Record]] = field(default_factory=lambda: {name: {} for name in ENTITIES})
    guids: set[str] = field(default_factory=set)
    hidden_until: dict[tuple[str, int], datetime] = field(default_factory=dict)
    lag_seconds: float = 0
    _last_id: dict[str, int] = field(default_factory=dict)
    _owned_by: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    _undo: list[Callable[[], object]] = field(default_factory=list)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: an exception puts records and guids back; ids stay used, as in a database."""
        self._undo.clear()
        try:
            yield
        except BaseException:
            for step in reversed(self._undo):
                step()
            raise
        finally:
            self._undo.clear()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Inside a transaction: an exception puts back what was stored since, and no more."""
        begun = len(self._undo)
        try:
            yield
        except BaseException:
            while len(self._undo) > begun:
                self._undo.pop()()
            raise

    def now_text(self) -> str:
        """The clock's time as the API writes it."""
        return to_stamp(self.options.clock())

    def today(self) -> date:
        """The clock's day."""
        return self.options.clock().date()

    def take_guid(self, guid: str) -> None:
        """Remember a `_createguid` for ever, also beyond the record's deletion (assumed).

        Raises:
            AnswerError: 400 when it was seen before.
        """
        key = guid.lower()
        if key in self.guids:
            raise duplicate_guid()
        self.guids.add(key)
        self._undo.append(partial(self.guids.discard, key))

    def insert(self, entity: str, values: Record, *, record_id: int | None = None) -> Record:
        """The stored record, with its id and every scalar of the entity."""
        spec = ENTITIES[entity]
        new_id = record_id or self._last_id.get(entity, self.first_id - 1) + 1
        self._last_id[entity] = max(new_id, self._last_id.get(entity, 0))
        stamp = self.now_text()
        record = dict.fromkeys(spec.fields) | {"StatusCode": spec.new_status, "CustomValues": {}} | values
        record |= {"ID": new_id, "CreatedAt": stamp, "CreatedBy": AUTHOR, "Deleted": False}
        self._put(entity, new_id, record)
        self._index(entity, record)
        self._hide(entity, new_id)
        return record

    def update(self, entity: str, record_id: int, changes: Record) -> Record:
        """The record with the changes."""
        stamps = {"UpdatedAt": self.now_text(), "UpdatedBy": AUTHOR}
        record = self.tables[entity][record_id] | changes | stamps
        self._put(entity, record_id, record)
        return record

    def find(self, entity: str, record_id: Any) -> Record | None:
        """The record, or None when it is missing or deleted."""
        record = self.tables[entity].get(record_id) if isinstance(record_id, int) else None
        return record if record and not record["Deleted"] else None

    def rows(self, entity: str) -> list[Record]:
        """All records that are not deleted, by id."""
        return [record for record in self.tables[entity].values() if not record["Deleted"]]

    def visible_rows(self, entity: str) -> list[Record]:
        """The rows that lists show: without those still in the read lag."""
        if not self.hidden_until:
            return self.rows(entity)
        now = self.options.clock()
        return [row for row in self.rows(entity) if self.hidden_until.get((entity, row["ID"]), now) <= now]

    def children(self, entity: str, field_name: str, parent_id: int) -> list[Record]:
        """The rows whose field points to the parent, by SortIndex where they have one."""
        if ENTITIES[entity].fields[field_name].owned:
            candidates = [self.find(entity, row_id) for row_id in self._owned_by.get((entity, parent_id), [])]
        else:
            candidates = [*self.rows(entity)]
        found = [row for row in candidates if row and row[field_name] == parent_id]
        return sorted(found, key=lambda row: (row.get("SortIndex") or 0, row["ID"]))

    @property
    def settings(self) -> Record:
        """The company settings."""
        return self.tables["CompanySettings"][1]

    def _index(self, entity: str, record: Record) -> None:
        for name in PARENT_FIELDS & record.keys():
            self._owned_by.setdefault((entity, record[name]), []).append(record["ID"])

    def _hide(self, entity: str, record_id: int) -> None:
        lag = self.lag_seconds or self.options.read_lag_seconds
        if lag:
            self.hidden_until[entity, record_id] = self.options.clock() + timedelta(seconds=lag)

    def _put(self, entity: str, record_id: int, record: Record) -> None:
        table = self.tables[entity]
        old = table.get(record_id)
        table[record_id] = record
        self._undo.append(partial(table.pop, record_id) if old is None else partial(table.update, {record_id: old}))


@dataclass(slots=True, kw_only=True)
class Company:
    """One company of the stand-in: its own entity as `init/companies` shows it, and its books."""

    entity: Record
    books: Books

    @property
    def key(self) -> str:
        """The value of the `CompanyKey` header."""
        return str(self.entity["Key"])
