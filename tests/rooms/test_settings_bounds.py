"""A setting that would fail in the middle of work is told at the start, in one sentence."""

import errno
from typing import Any

import pytest
from pydantic import ValidationError

from app.cli.start import run_command
from app.errors import DatabaseAwayError, SchemaError
from app.settings import Settings

NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_is_beyond_what_clocks_and_columns_take(name: str) -> None:
    is_fraction = Settings.model_fields[name].annotation is float
    for value in ("99999999999999999999", *(("inf", "1e300", "nan") if is_fraction else ())):
        with pytest.raises(ValidationError):
            Settings.model_validate({name: value})
    least = next((one.ge for one in Settings.model_fields[name].metadata if hasattr(one, "ge")), None)
    assert Settings.model_validate({name: str(Settings.model_fields[name].default)})
    with pytest.raises(ValidationError):
        Settings.model_validate({name: "-1" if least is None else str(least - 1)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unimicro_issuer", ""),
        ("unimicro_issuer", "login.unimicro.no"),
        ("unimicro_issuer", "http://[::1"),
        ("unimicro_issuer", "https://login.unimicro.no:99999"),
        ("recman_api_base", "ftp://api.recman.io"),
        ("unimicro_invoice_link", "{nope}"),
        ("unimicro_invoice_link", "{"),
        ("unimicro_invoice_link", "{base[x]}"),
        ("unimicro_invoice_link", "{0}"),
    ],
)
def test_what_is_no_address_and_no_link_is_told(name: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(lambda: Settings.model_validate({name: value}))
    lines = capsys.readouterr().err.splitlines()
    assert (ended.value.code, len(lines)) == (1, 2)
    assert lines[0].startswith(f"A setting cannot be used: RMU_{name.upper()}: ")
    assert "Value error" not in lines[0]


@pytest.mark.parametrize(
    ("error", "cause", "fix"),
    [
        # The fix that webhooks are answered with helps nobody who types a command.
        (DatabaseAwayError("The database does not answer", fix="Try again."), "does not answer", "DATABASE_URL"),
        (SchemaError("The schema is at 7"), "The schema is at 7", "migrate"),
        (OSError(errno.ENOSPC, "No space left on device"), "could not be written: No space", "Make room"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), "Postgres does not answer", "DATABASE_URL"),
    ],
)
def test_a_fix_is_one_for_who_typed_the_command(
    error: Exception, cause: str, fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> Any:
        raise error

    with pytest.raises(SystemExit):
        run_command(command)
    lines = capsys.readouterr().err.splitlines()
    assert (cause in lines[0], fix in lines[1]) == (True, True), lines
