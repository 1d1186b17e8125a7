"""What is stored of a conversation names no person, in whatever shape; and what helps to find a fault stays."""

from decimal import Decimal
from typing import Any

import pytest

from app.platform.masks import mask

HIDDEN = "•••"
# Each with what must not be left of it.
PERSONAL: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"Info": {"Name": "Ola Nordmann"}}, ("Ola",)),
    ({"CustomerName": "Ola", "InvoiceReceiverName": "Ola", "DeliveryName": "Ola", "DisplayName": "Ola"}, ("Ola",)),
    (
        {"firstName": "Ola", "last_name": "Nordmann", "customername": "Ola", "ContactNames": ["Ola"]},
        ("Ola", "Nordmann"),
    ),
    ({"Phones": [{"ID": 7, "Number": "91234567", "CountryCode": "47", "Type": 150101}]}, ("91234567",)),
    ({"DefaultPhone": {"Number": 91234567}, "mobile": 91234567, "telephone": Decimal(91234567)}, ("91234567",)),
    ({"Emails": ["ola@x.no"], "DefaultEmail": {"EmailAddress": "ola@x.no", "Description": "ola@x.no"}}, ("ola@x.no",)),
    ({"Addresses": [{"AddressLine1": "Gata 1", "City": "Oslo", "PostalCode": "0150"}]}, ("Gata", "Oslo", "0150")),
    ({"InvoiceAddress": {"AddressLine2": ["Gata 1"]}, "InvoiceCity": "Oslo", "city": ["Oslo"]}, ("Gata", "Oslo")),
    ({"ShippingPostalCode": 150, "InvoicePostalCode": "0150"}, ("150",)),
    ({"Items": [{"ItemText": "Ola 7 t", "Comment": "Ola"}], "FreeTxt": "Ola"}, ("Ola",)),
    ({"DraftLines": [{"Description": "Ola", "Amount": 1}]}, ("Ola",)),
    ({"Customer": {"Account": {"AccountName": "Ola"}}, "ProjectLeadName": "Ola"}, ("Ola",)),
    ({"SocialSecurityNumber": 1017012345, "OrgNumber": "01017012345"}, ("1017012345",)),
    ({"access_token": "abc", "Secret": ["abc", {"ID": 5}], "ApiKey": 123}, ("abc", "123", "5")),
    ({"query": {"filter": "Info.Name eq 'Ola ''s' and contains(CustomerName,'Ola')"}}, ("Ola",)),
    ({"path": "customers/7", "request": {"Name": "Ola"}, "answer": [{"Name": "Ola"}]}, ("Ola",)),
]
KEPT: list[dict[str, Any]] = [
    {
        "CustomerNumber": 100001,
        "InvoiceNumber": "110001",
        "TaxInclusiveAmount": Decimal("21093.75"),
        "PaymentID": "0000",
    },
    {"Product": {"PartName": "1001", "Name": "Konsulenttime", "Description": "Time"}, "Department": {"Name": "Oslo"}},
    {"path": "products", "request": {"PartName": "1", "Name": "Konsulenttime"}, "answer": {"Name": "Konsulenttime"}},
    {"InvoiceAddressID": 5, "DefaultPhoneID": None, "SendEmail": True, "YourReference": "", "Capacity": 4},
    {"_createguid": "0b6c", "StatusCode": 42001, "Deleted": False, "OrgNumber": "974760673"},
    {"query": {"filter": "OrgNumber eq '974760673' and Product.Name eq 'Time'", "action": "invoice"}},
    {"path": "invoices/9", "method": "POST", "status": 204, "answer": None, "milliseconds": 12},
]


@pytest.mark.parametrize(("said", "gone"), PERSONAL, ids=[",".join(said) for said, _ in PERSONAL])
def test_nothing_of_a_person_is_left(said: dict[str, Any], gone: tuple[str, ...]) -> None:
    shown = repr(mask(said))
    assert HIDDEN in shown or "person" in shown
    assert [part for part in gone if part in shown] == []


@pytest.mark.parametrize("said", KEPT, ids=",".join)
def test_what_helps_to_find_a_fault_stays(said: dict[str, Any]) -> None:
    assert mask(said) == said


def test_ids_and_kinds_below_a_person_stay() -> None:
    masked = mask(
        {"Phones": [{"ID": 7, "Number": "91234567", "CountryCode": "47", "Type": 150101, "_createguid": "x"}]}
    )
    assert masked == {"Phones": [{"ID": 7, "Number": HIDDEN, "CountryCode": "47", "Type": 150101, "_createguid": "x"}]}
