"""Nothing crosses a key: credit notes follow their invoice, and what a removed key leaves waits for a person."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.engine.claims import Turn, claim
from app.platform.http import httpx
from app.transfer.books import KnownBooks
from app.transfer.context import Run
from app.worker import carry
from tests.world import COMPANY, World
from tests.world.workers import work_on

OTHER = "Nordlys Konsulent AS"


async def pause(world: World, key_id: Any) -> None:
    assert (await world.call("PATCH", f"/v1/keys/{key_id}", {"state": "paused"})).status_code == 200


async def test_credit_note_follows_its_invoice_when_the_department_moved(world: World) -> None:
    await world.office.read_departments()
    await world.hear_of("invoice", 5003)
    await world.settle()
    other = await world.office.open_key("Other")
    await world.office.give("2", other)
    await world.hear_of("invoice", 5002)
    await world.settle()
    # Both companies have an invoice with id 1 now.
    assert (await world.document(5002))["remote_id"] == (await world.document(5003))["remote_id"]
    await world.hear_of("invoice", 5008)
    await world.settle()
    credit = await world.document(5008)
    assert (credit["state"], credit["key_id"]) == ("done", str(world.key_id))
    assert world.ledger.documents(OTHER, kind=1) == []
    assert len(world.ledger.documents(COMPANY, kind=1)) == 1


async def test_credit_note_of_another_department_follows_its_invoice(world: World) -> None:
    await world.office.read_departments()
    other = await world.office.open_key("Other", departments=["1"])
    world.recman.state.store.records["invoice"]["5008"]["departmentId"] = "1"
    await world.hear_of("invoice", 5001, 5003)
    await world.settle()
    assert (await world.document(5001))["key_id"] == other
    await world.hear_of("invoice", 5008)
    await world.settle()
    credit = await world.document(5008)
    assert (credit["state"], credit["key_id"]) == ("done", str(world.key_id))
    assert world.ledger.documents(OTHER, kind=1) == []


async def test_credit_note_that_comes_first_waits_for_its_invoice_before_it_has_a_key(world: World) -> None:
    await world.office.read_departments()
    other = await world.office.open_key("Other", departments=["1"])
    world.source.credit_without_sums()
    world.recman.state.store.records["invoice"]["5008"]["departmentId"] = "1"
    await world.hear_of("invoice", 5008, 5008)
    await world.settle()
    credit = await world.document(5008)
    assert (credit["state"], credit["key_id"]) == ("done", str(world.key_id))
    assert (await world.document(5003))["key_id"] == str(world.key_id) != other


async def test_credit_note_waits_while_its_invoice_has_no_key(world: World) -> None:
    await world.office.read_departments()
    patched = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"departments": ["1"]})
    assert patched.status_code == 200
    world.recman.state.store.records["invoice"]["5008"]["departmentId"] = "1"
    await world.carry("invoice", 5003, 5008)
    credit = await world.document(5008)
    assert (credit["state"], credit["key_id"]) == ("waiting", None)
    assert "No key for department 2" in credit["reasons"][0]["cause"]
    other = await world.office.open_key("Other", departments=["2"])
    await world.settle()
    assert [(await world.document(one))["key_id"] for one in (5003, 5008)] == [other, other]
    assert (await world.document(5008))["state"] == "done"


async def test_credit_note_that_looked_while_its_invoice_was_held_looks_again_and_says_why(world: World) -> None:
    await world.office.read_departments()
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"departments": ["1"]})).status_code == 200
    await world.hear_of("invoice", 5003, 5008)
    async with world.resources.sessions.begin() as session:
        leases = (await claim(session, Turn(), most=2, lease_seconds=60)).leases
    invoice, credit = sorted(leases, key=lambda lease: lease.record_id)

    async def look_too_early(run: Run) -> None:
        try:
            await carry(run)
        finally:
            await work_on(world.resources, carry, invoice)

    await work_on(world.resources, look_too_early, credit)
    await world.settle()
    (reason,) = (await world.document(5008))["reasons"]
    assert "No key for department 2" in reason["cause"]


async def test_credit_of_an_invoice_with_a_removed_key_is_held_and_goes_on_when_the_invoice_is_linked_again(
    world: World,
) -> None:
    await world.office.read_departments()
    await world.hear_of("invoice", 5003)
    await world.settle()
    await world.office.remove_key(world.key_id)
    again = await world.office.open_key("Again", company=OTHER, departments="all")
    await world.hear_of("invoice", 5002)
    await world.settle()
    stranger = (await world.document(5002))["remote_id"]
    assert stranger == (await world.document(5003))["remote_id"]
    await world.hear_of("invoice", 5008)
    await world.settle()
    credit = await world.document(5008)
    invoice = await world.document(5003)
    assert (credit["state"], credit["reasons"][0]["code"]) == ("held", "key_removed")
    assert f"/v1/invoices/{invoice['id']}/done-elsewhere" in credit["reasons"][0]["fix"]
    assert world.ledger.documents(OTHER, kind=1) == []
    # The new key's company has it by hand; an invoice that is not it is refused.
    link = f"/v1/invoices/{invoice['id']}/done-elsewhere"
    refused = await world.call("POST", link, {"remote_id": stranger})
    assert (refused.status_code, refused.json()["code"]) == (409, "amount_differs")
    assert (await world.document(5003))["key_id"] == str(world.key_id)
    by_hand = await book_by_hand(world, OTHER, record_id="5003")
    linked = await world.call("POST", link, {"remote_id": by_hand})
    assert linked.status_code == 200, linked.text
    assert (linked.json()["key_id"], linked.json()["state"]) == (again, "in Unimicro")
    await world.settle()
    credit = await world.document(5008)
    assert (credit["state"], credit["key_id"]) == ("done", again)
    made = world.ledger.documents(OTHER, kind=1)
    assert [one["InvoiceReferenceID"] for one in made] == [by_hand]


async def book_by_hand(world: World, company: str, *, record_id: str) -> int:
    """The id of a copy, under no reference of ours, of what another document of the same content makes there."""
    records = world.recman.state.store.records["invoice"]
    number = max(map(int, records)) + 1
    records[str(number)] = {**records[record_id], "invoiceId": number, "invoiceNumber": "999999", "kid": ""}
    await world.hear_of("invoice", number)
    await world.settle()
    made = await world.document(number)
    assert made["state"] == "done", made
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("DELETE FROM attempt WHERE transfer_id = :id"), {"id": made["id"]})
        await connection.execute(text("DELETE FROM transfer WHERE id = :id"), {"id": made["id"]})
    world.ledger.books(company).update("CustomerInvoice", made["remote_id"], {"ExternalReference": None})
    return int(made["remote_id"])


async def test_link_of_a_booked_document_whose_key_is_in_use_is_refused(world: World) -> None:
    await world.hear_of("invoice", 5001, 5002)
    await world.settle()
    one, two = await world.document(5001), await world.document(5002)
    answer = await world.call("POST", f"/v1/invoices/{one['id']}/done-elsewhere", {"remote_id": two["remote_id"]})
    assert answer.status_code == 409
    answer = await world.call("POST", f"/v1/invoices/{one['id']}/done-elsewhere", {"remote_id": one["remote_id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_begun")


async def test_what_waits_with_a_removed_key_is_held_and_never_sent_to_the_key_open_to_all(world: World) -> None:
    await world.office.read_departments()
    other = await world.office.open_key("Other", departments=["2"])
    await pause(world, other)
    await world.hear_of("invoice", 5002, 5003)
    await world.stall()
    assert (await world.document(5002))["state"] == "waiting"
    told = await world.office.remove_key(other)
    assert told["remains"] == {"waiting": 2, "begun": 0, "booked": 0, "ignored": 0}
    assert told["departments"] == ["2"]
    await world.settle()
    # A repeat, a new document of that department, a retry: nobody decides but a person.
    await world.hear_of("invoice", 5002, 5007)
    await world.settle()
    for record_id in (5002, 5003, 5007):
        held = await world.document(record_id)
        assert (held["state"], held["reasons"][0]["code"]) == ("held", "key_removed"), record_id
    assert await world.invoices() == []
    assert world.ledger.documents(OTHER) == []
    rows = {row["recman_department_id"]: row for row in await world.get("/v1/departments")}
    assert (rows["2"]["state"], rows["2"]["former_key_id"]) == ("unassigned", other)
    assert rows["1"]["state"] == "open_to_all"
    await world.office.give("2", None)
    await world.settle()
    assert {(await world.document(one))["key_id"] for one in (5002, 5003, 5007)} == {str(world.key_id)}
    assert len(await world.invoices()) == 3


async def test_what_waited_with_a_removed_key_open_to_all_goes_to_no_later_one_until_a_person_says_so(
    world: World,
) -> None:
    await pause(world, world.key_id)
    await world.hear_of("invoice", 5001, 5002)
    await world.stall()
    await world.office.remove_key(world.key_id)
    later = await world.office.open_key("Later", departments="all")
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.document(5001))["reasons"][0]["code"] == "key_removed"
    assert world.ledger.documents(OTHER) == []
    (former,) = await world.get("/v1/keys/removed")
    assert (former["id"], former["remains"]["waiting"]) == (str(world.key_id), 2)
    listed = await world.get("/v1/invoices", key_id=former["id"])
    assert [row["state"] for row in listed] == ["held", "held"]
    path, order = f"/v1/keys/{later}/take-over", {"from_key_id": former["id"]}
    only = await world.call("POST", path, {**order, "ids": [(await world.document(5001))["id"]]})
    assert (only.status_code, only.json()["documents"]) == (200, 1), only.text
    await world.settle()
    assert [(await world.document(one))["state"] for one in (5001, 5002)] == ["done", "held"]
    rest = await world.call("POST", path, order)
    assert rest.json() == {"documents": 1, "departments": [], "left": 0}
    await world.settle()
    assert {(await world.document(one))["key_id"] for one in (5001, 5002)} == {later}
    assert len(world.ledger.documents(OTHER)) == 2
    actions = [row["action"] for row in await world.get("/v1/audit")]
    assert actions.count("key.take_over") == 2


async def test_departments_are_taken_over_with_what_waits(world: World) -> None:
    await world.office.read_departments()
    other = await world.office.open_key("Other", departments=["2"])
    await world.office.remove_key(other)
    again = await world.office.open_key("Again")
    refused = await world.call("POST", f"/v1/keys/{again}/take-over", {"from_key_id": str(world.key_id)})
    assert (refused.status_code, refused.json()["code"]) == (409, "key_in_use")
    await world.hear_of("invoice", 5002)
    await world.settle()
    assert (await world.document(5002))["reasons"][0]["code"] == "key_removed"
    taken = await world.call("POST", f"/v1/keys/{again}/take-over", {"from_key_id": other})
    assert taken.json()["departments"] == ["2"]
    await world.settle()
    assert ((await world.document(5002))["state"], (await world.document(5002))["key_id"]) == ("done", again)


async def test_what_was_begun_with_a_removed_key_stays_and_can_be_ignored_and_sent_again(world: World) -> None:
    await world.fault("error_before", method="POST", path="/api/biz/invoices", query="action=invoice", times=100)
    await world.hear_of("invoice", 5001)
    await world.work_until(5001, "unknown")
    await pause(world, world.key_id)
    await world.stall()
    async with world.resources.engine.begin() as connection:
        # Its worker is long dead, and a look found the draft.
        await connection.exec_driver_sql("UPDATE transfer SET state = 'waiting' WHERE scope = 'invoice'")
    # Else the next key would be refused another ninety times.
    world.unimicro.faults.waiting.clear()  # type: ignore[attr-defined]
    begun = await world.document(5001)
    assert begun["remote_id"] is not None
    told = await world.office.remove_key(world.key_id)
    assert told["remains"]["begun"] == 1
    later = await world.office.open_key("Later", departments="all")
    taken = await world.call("POST", f"/v1/keys/{later}/take-over", {"from_key_id": str(world.key_id)})
    assert taken.json() == {"documents": 0, "departments": [], "left": 1}
    await world.settle()
    held = await world.document(5001)
    assert (held["state"], held["key_id"], held["reasons"][0]["code"]) == ("held", str(world.key_id), "key_removed")
    await world.let_lag_pass()
    path = f"/v1/transfers/{held['id']}"
    ignored = await world.call("POST", f"{path}/ignore", {"reason": "looked in Unimicro, draft deleted there"})
    assert ignored.status_code == 200, ignored.text
    await world.call("POST", f"{path}/retry")
    await world.settle()
    assert (await world.document(5001))["reasons"][0]["code"] == "key_removed"
    await world.call("POST", f"/v1/keys/{later}/take-over", {"from_key_id": str(world.key_id)})
    await world.settle()
    assert ((await world.document(5001))["state"], (await world.document(5001))["key_id"]) == ("done", later)
    assert len(world.ledger.documents(OTHER)) == 1


async def test_booked_document_of_a_removed_key_stays_done_when_it_is_heard_of_again(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    await world.office.remove_key(world.key_id)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.document(5001))["state"] == "done"
    (shown,) = await world.get("/v1/invoices")
    assert shown["link"] is not None
    world.recman.state.store.records["invoice"]["5001"]["invoiceNumber"] = "1"
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.document(5001))["reasons"][0]["code"] == "changed_after_transfer"


async def test_key_removed_in_the_middle_of_a_run_sends_nothing_more(world: World) -> None:
    await world.office.open_key("Other", departments=[])
    # Reference data are slow, so the key is removed between its choice and the first write.
    await world.fault("hang", method="GET", path="/api/biz/products", seconds=2)
    world.resources.kept(KnownBooks).references.clear()
    await world.hear_of("invoice", 5001)
    settling = asyncio.create_task(world.settle())
    await world.hang()
    told = await world.office.remove_key(world.key_id)
    await settling
    held = await world.document(5001)
    assert (held["state"], held["reasons"][0]["code"]) == ("held", "key_removed"), held
    assert told["remains"]["waiting"] == 1
    assert world.ledger.documents(COMPANY) == world.ledger.documents(OTHER) == []


@pytest.mark.parametrize("first", ["put", "patch", "delete"])
async def test_department_put_on_a_key_that_is_being_removed_is_never_left_with_it(world: World, first: str) -> None:
    await world.office.read_departments()
    key_id = await world.office.open_key("Short-lived")

    async def choose() -> httpx.Response:
        if first == "patch":
            return await world.call("PATCH", f"/v1/keys/{key_id}", {"departments": ["2"]})
        return await world.call("PUT", "/v1/departments/2/key", {"key_id": key_id}, tenant=world.tenant_id)

    async def delete() -> httpx.Response:
        return await world.call("DELETE", f"/v1/keys/{key_id}")

    async with world.resources.engine.connect() as connection:
        # Both have done their work and wait to write into the trail; then both go on at once.
        await connection.execute(text("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE"))
        one, other = (delete, choose) if first == "delete" else (choose, delete)
        begun = [asyncio.create_task(one())]
        await asyncio.sleep(0.3)
        begun.append(asyncio.create_task(other()))
        await asyncio.sleep(0.3)
        await connection.rollback()
    answers = [await task for task in begun]
    assert [answer.status_code for answer in answers] == ([200, 404] if first == "delete" else [200, 200])
    row = next(row for row in await world.get("/v1/departments") if row["recman_department_id"] == "2")
    assert row["key_id"] is None
    assert row["state"] == ("open_to_all" if first == "delete" else "unassigned")


async def test_departments_and_keys_shuffled_by_many_at_once_never_meet_a_removed_key(world: World) -> None:
    await world.office.read_departments()
    keys = [await world.office.open_key(f"Key {n}") for n in range(4)]
    calls = [world.call("DELETE", f"/v1/keys/{key_id}") for key_id in keys[:3]]
    for key_id in keys:
        calls += [
            world.call("PUT", f"/v1/departments/{one}/key", {"key_id": key_id}, tenant=world.tenant_id)
            for one in ("1", "2")
        ]
        calls.append(world.call("PATCH", f"/v1/keys/{key_id}", {"departments": ["1", "2"]}))
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} <= {200, 404, 409}
    in_use = {row["id"] for row in await world.get("/v1/keys")}
    assert {row["key_id"] for row in await world.get("/v1/departments")} <= {None, *in_use}


async def test_sign_in_that_comes_back_for_a_removed_key_gives_it_nothing(world: World) -> None:
    begun = await world.call("POST", "/v1/keys/connect", {"key_id": str(world.key_id)}, tenant=world.tenant_id)
    url = begun.json()["authorize_url"]
    begun = await world.http.get(url, follow_redirects=False)
    page = await world.http.get(begun.headers["location"], follow_redirects=False)
    await world.office.remove_key(world.key_id)
    back = await world.http.get(page.headers["location"], follow_redirects=True)
    assert back.status_code == 404, back.text
    assert await world.count("SELECT count(*) FROM key WHERE coalesce(access_token, refresh_token) IS NOT NULL") == 0
