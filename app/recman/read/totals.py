"""RecMan's own sums of an invoice: the proof that its lines are read as RecMan means them. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from app.domain.documents import Line, Totals
from app.domain.money import ZERO, round_money, show_money
from app.domain.reasons.codes import Code
from app.recman.read.reader import Reader
from app.recman.read.spellings import read_number

_NAMES = ("net", "vat", "gross")
# Rounding explains no more than this, be it of every line or to whole crowns. What is left is compared with what
# Unimicro makes of the lines before anything is issued, as exactly as the key's rules want it.
_ROUNDING = Decimal(1)
_HUNDRED = Decimal(100)

Sums = Mapping[str, Decimal]


def read_sums(reader: Reader) -> Sums:
    """The sums as RecMan states them, without those that cannot be read; sums that contradict each other are a gap."""
    found = {name: reader.find(name, read_number) for name in _NAMES}
    sums = {name: amount for name, amount in found.items() if amount is not None}
    if len(sums) == len(_NAMES) and abs(sums["net"] + sums["vat"] - sums["gross"]) > _ROUNDING:
        net, vat, gross = (show_money(sums[name]) for name in _NAMES)
        reader.add(Code.RECORD_UNCLEAR, f"the sums are unclear: {net} and {vat} VAT do not make {gross}")
    return sums


def is_negative(sums: Sums) -> bool:
    """Whether any of the sums has a minus."""
    return min(sums.values(), default=ZERO) < 0


def to_positive_sums(reader: Reader, sums: Sums) -> Sums:
    """The sums of a credit note without their minus; only some of them with one is a gap.

    Units: which sign RecMan uses on credit notes is unknown (docs/facts/recman.md §3.3), so both are taken.
    """
    if len({amount < 0 for amount in sums.values() if amount}) > 1:
        reader.add(Code.RECORD_UNCLEAR, "the sums are unclear: some are negative and some are not")
    return {name: abs(amount) for name, amount in sums.items()}


def to_totals(sums: Sums, lines: tuple[Line, ...] | None) -> Totals | None:
    """All three sums: two give the third, the lines give what a single one leaves open; else None."""
    known = dict(sums)
    if lines is not None and len(known) == 1:
        known |= {"vat": _vat_of(lines)} if "net" in known else {"net": _net_of(lines)}
    if len(known) < len(_NAMES) - 1:
        return None
    net = known["net"] if "net" in known else known["gross"] - known["vat"]
    vat = known["vat"] if "vat" in known else known["gross"] - net
    amounts = [round_money(amount) for amount in (net, vat, known.get("gross", net + vat))]
    return Totals(net_amount=amounts[0], vat_amount=amounts[1], gross_amount=amounts[2])


def check_lines(reader: Reader, totals: Totals, lines: tuple[Line, ...]) -> None:
    """Lines that do not make RecMan's sums have been misread: it is a gap.

    RecMan may round VAT on each line, or once for each rate. Source: unknown (docs/facts/unimicro.md §11 row 14).
    """
    net, vat = _net_of(lines), _vat_of(lines)
    apart = min(abs(one - totals.vat_amount) for one in (vat, _vat_by_rate(lines)))
    if abs(net - totals.net_amount) > _ROUNDING or apart > _ROUNDING:
        ours = f"{show_money(net)} and {show_money(vat)} VAT"
        theirs = f"{show_money(totals.net_amount)} and {show_money(totals.vat_amount)} VAT"
        reader.add(Code.RECORD_UNCLEAR, f"the lines make {ours}, RecMan says {theirs}")


def check_told(reader: Reader, sums: Sums, lines: tuple[Line, ...]) -> None:
    """A claim that RecMan does not state, and that hangs on the way VAT is rounded, is a gap: nobody may guess it."""
    is_told = "gross" in sums or {"net", "vat"} <= sums.keys()
    ways = {show_money(vat) for vat in (_vat_of(lines), _vat_by_rate(lines))}
    if not is_told and len(ways) > 1:
        listed = " or ".join(sorted(ways))
        reader.add(Code.RECORD_UNCLEAR, f"there is no sum with VAT, and rounding makes {listed} VAT of the lines")


def _net_of(lines: tuple[Line, ...]) -> Decimal:
    return sum((line.net_amount for line in lines), ZERO)


def _vat_of(lines: tuple[Line, ...]) -> Decimal:
    return sum((line.vat_amount for line in lines), ZERO)


def _vat_by_rate(lines: tuple[Line, ...]) -> Decimal:
    """VAT of the document, rounded once for each rate."""
    nets: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in lines:
        nets[line.vat_rate or ZERO] += line.net_amount
    return sum((round_money(net * rate / _HUNDRED) for rate, net in nets.items()), ZERO)
