"""What a document comes to on each VAT code, and whether Unimicro has it so: two wrong ones may sum up right. Pure.

Codes are compared, not rates: a sale abroad and one exempt at home are both without VAT, and reported differently.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.domain.documents import Document, Line, LineKey
from app.domain.money import CENT, ZERO, round_money, show_money
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteDocument, RemoteLine, RemoteProduct
from app.transfer.plan.amounts import ROUNDING_EXPLAINS, lost_by_price

# What lines are on that were sent without a code: Unimicro may choose any, as long as it brings no VAT.
_NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSum:
    """What the lines of one VAT code come to, and how far rounding may have Unimicro's apart."""

    code: str
    net_amount: Decimal
    vat_amount: Decimal
    allowed: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VatSums:
    """What a document was sent with: a sum for each code, and the codes that the sent ids stood for.

    `rounding_product_id`: the product of a line that levels the claim, which is none of the document's.
    """

    sums: tuple[CodeSum, ...]
    codes: Mapping[int, str] = field(default_factory=dict)
    rounding_product_id: int | None = None


def sum_by_code(
    document: Document,
    bookings: Mapping[LineKey, RemoteProduct],
    reference: Reference,
    *,
    rounding_product_id: int | None = None,
) -> VatSums:
    """The document's lines summed by the code that each is booked on."""
    lines: dict[str, list[Line]] = defaultdict(list)
    codes: dict[int, str] = {}
    for line in (one for one in document.lines if not one.is_text):
        type_id = bookings[line.key].vat_type_id
        code = reference.code_of(type_id) or _NONE
        if type_id is not None:
            codes[type_id] = code
        lines[code].append(line)
    sums = tuple(_sum_lines(code, ours) for code, ours in sorted(lines.items()))
    return VatSums(sums=sums, codes=codes, rounding_product_id=rounding_product_id)


def _sum_lines(code: str, lines: list[Line]) -> CodeSum:
    """An øre for each line and rate, and what prices of four decimals lose; 1.00 at most, as of the whole document."""
    explained = CENT * (len(lines) + len({line.vat_rate for line in lines})) + sum(map(lost_by_price, lines), ZERO)
    return CodeSum(
        code=code,
        net_amount=sum((line.net_amount for line in lines), ZERO),
        vat_amount=sum((line.vat_amount for line in lines), ZERO),
        allowed=min(explained, ROUNDING_EXPLAINS),
    )


def compare_codes(ours: VatSums, remote: RemoteDocument, reference: Reference) -> Reason | None:
    """Each code on which Unimicro has another sum than the document beyond what rounding explains; None: there is none.

    Where Unimicro does not tell of its lines there is nothing to compare.
    """
    if remote.lines is None:
        return None
    wanted = {one.code: one for one in ours.sums}
    there = _sum_there(ours, remote.lines, reference)
    told = [
        _tell(code, wanted.get(code), there.get(code))
        for code in sorted({*wanted, *there})
        if not _agree(wanted.get(code), there.get(code))
    ]
    if not told:
        return None
    cause = f"The sums by VAT code differ: {'; '.join(told)}"
    return Reason(code=Code.VAT_BOOKED_OTHERWISE, cause=cause, fix=fix_for(Code.VAT_BOOKED_OTHERWISE))


_Pair = tuple[Decimal, Decimal]


def _sum_there(ours: VatSums, lines: tuple[RemoteLine, ...], reference: Reference) -> dict[str, _Pair]:
    found: dict[str, _Pair] = {}
    codes = {one.code for one in ours.sums}
    for line in lines:
        if line.product_id is not None and line.product_id == ours.rounding_product_id and not line.vat_amount:
            continue
        code = _name_code(line, ours, reference)
        if code not in codes and _NONE in codes and not line.vat_amount:
            code = _NONE
        net, vat = found.get(code, (ZERO, ZERO))
        found[code] = (net + line.net_amount, vat + line.vat_amount)
    return found


def _name_code(line: RemoteLine, ours: VatSums, reference: Reference) -> str:
    """The code of the line's VAT type; an id that we sent is what it stood for then, be it replaced since."""
    type_id = line.vat_type_id
    if type_id is None:
        return _NONE
    return ours.codes.get(type_id) or reference.code_of(type_id) or f"(VAT type id {type_id})"


def _agree(wanted: CodeSum | None, there: _Pair | None) -> bool:
    net, vat = (ZERO, ZERO) if there is None else map(round_money, there)
    if wanted is None:
        return not net and not vat
    return abs(net - wanted.net_amount) <= wanted.allowed and abs(vat - wanted.vat_amount) <= wanted.allowed


def _tell(code: str, wanted: CodeSum | None, there: _Pair | None) -> str:
    ours = (ZERO, ZERO) if wanted is None else (wanted.net_amount, wanted.vat_amount)
    return f"{code or 'none'}: RecMan {_show(ours)}, Unimicro {_show(there or (ZERO, ZERO))}"


def _show(pair: _Pair) -> str:
    net, vat = map(show_money, pair)
    return f"{net} + {vat} VAT"


def show_vat_sums(found: VatSums) -> dict[str, Any]:
    """What is kept of it with a booked document, as JSON."""
    return {
        "sums": [
            {"code": one.code, "net": str(one.net_amount), "vat": str(one.vat_amount), "allowed": str(one.allowed)}
            for one in found.sums
        ],
        "codes": {str(type_id): code for type_id, code in found.codes.items()},
        "rounding_product_id": found.rounding_product_id,
    }


def read_vat_sums(kept: Mapping[str, Any] | None) -> VatSums | None:
    """What `show_vat_sums` kept; None where a release before kept nothing."""
    if kept is None:
        return None
    return VatSums(
        sums=tuple(
            CodeSum(
                code=one["code"],
                net_amount=Decimal(one["net"]),
                vat_amount=Decimal(one["vat"]),
                allowed=Decimal(one["allowed"]),
            )
            for one in kept["sums"]
        ),
        codes={int(type_id): code for type_id, code in kept["codes"].items()},
        rounding_product_id=kept["rounding_product_id"],
    )
