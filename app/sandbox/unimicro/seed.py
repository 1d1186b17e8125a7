"""What the stand-in's companies hold at the start: all of it in the tables below, to be extended there.

Source: docs/facts/unimicro.md §3.7 for codes and meanings, §4.4 and §4.3 for where the series begin. Names, prices and
exchange rates are made up. Every company counts its ids from 1, as Unimicro's do, so that an id of one company means
another record in the next; `SandboxOptions.separate_ids` gives each a range of its own.
"""

import uuid
from decimal import Decimal

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books, Company
from app.sandbox.unimicro.ledger_switches import InvoiceSeries
from app.sandbox.unimicro.options import SandboxOptions
from app.sandbox.unimicro.switches import VatIds

# (name, organisation number, is test, deleted)
COMPANIES = (
    ("Nordlys Bemanning AS", "914778271", False, False),
    ("Nordlys Konsulent AS", "918654321", False, False),
    ("Nordlys Gammel AS", "912345678", False, True),
    ("Nordlys Test AS", "999999999", True, False),
)

# With `separate_ids` each company has so many ids for itself.
ID_RANGE = 1_000_000

# (code, name, percentage, output VAT). Source: §3.7, the percentages are the usual Norwegian ones [I].
VAT_TYPES = (
    ("0", "Ingen mva-behandling", "0", True),
    ("1", "Inngående mva, alminnelig sats", "25", False),
    ("3", "Utgående mva, alminnelig sats", "25", True),
    ("31", "Utgående mva, middels sats", "15", True),
    ("32", "Utgående mva, fisk", "11.11", True),
    ("33", "Utgående mva, lav sats", "12", True),
    ("5", "Ingen utgående mva, innenfor loven", "0", True),
    ("6", "Omsetning utenfor mva-loven", "0", True),
    ("52", "Eksport av varer og tjenester", "0", True),
    ("51", "Innenlands omsetning med omvendt avgiftsplikt", "0", True),
    ("11", "Inngående mva, middels sats", "15", False),
    ("12", "Inngående mva, fisk", "11.11", False),
    ("13", "Inngående mva, lav sats", "12", False),
)

# Percentages with their days, for VAT codes that had more than one: the low rate was 6 % for a while. Source:
# Stortingets avgiftsvedtak; the others have theirs from the first day on.
FIRST_VAT_DAY = "2005-01-01"
VAT_PERIODS = {
    "33": (
        (FIRST_VAT_DAY, "2020-03-31", "12"),
        ("2020-04-01", "2021-09-30", "6"),
        ("2021-10-01", None, "12"),
    )
}

# (number, name, VAT code)
ACCOUNTS = (
    (1500, "Kundefordringer", "0"),
    (3000, "Salgsinntekt, avgiftspliktig", "3"),
    (3010, "Bemanning, avgiftspliktig", "3"),
    (3020, "Servering, middels sats", "31"),
    (3030, "Persontransport, lav sats", "33"),
    (3100, "Salgsinntekt, avgiftsfri", "5"),
    (3110, "Eksport", "52"),
    (3200, "Utenfor avgiftsområdet", "6"),
    (7740, "Øreavrunding", "0"),
    (2700, "Utgående mva", "0"),
    (1920, "Bank", "0"),
    (2996, "Innbetalt ingen match", "0"),
    (7830, "Tap på fordringer", "0"),
)

# (number, name, VAT code, account, unit, price, StatusCode). 35002 is discarded (§3.5).
PRODUCTS = (
    ("1001", "Konsulenttimer", "3", 3000, "timer", "950", 35001),
    ("1002", "Bemanning", "3", 3010, "timer", "450", 35001),
    ("2001", "Matservering", "31", 3020, "stk", "210", 35001),
    ("3001", "Persontransport", "33", 3030, "km", "12.5", 35001),
    ("4001", "Helsetjenester", "5", 3100, "timer", "780", 35001),
    ("5001", "Eksport", "52", 3110, "timer", "900", 35001),
    ("9001", "Utgått tjeneste", "3", 3000, "stk", "100", 35002),
)

# (code, name, NOK for one unit)
CURRENCIES = (
    ("NOK", "Norske kroner", "1"),
    ("EUR", "Euro", "11.75"),
    ("SEK", "Svenske kroner", "1.04"),
    ("DKK", "Danske kroner", "1.575"),
    ("USD", "Amerikanske dollar", "10.85"),
    ("GBP", "Britiske pund", "13.72"),
)
RATES = {code: Decimal(rate) for code, _, rate in CURRENCIES}

# (name, credit days, TermsType): 1 payment, 2 delivery
TERMS = (("Netto 14 dager", 14, 1), ("Netto 30 dager", 30, 1), ("Fritt levert", 0, 2))

# (name, first, last). Source: Customer from 100000, DNB to 199999 (§4.4); the others assumed.
SERIES = (
    ("Customer", 100000, 199999),
    ("CustomerInvoice", 3000000, 3999999),
    ("CustomerOrder", 1, 99999),
    ("JournalEntry", 1, 99999),
    ("Project", 1, 9999),
    ("Department", 1, 999),
)
# The invoices' where RecMan's numbers, the samples' too, lie inside (see `InvoiceSeries`).
OVERLAPPING = {"CustomerInvoice": (100000, 999999)}

# Source: the Swagger dump of 2021 (docs/facts/unimicro.md §0) for the names;
# MergeAttachments, OverrideSortIndex, StoreDistributedInvoice,
# InvoiceToJournalEntry, BatchInvoiceMinAmount and UseFinancialDateToCalculateVatPercent are the current reference's
# [O], UseFactoring and PresetCustomerInvoiceNumber §3.7's. No field is known that says whether ten decimals are on.
SETTINGS: Record = {
    "CustomerCreditDays": 14,
    "TaxMandatory": True,
    "TaxMandatoryType": 3,
    "RoundingType": 3,
    "RoundingNumberOfDecimals": 2,
    "ShowNumberOfDecimals": 2,
    "AutoDistributeInvoice": False,
    "BookCustomerInvoiceOnDeliveryDate": False,
    "ShowKIDOnCustomerInvoice": True,
    "UseFactoring": False,
    "PresetCustomerInvoiceNumber": False,
    "UseFinancialDateToCalculateVatPercent": False,
    "MergeAttachments": False,
    "OverrideSortIndex": False,
    "StoreDistributedInvoice": False,
    "InvoiceToJournalEntry": 0,
    "BatchInvoiceMinAmount": Decimal(0),
    "AcceptableDelta4CustomerPayment": Decimal(0),
    "Localization": "no",
}
# Source: §11 row 1 [O]: 7 digits invoice, 7 digits customer, check digit; Control 10 and the states are the current
# reference's (PaymentInfoType [O]); how the parts are written is assumed.
KID: Record = {"Name": "KID", "Type": 1, "Control": 10, "Length": 15, "Locked": False}
KID_PARTS = (("<InvoiceNumber>", 7), ("<CustomerNumber>", 7))
# How many reminders go out before debt collection; that 0 means none is assumed.
REMINDERS: Record = {
    "RemindersBeforeDebtCollection": 0,
    "MinimumAmountToRemind": Decimal(0),
    "AcceptPaymentWithoutReminderFee": True,
}

# Each with its number and name.
# How documents are sent; an empty plan prevents it (§4.2). Each with its elements.
PLANS = (("E-post", ("Email",)), ("EHF", ("EHF",)), ("Ingen utsendelse", ()))
DEPARTMENTS = (("1", "Oslo"), ("2", "Bergen"), ("3", "Tromsø"))
PROJECTS = (("P-900", "Intern"),)


def to_company_key(org_number: str) -> str:
    """The CompanyKey of the company with this organisation number."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{org_number}.unimicro.sandbox"))


def create_companies(options: SandboxOptions) -> dict[str, Company]:
    """Fresh companies by their key."""
    companies = [_create_company(number, options) for number in range(len(COMPANIES))]
    return {company.key: company for company in companies}


def _create_company(index: int, options: SandboxOptions) -> Company:
    name, org_number, is_test, deleted = COMPANIES[index]
    entity = {
        "ID": index + 1,
        "Name": name,
        "Key": to_company_key(org_number),
        "OrganizationNumber": org_number,
        "IsTest": is_test,
        "Deleted": deleted,
        "ClientNumber": 1000 + index,
        "SchemaName": f"sandbox_{index + 1}",
        "FileFlowEmail": None,
        "WebHookSubscriberId": None,
        "StatusCode": None,
    }
    first_id = 1 + index * ID_RANGE if options.separate_ids else 1
    books = Books(options=options, first_id=first_id, switches=options.switches)
    _seed_vat(books, index if options.switches.vat_ids is not VatIds.EQUAL else 0)
    _seed_reference(books)
    _seed_products(books)
    _seed_plans(books)
    _seed_settings(books, entity)
    books.hidden_until.clear()
    return Company(entity=entity, books=books)


def _seed_vat(books: Books, turn: int) -> None:
    """The VAT types with their percentages; `turn` is how many of the table come last, so that ids differ."""
    for code, name, percent, output in (*VAT_TYPES[turn:], *VAT_TYPES[:turn]):
        values = {"VatCode": code, "Name": name, "VatPercent": Decimal(percent), "OutputVat": output, "Visible": True}
        vat_id = books.insert("VatType", values | {"Locked": False})["ID"]
        for first, last, valid in VAT_PERIODS.get(code, ((FIRST_VAT_DAY, None, percent),)):
            period = {"VatTypeID": vat_id, "ValidFrom": first, "ValidTo": last, "VatPercent": Decimal(valid)}
            books.insert("VatTypePercentage", period)


def _seed_reference(books: Books) -> None:
    vat_ids = {row["VatCode"]: row["ID"] for row in books.rows("VatType")}
    for number, name, code in ACCOUNTS:
        row = {"AccountNumber": number, "AccountName": name, "VatTypeID": vat_ids[code], "Visible": True}
        books.insert("Account", row | {"Locked": False})
    for code, name, _ in CURRENCIES:
        books.insert("CurrencyCode", {"Code": code, "Name": name, "ShortCode": code})
    for name, days, kind in TERMS:
        books.insert("Terms", {"Name": name, "CreditDays": days, "Description": name, "TermsType": kind})
    is_overlapping = books.switches.invoice_series is InvoiceSeries.OVERLAPPING
    for name, *bounds in SERIES:
        first, last = OVERLAPPING.get(name, bounds) if is_overlapping else bounds
        row = {"Name": name, "DisplayName": name, "FromNumber": first, "ToNumber": last, "NextNumber": first}
        row |= {"NumberSeriesTaskID": books.insert("NumberSeriesTask", {"Name": name, "EntityType": name})["ID"]}
        row |= {"NumberSeriesTypeID": books.insert("NumberSeriesType", _to_series_type(name))["ID"]}
        books.insert("NumberSeries", row | {"IsDefaultForTask": True, "Disabled": False, "System": True})
    person = {"DisplayName": "Sandbox Administrator", "Email": "admin@nordlys.example"}
    books.insert("User", person | {"GlobalIdentity": "sandbox-user"})


def _to_series_type(name: str) -> Record:
    kind = {"Name": name, "EntityType": name, "EntityField": f"{name}Number", "EntitySeriesIDField": "NumberSeriesID"}
    if name == "CustomerInvoice":
        kind |= {"EntityField": "InvoiceNumber", "EntitySeriesIDField": "InvoiceNumberSeriesID"}
    return kind | {"Yearly": name == "JournalEntry", "CanHaveSeveralActiveSeries": True, "System": True}


def _seed_products(books: Books) -> None:
    vat_ids = {row["VatCode"]: row["ID"] for row in books.rows("VatType")}
    account_ids = {row["AccountNumber"]: row["ID"] for row in books.rows("Account")}
    for number, name, code, account, unit, price, status in PRODUCTS:
        values = {"PartName": number, "Name": name, "Unit": unit, "Type": 2 if unit == "timer" else 3}
        values |= {"VatTypeID": vat_ids[code], "AccountID": account_ids[account], "StatusCode": status}
        books.insert("Product", values | {"PriceExVat": Decimal(price), "CalculateGrossPriceBasedOnNetPrice": False})
    for number, name in DEPARTMENTS:
        values = {"DepartmentNumber": number, "DepartmentNumberNumeric": int(number), "Name": name}
        books.insert("Department", values)
    for number, name in PROJECTS:
        books.insert("Project", {"ProjectNumber": number, "Name": name, "Visible": True})


def _seed_plans(books: Books) -> None:
    for name, elements in PLANS:
        plan = books.insert("DistributionPlan", {"Name": name, "EntityType": "Models.Sales.CustomerInvoice"})
        books.insert("Distributions", {"CustomerInvoiceDistributionPlanID": plan["ID"]})
        for priority, element in enumerate(elements, start=1):
            kind = books.insert("DistributionPlanElementType", {"Name": element})
            values = {"DistributionPlanID": plan["ID"], "DistributionPlanElementTypeID": kind["ID"]}
            books.insert("DistributionPlanElement", values | {"Priority": priority})


def _seed_settings(books: Books, company: Record) -> None:
    base = next(row["ID"] for row in books.rows("CurrencyCode") if row["Code"] == "NOK")
    sales = next(row["ID"] for row in books.rows("Account") if row["AccountNumber"] == 3000)
    own = {"CompanyName": company["Name"], "OrganizationNumber": company["OrganizationNumber"]}
    own |= {"BaseCurrencyCodeID": base, "DefaultSalesAccountID": sales}
    own |= {"CustomerInvoiceReminderSettingsID": books.insert("CustomerInvoiceReminderSettings", REMINDERS)["ID"]}
    books.insert("CompanySettings", SETTINGS | own, record_id=1)
    kid_id = books.insert("PaymentInfoType", KID)["ID"]
    for index, (part, length) in enumerate(KID_PARTS, start=1):
        values = {"PaymentInfoTypeID": kid_id, "Part": part, "Length": length, "SortIndex": index}
        books.insert("PaymentInfoTypePart", values)
