"""What a person at the command line is told: two lines for every trouble, and whether settings fit each other."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from app.cli.fitting import check_settings
from app.cli.start import run_command
from app.domain.findings import Level
from app.errors import StartError
from app.platform.standing import verify_url
from app.settings import Settings, list_strangers

PLAIN = {"RMU_PORT": "81", "DATABASE_URL": "x", "RMU_DATABASE_URL": "x", "PATH": "/bin"}


def raises(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "cause", "fix"),
    [
        (StartError("No [bold] way", fix="Find [one]."), "No [bold] way", "Find [one]."),
        (OSError(errno.ENOENT, "No such file or directory", "/nowhere/x"), "/nowhere/x: No such file", "Name a file"),
        (OperationalError("SELECT secret", {}, Exception("secret")), "Postgres does not answer", "DATABASE_URL"),
        (asyncpg.ConnectionDoesNotExistError("secret"), "Postgres does not answer", "DATABASE_URL"),
        (KeyError("secret"), "An unexpected error (KeyError)", "RMU_LOG_LEVEL=DEBUG"),
        (ExceptionGroup("secret", [ValueError("secret")]), "An unexpected error (ExceptionGroup)", "RMU_LOG_LEVEL"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_every_trouble_is_two_lines_and_none_is_a_traceback(
    error: Exception, cause: str, fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(raises(error))
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert (ended.value.code, len(lines), told.out) == (1, 2, "")
    assert cause in lines[0]
    assert fix in lines[1]
    assert "secret" not in told.err


def test_the_traceback_is_shown_to_whoever_asks_for_it_and_even_then_no_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with redirected({"RMU_LOG_LEVEL": "debug"}), pytest.raises(SystemExit):
        run_command(raises(KeyError("secret")))
    told = capsys.readouterr().err
    assert "test_commands.py" in told
    assert "builtins.KeyError" in told
    assert "secret" not in told


@contextmanager
def redirected(variables: dict[str, str]) -> Iterator[None]:
    """The environment with these variables too."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def test_whoever_interrupts_a_command_is_told_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(raises(KeyboardInterrupt()))
    assert (ended.value.code, capsys.readouterr().err) == (130, "")


def test_what_looks_like_a_setting_and_is_none_is_found_with_the_one_that_is_meant() -> None:
    found = list_strangers({**PLAIN, "RMU_UNIMICRO_CLIENTID": "x", "RMU_ZZZZZZ": "x"})
    assert [(one.variable, one.meant) for one in found] == [
        ("RMU_UNIMICRO_CLIENTID", "RMU_UNIMICRO_CLIENT_ID"),
        ("RMU_ZZZZZZ", ""),
    ]


@pytest.mark.parametrize("url", ["nonsense", "postgresql://a:b@host:port/x", "mysql://a@b/c", ""])
def test_an_address_that_is_none_is_told_before_anybody_connects(url: str) -> None:
    with pytest.raises(StartError, match="no address of a Postgres") as caught:
        verify_url(url)
    assert "postgresql://" in caught.value.fix


def make_settings(**values: Any) -> Settings:
    # A folder that is not there is nobody's to look into, whatever lies in this one.
    return Settings(**{"encryption_keys": SecretStr("x"), "database_url": None, "data_dir": Path("none"), **values})


def test_a_data_folder_that_others_can_look_into_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (found,) = check_settings(make_settings(data_dir=tmp_path))
    assert (found.level, f"chmod 700 {tmp_path}" in found.fix, "mode 755" in found.cause) == (Level.NOTE, True, True)
    tmp_path.chmod(0o700)
    assert [one.level for one in check_settings(make_settings(data_dir=tmp_path))] == [Level.FINE]


def test_settings_as_they_are_by_default_fit_each_other(tmp_path: Path) -> None:
    (found,) = check_settings(make_settings(data_dir=tmp_path / "none"))
    assert (found.level, found.cause) == (Level.FINE, "fit each other")


@pytest.mark.parametrize(
    ("values", "level", "cause"),
    [
        ({"unimicro_api_base": "https://api.other.example/"}, Level.ALARM, "RMU_UNIMICRO_ALLOWED_HOSTS does not name"),
        ({"unimicro_allowed_hosts": "test.unimicro.no"}, Level.ALARM, "RMU_UNIMICRO_ALLOWED_HOSTS does not name"),
        ({"unimicro_api_base": "http://app.unimicro.no/"}, Level.ALARM, "not encrypted"),
        ({"unimicro_api_base": "app.unimicro.no"}, Level.ALARM, "no host"),
        ({"public_url": "http://sync.example.com"}, Level.ALARM, "not encrypted"),
        ({"public_url": "sync.example.com"}, Level.ALARM, "no address"),
        ({"host": "0.0.0.0"}, Level.NOTE, "is this machine"),  # noqa: S104 - a case
    ],
    ids=["base elsewhere", "host missing", "base in clear", "base without scheme", "in clear", "no scheme", "loopback"],
)
def test_settings_that_do_not_go_together_are_told(values: dict[str, Any], level: Level, cause: str) -> None:
    found = check_settings(make_settings(**values))
    assert any(cause in one.cause and one.level is level and one.fix for one in found), found


def test_settings_that_do_go_together_are_not_told() -> None:
    values = {"unimicro_api_base": "http://127.0.0.1:8102/", "unimicro_allowed_hosts": "127.0.0.1:8102"}
    values |= {"host": "0.0.0.0", "public_url": "https://sync.example.com"}  # noqa: S104 - a case
    assert [one.level for one in check_settings(make_settings(**values))] == [Level.FINE]
