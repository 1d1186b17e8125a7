"""The lines of an invoice: words or figures, and whether we read the figures as RecMan means them. Pure."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.documents import DocumentKind, Line
from app.domain.money import CENT, ZERO, show_money
from app.domain.reasons.codes import Code, Reason
from app.recman.read.reader import Reader
from app.recman.read.spellings import (
    INVOICE,
    LINE,
    PRODUCT,
    Raw,
    Unclear,
    is_said,
    list_relatives,
    pick,
    read_day,
    read_list,
    read_number,
    read_text,
    show,
)

_MOST_LINES = 100_000
_LONGEST_CODE = 50
_MOST_AMOUNT = Decimal(10) ** 12
_FIGURES = ("product_number", "price", "quantity")
_ANY = re.compile("")
# Numbers that say what a line belongs to, not what it costs.
_IS_KEY = re.compile(r"(?i)(ids?|account|code|type|position|order|index|department ?number)$|^_key$")
_HUNDRED = Decimal(100)


def read_lines(reader: Reader, kind: DocumentKind, *, proven: bool) -> tuple[tuple[Line, ...], tuple[Reason, ...]]:
    """The lines in their printed order, and every gap in them.

    Unless `proven` by sums of the whole, each line must carry a sum of its own: without any nothing shows a misreading.

    Units: a credit note's lines come out with a positive sum. Which sign RecMan uses is unknown
    (docs/facts/recman.md §3.3).
    """
    rows = reader.need("lines", read_list) or []
    positions = [_position(row, index) for index, row in enumerate(rows, start=1)]
    ordered = sorted(zip(positions, rows, strict=True), key=lambda pair: pair[0])
    lines, gaps, signs = [], [], set()
    for position, row in ordered:
        line, line_gaps, sign = _read_line(row, position, kind, proven=proven)
        gaps += line_gaps
        if line is not None:
            lines.append(line)
            signs.add(sign)
    if not proven and {1, -1} <= signs:
        reader.add(Code.RECORD_UNCLEAR, "the sums of the lines are unclear: some are turned around and some are not")
    found = tuple(lines)
    return _to_positive(found) if kind is DocumentKind.CREDIT_NOTE else found, tuple(gaps)


def _position(row: Raw, index: int) -> int:
    try:
        place = pick(row, LINE["position"], read_number)
    except Unclear:
        return index
    return int(place) if place is not None and 0 <= place <= _MOST_LINES else index


def _read_line(row: Raw, position: int, kind: DocumentKind, *, proven: bool) -> tuple[Line | None, list[Reason], int]:
    """The line, its gaps, and whether RecMan's sum of it has the sign of ours (1), the other one (-1) or none (0)."""
    reader = Reader(row, LINE, where=f"line {position}: ")
    texts = [reader.find(name, read_text) or "" for name in ("description", "product_name")]
    fields: dict[str, Any] = {
        "position": position,
        "text": next(filter(None, texts), ""),
        "comment": reader.find("comment", read_text) or "",
    }
    if _is_text(row):
        _check_words(reader, row)
    else:
        fields |= _read_figures(reader) | _read_booking(reader, row, kind)
    stated = reader.find("net", read_number) if proven or _is_text(row) else reader.need("net", read_number)
    if reader.gaps:
        return None, reader.gaps, 0
    line = Line(**fields)
    if abs(line.net_amount) >= _MOST_AMOUNT:
        reader.add(Code.RECORD_UNCLEAR, "quantity × price is more than any invoice has")
        return None, reader.gaps, 0
    _check_net(reader, line, stated, kind)
    made = line.net_amount * (stated or ZERO)
    return (None if reader.gaps else line), reader.gaps, (made > 0) - (made < 0)


def _read_figures(reader: Reader) -> dict[str, Any]:
    return {
        # A price without a product may have one by a rule of the key's.
        "product_number": reader.find("product_number", read_text) or "",
        "quantity": reader.need("quantity", read_number),
        "unit": reader.find("unit", read_text) or "",
        "unit_price_net": reader.need("price", read_number),
        # No discount given is no discount. Source: assumed.
        "discount_percent": reader.find("discount", _to_percent) or ZERO,
        "vat_rate": reader.need("vat_rate", _to_percent),
        "department_number": reader.guess("department_number", read_text) or "",
        "period_start": reader.guess("period_start", read_day),
        "period_end": reader.guess("period_end", read_day),
    }


def _read_booking(reader: Reader, row: Raw, kind: DocumentKind) -> dict[str, str]:
    """RecMan's own VAT code and account: the line's, else its product's; empty where neither states one.

    Source: docs/facts/recman.md §3.3, §3.4: RecMan has a credit account, and a debit account for credit notes [O]; that
    a credit note without the latter stands on the former, and that a line holds its product, is assumed.
    """
    accounts = ("debit_account", "credit_account") if kind is DocumentKind.CREDIT_NOTE else ("credit_account",)
    inner = row.get("product")
    product = Reader(inner if isinstance(inner, dict) else {}, PRODUCT, where=reader.where + "its product: ")

    def find_first(*names: str) -> str:
        found = (source.find(name, _to_code) for source in (reader, product) for name in names)
        return next(filter(None, found), "")

    booking = {"vat_code": find_first("vat_code"), "account": find_first(*accounts)}
    reader.gaps += product.gaps
    return booking


def _check_words(reader: Reader, row: Raw) -> None:
    """A line of words has no figure: one under a name that we do not know may be its price."""
    figures = [name for name in list_relatives(row, _ANY, LINE) if not _IS_KEY.search(name) and _is_figure(row[name])]
    if figures:
        listed = ", ".join(f"{show(name)} is {show(row[name])}" for name in figures)
        reader.add(Code.RECORD_UNCLEAR, f"there is no product, quantity and price, but {listed}")


def _is_figure(value: Any) -> bool:
    try:
        return read_number(value) != 0
    except Unclear:
        return False


def _check_net(reader: Reader, line: Line, stated: Decimal | None, kind: DocumentKind) -> None:
    """A sum of RecMan's own that we do not reach means that we misread the line: it is a gap.

    RecMan rounds to two decimals when it makes the invoice.
    Source: docs/facts/recman.md §3.3 [O]; that `total` is the net is assumed.
    """
    if stated is None:
        return
    ours = line.net_amount
    if kind is DocumentKind.CREDIT_NOTE:
        # Either of them may carry the sign, but all lines alike.
        ours, stated = abs(ours), abs(stated)
    if abs(ours - stated) > CENT:
        is_plain = not line.discount_percent
        made = "quantity × price" if is_plain else "quantity × price less discount"
        reader.add(Code.RECORD_UNCLEAR, f"{made} is {show_money(ours)}, RecMan says {show_money(stated)}")


def _is_text(row: Raw) -> bool:
    """Whether the line has no product and no figures; zeros count as none. Source: assumed."""
    return not any(is_said(row.get(spelling)) for name in _FIGURES for spelling in LINE[name])


def list_products(raw: Raw) -> tuple[str, ...]:
    """The product numbers of the lines, each once, as far as they can be read."""
    numbers = (_find_product(row) for name in INVOICE["lines"] for row in _list_rows(raw.get(name)))
    return tuple(dict.fromkeys(filter(None, numbers)))


def _list_rows(value: Any) -> list[Raw]:
    try:
        return read_list(value)
    except Unclear:
        return []


def _find_product(row: Raw) -> str:
    try:
        return pick(row, LINE["product_number"], read_text) or ""
    except Unclear:
        return ""


def _to_code(value: Any) -> str:
    text = read_text(value)
    if len(text) > _LONGEST_CODE:
        raise Unclear(f"“{show(value)}…” is too long for a code")
    return text


def _to_percent(value: Any) -> Decimal:
    rate = read_number(value)
    if not 0 <= rate <= _HUNDRED:
        raise Unclear(f"“{show(value)}” is no rate in per cent")
    return rate


def _to_positive(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """A credit note's lines with a positive sum, whichever of quantity and price carried the sign."""
    if sum((line.net_amount for line in lines), ZERO) >= 0:
        return lines
    return tuple(
        replace(line, unit_price_net=-line.unit_price_net)
        if line.unit_price_net < 0
        else replace(line, quantity=-line.quantity)
        for line in lines
    )
