"""How every command begins and ends: its settings, its database, and any trouble as two lines, cause and fix."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import ServiceError
from app.platform.db import is_away
from app.platform.logger import configure_logging, get_logger, show_exception
from app.platform.standing import verify_url
from app.settings import Settings, list_strangers, to_variable

_log = get_logger(__name__)
_INTERRUPTED = 130


def run_command(command: Callable[[], object]) -> None:
    """Run it; whatever becomes of it ends as an exit status, and trouble as two lines."""
    try:
        command()
    except ServiceError as error:
        give_up(error.cause, error.fix)
    except ValidationError as error:
        names = ", ".join(f"{to_variable('_'.join(map(str, one['loc'])))}: {one['msg']}" for one in error.errors())
        give_up(f"A setting cannot be used: {names}", "Correct it; `recman-unimicro settings` says what each means.")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - whoever typed a command is not shown our frames
        _give_up_for(error)


def _give_up_for(error: Exception) -> NoReturn:
    if os.environ.get("RMU_LOG_LEVEL", "").upper() == "DEBUG":
        Console(stderr=True, soft_wrap=True).print(show_exception(error), markup=False, highlight=False)
    if isinstance(error, OSError) and error.filename is not None:
        give_up(f"{error.filename}: {error.strerror}", "Name a file or folder that can be used, and run it again.")
    if is_away(error):
        give_up("Postgres does not answer any more", fix_for(Code.CANNOT_START, "away"))
    # The text of an unexpected error may hold anything; its type is all that is shown.
    cause = f"An unexpected error ({type(error).__name__})"
    give_up(cause, "Run it again with RMU_LOG_LEVEL=DEBUG, and report the traceback that it shows then.")


def give_up(cause: str, fix: str) -> NoReturn:
    """Say why, and what to do, and end with 1."""
    Console(stderr=True, soft_wrap=True).print(f"[bold red]{escape(cause)}[/]\n{escape(fix)}", highlight=False)
    sys.exit(1)


def load_settings() -> Settings:
    """The settings; what looks like one of ours and is none is said."""
    settings = Settings()
    configure_logging(style=settings.log_format, level=settings.log_level)
    for one in list_strangers(os.environ):
        _log.warning("setting_unknown", variable=one.variable, meant=one.meant)
    return settings


@contextmanager
def open_database(settings: Settings) -> Iterator[str]:
    """The address of the database; without DATABASE_URL that of a Postgres of our own, restarted when it dies."""
    if settings.database_url is not None:
        verify_url(settings.database_url)
        yield settings.database_url
        return
    from app.embedded.postgres import EmbeddedPostgres  # noqa: PLC0415 - `serve` and `worker` load neither stand-ins nor a Postgres
    from app.embedded.watch import kept_running  # noqa: PLC0415 - `serve` and `worker` load neither stand-ins nor a Postgres

    folder = settings.private_data_dir
    if settings.data_dir_open is not None:
        _log.warning("data_dir_open", folder=str(folder), mode=f"{settings.data_dir_open:o}", fix="chmod 700")
    server = EmbeddedPostgres(folder / "postgres")
    with server, kept_running(server, tell=_tell_of_postgres):
        yield server.url


def _tell_of_postgres(error: ServiceError | None) -> None:
    if error is None:
        _log.warning("postgres_restarted")
    else:
        _log.error("postgres_not_restarted", sentence=error.cause)
