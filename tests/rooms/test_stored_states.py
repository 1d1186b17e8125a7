"""What the tables allow as a state is what the house calls one."""

import re

from sqlalchemy import CheckConstraint

from app.domain.states import (
    CheckState,
    EventState,
    FileState,
    JobState,
    KeyState,
    LaneState,
    SweepState,
    TenantState,
    TransferState,
)
from app.tables import Table

_STORED = {
    "check": CheckState,
    "customer_check": CheckState,
    "event": EventState,
    "export_document": FileState,
    "job": JobState,
    "key": KeyState,
    "lane": LaneState,
    "sweep": SweepState,
    "tenant": TenantState,
    "transfer": TransferState,
}


def test_tables_allow_exactly_the_states_of_the_house() -> None:
    allowed = {
        table.name: set(re.findall(r"'(\w+)'", str(check.sqltext)))
        for table in Table.metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint) and str(check.sqltext).startswith("state IN")
    }
    assert allowed == {name: set(_STORED[name]) for name in allowed}
    assert len(allowed) == len(set(_STORED.values()))
