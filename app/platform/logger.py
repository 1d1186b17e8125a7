"""Log lines for people or machines, and the masks that keep persons and secrets out of stored bodies."""

import logging
from typing import Any

import structlog

from app.domain.org_numbers import hide_person_numbers

# Keys whose values name a person or let somebody in; matched without case, anywhere in the key.
_SECRET_KEYS = ("token", "secret", "password", "authorization", "assertion", "apikey", "api_key")
_PERSON_KEYS: tuple[str, ...] = (
    "email",
    "phone",
    "socialsecurity",
    "addressline",
    "customerperson",
    "yourreference",
    "ourreference",
)
# Staffing invoices name the people whose hours they bill.
_PERSON_KEYS += ("itemtext", "comment", "freetxt")
_MASK = "•••"


def configure_logging(*, style: str, level: str) -> None:
    """Send structlog and the standard library through one renderer."""
    # Plain tracebacks: the pretty ones print local variables, and with them secrets.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if style == "json" else plain
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # httpx logs whole addresses at INFO; RecMan's key travels in the query.
    for noisy in ("httpx", "httpcore", "httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> Any:
    """A structlog logger."""
    return structlog.stdlib.get_logger(name)


def mask(value: Any) -> Any:
    """The same structure with secrets and personal data replaced; amounts, numbers and ids stay."""
    if isinstance(value, dict):
        return {key: _mask_field(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [mask(inner) for inner in value]
    return value


def _mask_field(key: str, value: Any) -> Any:
    lowered = key.lower()
    if isinstance(value, str) and value and any(part in lowered for part in _SECRET_KEYS + _PERSON_KEYS):
        return _MASK
    if isinstance(value, str) and "orgnumber" in lowered:
        return hide_person_numbers(value)
    return mask(value)
