"""What else a company has that decides about invoices: KID, number series, reminders. Reads only, for checks.

Source: docs/facts/unimicro.md §3.7 (number series [O]), §11 row 1 (KID [O]); the routes and fields of KID and reminders
are the Swagger dump's of 2021 (§0). What cannot be read is not known.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from app.accounting.unimicro.client import UnimicroClient
from app.accounting.unimicro.payloads import to_text
from app.accounting.unimicro.translate_settings import read_flag, read_number
from app.domain.company_settings import KidSetUp, Series, SetUp
from app.errors import RemoteError, RemoteRejectedError

_REMINDERS = "CustomerInvoiceReminderSettings"
_KID_ACTIVE = 42400


async def fetch_set_up(client: UnimicroClient, *, year: int) -> SetUp:
    """The set-up as far as it can be read now."""
    kids = await _fetch_rows(client, "paymentinfotype")
    invoices = await _fetch_series(client, "CustomerInvoice", year)
    orders = await _fetch_series(client, "CustomerOrder", year)
    return SetUp(
        kids=None if kids is None else tuple(_list_kids(kids)),
        invoice_series=None if invoices is None else tuple(_list_series(invoices)),
        order_series=None if orders is None else tuple(_list_series(orders)),
        reminders=await _fetch_reminders(client),
    )


async def fetch_invoice_series(client: UnimicroClient, *, year: int) -> tuple[Series, ...] | None:
    """The series that invoices of a year may get their numbers from; None: Unimicro does not let us read them.

    Raises:
        RemoteError: Unimicro could not be asked.
    """
    try:
        rows = await client.fetch_list("number-series", **_to_query("CustomerInvoice", year))
    except RemoteRejectedError:
        return None
    return tuple(_list_series(rows))


async def _fetch_series(client: UnimicroClient, entity: str, year: int) -> list[dict[str, Any]] | None:
    return await _fetch_rows(client, "number-series", **_to_query(entity, year))


def _to_query(entity: str, year: int) -> dict[str, str]:
    return {"action": "get-active-numberseries", "entityType": entity, "year": str(year)}


async def _fetch_rows(client: UnimicroClient, route: str, **query: str) -> list[dict[str, Any]] | None:
    try:
        return await client.fetch_list(route, **query)
    except RemoteError:
        return None


async def _fetch_reminders(client: UnimicroClient) -> int | None:
    """How many reminders go out.

    Source: docs/facts/unimicro.md §3.7; that 0 stands for none is assumed.
    """
    try:
        settings = await client.fetch_one("companysettings/1", expand=_REMINDERS)
    except RemoteError:
        return None
    return read_number((settings.get(_REMINDERS) or {}).get("RemindersBeforeDebtCollection"))


def _list_kids(rows: Iterable[Mapping[str, Any]]) -> Iterable[KidSetUp]:
    for row in rows:
        if not row.get("Deleted") and row.get("StatusCode") in (_KID_ACTIVE, None):
            control, length = read_number(row.get("Control")), read_number(row.get("Length"))
            yield KidSetUp(name=to_text(row.get("Name")), control=control, length=length)


def _list_series(rows: Iterable[Mapping[str, Any]]) -> Iterable[Series]:
    for row in rows:
        if row.get("Deleted") or row.get("Disabled"):
            continue
        yield Series(
            name=to_text(row.get("DisplayName")) or to_text(row.get("Name")),
            first=read_number(row.get("FromNumber")),
            last=read_number(row.get("ToNumber")),
            following=read_number(row.get("NextNumber")),
            is_default=read_flag(row.get("IsDefaultForTask")),
            series_id=read_number(row.get("ID")),
            follows_id=read_number(row.get("UseNumbersFromNumberSeriesID")) or None,
        )
