"""What changed in RecMan after a document was booked: each field with its old and its new value. Pure.

The claim is an alarm; what only says when and how it is paid, whose work it was, or how RecMan would book it, a note.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from app.domain.booking import Booking, stands_as
from app.domain.documents import Document, DocumentKind, Line
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.transfer.plan.basics import name_document
from app.transfer.plan.situation import Past

# What is kept of a head, by its name in the log, and what people call it.
_CLAIM = {
    "kind": "kind",
    "number": "number",
    "company": "RecMan's customer id",
    "credits": "RecMan's id of the credited invoice",
    "invoice_date": "invoice date",
    "currency": "currency",
    "net_amount": "net amount",
    "vat_amount": "VAT amount",
    "gross_amount": "gross amount",
}
_BESIDES = {
    "due_date": "due date",
    "kid": "KID",
    "project": "RecMan's project id",
    "department": "RecMan's department id",
    "delivery_date": "delivery date",
}
_LINE = {
    "product": "product",
    "quantity": "quantity",
    "price": "price",
    "discount": "discount",
    "vat_rate": "VAT rate",
}
# RecMan's product may tell a line's code and account, and a product changes: that is no word about the invoice.
_LINE_BESIDES = {"vat_code": "VAT code", "account": "account", "department": "department"}
# Words may name persons: whether they are the same is kept, not what they were.
_WORDS = {
    "our_reference": "our reference",
    "your_reference": "your reference",
    "requisition": "requisition",
    "note": "note",
    "recipient": "whom it is addressed to",
    "lines": "texts of its lines",
}
_MOST_NAMED = 12
_NOT_KEPT = "its lines, customer, due date or KID, of which the release that booked it kept no values"


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed, each as “field old → new”: what is an alarm, and what is a note."""

    alarms: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def show_booked(document: Document) -> dict[str, Any]:
    """What is kept of a document when it is booked, for its log: no texts, no names, but whether they are the same."""
    totals = document.totals
    return {
        "kind": document.kind.value,
        "number": document.number,
        "company": document.recman_company_id,
        "credits": document.credited_invoice_id or "",
        "invoice_date": document.invoice_date.isoformat(),
        "currency": document.currency,
        "net_amount": f"{totals.net_amount:.2f}",
        "vat_amount": f"{totals.vat_amount:.2f}",
        "gross_amount": f"{totals.gross_amount:.2f}",
        "due_date": document.due_date.isoformat(),
        "kid": document.kid,
        "project": document.recman_project_id or "",
        "department": document.recman_department_id or "",
        "delivery_date": "" if document.delivery_date is None else document.delivery_date.isoformat(),
        "lines": [_show_line(line) for line in document.lines if not line.is_text],
        "words": {name: _digest(words) for name, words in _list_words(document).items()},
    }


def _list_words(document: Document) -> dict[str, Any]:
    lines = [(line.text, line.comment, line.unit, line.period_start, line.period_end) for line in document.lines]
    recipient = (document.recipient_name, document.recipient_address)
    plain = {name: getattr(document, name) for name in ("our_reference", "your_reference", "requisition", "note")}
    return {**plain, "recipient": recipient, "lines": lines}


def _digest(words: Any) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()[:12]


def _show_line(line: Line) -> dict[str, str]:
    return {
        "product": line.product_number or "",
        "quantity": _plain(line.quantity),
        "price": _plain(line.unit_price_net),
        "discount": _plain(line.discount_percent),
        "vat_rate": "" if line.vat_rate is None else _plain(line.vat_rate),
        "vat_code": line.vat_code,
        "account": line.account,
        "department": line.department_number,
    }


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def find_changes(document: Document, past: Past, *, is_same: bool) -> Changes:
    """What changed since the document was booked.

    `is_same`: its fingerprint did not change, which is all that a release before kept beside what the overview shows.
    """
    now = show_booked(document)
    if past.booked_as is not None:
        alarms = (
            *_compare(past.booked_as, now, _CLAIM),
            *_compare_lines(past.booked_as.get("lines", []), now["lines"]),
        )
        notes = [*_compare(past.booked_as, now, _BESIDES)]
        notes += _compare_words(past.booked_as.get("words", {}), now["words"])
        if not alarms:
            notes += _compare_besides(past.booked_as.get("lines", []), now["lines"])
        return Changes(alarms, tuple(notes))
    if is_same:
        return Changes()
    return Changes(tuple(_compare(past.described, now, _CLAIM)) or (_NOT_KEPT,))


def _compare(before: Mapping[str, Any], now: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    """The fields that differ; one that was not kept cannot."""
    for name, word in names.items():
        if name in before and before[name] != now[name]:
            yield f"{word} {before[name] or 'none'} → {now[name] or 'none'}"


def _compare_words(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Which words are others; what was not kept cannot be."""
    yield from (
        f"{word} (other words)" for name, word in _WORDS.items() if name in before and before[name] != now[name]
    )


def _compare_lines(before: Sequence[Mapping[str, str]], now: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Field by field where a line stands in the place of one; else which came and which went."""
    old, new = ([tuple(line.get(name, "") for name in _LINE) for line in lines] for lines in (before, now))
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        pairs = min(end - start, new_end - new_start)
        for n in range(pairs):
            changed = _compare(before[start + n], now[new_start + n], _LINE)
            yield from (f"line {new_start + n + 1}: {one}" for one in changed)
        yield from (f"line {n + 1} is gone: {_tell(before[n])}" for n in range(start + pairs, end))
        yield from (f"line {n + 1} is new: {_tell(now[n])}" for n in range(new_start + pairs, new_end))


def _compare_besides(before: Sequence[Mapping[str, str]], now: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """What else is told of lines that are the same."""
    for n, (old, new) in enumerate(zip(before, now, strict=True), start=1):
        yield from (f"line {n}: {one}" for one in _compare(old, new, _LINE_BESIDES))


def _tell(line: Mapping[str, str]) -> str:
    return ", ".join(f"{word} {line.get(name) or 'none'}" for name, word in _LINE.items())


def explain_alarm(document: Document, past: Past, changes: Changes) -> Reason:
    """The alarm: what is booked is not what RecMan says; what is but a note comes after it."""
    cause = f"{name_document(document)} changed in RecMan after it {_tell_place(past)}: "
    fix = fix_for(Code.CHANGED_AFTER_TRANSFER, _choose_case(past))
    return Reason(
        code=Code.CHANGED_AFTER_TRANSFER, cause=cause + _name_some((*changes.alarms, *changes.notes)), fix=fix
    )


def explain_unreadable(document: Gaps, past: Past) -> Reason:
    """The alarm about a booked document whose record in RecMan lacks something, or says two things."""
    told = _name_some([gap.cause for gap in document.gaps])
    what = "Invoice" if document.kind is DocumentKind.INVOICE else "Credit note"
    cause = f"{what} {document.number or past.number} changed in RecMan after it {_tell_place(past)}: {told}"
    fix = fix_for(Code.CHANGED_AFTER_TRANSFER, _choose_case(past))
    return Reason(code=Code.CHANGED_AFTER_TRANSFER, cause=cause, fix=fix)


def list_notes(document: Document, past: Past, changes: Changes) -> tuple[Reason, ...]:
    """The note: the claim is the same, but not all of what comes with it."""
    if not changes.notes:
        return ()
    cause = f"{name_document(document)} changed in RecMan after it {_tell_place(past)}: {_name_some(changes.notes)}"
    fix = fix_for(Code.CHANGED_AFTER_TRANSFER, "note")
    return (Reason(code=Code.CHANGED_AFTER_TRANSFER, cause=cause, fix=fix),)


def say_settled(past: Past, changes: Changes) -> str:
    """Why there is nothing to do about a document that Unimicro has."""
    where = {Booking.DRAFT: "a draft in Unimicro already", Booking.ORDER: "an order in Unimicro already"}
    told = where.get(stands_as(past.booking, past.remote_number), "already in Unimicro")
    return f"{told}, its claim unchanged" if changes.notes else f"{told}, unchanged"


def _name_some(changes: Sequence[str]) -> str:
    more = f"; and {len(changes) - _MOST_NAMED} more" if len(changes) > _MOST_NAMED else ""
    return "; ".join(changes[:_MOST_NAMED]) + more


def _tell_place(past: Past) -> str:
    if _is_in_file(past):
        return "was put into a file"
    match stands_as(past.booking, past.remote_number):
        case Booking.DRAFT:
            return f"was left in Unimicro as a draft (id {past.remote_id})"
        case Booking.ORDER:
            return f"became order {past.remote_number} in Unimicro"
        case _:
            return f"was booked in Unimicro as {past.remote_number}"


def _is_in_file(past: Past) -> bool:
    return past.by_file and past.remote_id is None


def _choose_case(past: Past) -> str:
    if _is_in_file(past):
        return "in_file"
    booking = stands_as(past.booking, past.remote_number)
    return booking.value if booking in (Booking.DRAFT, Booking.ORDER) else ""
