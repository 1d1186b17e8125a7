"""The seam between transfers and accounting systems: an alias today, a union when a second system comes."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from app.accounting.unimicro.client import Company, Exchange, UnimicroClient
from app.accounting.unimicro.follow import MOST_AT_ONCE, Issued
from app.accounting.unimicro.listed import ListedClient
from app.accounting.unimicro.payloads import guid_for
from app.accounting.unimicro.previews import Preview, to_previews
from app.accounting.unimicro.rehearsal import Rehearsal
from app.accounting.unimicro.target import Change, Made, UnimicroTarget
from app.accounting.unimicro.target_documents import Draft, NewDraft, Recipients
from app.accounting.unimicro.target_orders import UnimicroOrderTarget
from app.accounting.unimicro.translate_vouchers import NewVoucher
from app.accounting.unimicro.vouchers import BookedEntry
from app.domain.lists import Lists
from app.platform.http import httpx

__all__ = [
    "MOST_AT_ONCE",
    "BookedEntry",
    "Change",
    "Draft",
    "Exchange",
    "Issued",
    "Made",
    "NewDraft",
    "NewVoucher",
    "Preview",
    "Recipients",
    "Target",
    "guid_for",
    "open_listed_target",
    "open_target",
    "to_previews",
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
    rehearses: bool = False,
) -> Target:
    """The books of one company.

    `recipients` is what is remembered of customers from one opening to the next; `orders` makes orders of documents.
    `rehearses`: what would be written is passed to `on_exchange`, and nothing is sent.
    """
    company = Company(base_url=base_url, company_key=company_key, token=token, slot=slot)
    opened = Rehearsal if rehearses else UnimicroClient
    client = opened(http, company, on_exchange=on_exchange)
    if rehearses and recipients is not None:
        # What is only imagined is nothing to remember.
        recipients = dict(recipients)
    made = UnimicroOrderTarget if orders else UnimicroTarget
    return made(client, recipients=recipients)


def open_listed_target(
    load: Callable[[], Awaitable[Lists]], *, series: tuple[int, int] | None, key_id: str, orders: bool = False
) -> Target:
    """The books of a company without sign-in, as far as lists tell of them; nothing can be written there.

    `load` gives the lists, the same object as long as nobody has sent another one; `series` are the first and last
    number that a customer may have.
    """
    client = ListedClient(load, series=series, key_id=key_id)
    return (UnimicroOrderTarget if orders else UnimicroTarget)(client)
