"""What is told to a world before and while a worker dies in it."""

from collections.abc import Awaitable, Callable

from tests.world.world import World

Part = Callable[[World], Awaitable[None]]


async def nothing(world: World) -> None:
    """A scenario that needs no past."""


async def book_5003(world: World) -> None:
    """Invoice 5003, which has credit notes, is in the books."""
    await world.hear_of("invoice", 5003)
    await world.settle()


async def hear_invoice(world: World) -> None:
    """RecMan tells of invoice 5001."""
    await world.hear_of("invoice", 5001)


async def hear_credit(world: World) -> None:
    """RecMan tells of the credit note of invoice 5003."""
    await world.hear_of("invoice", 5008)


async def hear_too_large_credit(world: World) -> None:
    """The credit note credits more than there is."""
    world.source.credit_hours("5008", hours=200)
    await world.hear_of("invoice", 5008)
