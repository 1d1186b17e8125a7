"""A world whose documents are issued in a number series of its own, in RecMan's order."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from app.platform.http import httpx
from tests.world.names import COMPANY
from tests.world.world import World

FIRST = 70_001
LAST = 79_999


async def choose_series_booking(world: World) -> None:
    """The key books by series; a row says so, for how a key comes to it is another matter."""
    async with world.resources.engine.begin() as connection:
        opened = "proof = 'open', credits_proven = true"
        await connection.execute(text(f"UPDATE key SET booking = 'series', sender = 'recman', {opened}"))  # noqa: S608


async def prove_again(world: World) -> None:
    """The key is proven from the beginning, one document at a time."""
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET proof = 'proving', credits_proven = false"))


def turn(world: World, **switches: Any) -> None:
    """Let Unimicro behave otherwise from now on."""
    books = world.ledger.books(COMPANY)
    books.switches = books.switches.turned(switches)


def add_series(world: World, *, first: int = FIRST, last: int = LAST, name: str = "RecMan", **more: Any) -> int:
    """The id of a new series of invoices in Unimicro."""
    values = {"Name": "CustomerInvoice", "DisplayName": name, "FromNumber": first, "ToNumber": last}
    values |= {"NextNumber": first, "Disabled": False, "IsDefaultForTask": False, "System": False}
    known = world.ledger.books(COMPANY).rows("NumberSeries")
    like = next(row for row in known if row["Name"] == "CustomerInvoice")
    kinds = {name: like[name] for name in ("NumberSeriesTaskID", "NumberSeriesTypeID") if name in like}
    return int(world.ledger.books(COMPANY).insert("NumberSeries", values | kinds | more)["ID"])


async def put_series(world: World, *series: dict[str, Any]) -> httpx.Response:
    """The answer to an administrator who names the series."""
    return await world.call("PUT", f"/v1/keys/{world.key_id}/series", {"series": list(series)})


async def start_series(world: World, *, first: int = FIRST, **more: Any) -> int:
    """The id of a series that stands at RecMan's next number and numbers everything, unless told otherwise."""
    await choose_series_booking(world)
    series_id = add_series(world, first=first)
    answer = await put_series(world, {"series_id": series_id, "next_number": first, **more})
    assert answer.status_code == 200, answer.text
    return series_id


def make_invoices(world: World, numbers: Sequence[int], *, like: str = "5001") -> list[int]:
    """RecMan's ids of invoices with these numbers, in their order; an id tells the number."""
    return [world.source.double(like, 10 * number, invoiceNumber=str(number)) for number in numbers]


async def skip_to(world: World, series_id: int, number: int, reason: str = "deleted in RecMan") -> httpx.Response:
    """The answer to an administrator who passes numbers that RecMan never made."""
    path = f"/v1/keys/{world.key_id}/series/{series_id}/skip-to"
    return await world.call("POST", path, {"number": number, "reason": reason})


def list_issued(world: World) -> list[tuple[str, str | None]]:
    """Number and our reference of everything that was issued, in the order of issuing."""
    rows = [row for row in world.ledger.documents() if row["InvoiceNumber"]]
    rows.sort(key=lambda row: row["JournalEntryID"])
    return [(row["InvoiceNumber"], row["ExternalReference"]) for row in rows]


def expect_issued(numbers: Sequence[int]) -> list[tuple[str, str]]:
    """What `list_issued` shows once invoices with these numbers were issued one after the other."""
    return [(str(number), f"RM-{10 * number}") for number in numbers]
