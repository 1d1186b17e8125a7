"""How a customer is linked: by which rung, what happens when it is deleted there, and what RecMan may then change."""

from dataclasses import replace
from typing import Any

import pytest

from app.sandbox.unimicro.switches import DeletedCustomer, PrivateFlag
from app.transfer.books import KnownBooks
from tests.world import COMPANY, World, rows_of

# Made up; the check digits are right.
PERSON = "15108695088"


async def list_customers(world: World) -> dict[str, dict[str, Any]]:
    rows = await world.get(f"/v1/keys/{world.key_id}/customers")
    return {row["recman_company_id"]: row for row in rows}


def find_rows(world: World) -> list[dict[str, Any]]:
    return [dict(row) for row in world.ledger.books(COMPANY).rows("Customer")]


def turn(world: World, **switches: Any) -> None:
    books = world.ledger.books(COMPANY)
    books.switches = books.switches.turned(switches)


def delete_customer(world: World) -> int:
    (row,) = find_rows(world)
    world.ledger.books(COMPANY).update("Customer", row["ID"], {"Deleted": True})
    return int(row["ID"])


@pytest.mark.parametrize(
    ("there", "vat_number", "rung"),
    [
        (None, "310456101", "made"),
        (("Ærfugl Bemanning AS", "310456101"), "NO 310 456 101 MVA", "number_and_org_number"),
        (("Et annet navn AS", "310 456 101"), "310456101", "number_and_org_number"),
        (("ÆRFUGL BEMANNING AS", ""), "310456101", "number_and_name"),
    ],
)
async def test_rung_by_which_a_customer_was_known_is_kept_and_shown(
    world: World, there: tuple[str, str] | None, vat_number: str, rung: str
) -> None:
    world.source.record("201", scope="company")["vatNumber"] = vat_number
    if there is not None:
        world.ledger.put_customer(100001, *there)
    await world.carry("invoice", 5001)
    row = (await list_customers(world))["201"]
    assert (row["matched_by"], row["state"], row["number"], row["remote_number"]) == (rung, "done", "100001", "100001")
    assert (await world.get(f"/v1/transfers/{row['transfer_id']}"))["matched_by"] == rung
    assert (await world.overview_row(5001))["customer_matched_by"] == rung


async def test_what_was_made_and_found_again_after_a_lost_answer_is_made(world: World) -> None:
    await world.fault("lose_answer", method="POST", path="/api/biz/customers")
    await world.carry("invoice", 5001)
    assert (await list_customers(world))["201"]["matched_by"] == "made"


async def test_contact_data_of_a_linked_customer_is_only_filled_in_and_that_of_one_we_made_follows(
    world: World,
) -> None:
    world.ledger.put_customer(100001, "Ærfugl Bemanning AS", "310456101")
    books = world.ledger.books(COMPANY)
    (there,) = find_rows(world)
    phone = books.insert("Phone", {"Number": "11 11 11 11", "BusinessRelationID": there["BusinessRelationID"]})
    books.update("BusinessRelation", there["BusinessRelationID"], {"DefaultPhoneID": phone["ID"]})
    await world.carry("company", 201, 202)
    for company_id in ("201", "202"):
        world.source.record(company_id, scope="company").update(phone="99 99 99 99", creditTime="21")
    # Once to be linked, once more to be brought in line.
    await world.carry("company", 201, 202)
    numbers = {row["CustomerNumber"]: row for row in find_rows(world)}
    relations = books.tables["BusinessRelation"]
    phones = {
        number: books.tables["Phone"][relations[row["BusinessRelationID"]]["DefaultPhoneID"]]["Number"]
        for number, row in numbers.items()
    }
    assert phones == {100001: "11 11 11 11", 100002: "99 99 99 99"}
    assert {row["CreditDays"] for row in numbers.values()} == {21}
    # What was empty is filled in.
    assert relations[numbers[100001]["BusinessRelationID"]]["InvoiceAddressID"]
    await world.office.choose(customer_fields={"phone": "recman_wins"})
    world.source.record("201", scope="company")["phone"] = "88 88 88 88"
    await world.carry("company", 201)
    assert books.tables["Phone"][phone["ID"]]["Number"] == "88 88 88 88"


@pytest.mark.parametrize("shown", list(DeletedCustomer))
@pytest.mark.parametrize("is_remembered", [True, False])
async def test_deleted_customer_is_named_and_its_link_released_by_a_door(
    world: World, shown: DeletedCustomer, *, is_remembered: bool
) -> None:
    turn(world, deleted_customer=shown)
    await world.carry("invoice", 5001)
    gone = delete_customer(world)
    if not is_remembered:
        world.resources.kept(KnownBooks).recipients.clear()
    world.source.double("5001", 5099, invoiceNumber="119999")
    (told,) = [await world.document(5001)]
    await world.carry("invoice", 5099)
    row = await world.document(5099)
    assert (row["state"], [one["code"] for one in row["reasons"]]) == ("held", ["customer_deleted"]), row["reasons"]
    assert "100001 Ærfugl Bemanning AS" in row["reasons"][0]["cause"]
    assert "customer-links/201" in row["reasons"][0]["fix"]
    if not is_remembered:
        # Where a draft was tried the dry run says that it is looked for first.
        (dry,) = rows_of(await world.call("POST", "/v1/invoices/dry-run", {"ids": [row["id"]]}))
        assert (dry["outcome"], dry["reasons"][0]["code"]) == ("hold", "customer_deleted")
    answer = await world.call("DELETE", f"/v1/keys/{world.key_id}/customer-links/201")
    assert answer.status_code == 200, answer.text
    await world.settle()
    assert (await world.document(5099))["state"] == "done"
    (made,) = find_rows(world)
    assert (made["CustomerNumber"], made["ID"] != gone) == (100001, True)
    assert await world.document(5001) == told
    audit = await world.get("/v1/audit", subject=f"key:{world.key_id}")
    assert "customer.release" in [entry["action"] for entry in audit]


async def test_restored_customer_goes_on_with_a_retry(world: World) -> None:
    await world.carry("invoice", 5001)
    gone = delete_customer(world)
    world.resources.kept(KnownBooks).recipients.clear()
    world.source.double("5001", 5099, invoiceNumber="119999")
    await world.carry("invoice", 5099)
    assert await world.hold_of(5099) == ("held", ["customer_deleted"])
    world.ledger.books(COMPANY).tables["Customer"][gone]["Deleted"] = False
    await world.retry(await world.document(5099))
    await world.settle()
    assert (await world.document(5099))["state"] == "done"
    assert len(find_rows(world)) == 1


async def test_change_of_a_company_names_a_deleted_customer_too(world: World) -> None:
    await world.carry("company", 201)
    delete_customer(world)
    world.source.record("201", scope="company")["phone"] = "99 99 99 99"
    await world.carry("company", 201)
    row = (await list_customers(world))["201"]
    assert (row["state"], [one["code"] for one in row["reasons"]]) == ("held", ["customer_deleted"])


async def test_link_that_stands_is_not_released_and_one_that_is_none_is_unknown(world: World) -> None:
    path = f"/v1/keys/{world.key_id}/customer-links/201"
    assert (await world.call("DELETE", path)).json()["code"] == "link_unknown"
    await world.carry("invoice", 5001)
    answer = await world.call("DELETE", path)
    assert (answer.status_code, answer.json()["code"]) == (409, "link_stands")
    assert (await list_customers(world))["201"]["state"] == "done"


async def test_link_to_a_customer_that_is_another_one_by_now_is_released_too(world: World) -> None:
    await world.carry("invoice", 5001)
    (there,) = find_rows(world)
    world.ledger.books(COMPANY).update("Customer", there["ID"], {"CustomerNumber": 100777, "OrgNumber": "914778271"})
    world.resources.kept(KnownBooks).recipients.clear()
    world.source.double("5001", 5099, invoiceNumber="119999")
    await world.carry("invoice", 5099)
    assert await world.hold_of(5099) == ("held", ["customer_not_the_one"])
    assert (await world.call("DELETE", f"/v1/keys/{world.key_id}/customer-links/201")).status_code == 200
    await world.settle()
    assert (await world.document(5099))["state"] == "done"
    assert sorted(row["CustomerNumber"] for row in find_rows(world)) == [100001, 100777]


@pytest.mark.parametrize("flag", list(PrivateFlag))
async def test_person_is_marked_private_where_that_exists_and_the_number_goes_nowhere(
    world: World, flag: PrivateFlag, caplog: pytest.LogCaptureFixture
) -> None:
    turn(world, private_flag=flag)
    world.source.record("201", scope="company").update(vatNumber=PERSON, name="Ola Nordmann")
    await world.carry("invoice", 5001)
    world.source.record("201", scope="company")["phone"] = "99 99 99 99"
    await world.carry("company", 201)
    assert (await world.document(5001))["state"] == "done"
    (there,) = find_rows(world)
    assert there["OrgNumber"] is None
    assert bool(there["IsPrivate"]) is (flag is PrivateFlag.KEPT)
    (invoice,) = world.ledger.documents()
    assert not invoice["CustomerOrgNumber"]
    shown = [await world.get("/v1/transfers", limit=1000), await world.get("/v1/invoices"), await list_customers(world)]
    shown += [await world.get(f"/v1/transfers/{row['id']}") for row in shown[0]]
    assert PERSON not in str(shown)
    assert PERSON not in caplog.text
    assert await world.count("SELECT count(*) FROM attempt WHERE exchanges::text LIKE '%15108695088%'") == 0


@pytest.mark.parametrize("is_there", [True, False])
async def test_number_that_is_none_is_a_warning_on_every_new_customer(world: World, *, is_there: bool) -> None:
    for company_id, number in (("201", 100001), ("202", 100002)):
        company = world.source.record(company_id, scope="company")
        company["vatNumber"] = "310456102"
        if is_there:
            world.ledger.put_customer(number, str(company["name"]), "310456102")
        await world.office.put_rules({}, after_version=int(number == 100002))
        await world.hear_of("company", company_id)
        await world.settle()
    rows = await list_customers(world)
    if not is_there:
        # The second has the first one's number; the names tell that a person need not be asked.
        assert {row["state"] for row in rows.values()} == {"done"}
    for row in rows.values():
        assert [one["code"] for one in row["warnings"]] == ["org_number_invalid"], row
        assert "310456102" in row["warnings"][0]["cause"]


def know_gln(world: World) -> None:
    store = world.recman.state.store
    store.options = replace(store.options, more_fields=frozenset({"gln"}))


async def test_gln_recipient_and_buyers_reference_are_carried_where_recman_has_them(world: World) -> None:
    know_gln(world)
    world.source.record("201", scope="company")["gln"] = "7080000999996"
    record = world.source.record("5001")
    record.pop("yourReference", None)
    record |= {"buyerReference": "PO-4711", "invoiceRecipient": {"name": "Fakturamottak AS", "address1": "Boks 1"}}
    record["invoiceRecipient"] |= {"postalCode": "0101", "city": "Oslo", "country": "Norge"}
    await world.carry("invoice", 5001)
    (there,) = find_rows(world)
    (invoice,) = world.ledger.documents()
    assert there["GLN"] == "7080000999996"
    assert invoice["YourReference"] == "PO-4711"
    assert (invoice["InvoiceReceiverName"], invoice["InvoiceAddressLine1"]) == ("Fakturamottak AS", "Boks 1")
    assert (invoice["InvoicePostalCode"], invoice["InvoiceCountryCode"]) == ("0101", "NO")


async def test_account_that_knows_no_gln_is_read_all_the_same(world: World) -> None:
    world.source.record("201", scope="company")["gln"] = "7080000999996"
    await world.carry("invoice", 5001)
    assert (await world.document(5001))["state"] == "done"
    assert [row["GLN"] for row in find_rows(world)] == [None]


async def test_odd_recipient_or_gln_stops_nothing(world: World) -> None:
    know_gln(world)
    world.source.record("201", scope="company")["gln"] = "123"
    world.source.record("5001")["invoiceRecipient"] = ["x"]
    await world.carry("invoice", 5001)
    assert (await world.document(5001))["state"] == "done"
    assert [one["code"] for one in (await list_customers(world))["201"]["warnings"]] == ["gln_unclear"]
