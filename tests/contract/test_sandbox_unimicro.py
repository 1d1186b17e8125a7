"""The sandbox Unimicro's business calls: what docs/facts/unimicro.md says about reading, saving and issuing."""

from decimal import Decimal
from typing import Any

import pytest

from app.sandbox.unimicro.schema import ENTITIES
from tests.world.unimicro_names import KNOWN
from tests.world.unimicro_session import ISSUER, Session, guid, open_session, sandbox


def to_messages(body: Any) -> list[str]:
    return [row["Message"] for row in body["Messages"]]


# Reading


async def test_endpoints_are_told_without_signing_in(books: Session) -> None:
    answer = await books.client.get("/api/endpoints")
    assert answer.json()["Identity"] == ISSUER


async def test_companies_are_listed_with_the_token_alone(books: Session) -> None:
    del books.headers["CompanyKey"]
    rows = await books.get("/api/init/companies")
    live = [row["Name"] for row in rows if not row["Deleted"] and not row["IsTest"]]
    assert live == ["Nordlys Bemanning AS", "Nordlys Konsulent AS"]
    assert [row["Deleted"] for row in rows].count(True) == 1
    assert [row["IsTest"] for row in rows].count(True) == 1


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("no-such-key", 403)])
async def test_a_business_call_needs_a_known_company_key(books: Session, key: str | None, status: int) -> None:
    books.headers = {"Authorization": books.headers["Authorization"]} | ({"CompanyKey": key} if key else {})
    body = await books.expect(status, "GET", "customers")
    assert body["Message"] == "Authorization has been denied for this request."


async def test_a_deleted_company_gives_nothing(books: Session) -> None:
    books.headers["CompanyKey"] = books.app.state.world.company("Nordlys Gammel AS").key
    await books.expect(403, "GET", "customers")


async def test_a_call_without_token_is_refused(books: Session) -> None:
    del books.headers["Authorization"]
    await books.expect(401, "GET", "customers")


@pytest.mark.parametrize("path", ["kunder", "invoices/abc", "/api/nothing", "/api/biz/a/b/c"])
async def test_an_unknown_path_is_answered_as_a_missing_right(books: Session, path: str) -> None:
    await books.expect(401, "GET", path)


async def test_a_missing_record_and_an_unknown_action_are_404(books: Session) -> None:
    await books.expect(404, "GET", "customers/4711")
    await books.expect(404, "GET", "customers", action="fly")


def test_every_field_of_the_stand_in_is_unimicros_own() -> None:
    for entity in ENTITIES.values():
        assert entity.fields.keys() <= {*KNOWN[entity.name]["swagger"], *KNOWN[entity.name]["facts"]}


async def test_companies_have_equal_ids_for_different_records(books: Session) -> None:
    other = await open_session(books.client, books.app, "Nordlys Konsulent AS")
    mine, theirs = await books.customer("Fjellheim Bygg AS"), await other.customer("Havn AS")
    assert mine["ID"] == theirs["ID"]
    assert books.app.state.world.strangers == []


async def test_with_ids_of_its_own_for_each_company_a_strangers_id_is_told_of() -> None:
    async with sandbox(separate_ids=True) as books:
        other = await open_session(books.client, books.app, "Nordlys Konsulent AS")
        stranger = (await other.customer())["ID"]
        own = (await books.one("products", "PartName", "1001"))["ID"]
        body = {"_createguid": guid(), "StatusCode": 10001, "CustomerID": stranger, "InvoiceDate": "2026-10-05"}
        await books.expect(500, "POST", "invoices", body | {"Items": [{"ProductID": own}]})
        await books.get("invoices", filter=f"CustomerID eq {stranger}")
        told = books.app.state.world.strangers
        assert told == [f"POST invoices: CustomerID {stranger}", f"GET invoices: CustomerID {stranger}"]


async def test_reference_data_are_there(books: Session) -> None:
    settings = await books.get("companysettings/1")
    assert settings["TaxMandatoryType"] == 3
    assert settings["AccountingLockedDate"] is None
    assert (await books.get(f"currencycodes/{settings['BaseCurrencyCodeID']}"))["Code"] == "NOK"
    series = await books.one("number-series", "Name", "Customer")
    assert (series["FromNumber"], series["ToNumber"]) == (100000, 199999)
    assert (await books.one("products", "PartName", "9001"))["StatusCode"] == 35002
    assert (await books.get("users", action="current-session"))["Email"]
    assert {row["TermsType"] for row in await books.get("terms", action="get-payment-terms")} == {1}


async def test_the_exchange_rate_is_told_for_one_unit(books: Session) -> None:
    euro, krone = [(await books.one("currencycodes", "Code", code))["ID"] for code in ("EUR", "NOK")]
    query = {"fromCurrencyCodeID": euro, "toCurrencyCodeID": krone, "currencyDate": "2026-10-05"}
    rate = await books.get("currencies", action="get-currency-exchange-rate", **query)
    assert rate["ExchangeRate"] == Decimal("11.75")


async def test_a_list_is_a_bare_array_of_at_most_50_rows_unless_top_is_sent(books: Session) -> None:
    for number in range(55):
        await books.expect(201, "POST", "departments", {"Name": f"Avdeling {number}", "DepartmentNumber": str(number)})
    assert len(await books.get("departments")) == 50
    assert len(await books.get("departments", top=500)) == 58
    page = await books.get("departments", top=2, skip=3, orderby="ID")
    assert [row["DepartmentNumber"] for row in page] == ["0", "1"]
    assert (await books.get("departments", top=1, orderby="ID desc"))[0]["DepartmentNumber"] == "54"


async def test_relations_are_absent_unless_expanded(books: Session) -> None:
    info = {"Name": "Østfold Rør AS", "InvoiceAddress": {"_createguid": guid(), "City": "Moss"}}
    customer = await books.customer(Info=info | {"DefaultEmail": {"_createguid": guid(), "EmailAddress": "a@b.no"}})
    assert customer["Info"]["InvoiceAddress"]["City"] == "Moss"
    plain = await books.get(f"customers/{customer['ID']}")
    assert "Info" not in plain
    half = await books.get(f"customers/{customer['ID']}", expand="Info,Nothing")
    assert "InvoiceAddress" not in half["Info"]
    full = await books.get("customers", expand="Info.InvoiceAddress,Info.DefaultEmail")
    assert full[0]["Info"]["DefaultEmail"]["EmailAddress"] == "a@b.no"
    invoice = await books.draft(CustomerID=customer["ID"])
    shown = await books.get(f"invoices/{invoice['ID']}", expand="Items.Product,Customer.Info")
    assert shown["Items"][0]["Product"]["PartName"] == "1001"
    assert shown["Customer"]["Info"]["Name"] == "Østfold Rør AS"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("PartName eq '1001'", ["1001"]),
        ("PartName in ('1001','2001')", ["1001", "2001"]),
        ("startswith(PartName,'1') and not (Name eq 'Bemanning')", ["1001"]),
        ("contains(Name,'HELSE') or PartName eq '9001'", ["4001", "9001"]),
        ("PriceExVat gt 700 and PriceExVat le 900 and StatusCode ne 35002", ["4001", "5001"]),
        ("PriceExVat ge 950 or PriceExVat lt 13", ["1001", "3001"]),
        ("VatType.VatCode eq '31'", ["2001"]),
        ("ExternalProductNumber eq null and PartName eq '1002'", ["1002"]),
    ],
)
async def test_filters_pick_rows(books: Session, text: str, numbers: list[str]) -> None:
    rows = await books.get("products", filter=text, expand="VatType", orderby="PartName")
    assert [row["PartName"] for row in rows] == numbers


async def test_a_quote_in_a_filter_is_doubled(books: Session) -> None:
    await books.customer("Ole's Kafé")
    await books.customer("Kari's Kafé")
    rows = await books.get("customers", filter="Info.Name eq 'Ole''s Kafé'", expand="Info")
    assert [row["Info"]["Name"] for row in rows] == ["Ole's Kafé"]


async def test_a_filter_on_an_unknown_field_returns_everything(books: Session) -> None:
    assert len(await books.get("products", filter="ProductNumber eq '1001'")) == 7
    assert len(await books.get("products", filter="PartName eq '1001' and Nothing eq 1")) == 7
    assert len(await books.get("products", nonsense="1")) == 7


async def test_an_unreadable_filter_is_refused_and_an_empty_one_breaks(books: Session) -> None:
    await books.expect(400, "GET", "products", filter="PartName = 1001")
    await books.expect(500, "GET", "products", filter="")


async def test_select_leaves_only_the_chosen_fields(books: Session) -> None:
    rows = await books.get("products", select="ID,PartName,VatType.VatCode", expand="VatType", top=1)
    assert rows == [{"ID": rows[0]["ID"], "PartName": "1001", "VatType": {"VatCode": "3"}}]


# Master data


async def test_a_customer_gets_the_next_number_or_its_own_inside_the_series(books: Session) -> None:
    assert (await books.customer())["CustomerNumber"] == 100000
    assert (await books.customer(CustomerNumber=100001))["CustomerNumber"] == 100001
    assert (await books.customer())["CustomerNumber"] == 100002
    for wrong in (100001, 5000):
        body = {"CustomerNumber": wrong, "Info": {"Name": "X"}}
        assert "CustomerNumber" in to_messages(await books.expect(400, "POST", "customers", body))[0]


async def test_the_customer_number_can_be_set_to_be_ignored() -> None:
    async with sandbox(accept_customer_number=False) as books:
        assert (await books.customer(CustomerNumber=150000))["CustomerNumber"] == 100000


async def test_one_new_object_may_fill_two_slots_by_the_same_guid(books: Session) -> None:
    shared, phone = guid(), guid()
    info: dict[str, Any] = {
        "Name": "X",
        "InvoiceAddress": {"_createguid": shared},
        "ShippingAddress": {"_createguid": shared},
    }
    info |= {"Phones": [{"_createguid": phone, "Number": "1"}], "DefaultPhone": {"_createguid": phone, "Number": "1"}}
    stored = (await books.customer(Info=info))["Info"]
    assert stored["InvoiceAddressID"] == stored["ShippingAddressID"]
    assert [row["ID"] for row in stored["Phones"]] == [stored["DefaultPhoneID"]]


async def test_a_put_updates_creates_and_deletes_children_and_leaves_the_others(books: Session) -> None:
    lines = [await books.item(SortIndex=index) for index in (1, 2, 3)]
    draft = await books.draft(Items=lines)
    first, second, third = (row["ID"] for row in draft["Items"])
    changes = [{"ID": first, "NumberOfItems": 5}, {"ID": second, "Deleted": True}, await books.item(SortIndex=4)]
    await books.expect(200, "PUT", f"invoices/{draft['ID']}", {"ID": draft["ID"], "Items": changes})
    stored = await books.get(f"invoices/{draft['ID']}", expand="Items")
    assert [row["NumberOfItems"] for row in stored["Items"]] == [5, 2, 2]
    assert [row["ID"] for row in stored["Items"]][:2] == [first, third]
    assert stored["TaxExclusiveAmount"] == 900


async def test_projects_products_and_departments_take_the_clients_number(books: Session) -> None:
    project = await books.expect(201, "POST", "projects", {"Name": "Bru", "ProjectNumber": "301"})
    assert (project["ProjectNumber"], project["ProjectNumberNumeric"], project["StatusCode"]) == ("301", 301, 42201)
    assert (await books.expect(201, "POST", "projects", {"Name": "Vei"}))["ProjectNumber"] == "1"
    product = await books.expect(201, "POST", "products", {"Name": "Ny", "PartName": "1001"})
    assert (product["PartName"], product["StatusCode"]) == ("1001", 35001)
    await books.expect(204, "POST", f"projects/{project['ID']}", action="CompleteProject")
    assert (await books.get(f"projects/{project['ID']}"))["StatusCode"] == 42204


async def test_a_nested_customer_in_a_put_overwrites_the_customer(books: Session) -> None:
    customer = await books.customer(OrgNumber="914778271")
    draft = await books.draft(CustomerID=customer["ID"])
    body = {"Comment": "x", "Customer": {"ID": customer["ID"], "OrgNumber": None, "CreditDays": 90}}
    await books.expect(200, "PUT", f"invoices/{draft['ID']}", body)
    stored = await books.get(f"customers/{customer['ID']}")
    assert (stored["OrgNumber"], stored["CreditDays"]) == (None, 90)


# Invoices


async def test_an_invoice_without_status_is_issued_at_once(books: Session) -> None:
    body = await books.invoice_body()
    del body["StatusCode"]
    invoice = await books.expect(201, "POST", "invoices", body)
    assert (invoice["StatusCode"], invoice["InvoiceNumber"]) == (42002, "3000000")


async def test_a_draft_has_no_number_until_it_is_issued(books: Session) -> None:
    draft = await books.draft(InvoiceNumber="RM-1", ExternalReference="RM-10457")
    assert (draft["StatusCode"], draft["InvoiceNumber"], draft["PaymentID"]) == (42001, None, None)
    answer = await books.call("POST", f"invoices/{draft['ID']}", action="invoice")
    assert (answer.status_code, answer.content) == (204, b"")
    issued = await books.one("invoices", "ExternalReference", "RM-10457")
    assert (issued["StatusCode"], issued["InvoiceNumber"]) == (42002, "3000000")
    assert issued["PaymentID"] == "300000001000006"
    assert issued["JournalEntryID"] > 0
    assert to_messages(await books.issue(draft["ID"], 400)) == ["The transition is not legal."]
    assert (await books.issued())["InvoiceNumber"] == "3000001"


async def test_the_draft_status_can_be_set_to_be_ignored() -> None:
    async with sandbox(honour_draft_status=False) as books:
        assert (await books.draft())["StatusCode"] == 42002


async def test_sums_are_computed_half_up_per_line(books: Session) -> None:
    lines = [
        await books.item(NumberOfItems=Decimal("37.5"), PriceExVat=Decimal("812.3456")),
        await books.item("2001", NumberOfItems=3, PriceExVat=Decimal("99.95"), DiscountPercent=10),
        await books.item("5001", NumberOfItems=1, PriceExVat=Decimal("10.005")),
    ]
    draft = await books.draft(Items=lines)
    assert [row["SumTotalExVat"] for row in draft["Items"]] == [
        Decimal("30462.96"),
        Decimal("269.87"),
        Decimal("10.01"),
    ]
    assert [row["SumVat"] for row in draft["Items"]] == [Decimal("7615.74"), Decimal("40.48"), 0]
    assert draft["TaxExclusiveAmount"] == Decimal("30742.84")
    assert draft["VatTotalsAmount"] == Decimal("7656.22")
    assert draft["TaxInclusiveAmount"] == draft["RestAmount"] == Decimal("38399.06")


async def test_sums_of_the_client_can_be_set_to_stay() -> None:
    async with sandbox(recompute_sums=False) as books:
        item = await books.item(SumTotalExVat=7, SumVat=1, SumTotalIncVat=8)
        assert (await books.draft(Items=[item]))["TaxInclusiveAmount"] == 8


async def test_a_foreign_invoice_has_sums_in_both_currencies(books: Session) -> None:
    euro = await books.one("currencycodes", "Code", "EUR")
    item = await books.item("5001", NumberOfItems=4, PriceExVat=None, PriceExVatCurrency=925)
    draft = await books.draft(Items=[item], CurrencyCodeID=euro["ID"], CurrencyExchangeRate=Decimal("11.5"))
    assert (draft["TaxExclusiveAmountCurrency"], draft["TaxExclusiveAmount"]) == (3700, 42550)


async def test_a_line_without_product_is_a_text_line(books: Session) -> None:
    text = await books.item(ProductID=None, ItemText="Oppdrag ved Breivika", SortIndex=2)
    draft = await books.draft(Items=[await books.item(), text])
    line = draft["Items"][1]
    assert (line["PriceExVat"], line["VatTypeID"], line["AccountID"], line["SumTotalIncVat"]) == (None, None, None, 0)
    assert draft["TaxInclusiveAmount"] == 250


async def test_dimensions_are_made_inline_and_not_inherited(books: Session) -> None:
    project = await books.one("projects", "ProjectNumber", "P-900")
    head = {"ID": 0, "ProjectID": project["ID"], "_createguid": guid()}
    draft = await books.draft(DefaultDimensions=head)
    assert draft["DefaultDimensions"]["ProjectID"] == project["ID"]
    assert draft["Items"][0]["DimensionsID"] is None


async def test_only_a_draft_can_be_changed_or_deleted(books: Session) -> None:
    draft, issued = await books.draft(), await books.issued()
    await books.expect(204, "DELETE", f"invoices/{draft['ID']}")
    await books.expect(404, "GET", f"invoices/{draft['ID']}")
    await books.expect(400, "DELETE", f"invoices/{issued['ID']}")
    await books.expect(400, "PUT", f"invoices/{issued['ID']}", {"Comment": "x"})


async def test_a_credit_note_credits_partly_then_wholly_and_no_more(books: Session) -> None:
    original = await books.issued(ExternalReference="RM-1")
    action = "create-credit-draft-invoice"
    part = await books.expect(200, "PUT", f"invoices/{original['ID']}", action=action)
    assert (part["InvoiceType"], part["InvoiceReferenceID"], part["StatusCode"]) == (1, original["ID"], 42001)
    assert (part["TaxInclusiveAmount"], part["ExternalReference"]) == (-250, None)
    rest = await books.expect(200, "PUT", f"invoices/{original['ID']}", action=action)
    for draft, quantity in ((part, Decimal("-0.5")), (rest, Decimal("-1.5"))):
        line = (await books.get(f"invoices/{draft['ID']}", expand="Items"))["Items"][0]
        changes = {"Items": [{"ID": line["ID"], "NumberOfItems": quantity}]}
        await books.expect(200, "PUT", f"invoices/{draft['ID']}", changes)
    too_much = await books.expect(200, "PUT", f"invoices/{original['ID']}", action=action)
    await books.issue(part["ID"])
    state = await books.get(f"invoices/{original['ID']}")
    assert (state["StatusCode"], state["CreditedAmount"], state["RestAmount"]) == (
        42007,
        Decimal("62.5"),
        Decimal("187.5"),
    )
    assert "More than the original" in to_messages(await books.issue(too_much["ID"], 400))[0]
    await books.issue(rest["ID"])
    state = await books.get(f"invoices/{original['ID']}")
    assert (state["StatusCode"], state["CreditedAmount"], state["RestAmount"]) == (42006, 250, 0)
    await books.expect(400, "PUT", f"invoices/{original['ID']}", action=action)
    assert (await books.get(f"invoices/{rest['ID']}"))["InvoiceNumber"] == "3000002"


async def test_a_locked_period_is_refused_at_draft_and_at_issue(books: Session) -> None:
    draft = await books.draft()
    await set_locked(books, "VatLockedDate", "2026-10-05")
    assert "VatLockedDate" in to_messages(await books.issue(draft["ID"], 400))[0]
    body = await books.invoice_body()
    assert to_messages(await books.expect(400, "POST", "invoices", body))
    await set_locked(books, "VatLockedDate", "2026-10-04")
    await books.issue(draft["ID"])


async def set_locked(books: Session, name: str, day: str) -> None:
    path = f"/sandbox/companies/{books.headers['CompanyKey']}/settings"
    assert (await books.client.post(path, json={name: day})).status_code == 200


# Refusals


async def test_a_guid_works_once_for_heads_and_children_and_after_deletion(books: Session) -> None:
    body = await books.invoice_body()
    draft = await books.expect(201, "POST", "invoices", body)
    for _ in range(2):
        answer = await books.expect(400, "POST", "invoices", body)
        assert "The _createguid value has already been processed" in answer["Message"]
        await books.call("DELETE", f"invoices/{draft['ID']}")
    body["_createguid"] = guid()
    assert "_createguid" in (await books.expect(400, "POST", "invoices", body))["Message"]
    assert await books.get("invoices") == []


async def test_a_refused_body_uses_up_neither_guid_nor_number(books: Session) -> None:
    body = {"_createguid": guid(), "Info": {"Name": "A", "InvoiceAddress": {"_createguid": guid()}}}
    await books.expect(400, "POST", "customers", body | {"CustomerNumber": 1})
    assert (await books.expect(201, "POST", "customers", body))["CustomerNumber"] == 100000


async def test_a_wrong_foreign_key_is_a_500_of_shape_1(books: Session) -> None:
    body = await books.invoice_body(Items=[await books.item(ProductID=999999)])
    answer = await books.expect(500, "POST", "invoices", body)
    assert answer.keys() == {"Message", "StackTrace", "Source", "ErrorReference"}
    assert await books.get("invoices") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ExternalReference", "x" * 21),
        ("Comment", "x" * 501),
        ("InvoicePostalCode", "x" * 11),
        ("PaymentDueDate", "2026-10-04"),
        ("InvoiceDate", None),
        ("CustomerID", 0),
    ],
)
async def test_a_bad_head_is_echoed_with_its_problems(books: Session, field: str, value: Any) -> None:
    body = await books.invoice_body() | {field: value}
    answer = await books.expect(400, "POST", "invoices", body)
    assert answer["_createguid"] == body["_createguid"]
    assert answer["_validationResults"][field][0]["Level"] == 30


@pytest.mark.parametrize(("field", "value"), [("DiscountPercent", None), ("ItemText", "x" * 256)])
async def test_a_bad_line_is_echoed_where_it_stands(books: Session, field: str, value: Any) -> None:
    body = await books.invoice_body(Items=[await books.item(), await books.item(**{field: value})])
    answer = await books.expect(400, "POST", "invoices", body)
    assert "_validationResults" not in answer["Items"][0]
    assert answer["Items"][1]["_validationResults"][field]


async def test_a_body_that_cannot_be_read_is_refused_with_a_bare_string(books: Session) -> None:
    body = await books.invoice_body(Items=[await books.item(PriceExVat="hundre")])
    assert isinstance(await books.expect(400, "POST", "invoices", body), str)
    assert isinstance(await books.expect(400, "POST", "invoices", [body]), str)
    answer = await books.client.post("/api/biz/invoices", content=b"{", headers=books.headers)
    assert (answer.status_code, isinstance(answer.json(), str)) == (400, True)


async def test_reference_data_cannot_be_written(books: Session) -> None:
    await books.expect(403, "POST", "vattypes", {"VatCode": "99"})
