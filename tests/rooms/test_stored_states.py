"""What the tables allow as a state is what the house calls one."""

import re

from sqlalchemy import CheckConstraint

from app.domain import states
from app.tables import Table

_STORED = {
    "check": states.CheckState,
    "customer_check": states.CheckState,
    "event": states.EventState,
    "export_document": states.FileState,
    "job": states.JobState,
    "key": states.KeyState,
    "lane": states.LaneState,
    "sweep": states.SweepState,
    "tenant": states.TenantState,
    "transfer": states.TransferState,
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
