"""A key that makes files: its documents are collected, and people import what it writes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain.booking import Booking, sender_of
from app.domain.money import dump_json
from app.domain.states import Mode
from tests.world.world import World

_CHOOSE = text("""
    UPDATE key SET mode = :mode, booking = :booking, sender = :sender, settings = CAST(:settings AS jsonb)
    WHERE tenant_id = :tenant_id AND id = :id
""")


async def choose_files(world: World, booking: Booking = Booking.VOUCHER, **settings: Any) -> None:
    """Let the key make files of documents that are booked so; they go without projects that are not there."""
    values = {"mode": Mode.FILE, "booking": booking, "sender": sender_of(booking)}
    chosen = dump_json({"missing_dimensions": "leave_out", **settings})
    own = {"tenant_id": world.tenant_id, "id": UUID(str(world.key_id))}
    async with world.resources.sessions.begin() as session:
        await session.execute(_CHOOSE, {**values, **own, "settings": chosen})


async def list_contents(world: World) -> dict[str, dict[str, Any]]:
    """What was collected of each document, by its number in RecMan."""
    query = text("SELECT t.number, f.content FROM filed_document f JOIN transfer t ON t.id = f.transfer_id")
    async with world.resources.engine.connect() as connection:
        return {row.number: row.content for row in await connection.execute(query)}


async def list_states(world: World, record_ids: Sequence[int]) -> dict[int, str]:
    """How far each of these documents is, by RecMan's id."""
    return {one: (await world.document(one))["state"] for one in record_ids}
