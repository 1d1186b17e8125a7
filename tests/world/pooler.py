"""PgBouncer in transaction mode before a test's Postgres, where the machine has it (Debian package `pgbouncer`)."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy.engine import make_url

from tests.world.tools import find_pgbouncer

_PORT = 6432
_START_SECONDS = 10

_CONFIG = """
[databases]
* = {target} connect_query='SET max_parallel_workers_per_gather = 0'

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
max_client_conn = 500
default_pool_size = {most}
query_wait_timeout = 5
server_login_retry = 1
logfile = {folder}/pgbouncer.log
"""


@dataclass(frozen=True, slots=True)
class Pooler:
    """One that runs before a server."""

    folder: Path
    server_url: str

    def before(self, url: str) -> str:
        """The address of the same database through the pooler."""
        database = make_url(url).database
        return f"postgresql+asyncpg://postgres@/{database}?host={quote(str(self.folder))}&port={_PORT}"

    def stands_before(self, url: str) -> bool:
        """Whether this address is one of its server's own."""
        ours, other = make_url(self.server_url), make_url(url)
        return (ours.host, ours.port, ours.query) == (other.host, other.port, other.query)


# The one that every world of this run works through, where that was asked for.
IN_USE: list[Pooler] = []


def list_ways() -> list[str]:
    """How the tests of this machine can reach Postgres."""
    return ["directly", "through PgBouncer"] if find_pgbouncer() else ["directly"]


def to_service(database_url: str) -> dict[str, Any]:
    """The settings by which a world reaches its database in this run."""
    for pooler in IN_USE:
        if pooler.stands_before(database_url):
            return {"DATABASE_URL": pooler.before(database_url), "DATABASE_POOLED": True}
    return {"DATABASE_URL": database_url}


@contextmanager
def open_pooler(server_url: str, *, most: int = 12) -> Iterator[Pooler]:
    """PgBouncer before the server, with as many connections to each database at most; ended with the block."""
    program = find_pgbouncer()
    assert program is not None, "PgBouncer is not on this machine: apt-get install pgbouncer"
    folder = Path(tempfile.mkdtemp(prefix="rmu-pool-"))
    config = folder / "pgbouncer.ini"
    config.write_text(_CONFIG.format(target=_to_target(server_url), port=_PORT, folder=folder, most=most))
    account = _choose_account(server_url)
    for path in (folder, config):
        os.chown(path, account.pw_uid, account.pw_gid)
    who: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    options = who if os.geteuid() == 0 else {}
    process = subprocess.Popen(
        [program, "-q", str(config)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    try:
        _wait_for(folder / f".s.PGSQL.{_PORT}", process, folder / "pgbouncer.log")
        yield Pooler(folder, server_url)
    finally:
        process.terminate()
        process.wait(_START_SECONDS)
        shutil.rmtree(folder)


def _to_target(server_url: str) -> str:
    url = make_url(server_url)
    found = {"host": url.query.get("host") or url.host, "port": url.query.get("port") or url.port or 5432}
    found |= {"user": url.username or "postgres", "password": url.password}
    return " ".join(f"{name}={value}" for name, value in found.items() if value is not None)


def _choose_account(server_url: str) -> pwd.struct_passwd:
    """Root may not run it; whoever may enter the socket's folder is the one that the server runs as."""
    host = make_url(server_url).query.get("host")
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    return pwd.getpwuid(Path(str(host)).stat().st_uid) if host else pwd.getpwnam("nobody")


def _wait_for(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(path):
        said = log.read_text() if log.exists() else ""
        assert process.poll() is None, f"PgBouncer ended: {said}"
        assert time.monotonic() < deadline, f"PgBouncer does not answer: {said}"
        time.sleep(0.02)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0
