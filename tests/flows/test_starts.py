"""A start that cannot end well is one sentence, its fix and an exit status; nothing is changed, and no token lost."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from app.cli import processes
from app.errors import DatabaseAwayError, RequestError, SchemaError, ServiceError, StartError
from app.platform.db import check_schema, create_engine, migrate_database, to_driver_url
from app.platform.resources import open_resources
from app.platform.standing import explained, load_standing, make_label
from app.settings import Settings
from tests.world import make_settings
from tests.world.databases import Spare, drop, execute, recreate, to_url
from tests.world.pooler import list_ways, open_pooler
from tests.world.processes import run_alone

TOKENS = "SELECT count(*) FROM admin_token"
KEY = Fernet.generate_key().decode()


async def ask(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(to_driver_url(url))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture
async def empty_url(server_url: str, worker_id: str) -> AsyncIterator[str]:
    """A database without any table."""
    name = f"rmu_start_{worker_id}"
    await recreate(server_url, name)
    yield to_url(server_url, name)
    await drop(server_url, name)


@pytest.fixture
async def stranger(server_url: str, worker_id: str) -> AsyncIterator[str]:
    """A user of the server who owns nothing."""
    name = f"rmu_stranger_{worker_id}"
    await execute(server_url, f'DROP ROLE IF EXISTS "{name}"', f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'x'")
    yield name
    await execute(server_url, f'DROP ROLE "{name}"')


@pytest.fixture
def taken_port() -> Iterator[str]:
    """A port on which somebody listens."""
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


async def start(*arguments: str, url: str, **variables: str) -> tuple[int, str, str]:
    """Exit status, what was said, and what was said of the trouble: cause and fix, a line each."""
    variables |= {"DATABASE_URL": url, "RMU_LOG_LEVEL": "WARNING", "RMU_ENCRYPTION_KEYS": KEY}
    done = await asyncio.to_thread(partial(run_alone, *arguments, **variables))
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def assert_told(end: tuple[int, str, str], cause: str, fix: str) -> None:
    status, _, trouble = end
    lines = trouble.strip().splitlines()
    assert (status, len(lines)) == (1, 2), trouble
    assert cause in lines[0], trouble
    assert fix in lines[1], trouble


async def test_a_port_in_use_is_told_before_anything_is_done(empty_url: str, taken_port: str) -> None:
    assert_told(await start("up", url=empty_url, RMU_PORT=taken_port), f"Port {taken_port} of 127.0.0.1", "RMU_PORT")
    assert await ask(empty_url, "SELECT to_regclass('tenant') IS NULL")


async def test_the_one_time_token_is_made_by_the_start_that_succeeds(database_url: str, taken_port: str) -> None:
    assert_told(await start("serve", url=database_url, RMU_PORT=taken_port), "in use", "RMU_PORT")
    assert await ask(database_url, TOKENS) == 0


class FullConsole(StringIO):
    """One whose disk is full."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_one_time_token_that_could_not_be_shown_is_not_kept(database_url: str, tmp_path: Path) -> None:
    settings = make_settings(database_url, tmp_path, bootstrap_token=None)
    async with open_resources(settings, database_url=database_url) as resources:
        for console in (FullConsole(), None):
            with redirect_stdout(console), pytest.raises(StartError, match="could not be shown"):
                await processes._announce_operator(resources)
            assert await ask(database_url, TOKENS) == 0
        with redirect_stdout(StringIO()) as shown:
            await processes._announce_operator(resources)
    assert "shown this once: rmu_" in shown.getvalue()
    assert await ask(database_url, TOKENS) == 1


async def test_a_database_of_a_newer_version_is_left_alone(database_url: str, spare: Spare, tmp_path: Path) -> None:
    await execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    spare._schema.clear()
    await find_refused(database_url, tmp_path, "The schema is at 9999, which this version", "starts the version")
    assert await ask(database_url, "SELECT version_num FROM alembic_version") == "9999"


@pytest.mark.parametrize("versioned", [True, False])
async def test_a_database_of_somebody_else_is_left_alone(versioned: bool, empty_url: str, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    await execute(empty_url, "CREATE TABLE wp_posts (id int)", "CREATE TABLE event (id int)")
    if versioned:
        await execute(empty_url, "CREATE TABLE alembic_version AS SELECT 'c0ffee'::varchar(32) AS version_num")
    await find_refused(empty_url, tmp_path, "tables of somebody else", "an empty database")
    assert await ask(empty_url, "SELECT to_regclass('lane') IS NULL")


async def test_a_database_without_tables_says_what_to_run(empty_url: str, tmp_path: Path) -> None:
    settings = make_settings(empty_url, tmp_path)
    with pytest.raises(SchemaError, match="The schema is at nothing") as caught:
        await open_and_close(settings, empty_url)
    assert "migrate" in caught.value.fix


@pytest.mark.parametrize("command", ["prune", "audit verify", "sweep", "golive status --key x"])
async def test_a_command_on_a_database_without_tables_says_what_to_run(command: str, empty_url: str) -> None:
    assert_told(await start(*command.split(), url=empty_url), "The schema is at nothing", "migrate")


async def test_a_zone_that_postgres_does_not_know_stops_the_start(database_url: str, tmp_path: Path) -> None:
    # Health and metrics would tell every caller that his request holds a value that cannot be.
    settings = make_settings(database_url, tmp_path, recman_day_zone="Mars/Olympus")
    with pytest.raises(RequestError, match="knows no time zone “Mars/Olympus”") as caught:
        await open_and_close(settings, database_url)
    assert "RMU_RECMAN_DAY_ZONE" in caught.value.fix


@pytest.mark.parametrize(("mode", "told"), [(0o755, True), (0o700, False)])
async def test_a_data_folder_that_others_can_look_into_is_told_at_the_start(
    mode: int,
    told: bool,  # noqa: FBT001 - a case
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    variables = {"RMU_DATA_DIR": str(folder), "RMU_LOG_LEVEL": "WARNING", "RMU_ENCRYPTION_KEYS": KEY}
    done = await asyncio.to_thread(partial(run_alone, "migrate", **variables))
    assert done.returncode == 0, done.stderr
    assert ("data_dir_open" in done.stderr) is told
    assert ("755" in done.stderr and "chmod 700" in done.stderr) is told
    # It may be theirs, too: it is told, and left as it is.
    assert folder.stat().st_mode & 0o777 == mode
    assert (folder / "postgres").stat().st_mode & 0o077 == 0


async def test_who_may_not_read_or_make_tables_is_told_so(
    database_url: str, empty_url: str, stranger: str, tmp_path: Path
) -> None:
    used, empty = (
        make_url(url).set(username=stranger, password="x").render_as_string(hide_password=False)
        for url in (database_url, empty_url)
    )
    with pytest.raises(StartError, match=r"does not let the user read and write .*\badmin_token"):
        await open_and_close(make_settings(used, tmp_path), used)
    assert_told(await start("migrate", url=empty), "permission denied for schema public", "grant")


async def find_refused(url: str, folder: Path, cause: str, fix: str) -> None:
    """Neither a worker nor a migration takes the database, and both say why."""
    settings = make_settings(url, folder)
    for begin in (processes.migrate, open_and_close):
        with pytest.raises(SchemaError, match=cause) as caught:
            await begin(settings, url)
        assert fix in caught.value.fix


async def open_and_close(settings: Settings, url: str) -> None:
    """What a worker does before it works."""
    async with processes._opened(settings, url, serves=False, works=True):
        pass


async def test_whatever_else_keeps_a_start_from_the_database_is_one_sentence(
    database_url: str, server_url: str, tmp_path: Path
) -> None:
    settings = make_settings(database_url, tmp_path)
    gone = to_url(server_url, "rmu_nowhere")
    nobody = make_url(server_url).set(username="rmu_nobody").render_as_string(hide_password=False)
    cases: dict[str, tuple[str, type[ServiceError]]]
    cases = {gone: ("has no such database", StartError), nobody: ("lets the user not in", StartError)}
    cases["postgresql://rmu@127.0.0.1:9/rmu"] = ("does not answer", DatabaseAwayError)
    for url, (said, kind) in cases.items():
        with pytest.raises(kind, match=said) as caught:
            await load_standing(settings, url, serves=True, works=True)
        assert isinstance(caught.value, ServiceError)
        assert caught.value.fix
        with pytest.raises(kind, match=said):
            async with explained(url):
                await migrate_database(url)


async def test_a_server_that_only_lets_read_is_told(empty_url: str, tmp_path: Path) -> None:
    await execute(empty_url, f"ALTER DATABASE {make_url(empty_url).database} SET default_transaction_read_only = on")
    with pytest.raises(StartError, match="can only be read"):
        await load_standing(make_settings(empty_url, tmp_path), empty_url, serves=False, works=True)


def make_direct(database_url: str, folder: Path, **changes: Any) -> Settings:
    """Settings that lead to Postgres itself, whatever the worlds of this run work through."""
    return make_settings(database_url, folder, **{"DATABASE_URL": database_url, "DATABASE_POOLED": False, **changes})


async def test_more_connections_than_postgres_has_are_refused_and_those_of_others_counted(
    database_url: str, tmp_path: Path
) -> None:
    settings = make_direct(database_url, tmp_path, database_connections=1000)
    with pytest.raises(StartError, match="This process may open 1010 connections"):
        await load_standing(settings, database_url, serves=True, works=True)
    few = make_direct(database_url, tmp_path)
    before = await load_standing(few, database_url, serves=True, works=False)
    assert (before.mine, before.is_tight) == (12 + 8 + 1, False)
    busy = make_direct(database_url, tmp_path, database_connections=180)
    other = create_engine(database_url, label=make_label(busy, serves=True, works=True))
    async with other.connect() as connection:
        await connection.exec_driver_sql("SELECT 1")
        found = await load_standing(few, database_url, serves=True, works=True)
    await other.dispose()
    assert found.processes == before.processes + 1
    assert found.others - before.others == 180 + 8 + 2
    assert found.is_tight == (found.mine + found.others > (found.most or 0))


@pytest.mark.parametrize("way", list_ways())
async def test_a_start_says_how_it_reaches_postgres(
    way: str, server_url: str, database_url: str, tmp_path: Path
) -> None:
    settings = make_direct(database_url, tmp_path)
    if way == "directly":
        found = await load_standing(settings, database_url, serves=False, works=True)
        assert "reached directly; workers look for work every 0.05 s and are woken; 14 connections" in found.sentence
        return
    with open_pooler(server_url, most=1) as pooler:
        url = pooler.before(database_url)
        with pytest.raises(StartError, match="DATABASE_POOLED is not set"):
            await load_standing(settings, url, serves=False, works=True)
    with open_pooler(server_url) as pooler:
        url = pooler.before(database_url)
        with pytest.raises(StartError, match="DATABASE_POOLED is not set"):
            await load_standing(settings, url, serves=False, works=True)
        pooled = make_direct(database_url, tmp_path, DATABASE_POOLED=True)
        found = await load_standing(pooled, url, serves=False, works=True)
        assert "transaction mode, where no statement is kept prepared; workers look for work" in found.sentence
        assert "(no DATABASE_DIRECT_URL)" in found.sentence
        direct = make_direct(database_url, tmp_path, DATABASE_POOLED=True, DATABASE_DIRECT_URL=database_url)
        assert "are woken past it" in (await load_standing(direct, url, serves=False, works=True)).sentence
        for wrong, said in ((url, "leads to a pooler"), (server_url, "is another database")):
            mistaken = make_direct(database_url, tmp_path, DATABASE_POOLED=True, DATABASE_DIRECT_URL=wrong)
            with pytest.raises(StartError, match=said):
                await load_standing(mistaken, url, serves=False, works=True)
        engine = create_engine(url, pooled=True)
        await check_schema(engine)
        await engine.dispose()
