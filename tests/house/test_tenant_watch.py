"""The watch that every test runs under: it tells which statements name their tenant, and who sent those that do not."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import TextClause, select, text

import app
from app.tables import Transfer
from tests.world.tenant_watch import WATCHED, list_faults

# What would look at other tenants' rows, or at all shards, and which table it is about.
FAULTY = {
    "SELECT id FROM lane WHERE id = 1": ["lane"],
    "SELECT * FROM key": ["key"],
    "UPDATE lane SET state = 'idle' WHERE id = :id AND token = :token": ["lane"],
    "UPDATE lane SET tenant_id = :t WHERE id = 1": ["lane"],
    "DELETE FROM event WHERE hook_id = :hook": ["event"],
    "INSERT INTO attempt (transfer_id, n) VALUES (1, 2)": ["attempt (inserted without tenant_id)"],
    "SELECT tenant_id FROM transfer ORDER BY tenant_id": ["transfer"],
    "SELECT 1 FROM lane WHERE tenant_id = :t AND EXISTS (SELECT FROM event WHERE event.id = lane.id)": ["event"],
    "SELECT 1 FROM lane JOIN event ON event.lane_id = lane.id WHERE lane.tenant_id = :t": ["event"],
    "SELECT 1 FROM lane AS a JOIN lane AS b ON a.tenant_id = b.tenant_id": ["lane AS a", "lane AS b"],
    "SELECT 1 FROM lane, event WHERE event.tenant_id = :t": ["lane"],
    "WITH due AS (SELECT id FROM lane WHERE state = 'ready' FOR UPDATE) SELECT * FROM due": ["lane"],
    "WITH due AS (SELECT id FROM lane WHERE tenant_id = :t) UPDATE lane SET seq = 1 FROM due WHERE lane.id = due.id": [
        "lane"
    ],
    "INSERT INTO attempt (tenant_id, n) VALUES (:t, (SELECT max(n) FROM attempt WHERE transfer_id = 1))": ["attempt"],
    "SELECT 1 FROM job WHERE tenant_id = :t UNION ALL SELECT 1 FROM sweep": ["sweep"],
}
GOOD = (
    "SELECT id FROM lane WHERE tenant_id = :t AND id = 1 FOR UPDATE SKIP LOCKED",
    'SELECT "key".id FROM "key" WHERE "key".tenant_id = $1',
    "SELECT id FROM lane WHERE tenant_id = ANY(:tenants)",
    "SELECT id FROM transfer WHERE tenant_id IN (SELECT tenant.id FROM tenant)",
    "INSERT INTO lane (tenant_id, scope) VALUES (:t, 's') ON CONFLICT (tenant_id) DO UPDATE SET seq = lane.seq + 1",
    "SELECT 1 FROM lane JOIN event ON event.tenant_id = lane.tenant_id WHERE lane.tenant_id = :t",
    "SELECT id FROM tenant; -- FROM lane",
    "SELECT 'FROM lane'",
    "UPDATE making SET name = '' WHERE tenant_id = :t AND EXISTS (SELECT FROM lane WHERE tenant_id = making.tenant_id)",
)


@pytest.mark.parametrize("statement", FAULTY)
def test_a_statement_that_does_not_say_whose_rows_it_means_is_told(statement: str) -> None:
    assert list_faults(statement) == FAULTY[statement]


@pytest.mark.parametrize("statement", GOOD)
def test_a_statement_that_says_whose_rows_it_means_is_fine(statement: str) -> None:
    assert list_faults(statement) == []


def test_statements_as_they_are_compiled_are_understood() -> None:
    query = select(Transfer).where(Transfer.id == 1)
    assert list_faults(str(query)) == ["transfer"]
    assert list_faults(str(query.where(Transfer.tenant_id == Transfer.tenant_id))) == ["transfer"]
    assert list_faults(str(query.where(Transfer.tenant_id == text(":given")))) == []


def test_all_sql_that_is_written_as_text_says_whose_rows_it_means() -> None:
    found = dict(_list_texts())
    assert len(found) > 50
    assert {place: faults for place, text_ in found.items() if (faults := list_faults(text_))} == {}


def _list_texts() -> Iterator[tuple[str, str]]:
    """Every statement that a module of the code keeps, by its name."""
    for info in pkgutil.walk_packages(app.__path__, "app."):
        if info.name.startswith("app.sandbox") or info.name == "app.__main__":
            continue
        for name, value in vars(importlib.import_module(info.name)).items():
            written = value.text if isinstance(value, TextClause) else value
            if isinstance(written, str) and re.match(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b", written):
                yield f"{info.name}.{name}", written


def test_every_table_of_tenants_is_watched() -> None:
    assert {"attempt", "audit", "audit_chain", "event", "hook_headers", "lane", "transfer"} <= WATCHED
    assert "tenant" not in WATCHED


# Who may look at all tenants' rows in one statement, which then names them all, and why.
LOOK_AT_ALL = {
    "api/doors.py": "an operator who names no tenant",
    "cli/upkeep.py": "an operator at the command line: a key by its name, secrets of all tenants",
    "monitoring/facts.py": "how the whole installation stands",
    "monitoring/readiness.py": "whether secrets can be read, whoever owns them",
    "scheduler.py": "the clock: which tenants have something to do",
}


def test_few_look_at_all_tenants() -> None:
    app = Path(__file__).resolve().parents[2] / "app"
    callers = {str(one.relative_to(app)) for one in app.rglob("*.py") if "look_at_all(session)" in one.read_text()}
    assert callers - {"platform/db.py"} == set(LOOK_AT_ALL)
