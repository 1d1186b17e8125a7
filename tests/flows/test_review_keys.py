"""Which company, attacked: what was booked stays where it is, whatever became of its key and of its invoice."""

from tests.flows.test_credit_compared import credit_part
from tests.flows.test_removed_keys import document, documents_in, make_key, read_departments, remove
from tests.world import COMPANY, World


async def test_booked_credit_note_stays_booked_when_its_invoice_was_linked_with_another_key(world: World) -> None:
    await read_departments(world)
    credit_part(world, "5008", gross="125.00")
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    invoice = await document(world, 5003)
    await remove(world, world.key_id)
    again = await make_key(world, "Again", company=COMPANY, departments="all")
    path = f"/v1/invoices/{invoice['id']}/done-elsewhere"
    linked = await world.call("POST", path, {"unimicro_id": invoice["unimicro_id"]})
    assert (linked.status_code, linked.json()["key_id"]) == (200, again)
    # RecMan repeats itself, and the rest is credited with the new key.
    credit_part(world, "5098", gross="250.00")
    await world.hear_of("invoice", 5008, 5098)
    await world.settle()
    first, second = await document(world, 5008), await document(world, 5098)
    assert (first["state"], first["reasons"], first["key_id"]) == ("done", [], str(world.key_id))
    assert (second["state"], second["key_id"]) == ("done", again)
    assert len(documents_in(world, COMPANY, kind=1)) == 2
