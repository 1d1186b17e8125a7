"""Documents for files, with boring defaults: one line of 1000 net at 25 per cent, booked on account 3000."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.documents import DocumentKind
from app.domain.file_documents import FileCustomer, FileDocument, FileEntry, FileLine, FileVat
from app.domain.parties import Address

# Net, rate and account of each VAT code that the builders know.
RATES = {"3": Decimal(25), "31": Decimal(15), "33": Decimal(12), "5": Decimal(0), "52": Decimal(0)}


def make_file_customer(**values: Any) -> FileCustomer:
    """Kari Nordmann AS, customer 100017, in Oslo."""
    fixed: dict[str, Any] = {
        "number": "100017",
        "name": "Kari Nordmann AS",
        "organisation_number": "987654325",
        "email": "post@nordmann.example",
        "phone": "+4722334455",
        "address": Address(line1="Storgata 1", postal_code="0155", city="Oslo", country_code="NO"),
        "credit_days": 14,
        "currency": "NOK",
    }
    return FileCustomer(**{**fixed, **values})


def make_file_line(**values: Any) -> FileLine:
    """Ten hours at 100 on product 1001, VAT code 3; what VAT it comes to follows from the code."""
    fixed: dict[str, Any] = {
        "text": "Konsulent uke 5",
        "product_number": "1001",
        "product_name": "Konsulent",
        "quantity": Decimal(10),
        "unit": "timer",
        "unit_price": Decimal(100),
        "vat_code": "3",
        "account": "3000",
    }
    line = {**fixed, **values}
    net = line["quantity"] * line["unit_price"] * (100 - line.get("discount_percent", Decimal(0))) / 100
    line.setdefault("net_amount", net.quantize(Decimal("0.01")))
    line.setdefault("vat_amount", (line["net_amount"] * RATES[line["vat_code"]] / 100).quantize(Decimal("0.01")))
    return FileLine(**line)


def make_text_line(text: str = "Takk for oppdraget") -> FileLine:
    """A line of words alone."""
    return FileLine(text=text)


def make_file_document(*, lines: Sequence[FileLine] | None = None, **values: Any) -> FileDocument:
    """Invoice 5067 of 1250 NOK; sums, VAT codes and voucher follow from its lines."""
    lines = tuple(lines or (make_file_line(),))
    vat = _sum_vat(lines)
    net, tax = (sum((getattr(one, name) for one in vat), Decimal(0)) for name in ("net_amount", "vat_amount"))
    fixed: dict[str, Any] = {
        "transfer_id": "0190a000-0000-7000-8000-000000005067",
        "record_id": "9001",
        "kind": DocumentKind.INVOICE,
        "number": "5067",
        "invoice_date": date(2026, 2, 2),
        "due_date": date(2026, 2, 16),
        "currency": "NOK",
        "base_currency": "NOK",
        "customer": make_file_customer(),
        "lines": lines,
        "net_amount": net,
        "vat_amount": tax,
        "gross_amount": net + tax,
        "vat_by_code": vat,
        "payment_id": "000506701000172",
    }
    made = {**fixed, **values}
    made.setdefault("entries", make_entries(made))
    return FileDocument(**made)


def make_credit_note(**values: Any) -> FileDocument:
    """Credit note 5068 of the invoice 5067."""
    fixed = {"kind": DocumentKind.CREDIT_NOTE, "number": "5068", "credited_number": "5067", "payment_id": ""}
    return make_file_document(**{**fixed, **values})


def make_entries(made: dict[str, Any]) -> tuple[FileEntry, ...]:
    """The claim on the customer, and one entry for each account, VAT code and department of the lines."""
    sign = -1 if made["kind"] is DocumentKind.CREDIT_NOTE else 1
    rate = made.get("exchange_rate") or Decimal(1)
    shares: dict[tuple[str, str, str, str], Decimal] = {}
    for line in (one for one in made["lines"] if not one.is_text):
        place = (line.account, line.vat_code, line.project_number, line.department_number)
        shares[place] = shares.get(place, Decimal(0)) + line.net_amount + line.vat_amount
    common: dict[str, Any] = {"text": f"Faktura {made['number']}", "currency": made["currency"]}
    parts = [
        FileEntry(
            account=account,
            vat_code=vat,
            project_number=project,
            department_number=department,
            amount=(-sign * gross * rate).quantize(Decimal("0.01")),
            currency_amount=-sign * gross,
            **common,
        )
        for (account, vat, project, department), gross in shares.items()
    ]
    claim = FileEntry(
        customer_number=made["customer"].number,
        amount=-sum((one.amount for one in parts), Decimal(0)),
        currency_amount=-sum((one.currency_amount for one in parts), Decimal(0)),
        due_date=made["due_date"],
        invoice_number=made["number"],
        payment_id=made["payment_id"],
        **common,
    )
    return (claim, *parts)


def _sum_vat(lines: Sequence[FileLine]) -> tuple[FileVat, ...]:
    codes = dict.fromkeys(line.vat_code for line in lines if not line.is_text)
    return tuple(
        FileVat(
            code=code,
            net_amount=sum((one.net_amount for one in lines if one.vat_code == code), Decimal(0)),
            vat_amount=sum((one.vat_amount for one in lines if one.vat_code == code), Decimal(0)),
        )
        for code in codes
    )
