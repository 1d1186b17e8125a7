"""A key that makes files is proven by what a person says of their import: one file at a time until then."""

import pytest

from app.admin.keys import load_key
from app.admin.proving import record_confirmed, require_next_file
from app.errors import ConflictError
from tests.world import World
from tests.world.lists import make_listed_key

KARI = {"name": "Kari Nordmann", "reason": "imported, and looked at"}


async def confirm(world: World, key_id: str, *, taken: int, credit_notes: int = 0, refused: int = 0) -> bool:
    async with world.resources.of_tenant(world.tenant_id).sessions.begin() as session:
        key = await load_key(session, key_id, lock=True)  # type: ignore[arg-type]
        said = {"taken": taken, "credit_notes": credit_notes, "refused": refused}
        return await record_confirmed(session, key, word={**KARI, "at": "2026-11-26T05:00:00Z", "by": "me"}, **said)


async def require(world: World, key_id: str, *, unconfirmed: int) -> None:
    async with world.resources.of_tenant(world.tenant_id).sessions() as session:
        require_next_file(await load_key(session, key_id), unconfirmed=unconfirmed)  # type: ignore[arg-type]


async def test_one_import_without_refusals_opens_the_key(world: World) -> None:
    key_id = await make_listed_key(world, kinds=())
    proof = (await world.get(f"/v1/keys/{key_id}"))["proof"]
    assert (proof["state"], proof["wanted"], proof["missing"]) == ("proving", 1, 1)
    # Nobody opens it by hand before: nothing was seen in Unimicro.
    refused = await world.post(f"/v1/keys/{key_id}/open", KARI)
    assert (refused.status_code, refused.json()["code"]) == (409, "key_unproven")
    await require(world, key_id, unconfirmed=0)
    with pytest.raises(ConflictError, match="one file at a time"):
        await require(world, key_id, unconfirmed=3)
    assert not await confirm(world, key_id, taken=2, refused=1)
    assert (await world.get(f"/v1/keys/{key_id}"))["proof"]["state"] == "proving"
    assert await confirm(world, key_id, taken=3, credit_notes=1)
    proof = (await world.get(f"/v1/keys/{key_id}"))["proof"]
    assert (proof["state"], proof["equal"], proof["missing"]) == ("open", 5, 0)
    assert proof["credits_proven"]
    assert proof["opened"]["name"] == KARI["name"]
    await require(world, key_id, unconfirmed=3)


async def test_what_files_have_proven_says_nothing_of_what_a_key_sends_itself(world: World) -> None:
    order = {"sender": "unimicro", "booking": "order"}
    await world.office.change_key(**order, mode="file")
    assert await confirm(world, str(world.key_id), taken=1) is False
    changed = await world.office.change_key(mode="full")
    assert (changed["booking"], changed["proof"]["state"], changed["proof"]["equal"]) == ("order", "proving", 0)
