"""A key that makes files: its documents are collected, and people import what it writes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain.booking import Booking, sender_of
from app.domain.money import dump_json
from app.domain.states import Mode
from app.platform.http import httpx
from tests.world.names import OURS, TOKEN
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


async def prove_key(world: World) -> None:
    """As if nobody had imported a file of the key yet."""
    own = {"tenant_id": world.tenant_id, "id": UUID(str(world.key_id))}
    anew = text("UPDATE key SET proof = 'proving', credits_proven = false WHERE tenant_id = :tenant_id AND id = :id")
    async with world.resources.sessions.begin() as session:
        await session.execute(anew, own)


async def try_export(world: World, **order: Any) -> httpx.Response:
    """What is answered to whoever wants a file, of everything unless told otherwise."""
    named = {} if {"ids", "customer", "dated_from", "dated_to", "department"} & order.keys() else {"everything": True}
    return await world.call("POST", "/v1/exports", {"key_id": str(world.key_id), **named, **order})


async def export(world: World, **order: Any) -> dict[str, Any]:
    """An export, which must be made."""
    answer = await try_export(world, **order)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["export"]
    return made


async def refuse_export(world: World, **order: Any) -> str:
    """Why an export is not made."""
    answer = await try_export(world, **order)
    assert answer.status_code in {409, 422}, answer.text
    told = answer.json()
    assert told["cause"]
    assert told["fix"]
    return str(told["code"])


async def download(world: World, made: dict[str, Any], **params: Any) -> bytes:
    """The bytes of an export's file, or of the archive of several."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = await world.http.get(f"{OURS}/v1/exports/{made['id']}/file", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.content


async def confirm(world: World, made: dict[str, Any], **order: Any) -> dict[str, int]:
    """Say what became of an export; how many were taken and refused."""
    answer = await world.post(f"/v1/exports/{made['id']}/confirm", order)
    assert answer.status_code == 200, answer.text
    return {name: answer.json()[name] for name in ("taken", "refused")}


async def again(world: World, made: dict[str, Any], *, ids: Any) -> int:
    """Let documents go into another file; the status that is answered."""
    order = {"ids": ids, "reason": "the file was lost before it was imported"}
    return (await world.post(f"/v1/exports/{made['id']}/again", order)).status_code
