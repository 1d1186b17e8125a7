"""The seam between transfers and accounting systems: an alias today, a union when a second system comes."""

from collections.abc import Awaitable, Callable

from app.accounting.unimicro import previews
from app.accounting.unimicro.client import Company, Exchange, UnimicroClient
from app.accounting.unimicro.payloads import guid_for
from app.accounting.unimicro.previews import Preview
from app.accounting.unimicro.target import Change, Draft, Made, Recipients, UnimicroTarget
from app.http import httpx

__all__ = [
    "Change",
    "Draft",
    "Exchange",
    "Made",
    "Preview",
    "Recipients",
    "Target",
    "guid_for",
    "open_target",
    "previews",
]

Target = UnimicroTarget


def open_target(
    http: httpx.AsyncClient,
    *,
    base_url: str,
    company_key: str,
    token: Callable[[str | None], Awaitable[str]],
    on_exchange: Callable[[Exchange], None],
    recipients: Recipients | None = None,
) -> Target:
    """The books of one company; `recipients` is what is remembered of customers from one opening to the next."""
    company = Company(base_url=base_url, company_key=company_key, token=token)
    client = UnimicroClient(http, company, on_exchange=on_exchange)
    return UnimicroTarget(client, recipients=recipients)
