"""The vouchers in the books of a world's Unimicro, and how its company books them."""

from decimal import Decimal
from typing import Any

from tests.world.world import World


def turn(world: World, **switches: Any) -> None:
    """Let the key's company do it this way."""
    books = world.ledger.books()
    books.switches = books.switches.turned(switches)


def list_entries(world: World) -> list[dict[str, Any]]:
    """The journal entries."""
    return [dict(row) for row in world.ledger.books().rows("JournalEntry")]


def lines_of(world: World, entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The booked lines of an entry."""
    return [dict(row) for row in world.ledger.books().children("JournalEntryLine", "JournalEntryID", entry["ID"])]


def list_claims(world: World) -> list[Decimal]:
    """What stands on customers' accounts, entry by entry."""
    lines = [line for entry in list_entries(world) for line in lines_of(world, entry)]
    return [line["Amount"] for line in lines if line["SubAccountID"]]


def read_vat(world: World, entry: dict[str, Any]) -> Decimal:
    """The VAT of an entry, as owed."""
    return -sum((line["Amount"] for line in lines_of(world, entry) if line["TaxBasisAmount"] is not None), Decimal(0))
