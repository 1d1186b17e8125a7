"""How every command begins and ends: its settings, its database, and any trouble as two lines, cause and fix."""

import asyncio
import errno
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import DatabaseAwayError, ServiceError
from app.platform.db import check_schema, create_engine, is_away
from app.platform.logger import configure_logging, get_logger, show_exception
from app.platform.standing import explained, verify_url
from app.settings import Settings, list_strangers, to_variable

_log = get_logger(__name__)
_INTERRUPTED = 130
# What the system says where our own output goes nowhere, or to a full disk.
_UNTOLD = {errno.ENOSPC, errno.EPIPE, errno.EBADF, errno.EIO, errno.EDQUOT}
Found = TypeVar("Found")


def run_command(command: Callable[[], object]) -> None:
    """Run it; whatever becomes of it ends as an exit status, and trouble as two lines."""
    try:
        command()
    except ServiceError as error:
        # The fix is for who sends webhooks; who types a command can look at Postgres.
        is_silent = type(error) is DatabaseAwayError
        give_up(error.cause, fix_for(Code.CANNOT_START, "away") if is_silent else error.fix)
    except ValidationError as error:
        names = ", ".join(f"{_name(one['loc'])}: {_say(one['msg'])}" for one in error.errors())
        give_up(f"A setting cannot be used: {names}", "Correct it; `recman-unimicro settings` says what each means.")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - whoever typed a command is not shown our frames
        _give_up_for(error)


def _name(place: tuple[int | str, ...]) -> str:
    return to_variable("_".join(map(str, place)))


def _say(message: str) -> str:
    """A finding without the words that Pydantic puts before our own."""
    return message.removeprefix("Value error, ")


def _give_up_for(error: Exception) -> NoReturn:
    if os.environ.get("RMU_LOG_LEVEL", "").upper() == "DEBUG":
        Console(stderr=True, soft_wrap=True).print(show_exception(error), markup=False, highlight=False)
    if isinstance(error, OSError) and error.filename is not None:
        give_up(f"{error.filename}: {error.strerror}", "Name a file or folder that can be used, and run it again.")
    if isinstance(error, OSError) and error.errno in _UNTOLD:
        give_up(f"What was to be shown could not be written: {error.strerror}", "Make room, and run it again.")
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


def run_on_database(settings: Settings, url: str, work: Coroutine[Any, Any, Found]) -> Found:
    """What the work comes to, once it is known that the database has this version's schema.

    Raises:
        SchemaError: it has another one.
        StartError: Postgres answers, and will say no again.
        DatabaseAwayError: it does not answer.
    """
    return asyncio.run(_work_on_database(settings, url, work))


async def _work_on_database(settings: Settings, url: str, work: Coroutine[Any, Any, Found]) -> Found:
    engine = create_engine(url, pool_size=1, pooled=settings.database_pooled)
    try:
        async with explained(url):
            await check_schema(engine)
    except BaseException:
        # It is never begun.
        work.close()
        raise
    finally:
        await engine.dispose()
    return await work


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
