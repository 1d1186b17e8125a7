"""Customers, projects and departments for Unimicro: all that RecMan has, only what differs, nothing too long."""

from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest

from app.accounting.unimicro.payloads import fit_texts
from app.accounting.unimicro.translate import (
    from_recipient,
    to_customer,
    to_customer_changes,
    to_department,
    to_peppol_address,
    to_project,
    to_project_changes,
)
from app.domain.parties import Address, Customer
from app.domain.policies import CustomerField, FieldRule
from app.recman.read.translate import read_company
from tests.world.builders import make_customer, make_department, make_project

GUID = "4b9a4f0e-0f0f-5c6b-9a51-3f0f6f2c1a11"
GATA = Address(line1="Gata 1", line2="Inngang B", postal_code="0150", city="Oslo", country_code="NO")
KAI = Address(line1="Kaia 2", postal_code="9008", city="Tromsø", country_code="NO")
TORG = Address(line1="Torget 3", postal_code="5003", city="Bergen")
CURRENCIES = {"NOK": 1, "EUR": 2}


def make_whole(**changes: Any) -> Customer:
    values: dict[str, Any] = {
        "org_number": "914778271",
        "invoice_email": "faktura@aerfugl.example",
        "phone": "22 33 44 55",
        "invoice_address": GATA,
        "delivery_address": KAI,
        "visiting_address": TORG,
        "credit_days": 30,
        "peppol_address": "0192:914778271",
        "gln": "7080000999996",
        "currency": "EUR",
    }
    return make_customer(**values | changes)


def write(customer: Customer) -> dict[str, Any]:
    return to_customer(customer, guid=GUID, send_number=True, currencies=CURRENCIES)[0]


def store(customer: Customer) -> dict[str, Any]:
    """The record as Unimicro shows it after it took our payload: ids everywhere, no guids."""
    ids = iter(range(100, 200))

    def give_ids(node: Any) -> Any:
        if isinstance(node, list):
            return [give_ids(child) for child in node]
        if isinstance(node, dict):
            kept = {name: give_ids(child) for name, child in node.items() if name != "_createguid"}
            return kept | {"ID": next(ids)}
        return node

    stored: dict[str, Any] = give_ids(write(customer))
    return stored


def change(customer: Customer, there: dict[str, Any]) -> dict[str, Any]:
    return to_customer_changes(customer, there, guid=GUID, currencies=CURRENCIES)[0]


def strip_guids(node: Any) -> Any:
    if isinstance(node, list):
        return [strip_guids(child) for child in node]
    if isinstance(node, dict):
        return {name: strip_guids(child) for name, child in node.items() if name != "_createguid"}
    return node


# New customers


def test_a_whole_customer_is_sent_whole() -> None:
    assert strip_guids(write(make_whole())) == {
        "CustomerNumber": 100001,
        "OrgNumber": "914778271",
        "CreditDays": 30,
        "CurrencyCodeID": 2,
        "PeppolAddress": "0192:914778271",
        "GLN": "7080000999996",
        "Info": {
            "Name": "Ærfugl Bemanning AS",
            "InvoiceAddress": {
                "AddressLine1": "Gata 1",
                "AddressLine2": "Inngang B",
                "PostalCode": "0150",
                "City": "Oslo",
                "CountryCode": "NO",
            },
            "ShippingAddress": {
                "AddressLine1": "Kaia 2",
                "AddressLine2": "",
                "PostalCode": "9008",
                "City": "Tromsø",
                "CountryCode": "NO",
            },
            "Addresses": [{"AddressLine1": "Torget 3", "AddressLine2": "", "PostalCode": "5003", "City": "Bergen"}],
            "DefaultEmail": {"EmailAddress": "faktura@aerfugl.example"},
            "Emails": [{"EmailAddress": "post@aerfugl.example"}],
            "DefaultPhone": {"Number": "22 33 44 55"},
        },
    }


def test_every_new_child_has_a_guid_of_its_own() -> None:
    payload = write(make_whole())
    guids = [payload["_createguid"], payload["Info"]["_createguid"]]
    for child in payload["Info"].values():
        rows = child if isinstance(child, list) else [child]
        guids += [row["_createguid"] for row in rows if isinstance(row, dict)]
    assert len(guids) == len(set(guids)) == 8


def test_a_bare_customer_is_sent_bare() -> None:
    customer = Customer(recman_company_id="1", number="100009", name="Bare AS")
    assert strip_guids(write(customer)) == {"CustomerNumber": 100009, "OrgNumber": None, "Info": {"Name": "Bare AS"}}


def test_a_visiting_address_that_is_the_invoice_address_is_sent_once() -> None:
    assert "Addresses" not in write(make_whole(visiting_address=GATA))["Info"]


def test_one_email_for_everything_is_sent_once() -> None:
    info = write(make_whole(invoice_email=""))["Info"]
    assert info["DefaultEmail"]["EmailAddress"] == "post@aerfugl.example"
    assert "Emails" not in info


def test_a_currency_that_unimicro_lacks_is_not_sent() -> None:
    assert "CurrencyCodeID" not in write(make_whole(currency="XAU"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0192:914778271", "0192:914778271"),
        ("914778271", "0192:914778271"),
        ("NO 914 778 271 MVA", "0192:914778271"),
        ("0007:5567321707", "0007:5567321707"),
        ("9147782", ""),
        ("0192:15108695088", ""),
        ("9908:151086 95088", ""),
        ("0192:NO15108695088MVA", ""),
        ("9934:HR12345678901", "9934:HR12345678901"),
        ("ja", ""),
        ("", ""),
    ],
)
def test_peppol_addresses_carry_their_scheme(text: str, address: str) -> None:
    assert to_peppol_address(text) == address


def test_recmans_company_is_read_with_all_that_unimicro_takes() -> None:
    address = {"address1": "Torget 3", "address2": "", "postalCode": "5003", "city": "Bergen", "country": "Norge"}
    raw = {"companyId": 7, "companyNumber": 100007, "name": "Hel AS", "visitAddress": address, "currency": "nok"}
    found = read_company({**raw, "ehfNumber": 914778271, "postAddress": {**address, "address1": "Postboks 9"}})
    assert isinstance(found, Customer)
    assert (found.visiting_address.line1, found.invoice_address.line1) == ("Torget 3", "Postboks 9")
    assert (found.peppol_address, found.currency) == ("914778271", "NOK")


def test_odd_values_of_guessed_fields_hold_no_customer() -> None:
    raw = {"companyId": 7, "companyNumber": 100007, "name": "Hel AS", "currency": "Norske kroner"}
    found = read_company(raw | {"ehfNumber": ["x"], "ehfAddress": "ja"})
    assert isinstance(found, Customer)
    assert (found.peppol_address, found.currency) == ("", "")


def test_a_peppol_address_that_is_none_is_left_out_with_a_warning() -> None:
    payload, warnings = to_customer(make_whole(peppol_address="ja"), guid=GUID, send_number=True)
    assert "PeppolAddress" not in payload
    assert [warning.code for warning in warnings] == ["peppol_unclear"]


# Updates


def test_a_customer_that_agrees_needs_no_update() -> None:
    assert change(make_whole(), store(make_whole())) == {}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"name": "Nytt Navn AS"}, {"Info": {"Name": "Nytt Navn AS"}}),
        ({"credit_days": 0}, {"CreditDays": 0}),
        ({"currency": "NOK"}, {"CurrencyCodeID": 1}),
        ({"phone": "99"}, {"Info": {"DefaultPhone": {"Number": "99"}}}),
        ({"invoice_address": replace(GATA, line2="")}, {"Info": {"InvoiceAddress": {"AddressLine2": ""}}}),
        ({"invoice_address": replace(GATA, country_code="")}, {}),
        ({"delivery_address": Address()}, {}),
        ({"visiting_address": Address()}, {}),
        ({"phone": "", "org_number": "", "credit_days": None, "currency": "", "peppol_address": ""}, {}),
    ],
)
def test_only_what_differs_is_sent_and_blanks_change_nothing_but_lines(
    changed: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = change(make_whole(**changed), store(make_whole()))

    def without_ids(node: Any) -> Any:
        return (
            {name: without_ids(child) for name, child in node.items() if name != "ID"}
            if isinstance(node, dict)
            else node
        )

    assert without_ids(found) == expected


def test_a_child_that_is_missing_there_is_made() -> None:
    there = store(make_whole(delivery_address=Address(), phone=""))
    info = change(make_whole(), there)["Info"]
    assert (info["ShippingAddress"]["ID"], info["DefaultPhone"]["ID"]) == (0, 0)
    assert info["ShippingAddress"]["_createguid"] != info["DefaultPhone"]["_createguid"]


def test_a_list_gains_what_it_lacks_and_loses_nothing() -> None:
    there = store(make_whole())
    moved = change(make_whole(visiting_address=KAI, delivery_address=Address()), there)
    assert [row["AddressLine1"] for row in moved["Info"]["Addresses"]] == ["Kaia 2"]
    assert moved["Info"]["Addresses"][0]["ID"] == 0


def make_shared() -> dict[str, Any]:
    """A customer there whose invoice and delivery address are one record, as Unimicro's own sample makes them."""
    there = store(make_whole(delivery_address=GATA))
    there["Info"]["ShippingAddress"] = deepcopy(there["Info"]["InvoiceAddress"])
    return there


def test_an_address_in_two_slots_is_split_when_the_slots_part() -> None:
    info = change(make_whole(delivery_address=KAI), make_shared())["Info"]
    assert (info["ShippingAddress"]["ID"], info["ShippingAddress"]["AddressLine1"]) == (0, "Kaia 2")
    assert "InvoiceAddress" not in info


def test_an_address_in_two_slots_keeps_its_old_lines_where_they_are_still_wanted() -> None:
    info = change(make_whole(invoice_address=KAI, delivery_address=GATA), make_shared())["Info"]
    assert info["InvoiceAddress"]["AddressLine1"] == "Kaia 2"
    assert info["InvoiceAddress"]["ID"] > 0
    assert (info["ShippingAddress"]["ID"], info["ShippingAddress"]["AddressLine1"]) == (0, "Gata 1")


def test_an_address_in_two_slots_is_changed_once_when_both_move() -> None:
    info = change(make_whole(invoice_address=TORG, delivery_address=TORG), make_shared())["Info"]
    assert info["InvoiceAddress"]["AddressLine1"] == "Torget 3"
    assert "ShippingAddress" not in info


def test_projects_and_departments_send_what_recman_has() -> None:
    project, _ = to_project(make_project(end_date=date(2026, 12, 31)), guid=GUID, customer_id=17)
    assert strip_guids(project) == {
        "ProjectNumber": "P-301",
        "Name": "Vaktbytte",
        "ProjectCustomerID": 17,
        "StartDate": "2026-09-01",
        "EndDate": "2026-12-31",
    }
    assert strip_guids(to_department(make_department(), guid=GUID)[0]) == {"DepartmentNumber": "10", "Name": "Oslo"}


def test_a_projects_update_sends_only_what_differs() -> None:
    there = {"ID": 5, "Name": "Vaktbytte", "StartDate": "2026-09-01T00:00:00Z", "EndDate": None}
    assert to_project_changes(make_project(), there, customer_id=None) == ({}, [])
    moved, _ = to_project_changes(make_project(name="Vikarer"), there, customer_id=None)
    assert moved == {"ID": 5, "Name": "Vikarer"}


# Texts that do not fit


def test_over_long_names_are_cut_with_a_warning_and_then_agree() -> None:
    long = make_whole(name="Å" * 300)
    payload, warnings = to_customer(long, guid=GUID, send_number=True)
    assert len(payload["Info"]["Name"]) == 255
    assert payload["Info"]["Name"].endswith("…")
    assert [(warning.code, "Customer 100001: Name has 300" in warning.cause) for warning in warnings] == [
        ("text_cut", True)
    ]
    assert change(long, store(long)) == {}


def test_over_long_names_of_projects_and_departments_are_cut_with_a_warning() -> None:
    project, project_warnings = to_project(make_project(name="P" * 256), guid=GUID, customer_id=None)
    department, department_warnings = to_department(make_department(name="D" * 101), guid=GUID)
    assert (len(project["Name"]), len(department["Name"])) == (255, 100)
    assert [warning.cause.split(":")[0] for warning in project_warnings + department_warnings] == [
        "Project P-301",
        "Department 10",
    ]


def test_what_makes_no_sense_in_half_is_left_out() -> None:
    customer = make_whole(invoice_email="a" * 300 + "@x.example", org_number="9" * 101)
    payload, warnings = to_customer(customer, guid=GUID, send_number=True)
    assert "OrgNumber" not in payload
    assert "DefaultEmail" not in payload["Info"]
    told = [warning.cause.endswith("it was left out") for warning in warnings]
    assert (told, warnings[1].code) == ([True, False, True], "org_number_invalid")


def test_letters_beyond_the_basic_plane_count_twice() -> None:
    payload = {"Name": "😀" * 130}
    (warning,) = fit_texts(payload, "BusinessRelation", where="Customer 1")
    assert payload["Name"] == "😀" * 127 + "…"
    assert "260 characters" in warning.cause


# The customer on an invoice's head


def test_a_recipient_is_read_back_as_it_was_sent() -> None:
    found = from_recipient(store(make_whole()))
    assert (found.name, found.org_number, found.email) == (
        "Ærfugl Bemanning AS",
        "914778271",
        "faktura@aerfugl.example",
    )
    assert (found.invoice_address, found.delivery_address) == (GATA, KAI)


@pytest.mark.parametrize("row", [{}, {"Info": None}, {"Info": {"InvoiceAddress": None, "DefaultEmail": None}}])
def test_a_recipient_that_unimicro_knows_nothing_of_is_blank(row: dict[str, Any]) -> None:
    found = from_recipient(row)
    assert (found.name, found.email, found.invoice_address.is_empty) == ("", "", True)


# Who keeps up which field


CHANGED = {
    "name": "Ærfugl Norge AS",
    "org_number": "310456101",
    "credit_days": 10,
    "currency": "NOK",
    "peppol_address": "0192:310456101",
    "gln": "7080000123452",
    "invoice_address": Address(line1="Ny 1", postal_code="0151", city="Oslo"),
    "delivery_address": Address(line1="Ny 2", postal_code="0152", city="Oslo"),
    "visiting_address": Address(line1="Ny 3", postal_code="0153", city="Oslo"),
    "email": "ny@aerfugl.example",
    "phone": "99 99 99 99",
}
SLOTS = {
    "name": {"Info.Name"},
    "org_number": {"OrgNumber"},
    "credit_days": {"CreditDays"},
    "currency": {"CurrencyCodeID"},
    "peppol_address": {"PeppolAddress"},
    "gln": {"GLN"},
    "invoice_address": {"Info.InvoiceAddress"},
    "delivery_address": {"Info.ShippingAddress"},
    "visiting_address": {"Info.Addresses"},
    "email": {"Info.DefaultEmail"},
    "phone": {"Info.DefaultPhone"},
}


def slots_of(changes: dict[str, Any]) -> set[str]:
    info = {f"Info.{name}" for name in changes.get("Info", {}) if name != "ID"}
    return info | {name for name in changes if name not in {"ID", "Info"}}


def change_by_rule(field: str, rule: FieldRule, there: dict[str, Any]) -> set[str]:
    customer = make_whole(**{"invoice_email" if field == "email" else field: CHANGED[field]})
    currencies = CURRENCIES | {"NOK": 1}
    changes, _ = to_customer_changes(customer, there, guid=GUID, currencies=currencies, rules={field: rule})
    return slots_of(changes)


@pytest.mark.parametrize("field", get_args(CustomerField))
def test_field_is_written_filled_or_left_as_its_rule_says(field: str) -> None:
    full = store(make_whole())
    bare = {"ID": 1, "Info": {"ID": 2, "InvoiceAddress": {"ID": 3, "City": ""}, "Addresses": []}}
    assert change_by_rule(field, FieldRule.RECMAN_WINS, full) == SLOTS[field]
    assert change_by_rule(field, FieldRule.FILL_EMPTY, full) == set()
    assert change_by_rule(field, FieldRule.LEAVE, full) == set()
    assert SLOTS[field] <= change_by_rule(field, FieldRule.FILL_EMPTY, bare)
    assert not SLOTS[field] & change_by_rule(field, FieldRule.LEAVE, bare)


def test_nought_credit_days_are_something() -> None:
    there = store(make_whole()) | {"CreditDays": 0}
    assert change_by_rule("credit_days", FieldRule.FILL_EMPTY, there) == set()
