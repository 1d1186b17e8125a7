"""Where RecMan's raw records become domain objects; whatever is missing or unclear is listed, all of it at once. Pure.

Nothing that touches money is ever defaulted.
"""

import base64
import re
from datetime import date, timedelta
from functools import partial
from typing import Any

from app.domain.dimensions import Department, Project
from app.domain.documents import Attachment, Document, DocumentKind
from app.domain.gaps import Gaps
from app.domain.org_numbers import clean_org_number, is_person_number
from app.domain.parties import Address, Customer
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.recman.read.addresses import read_address, read_recipient
from app.recman.read.lines import list_products, read_lines
from app.recman.read.reader import Reader
from app.recman.read.spellings import (
    COMPANY,
    CREDITED,
    DEPARTMENT,
    INVOICE,
    PROJECT,
    Raw,
    Unclear,
    is_said,
    list_relatives,
    pick,
    read_day,
    read_flag,
    read_id,
    read_link,
    read_number,
    read_own_id,
    read_text,
    show,
)
from app.recman.read.totals import Sums, check_lines, check_told, is_negative, read_sums, to_positive_sums, to_totals

_LONGEST_KIND = 30
# Families of field names that must not be passed over. Accounts, days and ratings are no mark of a credit note.
_CREDIT_MARK = re.compile(r"(?i)(credit|kredit)(?!or)(?!.*(account|konto|day|time|tid|rating|limit|period|date))")
_DEPARTMENT_MARK = re.compile(r"(?i)department|avdeling")
_MAIL_ADDRESSES = ("invoice_address", "post_address", "visit_address")
_ADDRESSES = (*_MAIL_ADDRESSES, "delivery_address")
# RecMan's words for a kind are unknown; one that is not listed is a gap, never an invoice. Source: assumed.
_KINDS = dict.fromkeys(("creditnote", "credit", "creditinvoice", "kreditnota"), DocumentKind.CREDIT_NOTE)
_KINDS |= dict.fromkeys(("invoice", "faktura", "debit"), DocumentKind.INVOICE)
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_DAYS = 3650
_MOST_FILE_BYTES = 10_000_000
_UNSAFE = re.compile(r"[^\w.() -]")


def read_invoice(raw: Raw) -> Document | Gaps:
    """The invoice or credit note, or what could be read of it with every gap.

    Units: a credit note comes out positive whatever RecMan's sign is; its kind says the direction. Which sign RecMan
    uses is unknown (docs/facts/recman.md §3.3), so a negative sum turns all quantities.
    """
    reader = Reader(raw, INVOICE, where="")
    stated = read_sums(reader)
    kind = _read_kind(reader, raw, stated)
    sums = to_positive_sums(reader, stated) if kind is DocumentKind.CREDIT_NOTE else stated
    fields = _read_head(reader, raw, kind)
    lines, line_gaps = read_lines(reader, kind, proven=bool(stated.keys() - {"vat"}))
    totals = to_totals(sums, None if line_gaps else lines)
    if totals is not None and lines and not line_gaps:
        check_lines(reader, totals, lines)
    if not line_gaps:
        check_told(reader, sums, lines)
    gaps = tuple(dict.fromkeys((*reader.gaps, *line_gaps)))
    recman_invoice_id = _find_id(raw)
    if gaps:
        return Gaps(
            recman_id=recman_invoice_id,
            gaps=gaps,
            kind=kind,
            number=fields["number"] or "",
            recman_company_id=fields["recman_company_id"],
            recman_department_id=fields["recman_department_id"],
            currency=fields["currency"] or "",
            product_numbers=list_products(raw),
            stated_totals=totals,
        )
    return Document(
        recman_invoice_id=recman_invoice_id,
        kind=kind,
        lines=lines,
        stated_totals=totals,
        has_minus=is_negative(stated),
        **fields,
    )


def read_made_day(scope: str, raw: Raw) -> date | None:
    """The day of a document, or the day on which another record was made; None when RecMan does not say it clearly."""
    try:
        dated = pick(raw, INVOICE["invoice_date"], read_day) if scope == "invoice" else None
        return dated or pick(raw, ("created",), read_day)
    except Unclear:
        return None


def _find_id(raw: Raw) -> str:
    """The likeliest id, so that also a document with an unclear one is held under a name of its own."""
    return next(filter(None, (read_id(raw.get(name)) for name in INVOICE["id"])), "")


def _read_kind(reader: Reader, raw: Raw, sums: Sums) -> DocumentKind:
    """The kind; signs of it that contradict each other are a gap, and so is a mere hint of a credit note."""
    word = reader.find("kind", _to_kind)
    flag = reader.find("is_credit_note", read_flag)
    flagged = None if flag is None else DocumentKind.CREDIT_NOTE if flag else DocumentKind.INVOICE
    if word and flagged and word is not flagged:
        reader.add(
            Code.RECORD_UNCLEAR, f"the kind is unclear: the type says {word}, the credit note mark says {flagged}"
        )
    stated = word or flagged
    if stated is not None:
        return stated
    if reader.find("credited_id", read_link) is not None:
        # `creditInvoiceId` may also be the credit note of an invoice; what is credited is clear, and so is a minus.
        if not (is_negative(sums) or any(is_said(raw.get(name)) for name in CREDITED)):
            reader.add(
                Code.RECORD_UNCLEAR, "the kind is unclear: it points to another invoice, but does not say what it is"
            )
        return DocumentKind.CREDIT_NOTE
    marks = list_relatives(raw, _CREDIT_MARK, INVOICE)
    marks += [name for name, value in raw.items() if name not in marks and _is_credit_word(value)]
    if marks:
        reader.add(Code.RECORD_UNCLEAR, f"the kind is unclear: it may be a credit note ({', '.join(map(show, marks))})")
    elif is_negative(sums):
        reader.add(Code.RECORD_UNCLEAR, "the kind is unclear: the sums are negative, but nothing says credit note")
    # Nothing at all speaks of credit: it is an invoice. Source: assumed.
    return DocumentKind.INVOICE


def _is_credit_word(value: Any) -> bool:
    return isinstance(value, str) and _KINDS.get(_letters_of(value)) is DocumentKind.CREDIT_NOTE


def _letters_of(text: str) -> str:
    return "".join(letter for letter in text[:_LONGEST_KIND].lower() if letter.isalnum())


def _to_kind(value: Any) -> DocumentKind:
    text = read_text(value)
    kind = _KINDS.get(_letters_of(text))
    if kind is None:
        raise Unclear(f"“{show(text)}” is neither invoice nor credit note")
    return kind


def _to_currency(value: Any) -> str:
    text = read_text(value).upper()
    if not _CURRENCY.fullmatch(text):
        raise Unclear(f"“{show(text)}” is no currency code")
    return text


def _to_days(value: Any) -> int:
    days = read_number(value)
    if days != days.to_integral_value() or not 0 <= days <= _MOST_DAYS:
        raise Unclear(f"“{show(value)}” is no number of days")
    return int(days)


def _read_head(reader: Reader, raw: Raw, kind: DocumentKind) -> dict[str, Any]:
    reader.need("id", read_own_id)
    fields: dict[str, Any] = {
        "number": reader.need("number", read_text),
        "recman_company_id": reader.need("company_id", read_link),
        "invoice_date": reader.need("invoice_date", read_day),
        "currency": reader.need("currency", _to_currency),
        "delivery_date": reader.find("delivery_date", read_day),
        "recman_project_id": reader.find("project_id", read_link),
        "recman_department_id": _read_department_id(reader, raw),
    }
    fields["due_date"] = _read_due_date(reader, fields["invoice_date"], kind)
    rate, base_vat = reader.find("exchange_rate", read_number), reader.find("base_vat", read_number)
    # Nought is none; a credit note's may have either sign, as its sums.
    fields |= {"exchange_rate": rate or None, "base_vat_amount": None if base_vat is None else abs(base_vat)}
    fields["attachment"] = reader.guess("file", _to_attachment)
    fields |= read_recipient(reader)
    for name in ("our_reference", "your_reference", "requisition", "kid", "note"):
        fields[name] = reader.find(name, read_text) or ""
    if kind is DocumentKind.CREDIT_NOTE:
        fields["credited_invoice_id"] = _read_credited_id(reader)
    return fields


def _read_credited_id(reader: Reader) -> str | None:
    """What is credited; a credit note that names no invoice is for a person, for RecMan never changes it."""
    before = len(reader.gaps)
    credited_id = reader.find("credited_id", read_link)
    if credited_id is None and len(reader.gaps) == before:
        cause = "The credit note names no invoice that it credits"
        reader.gaps.append(Reason(code=Code.CREDITED_UNKNOWN, cause=cause, fix=fix_for(Code.CREDITED_UNKNOWN)))
    return credited_id


def _read_department_id(reader: Reader, raw: Raw) -> str | None:
    """The department, which chooses the books: one that is said in another way than by its id is a gap."""
    before = len(reader.gaps)
    found = reader.find("department_id", read_link)
    others = list_relatives(raw, _DEPARTMENT_MARK, INVOICE)
    if found is None and others and len(reader.gaps) == before:
        reader.add(
            Code.RECORD_UNCLEAR, f"the department is unclear: there is {', '.join(map(show, others))}, but no id"
        )
    return found


def _to_attachment(value: Any) -> Attachment:
    """A file as RecMan takes them: `{name, extension, base64}`; that it gives them like that is assumed."""
    if not isinstance(value, dict) or not isinstance(value.get("base64"), str):
        raise Unclear("no file")
    try:
        content = base64.b64decode(value["base64"], validate=True)
    except ValueError:
        raise Unclear("the file cannot be decoded") from None
    name, extension = (read_text(value.get(part)) for part in ("name", "extension"))
    if not content or len(content) > _MOST_FILE_BYTES:
        raise Unclear("the file is empty or too large")
    name = _UNSAFE.sub("_", name or "invoice")
    return Attachment(
        name=name if not extension or name.endswith(f".{extension}") else f"{name}.{extension}", content=content
    )


def _read_due_date(reader: Reader, invoice_date: date | None, kind: DocumentKind) -> date | None:
    if kind is DocumentKind.CREDIT_NOTE:
        # Nobody pays a credit note by a day; without one its own date serves.
        return reader.find("due_date", read_day) or invoice_date
    days = reader.find("credit_days", _to_days)
    if days is not None and invoice_date is not None:
        return reader.find("due_date", read_day) or invoice_date + timedelta(days=days)
    return reader.need("due_date", read_day)


def read_company(raw: Raw) -> Customer | Gaps:
    """The customer, or the gaps that keep it from being one."""
    reader = Reader(raw, COMPANY, where="company: ", is_document=False)
    fields: dict[str, Any] = {
        "recman_company_id": reader.need("id", read_own_id),
        "number": reader.need("number", read_text),
        "name": reader.need("name", read_text),
    }
    # These two are only guessed (payloads.py): an odd value must not keep the customer from being made.
    guesses = Reader(raw, COMPANY, where="", is_document=False)
    addresses = {name: read_address(reader, name) for name in _ADDRESSES}
    # Without an invoice address of its own a company gets its mail at the postal or visiting address.
    mail_address = next((addresses[name] for name in _MAIL_ADDRESSES if not addresses[name].is_empty), Address())
    # Cleaned before two spellings are compared: they may write the same number in two ways.
    to_org_number = partial(_to_org_number, country_code=mail_address.country_code)
    is_person = partial(_is_person, country_code=mail_address.country_code)
    org_number = reader.find("org_number", to_org_number) or ""
    customer_fields: dict[str, Any] = {
        "kind": reader.find("kind", read_text) or "customer",
        "org_number": org_number,
        "is_private": not org_number and any(map(is_person, map(raw.get, COMPANY["org_number"]))),
        "email": reader.find("email", read_text) or "",
        "invoice_email": reader.find("invoice_email", read_text) or "",
        "phone": reader.find("phone", read_text) or "",
        "credit_days": reader.find("credit_days", _to_days),
        "peppol_address": guesses.find("peppol_address", read_text) or "",
        "gln": guesses.guess("gln", read_text) or "",
        "currency": guesses.find("currency", _to_currency) or "",
        "delivery_address": addresses["delivery_address"],
        "visiting_address": addresses["visit_address"],
        "invoice_address": mail_address,
    }
    if reader.gaps:
        return _to_gaps(reader, fields, recman_id=fields["recman_company_id"])
    return Customer(**fields, **customer_fields)


def _to_gaps(reader: Reader, fields: dict[str, Any], *, recman_id: str | None) -> Gaps:
    """What could be read of a record that is no document."""
    return Gaps(
        recman_id=recman_id or "",
        gaps=tuple(reader.gaps),
        number=fields["number"] or "",
        name=fields["name"] or "",
        recman_company_id=fields.get("recman_company_id"),
    )


def _to_org_number(value: Any, *, country_code: str) -> str:
    return clean_org_number(read_text(value), country_code=country_code)


def _is_person(value: Any, *, country_code: str) -> bool:
    return isinstance(value, str | int) and is_person_number(str(value), country_code=country_code)


def read_project(raw: Raw) -> Project | Gaps:
    """The project, or the gaps that keep it from being matched."""
    reader = Reader(raw, PROJECT, where="project: ", is_document=False)
    fields: dict[str, Any] = {
        "recman_project_id": reader.need("id", read_own_id),
        "number": reader.need("number", read_text),
        "name": reader.need("name", read_text),
        "recman_company_id": reader.find("company_id", read_link),
        "start_date": reader.find("start_date", read_day),
        "end_date": reader.find("end_date", read_day),
        "status": reader.find("status", read_text) or "",
    }
    return _to_gaps(reader, fields, recman_id=fields["recman_project_id"]) if reader.gaps else Project(**fields)


def read_department(raw: Raw) -> Department | Gaps:
    """The department, or the gaps that keep it from being one; it may lack a number."""
    reader = Reader(raw, DEPARTMENT, where="department: ", is_document=False)
    fields: dict[str, Any] = {
        "recman_department_id": reader.need("id", read_own_id),
        "name": reader.need("name", read_text),
        "number": reader.find("number", read_text) or "",
    }
    return _to_gaps(reader, fields, recman_id=fields["recman_department_id"]) if reader.gaps else Department(**fields)
