"""The server of `app.embedded.postgres`: make its data, start it, find it again, end it.

It is known by two things together: the process number in `postmaster.pid`, and the random path of our socket folder in
that process' command line. A number alone may long since belong to somebody else.
"""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from app.embedded.install import Account, Install
from app.embedded.lifeline import start_bound
from app.errors import EmbeddedPostgresError

PORT = 5432  # only names the socket file
# Not the user's temporary folder first: it may be deep, or closed to the account Postgres runs as.
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - a private folder with a random name is made inside
_SOCKET_PREFIX = "rmu-"
_START_SECONDS = 300.0  # only a long recovery after a crash takes more than one; a server that ended is seen at once
_STOP_SECONDS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))  # fast shutdown, then immediate
_PAUSE = 0.02

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # the rest could repeat personal data
    "log_min_error_statement": "panic",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _tail(text: str) -> str:
    return " | ".join(text.strip().splitlines()[-8:])


def _data_argument(cluster: Path) -> str:
    # The account may not walk to the data (below /root, say), but the process stands there before it becomes it.
    here = Path("/proc/self/cwd")
    return str(here) if os.geteuid() == 0 and here.exists() else str(cluster)


def _to_environment() -> dict[str, str]:
    # Not the whole environment: it may hold PGPORT and the like, and our secrets are none of the server's business.
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"LC_ALL": "C"}


def create_cluster(cluster: Path, *, install: Install, account: Account, durable: bool) -> None:
    """Make the data of a new server.

    Raises:
        EmbeddedPostgresError: initdb refuses.
    """
    draft = cluster.with_name("cluster.new")  # renamed when complete: a half-made one is never taken for good
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    account.adopt(draft)
    options = "--username=postgres --auth=trust --encoding=UTF8 --locale=C --locale-provider=builtin"
    command = [str(install.binary("initdb")), "-D", _data_argument(draft), *options.split(), "--builtin-locale=C.UTF-8"]
    done = subprocess.run(  # noqa: S603 - ours
        command if durable else [*command, "--no-sync"],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=draft,
        env=_to_environment(),
        **account.options(),
    )
    if done.returncode != 0:
        raise EmbeddedPostgresError(
            f"Postgres could not create its data in {cluster}: {_tail(done.stdout.decode(errors='replace'))}",
            fix="Mend what it says and start again, or set DATABASE_URL to a Postgres server.",
        )
    draft.rename(cluster)
    _sync_folder(cluster.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def own_cluster(cluster: Path, account: Account) -> None:
    """Give the data to the account when they are somebody else's, as Postgres insists."""
    if cluster.stat().st_uid != account.uid:  # copied or restored by root
        for path in (cluster, *cluster.rglob("*")):
            account.adopt(path)


def prepare_socket_dir(folder: Path, account: Account) -> Path:
    """A private folder for the socket with a short path, noted in `folder`; that of the last time if it is still good.

    Raises:
        EmbeddedPostgresError: there is no place for one.
    """
    note = folder / "socket_dir"
    saved = Path(_read(note) or os.devnull)
    with suppress(OSError):
        found = saved.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and not found.st_mode & 0o077:
            return saved
    for parent in (*_SHORT_FOLDERS, tempfile.gettempdir()):
        with suppress(OSError):
            path = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=parent))
            account.adopt(path)
            note.unlink(missing_ok=True)  # it may be root's, in a folder of ours
            note.write_text(str(path), encoding="utf-8")
            return path
    raise EmbeddedPostgresError(
        "There is no place for the socket of the embedded Postgres",
        fix="Make /tmp writable, or set DATABASE_URL to a Postgres server.",
    )


def list_socket_dirs() -> list[Path]:
    """Every folder on this machine that may hold the socket of a server of ours."""
    places = dict.fromkeys((*_SHORT_FOLDERS, tempfile.gettempdir()))
    return [found for place in places for found in Path(place).glob(f"{_SOCKET_PREFIX}*")]


def clear_stale(folder: Path, socket_dir: Path) -> None:
    """Put away what a server that is gone left behind."""
    log = folder / "server.log"
    if log.exists():
        log.replace(folder / "server.log.1")
    # Postgres refuses to start when a number in these files is that of any living process of its account.
    # If its own server lived after all, it would still refuse: the shared memory shows that, not the files.
    (folder / "cluster" / "postmaster.pid").unlink(missing_ok=True)
    _clear_socket(socket_dir)


def _clear_socket(socket_dir: Path) -> None:
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (socket_dir / name).unlink(missing_ok=True)


def to_command(install: Install, *, cluster: Path, socket_dir: Path, durable: bool) -> list[str]:
    """The command line of the server, which needs no configuration file."""
    settings = _SETTINGS | {"unix_socket_directories": str(socket_dir)} | ({} if durable else _FORGETFUL)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(install.binary("postgres")), "-D", _data_argument(cluster), "-p", str(PORT), *options]


def spawn(command: list[str], *, folder: Path, account: Account) -> subprocess.Popen[bytes]:
    """The server's process, which may not be ready yet."""
    with (folder / "server.log").open("ab") as sink:
        return start_bound(
            command,
            sign=signal.SIGINT,  # a fast shutdown, in good order
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd=folder / "cluster",
            env=_to_environment(),
            start_new_session=True,  # Ctrl-C in the terminal is ours to handle, not the server's
            **account.options(),
        )


def wait_until_ready(folder: Path, process: subprocess.Popen[bytes] | None) -> None:
    """Return when the server takes connections.

    Raises:
        EmbeddedPostgresError: it ended, or takes too long; with the last lines of its log.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        ended = process is None or process.poll() is not None
        if find_pid(folder) is not None:
            if _read(folder / "cluster" / "postmaster.pid").rstrip().endswith("\nready"):
                return
        elif ended:
            break
        time.sleep(_PAUSE)
    raise EmbeddedPostgresError(
        f"Postgres did not start in {folder}: {_tail(_read(folder / 'server.log'))}",
        fix="Mend what it says and start again, or set DATABASE_URL to a Postgres server.",
    )


def find_pid(folder: Path) -> int | None:
    """The process number of our living server in this folder."""
    first = _read(folder / "cluster" / "postmaster.pid").partition("\n")[0]
    socket_dir = read_socket_dir(folder)
    if not socket_dir or not first.isdecimal():
        return None
    return int(first) if f"unix_socket_directories={socket_dir}" in _read_command(int(first)) else None


def _read_command(pid: int) -> str:
    """The command line of a process; empty when there is none, or only its remains wait for their parent."""
    if Path("/proc/self/cmdline").exists():
        with suppress(ProcessLookupError):  # it ended while it was read
            return _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")
        return ""
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]  # macOS
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout  # noqa: S603 - fixed text


def shut_down(folder: Path, process: subprocess.Popen[bytes] | None) -> None:
    """End the server in this folder, and `process` where its number is not written down yet; fine when none runs.

    Raises:
        EmbeddedPostgresError: it does not end.
    """
    for number, seconds in _STOP_SECONDS:
        pid = _find_living(folder, process)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if _is_gone(folder, process, seconds=seconds):
            break
    else:
        raise EmbeddedPostgresError(
            f"The embedded Postgres in {folder} does not end",
            fix=f"Look into {folder / 'server.log'}, and end process {_find_living(folder, process)} by hand.",
        )
    if socket_dir := read_socket_dir(folder):
        _clear_socket(Path(socket_dir))
        with suppress(OSError):
            Path(socket_dir).rmdir()


def _find_living(folder: Path, process: subprocess.Popen[bytes] | None) -> int | None:
    started = process.pid if process is not None and process.poll() is None else None
    return find_pid(folder) or started


def _is_gone(folder: Path, process: subprocess.Popen[bytes] | None, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _find_living(folder, process) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def read_socket_dir(folder: Path) -> str:
    """The folder of the server's socket; empty when it was never started."""
    return _read(folder / "socket_dir")
