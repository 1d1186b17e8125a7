"""The seam between transfers and accounting systems: an alias today, a union when a second system comes."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from app.accounting.unimicro import previews
from app.accounting.unimicro.client import Company, Exchange, UnimicroClient
from app.accounting.unimicro.payloads import guid_for
from app.accounting.unimicro.previews import Preview
from app.accounting.unimicro.target import Change, Made, UnimicroTarget
from app.accounting.unimicro.target_documents import Draft, Recipients
from app.accounting.unimicro.target_orders import UnimicroOrderTarget
from app.platform.http import httpx

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


def open_target(  # noqa: PLR0913 - what a connection to a company consists of
    http: httpx.AsyncClient,
    *,
    base_url: str,
    company_key: str,
    token: Callable[[str | None], Awaitable[str]],
    on_exchange: Callable[[Exchange], None],
    recipients: Recipients | None = None,
    slot: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    orders: bool = False,
) -> Target:
    """The books of one company.

    `recipients` is what is remembered of customers from one opening to the next; `orders` makes orders of documents.
    """
    company = Company(base_url=base_url, company_key=company_key, token=token, slot=slot)
    client = UnimicroClient(http, company, on_exchange=on_exchange)
    made = UnimicroOrderTarget if orders else UnimicroTarget
    return made(client, recipients=recipients)
