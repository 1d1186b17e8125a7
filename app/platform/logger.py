"""Log lines for people or machines.

Beside `event`, `level` and `timestamp` a line has, as far as it is said in the course of one:

* `request`: the request to our API; the caller's `X-Request-Id` or one of ours, as the answer's header has it
* `tenant`: the RecMan account
* `lane`, `scope`, `record`: the lane a worker has in hand, and the record it is about by RecMan's id
* `transfer`: the transfer that is worked on or asked about

`document_ended` is said once for each document whose run ends, with `outcome` (booked, ordered, drafted, linked, held,
failed, ignored, unchanged), `number` (RecMan's), `remote_number`, `codes` (of reasons or warnings) and `milliseconds`.
No line holds a person or a secret: no bodies, no causes, and of an exception its frames and types without the texts.
"""

import logging
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import structlog

from app.errors import ServiceError

Field: TypeAlias = str | int

# None outside of every request and lane. One variable for all fields, so that one reset takes all of them back.
_FIELDS: ContextVar[Mapping[str, Field] | None] = ContextVar("log_fields", default=None)


@contextmanager
def log_fields(**fields: Field) -> Iterator[None]:
    """Put these fields, and none from outside, on every line that is logged inside; afterwards it is as before."""
    token = _FIELDS.set(fields)
    try:
        yield
    finally:
        _FIELDS.reset(token)


def add_log_fields(**fields: Field) -> None:
    """Put more on every further line of the same request or lane; outside of one nothing happens."""
    bound = _FIELDS.get()
    if bound is not None:
        _FIELDS.set({**bound, **fields})


def _put_fields(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in (_FIELDS.get() or {}).items():
        event.setdefault(name, value)
    return event


def _keep_first_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of what a library says: asyncio goes on with the texts of exceptions, which may hold anything."""
    event["event"] = str(event["event"]).strip().partition("\n")[0]
    return event


def show_exception(error: BaseException) -> str:
    """Where an exception comes from, and its causes before it: frames and types, for a text may hold anything."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    shown = [show_exception(one) for one in (*inner, *([before] if before is not None else []))]
    frames = "".join(traceback.format_tb(error.__traceback__))
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    told = f"{name} ({error.code})" if isinstance(error, ServiceError) else name
    return "\n".join([*shown, f"Traceback (most recent call last):\n{frames}{told}"])


def _show_exc_info(exc_info: Any) -> str:
    return show_exception(exc_info[1])


def configure_logging(*, style: str, level: str) -> None:
    """Send structlog and the standard library through one renderer."""
    # Exceptions are texts already when they come here.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if style == "json" else plain
    shared: list[Any] = [
        _put_fields,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.ExceptionRenderer(_show_exc_info),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        # What is below the level is dropped before anything is made of it: a worker says something of every lane.
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=[_keep_first_line, *shared])
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # httpx logs whole addresses at INFO; RecMan's key travels in the query.
    for noisy in ("httpx", "httpcore", "httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> Any:
    """A structlog logger."""
    return structlog.stdlib.get_logger(name)
