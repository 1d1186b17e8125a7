"""A table is written by its owner alone and read by those whom its docstring lists; the changes that this must find."""

import pytest

from tests.world.house.rows import find_strangers, list_tables
from tests.world.house.source import read_house

APP = read_house("app")


def test_tables_are_written_by_their_owner_and_read_by_those_who_are_listed() -> None:
    assert find_strangers(APP) == []
    assert (
        len(list_tables(APP))
        == len([one for one in APP.modules["tables/__init__.py"].origins if one[0].isupper() and not one.isupper()]) - 2
    )


@pytest.mark.parametrize(
    ("path", "old", "new", "found"),
    [
        # Statements, under every name that they may have.
        ("clerk/overview.py", "", "import sqlalchemy as sa\nGONE = sa.delete(Transfer)", "writes Transfer"),
        ("admin/keys.py", "", "from sqlalchemy import delete as away\nGONE = away(Transfer)", "writes Transfer"),
        ("clerk/absence.py", "", "GONE = Transfer.__table__.delete()", "writes Transfer"),
        (
            "sweep/run.py",
            "",
            "from app import tables\nfrom sqlalchemy import update\nMORE = update(tables.Key)",
            "writes Key",
        ),
        (
            "sweep/run.py",
            "",
            "import app.tables.accounts as t\nfrom sqlalchemy import select\nALL = select(t.Key)",
            "reads Key",
        ),
        ("api/tenants.py", "", "from sqlalchemy import select\nALL = select(Tenant)", "reads Tenant"),
        ("admin/departments.py", "", "from sqlalchemy import insert\nMORE = insert(Key)", "writes Key"),
        # Rows that a session is given.
        ("api/rules.py", "", "from app.tables import RuleSet\nROW = RuleSet(version=1)", "writes RuleSet"),
        ("worker.py", "", "def keep(session, row):\n    session.add(row)", "writes nobody can tell what"),
        ("worker.py", "", "def forget(door, row):\n    door.session.delete(row)", "writes nobody can tell what"),
        (
            "worker.py",
            "",
            "from sqlalchemy import update\ndef change(table):\n    return update(table)",
            "nobody can tell what",
        ),
        # SQL as text.
        ("worker.py", "", 'from sqlalchemy import text\nEND = text("update lane set state = 1")', "writes Lane"),
        ("api/metrics.py", "", 'COUNT = "SELECT count(*) FROM transfer"', "reads Transfer"),
        ("api/metrics.py", "", 'COUNT = "SELECT count(*) FROM event, job WHERE true"', "reads Job"),
        (
            "sweep/sightings.py",
            "UPDATE recman_record SET content_hash = NULL",
            "UPDATE transfer SET state = 'held'",
            "writes Transfer",
        ),
        ("cli/upkeep.py", "", 'TABLE = "x"\nGONE = f"DELETE FROM job WHERE id = {TABLE}"', "writes Job"),
        # A loaded row.
        (
            "api/hooks.py",
            "await record_hook_change(door.session, made.hook, record_first=new.record_first)",
            "made.hook.record_first = new.record_first",
            "writes Hook",
        ),
        ("clerk/jobs.py", "", "def stop(tenant):\n    tenant.recman_reads = 'api'", "writes Tenant"),
        (
            "api/keys.py",
            "",
            "def end(key: Key) -> None:\n    key.state, key.pause_reason = 'removed', ''",
            "writes Key",
        ),
        ("api/keys.py", "", "def put(key: Key, name: str) -> None:\n    setattr(key, name, 1)", "writes Key"),
        # Lists that are not true any more.
        (
            "tables/work.py",
            "Owner: transfer. Readers: admin.keys,",
            "Owner: transfer. Readers: admin.tokens,",
            "admin/keys.py",
        ),
        ("tables/work.py", "Readers: admin.keys,", "Readers: admin.tokens, admin.keys,", "Transfer names admin.tokens"),
        ("tables/work.py", "Owner: transfer.making.", "", "Making does not say"),
    ],
)
def test_a_stranger_is_found(path: str, old: str, new: str, found: str) -> None:
    wrong = find_strangers(APP.changed(path, old, new))
    assert any(found in one and one.startswith((path, "tables", found)) for one in wrong), wrong
