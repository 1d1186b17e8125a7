"""What was kept for long enough goes and nothing that is still needed; a person's data go on request."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from app.admin.audit import ChainCheck, check_chains, hash_change
from app.admin.tenants import load_tenant
from app.domain.money import dump_json
from app.reading.retention import count_needed
from app.recman.hook.copies import Delivered
from app.retention.erase import erase_record
from app.retention.prune import Pruned, prune_tenants
from app.scheduler import look_at_clock
from app.tables import Audit, AuditChain
from tests.world import World
from tests.world.processes import make_way, run_alone
from tests.world.told import record_of, send, send_invoice

# A year passes: every time of every row is that much earlier.
_AGED = {
    "event": ("received_at", "ended_at"),
    "attempt": ("started_at",),
    "audit": (),
    "job": ("made_at", "ended_at"),
    "customer_check": ("started_at", "ended_at"),
    "sweep": ("started_at", "ended_at"),
    "transfer": ("created_at", "booked_at"),
}


async def age(world: World, days: int) -> None:
    """Everything there is happened so many days earlier."""
    async with world.resources.engine.begin() as connection:
        for table, columns in _AGED.items():
            changes = ", ".join(f"{one} = {one} - make_interval(days => {days})" for one in columns)
            if changes:
                await connection.execute(text(f"UPDATE {table} SET {changes}"))  # noqa: S608 - names from above
        years = f"invoice_date = invoice_date - {days}, updated_at = updated_at"
        await connection.execute(text(f"UPDATE transfer SET {years} WHERE invoice_date IS NOT NULL"))  # noqa: S608 - the same


async def prune(world: World, *, dry_run: bool = False) -> dict[str, int]:
    return {one.what: one.rows for one in await _prune(world, dry_run=dry_run)}


async def _prune(world: World, *, dry_run: bool) -> Sequence[Pruned]:
    return await prune_tenants(world.resources.sessions, dry_run=dry_run, actor="test")


async def attempts_of(world: World, record_id: int) -> list[dict[str, Any]]:
    document = await world.document(record_id)
    found: list[dict[str, Any]] = (await world.get(f"/v1/transfers/{document['id']}"))["attempts"]
    return found


async def test_young_things_stay(world: World) -> None:
    await world.carry("invoice", 5001)
    assert await prune(world) == {}
    assert all(one["exchanges"] for one in await attempts_of(world, 5001) if one["step"] == "issue")


async def test_after_ninety_days_what_was_said_is_gone_and_the_transfer_says_so(world: World) -> None:
    await world.carry("invoice", 5001)
    await age(world, 91)
    counted = await prune(world, dry_run=True)
    assert await world.count("SELECT count(*) FROM attempt WHERE pruned_at IS NOT NULL") == 0
    assert await prune(world) == counted
    assert {"webhook bodies", "exchanges with Unimicro"} <= counted.keys()
    assert await world.count("SELECT count(*) FROM event WHERE body IS NOT NULL") == 0
    attempts = await attempts_of(world, 5001)
    assert [one["exchanges"] for one in attempts] == [[]] * len(attempts)
    assert any(one["pruned_at"] for one in attempts)
    assert (await world.document(5001))["state"] == "done"
    assert await prune(world) == {}


async def test_what_waits_or_is_held_stays_whatever_its_age(world: World) -> None:
    await world.carry("invoice", 5001, 5009)
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"state": "paused"})
    await world.hear_of("invoice", 5002)
    assert await world.states(5009) == ["held"]
    await age(world, 3000)
    await prune(world)
    assert await world.states(5009) == ["held"]
    assert await world.find_document(5001) is None
    assert await world.count("SELECT count(*) FROM event WHERE record_id = '5002' AND state = 'waiting'") == 1
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"state": "active"})
    await world.settle()
    assert await world.states(5002) == ["done"]


async def test_documents_go_after_five_whole_years_with_all_that_hangs_on_them(world: World) -> None:
    await world.carry("invoice", 5001)
    document = await world.document(5001)
    job = await world.call("POST", "/v1/invoices/send", {"ids": [document["id"]]}, tenant=world.tenant_id)
    await world.settle()
    await age(world, 365 * 5 - 40)
    await prune(world)
    assert await world.find_document(5001) is not None
    await age(world, 365 + 80)
    assert (await prune(world)).keys() >= {"documents"}
    assert await world.find_document(5001) is None
    assert await world.count("SELECT count(*) FROM attempt JOIN transfer ON true WHERE scope = 'invoice'") == 0
    assert (await world.call("GET", f"/v1/jobs/{job.json()['id']}")).status_code == 404


async def test_tenant_chooses_how_long_and_never_less_than_law_wants(world: World) -> None:
    path = f"/v1/tenants/{world.tenant_id}"
    assert (await world.call("PATCH", path, {"retention": {"documents_years": 4}})).status_code == 422
    assert (await world.call("PATCH", path, {"retention": {"exchanges_days": 10}})).status_code == 200
    assert (await world.get(path))["retention"]["exchanges_days"] == 10
    await world.carry("invoice", 5001)
    await age(world, 11)
    assert (await prune(world)).keys() == {"exchanges with Unimicro"}


async def test_audit_chain_still_fits_when_its_beginning_is_gone(world: World) -> None:
    """Times are part of the hash, so what is old was made by a clock that was behind."""
    past = {"tenant_id": world.tenant_id, "actor": "Kari", "action": "key.pause", "subject": "key:1"}
    async with world.resources.sessions.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = 'replica'"))
        await session.execute(text("DELETE FROM audit"))
        await session.execute(text("DELETE FROM audit_chain"))
    for years in (7, 6, 6):
        await write_change(world, datetime.now(UTC) - timedelta(days=366 * years), **past)
    await world.office.change_key(name="Renamed")
    assert (await prune(world))["changes in the audit trail"] == 3
    assert [one["action"] for one in await world.get("/v1/audit")] == ["tenant.prune", "key.change"]
    chain = await check_own(world)
    assert (chain.fits, chain.rows) == (True, 5)
    async with world.resources.sessions() as session:
        await session.execute(text("SET LOCAL session_replication_role = 'replica'"))
        await session.execute(text("DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)"))
        assert not all(one.fits for one in await check_chains(session))


async def write_change(world: World, at: datetime, **values: Any) -> None:
    """A change as it was recorded at that time."""
    async with world.resources.sessions.begin() as session:
        chain = await session.get(AuditChain, world.tenant_id) or AuditChain(
            tenant_id=world.tenant_id, length=0, hash=bytes(32)
        )
        digest = hash_change([values["tenant_id"], at, *list(values.values())[1:]], [None, None], chain.hash)
        row = {"at": at, "before": None, "after": None, "previous_hash": chain.hash, "hash": digest}
        await session.execute(insert(Audit).values(values | row))
        chain.length, chain.hash = chain.length + 1, digest
        session.add(chain)


async def check_own(world: World) -> ChainCheck:
    async with world.resources.sessions() as session:
        return next(one for one in await check_chains(session) if one.tenant_id == world.tenant_id)


async def test_young_changes_cannot_be_taken_from_the_audit_trail_by_anybody(world: World) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with world.resources.engine.begin() as connection:
            await connection.execute(text("DELETE FROM audit"))


async def test_scheduler_prunes_once_a_day(world: World) -> None:
    await world.carry("invoice", 5001)
    await age(world, 91)
    assert await look_at_clock(world.resources)
    assert await world.count("SELECT count(*) FROM event WHERE body IS NOT NULL") == 0
    told = (await world.get("/v1/audit", subject=f"tenant:{world.tenant_id}"))[0]
    assert (told["action"], told["actor"]) == ("tenant.prune", "schedule")
    await world.carry("invoice", 5002)
    await age(world, 91)
    assert await look_at_clock(world.resources)
    assert await world.count("SELECT count(*) FROM event WHERE body IS NOT NULL") > 0


@pytest.fixture
async def keyless(world: World) -> World:
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"recman_api_key": None})
    return world


async def test_without_api_key_the_newest_complete_copy_outlives_its_webhook(keyless: World) -> None:
    await send_invoice(keyless)
    await send(keyless, "company.updated", 201, data={"companyId": 201, "name": "Fjordlys Bemanning AS"})
    await keyless.settle()
    await age(keyless, 500)
    await prune(keyless)
    assert await keyless.count("SELECT count(*) FROM event WHERE body IS NOT NULL") == 0
    record = record_of("invoice", "5002") | {"companyId": 201, "projectId": None, "departmentId": None}
    await send(keyless, "invoice.created", 5002, data=record)
    await keyless.settle()
    assert await keyless.states(5002) == ["done"]
    # Twice is once.
    await age(keyless, 500)
    await prune(keyless)
    assert await keyless.count("SELECT count(*) FROM record_copy WHERE scope = 'company'") == 2


async def test_copies_go_when_recman_can_be_asked(keyless: World) -> None:
    await send_invoice(keyless)
    await keyless.settle()
    await age(keyless, 91)
    await prune(keyless)
    assert await keyless.count("SELECT count(*) FROM record_copy") > 0
    await keyless.call("PATCH", f"/v1/tenants/{keyless.tenant_id}", {"recman_api_key": "another", "untried": True})
    assert (await prune(keyless))["copies put aside"] > 0
    assert await keyless.count("SELECT count(*) FROM record_copy") == 0


def _told(**record: Any) -> Delivered:
    body = dump_json({"event": "company.updated", "id": 201, "data": {"companyId": 201} | record}).encode()
    return Delivered(body, "application/json", "update")


_WHOLE = _told(**record_of("company", "201"))


@pytest.mark.parametrize(
    ("deliveries", "needed"),
    [
        ([], 0),
        ([_WHOLE, _WHOLE], 1),
        ([_told(name="New name"), _WHOLE, _WHOLE], 2),
        ([_told(name="New name"), _told(name="Old name")], 2),
        ([Delivered(b'{"event": "company.updated", "id": 201}', "application/json", "update")] * 2, 1),
        ([Delivered(b'{"event": "company.deleted", "id": 201}', "application/json", "delete"), _WHOLE], 1),
    ],
)
def test_as_many_deliveries_are_needed_as_make_a_whole(deliveries: list[Delivered], needed: int) -> None:
    assert count_needed(deliveries, scope="company", record_id="201") == needed


async def test_erased_company_is_nowhere_but_in_the_books_and_the_audit_says_so(world: World) -> None:
    await world.carry("invoice", 5001)
    done = run_alone("erase", "company", "201", **make_way(world.resources.settings))
    assert done.returncode == 0, done.stderr
    assert "1 documents in the books, or in files of exports, stay" in done.stdout
    assert await world.count("SELECT count(*) FROM event WHERE body IS NOT NULL AND record_id IN ('201', '5001')") == 0
    assert all(one["exchanges"] == [] for one in await attempts_of(world, 5001))
    assert (await world.document(5001))["customer_name"] != ""
    customer = (await world.transfers())["customer", "201"]
    assert customer["customer_name"] == ""
    told = (await world.get("/v1/audit", subject="company:201"))[0]
    assert (told["action"], told["after"]["kept_by_law"]) == ("record.erase", 1)
    async with world.resources.sessions() as session:
        assert all(chain.fits for chain in await check_chains(session))


async def names_of(world: World) -> set[str]:
    async with world.resources.engine.connect() as connection:
        return set((await connection.execute(text("SELECT name FROM invoiced_name"))).scalars())


async def rename(world: World, record_id: int, name: str) -> None:
    async with world.resources.engine.begin() as connection:
        named = text("UPDATE transfer SET customer_name = :name WHERE record_id = :record_id")
        await connection.execute(named, {"name": name, "record_id": str(record_id)})


async def choose_not_to_send(world: World, record_id: int) -> str:
    """It is in no books, so its customer's name may go; the name."""
    await world.carry("invoice", record_id)
    path = f"/v1/transfers/{(await world.document(record_id))['id']}/ignore"
    assert (await world.post(path, {"reason": "a trial"})).status_code == 200
    return str((await world.document(record_id))["customer_name"])


async def erase(world: World, record_id: int) -> None:
    async with world.resources.sessions.begin() as session:
        tenant = await load_tenant(session, world.tenant_id)
        await erase_record(session, tenant, scope="invoice", record_id=str(record_id), actor="test")


async def test_a_name_is_found_once_for_all_documents_and_only_as_long_as_one_has_it(world: World) -> None:
    await world.carry("invoice", 5001)
    first, second = (await world.document(5001))["customer_name"], await choose_not_to_send(world, 5009)
    assert await names_of(world) == {first, second}
    await rename(world, 5001, "Old AS")
    await rename(world, 5001, "New AS")
    assert await names_of(world) == {first, second, "Old AS", "New AS"}
    found = await world.get("/v1/invoices", customer="w as")
    assert [one["customer_name"] for one in found] == ["New AS"]
    await erase(world, 5009)
    assert await names_of(world) == {"New AS"}


async def test_a_name_stays_that_another_document_is_just_getting(world: World) -> None:
    await world.carry("invoice", 5001)
    await choose_not_to_send(world, 5009)
    await rename(world, 5009, "Shared AS")
    async with world.resources.engine.connect() as naming:
        await naming.execute(text("UPDATE transfer SET customer_name = 'Shared AS' WHERE record_id = '5001'"))
        erasing = asyncio.create_task(erase(world, 5009))
        assert await asyncio.wait({erasing}, timeout=0.5) == (set(), {erasing})
        await naming.commit()
    await erasing
    assert await names_of(world) == {"Shared AS"}


async def test_nothing_is_erased_while_something_is_not_settled(world: World) -> None:
    await world.carry("invoice", 5009)
    done = run_alone("erase", "invoice", "5009", **make_way(world.resources.settings))
    assert done.returncode == 1
    assert "not settled" in done.stderr
    assert "ignore" in done.stderr


async def test_what_is_not_known_cannot_be_erased(world: World) -> None:
    done = run_alone("erase", "company", "999", **make_way(world.resources.settings))
    assert (done.returncode, "Nothing is known" in done.stderr) == (1, True)
