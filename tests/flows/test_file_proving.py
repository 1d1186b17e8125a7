"""A key that makes files is proven by what a person says of their import; what it would send itself is proven anew."""

from sqlalchemy import text

from tests.world import World


async def test_what_files_have_proven_says_nothing_of_what_a_key_sends_itself(world: World) -> None:
    await world.office.change_key(sender="unimicro", booking="order", mode="file")
    async with world.resources.engine.begin() as connection:
        values = "(tenant_id, key_id, equal) SELECT tenant_id, id, 7 FROM key"
        await connection.execute(text(f"INSERT INTO proving {values}"))
    changed = await world.office.change_key(mode="full")
    assert (changed["booking"], changed["proof"]["state"], changed["proof"]["equal"]) == ("order", "proving", 0)
