"""Where RecMan's raw records become domain objects; whatever is missing or unclear is listed, all of it at once. Pure.

Nothing that touches money is ever defaulted.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from app.domain.dimensions import Department, Project
from app.domain.documents import Document, DocumentKind, IncompleteDocument, Line, Totals
from app.domain.money import ZERO, round_money
from app.domain.parties import Address, Customer
from app.errors import Reason
from app.recman.payloads import (
    COMPANY,
    DEPARTMENT,
    INVOICE,
    LINE,
    PROJECT,
    Raw,
    Unclear,
    pick,
    read_day,
    read_list,
    read_number,
    read_text,
)
from app.recman.webhook import read_id

T = TypeVar("T")

_COUNTRIES = {
    "norge": "NO", "norway": "NO", "noreg": "NO",
    "sverige": "SE", "sweden": "SE",
    "danmark": "DK", "denmark": "DK",
    "finland": "FI", "suomi": "FI",
}  # fmt: skip
_ISO_LENGTH = 2


class Reader:
    """Reads one raw record field by field and collects the gaps on the way."""

    def __init__(self, raw: Raw, spellings: Mapping[str, tuple[str, ...]], *, where: str) -> None:
        self._raw = raw
        self._spellings = spellings
        self._where = where
        self.gaps: list[Reason] = []

    def find(self, name: str, convert: Callable[[Any], T]) -> T | None:
        """The converted value, or None when there is none; an unclear one is a gap."""
        try:
            value = pick(self._raw, self._spellings[name])
            return None if value is None else convert(value)
        except Unclear as finding:
            self._add("unclear", f"{self._where}the {_words(name)} is unclear: {finding}")
            return None

    def need(self, name: str, convert: Callable[[Any], T | None]) -> T | None:
        """The converted value; its absence is a gap."""
        before = len(self.gaps)
        value = self.find(name, convert)
        if value in (None, "") and len(self.gaps) == before:
            looked = ", ".join(self._spellings[name])
            self._add("missing", f"{self._where}the {_words(name)} is missing (looked for {looked})")
        return value

    def _add(self, what: str, cause: str) -> None:
        fix = "Complete or correct it in RecMan; an invoice is credited and made anew there."
        self.gaps.append(Reason(code=f"record_{what}", cause=cause[:1].upper() + cause[1:], fix=fix))


def read_invoice(raw: Raw) -> Document | IncompleteDocument:
    """The invoice or credit note, or what could be read of it with every gap.

    Units: a credit note comes out positive whatever RecMan's sign is; its kind says the direction. Which sign RecMan
    uses is unknown (facts §3.3), so a negative sum turns all quantities.
    """
    reader = Reader(raw, INVOICE, where="")
    kind = _read_kind(reader)
    lines, line_gaps = _read_lines(reader)
    if kind is DocumentKind.CREDIT_NOTE and sum((line.net_amount for line in lines), ZERO) < 0:
        lines = tuple(replace(line, quantity=-line.quantity) for line in lines)
    fields = _read_head(reader, kind)
    totals = _read_totals(reader, kind)
    gaps = (*reader.gaps, *line_gaps)
    recman_invoice_id = reader.find("id", read_id) or ""
    if gaps:
        return IncompleteDocument(
            recman_invoice_id=recman_invoice_id,
            gaps=gaps,
            kind=kind,
            number=fields["number"] or "",
            recman_company_id=fields["recman_company_id"],
            recman_department_id=fields["recman_department_id"],
            currency=fields["currency"] or "",
            product_numbers=_list_products(raw),
            stated_totals=totals,
        )
    return Document(recman_invoice_id=recman_invoice_id, kind=kind, lines=lines, stated_totals=totals, **fields)


def _read_kind(reader: Reader) -> DocumentKind:
    word = (reader.find("kind", read_text) or "").lower().replace("_", "").replace(" ", "")
    flag = (reader.find("is_credit_note", read_text) or "").lower() in {"1", "true"}
    credited = reader.find("credited_id", read_id)
    is_credit = flag or word in {"creditnote", "credit", "kreditnota"} or (not word and credited is not None)
    return DocumentKind.CREDIT_NOTE if is_credit else DocumentKind.INVOICE


def _read_head(reader: Reader, kind: DocumentKind) -> dict[str, Any]:
    reader.need("id", read_id)
    fields: dict[str, Any] = {
        "number": reader.need("number", read_text),
        "recman_company_id": reader.need("company_id", read_id),
        "invoice_date": reader.need("invoice_date", read_day),
        "currency": (reader.need("currency", read_text) or "").upper(),
        "delivery_date": reader.find("delivery_date", read_day),
        "recman_project_id": reader.find("project_id", read_id),
        "recman_department_id": reader.find("department_id", read_id),
    }
    fields["due_date"] = _read_due_date(reader, fields["invoice_date"], kind)
    for name in ("our_reference", "your_reference", "requisition", "kid", "note"):
        fields[name] = reader.find(name, read_text) or ""
    if kind is DocumentKind.CREDIT_NOTE:
        fields["credited_invoice_id"] = reader.need("credited_id", read_id)
    return fields


def _read_due_date(reader: Reader, invoice_date: Any, kind: DocumentKind) -> Any:
    days = reader.find("credit_days", read_number)
    if kind is DocumentKind.CREDIT_NOTE:
        # Nobody pays a credit note by a day; without one its own date serves.
        return reader.find("due_date", read_day) or invoice_date
    if days is not None and invoice_date is not None and days == days.to_integral_value():
        return reader.find("due_date", read_day) or invoice_date + timedelta(days=int(days))
    return reader.need("due_date", read_day)


def _read_totals(reader: Reader, kind: DocumentKind) -> Totals | None:
    net, vat, gross = (reader.find(name, read_number) for name in ("net", "vat", "gross"))
    if net is None and gross is not None and vat is not None:
        net = gross - vat
    if vat is None and gross is not None and net is not None:
        vat = gross - net
    if net is None or vat is None:
        return None
    gross = net + vat if gross is None else gross
    sign = -1 if kind is DocumentKind.CREDIT_NOTE and gross < 0 else 1
    amounts = [round_money(amount * sign) for amount in (net, vat, gross)]
    return Totals(net_amount=amounts[0], vat_amount=amounts[1], gross_amount=amounts[2])


def _read_lines(reader: Reader) -> tuple[tuple[Line, ...], tuple[Reason, ...]]:
    rows = reader.need("lines", read_list) or []
    positions = [_position(row, index) for index, row in enumerate(rows, start=1)]
    ordered = sorted(zip(positions, rows, strict=True), key=lambda pair: pair[0])
    lines, gaps = [], []
    for position, row in ordered:
        line, line_gaps = _read_line(row, position)
        gaps += line_gaps
        if line is not None:
            lines.append(line)
    return tuple(lines), tuple(gaps)


def _position(row: Raw, index: int) -> int:
    try:
        found = pick(row, LINE["position"])
        return index if found is None else int(read_number(found))
    except Unclear:
        return index


def _read_line(row: Raw, position: int) -> tuple[Line | None, list[Reason]]:
    reader = Reader(row, LINE, where=f"line {position}: ")
    texts = [reader.find(name, read_text) or "" for name in ("description", "product_name")]
    common: dict[str, Any] = {
        "position": position,
        "text": next(filter(None, texts), ""),
        "comment": reader.find("comment", read_text) or "",
    }
    if all(_is_blank(row, name) for name in ("product_number", "price", "quantity")):
        return (None if reader.gaps else Line(**common)), reader.gaps
    fields: dict[str, Any] = {
        "product_number": reader.need("product_number", read_text),
        "quantity": reader.need("quantity", read_number),
        "unit": reader.find("unit", read_text) or "",
        "unit_price_net": reader.need("price", read_number),
        # No discount given is no discount. Source: assumed.
        "discount_percent": reader.find("discount", read_number) or ZERO,
        "vat_rate": reader.need("vat_rate", read_number),
    }
    if reader.gaps:
        return None, reader.gaps
    return Line(**common, **fields), []


def _is_blank(row: Raw, name: str) -> bool:
    return all(row.get(spelling) in (None, "") for spelling in LINE[name])


def _list_products(raw: Raw) -> tuple[str, ...]:
    rows = next((read_list(raw[name]) for name in INVOICE["lines"] if raw.get(name)), [])
    numbers = (read_text(row.get(spelling)) for row in rows for spelling in LINE["product_number"])
    return tuple(dict.fromkeys(filter(None, numbers)))


def read_company(raw: Raw) -> Customer | tuple[Reason, ...]:
    """The customer, or the gaps that keep it from being one."""
    reader = Reader(raw, COMPANY, where="company: ")
    fields: dict[str, Any] = {
        "recman_company_id": reader.need("id", read_id),
        "number": reader.need("number", read_text),
        "name": reader.need("name", read_text),
    }
    days = reader.find("credit_days", read_number)
    addresses = {name: _read_address(reader, name) for name in ("invoice_address", "delivery_address", "post_address")}
    customer_fields: dict[str, Any] = {
        "kind": reader.find("kind", read_text) or "customer",
        "org_number": _clean_org_number(reader.find("org_number", read_text) or ""),
        "email": reader.find("email", read_text) or "",
        "invoice_email": reader.find("invoice_email", read_text) or "",
        "phone": reader.find("phone", read_text) or "",
        "credit_days": None if days is None else int(days),
        "delivery_address": addresses["delivery_address"],
        # Without an invoice address of its own a company gets its mail at the postal or visiting address.
        "invoice_address": next(
            (
                found
                for found in (
                    addresses["invoice_address"],
                    addresses["post_address"],
                    _read_address(reader, "visit_address"),
                )
                if not found.is_empty
            ),
            Address(),
        ),
    }
    return tuple(reader.gaps) if reader.gaps else Customer(**fields, **customer_fields)


def _read_address(reader: Reader, name: str) -> Address:
    raw = reader.find(name, lambda value: value if isinstance(value, dict) else {}) or {}
    return Address(
        line1=read_text(raw.get("address1")),
        line2=read_text(raw.get("address2")),
        postal_code=read_text(raw.get("postalCode")),
        city=read_text(raw.get("city")),
        country_code=_to_country_code(read_text(raw.get("country"))),
    )


def _to_country_code(country: str) -> str:
    if len(country) == _ISO_LENGTH and country.isalpha():
        return country.upper()
    return _COUNTRIES.get(country.lower(), "")


def _clean_org_number(text: str) -> str:
    return text.upper().replace(" ", "").replace(".", "").removeprefix("NO").removesuffix("MVA")


def read_project(raw: Raw) -> Project | tuple[Reason, ...]:
    """The project, or the gaps that keep it from being matched."""
    reader = Reader(raw, PROJECT, where="project: ")
    fields: dict[str, Any] = {
        "recman_project_id": reader.need("id", read_id),
        "number": reader.need("number", read_text),
        "name": reader.need("name", read_text),
        "recman_company_id": reader.find("company_id", read_id),
        "start_date": reader.find("start_date", read_day),
        "end_date": reader.find("end_date", read_day),
        "status": reader.find("status", read_text) or "",
    }
    return tuple(reader.gaps) if reader.gaps else Project(**fields)


def read_department(raw: Raw) -> Department | tuple[Reason, ...]:
    """The department, or the gaps that keep it from being one; it may lack a number."""
    reader = Reader(raw, DEPARTMENT, where="department: ")
    fields: dict[str, Any] = {
        "recman_department_id": reader.need("id", read_id),
        "name": reader.need("name", read_text),
        "number": reader.find("number", read_text) or "",
    }
    return tuple(reader.gaps) if reader.gaps else Department(**fields)


def _words(name: str) -> str:
    return name.replace("_", " ")
