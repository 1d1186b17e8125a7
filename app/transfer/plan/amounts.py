"""Whether Unimicro's sums are the document's: to the øre, apart by what rounding explains, or another claim. Pure.

Unimicro may round VAT on each line, on the document, or out of prices with VAT (docs/facts/unimicro.md §11 row 14), and
RecMan rounds its own way. The claim (gross) never gives way: a line levels it, or a person is asked.
"""

from decimal import Decimal

from app.domain.documents import Document, Line, Totals
from app.domain.money import CENT, TEN_THOUSANDTH, ZERO, count_decimals, round_money, show_money
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument

# Rounding explains no more than this of any document, be it of every line or to whole crowns.
ROUNDING_EXPLAINS = Decimal(1)
# Prices with more decimals than these may be cut: by half a unit of the last one, and VAT comes on top of it.
_PRICE_DECIMALS = 4


def sum_allowance(document: Document) -> Decimal:
    """What rounding may explain of each of the sums: an øre for each priced line and each VAT rate, 1.00 at most."""
    priced = [line for line in document.lines if not line.is_text]
    return min(CENT * (len(priced) + len({line.vat_rate for line in priced})), ROUNDING_EXPLAINS)


def compare_totals(document: Document, remote: RemoteDocument) -> Reason | None:
    """The difference between RecMan's sums and Unimicro's, or None when they agree to the øre.

    Shape: `totals_rounded` where the claim agrees and net or VAT are apart by what rounding explains, `rounding` where
    the claim is apart by that, `totals_differ` beyond it.
    """
    ours, theirs = document.totals, remote.totals
    if ours == theirs:
        return None
    allowed, apart = sum_allowance(document), abs(ours.gross_amount - theirs.gross_amount)
    most = min(allowed + _crowns_of(ours), ROUNDING_EXPLAINS)
    # What levels the claim is net without VAT: where it agrees, the net may be apart by both.
    nets, vats = abs(ours.net_amount - theirs.net_amount), abs(ours.vat_amount - theirs.vat_amount)
    if apart and remote.rounding_amount and apart < ROUNDING_EXPLAINS:
        # A line that levels it would be rounded away with the rest.
        return _rounds_by_itself(document, remote)
    if vats > allowed or nets > allowed + (ZERO if apart else most) or apart > most:
        return _differ(document, remote)
    cause = f"Rounding alone has the totals apart: RecMan {show_sums(ours)}, Unimicro {show_sums(theirs)}"
    code = Code.ROUNDING if apart else Code.TOTALS_ROUNDED
    return Reason(code=code, cause=cause, fix=fix_for(code))


def compare_unlevelled(document: Document, remote: RemoteDocument, *, is_draft: bool) -> Reason | None:
    """The difference as a person must hear of it where no account mends it: a line did not help, or it is issued."""
    difference = compare_totals(document, remote)
    if difference is None or not is_apart(difference):
        return difference
    case = "rounds_by_itself" if is_draft else ""
    return Reason(code=Code.TOTALS_DIFFER, cause=difference.cause, fix=fix_for(Code.TOTALS_DIFFER, case))


def compare_found(document: Document, remote: RemoteDocument) -> Reason | None:
    """The difference of a document as it stands there: no line levels what is issued."""
    is_draft = remote.state is DocumentState.DRAFT
    return compare_totals(document, remote) if is_draft else compare_unlevelled(document, remote, is_draft=False)


def is_apart(difference: Reason | None) -> bool:
    """Whether the claim in Unimicro is another one than the document's, however little."""
    return difference is not None and difference.code != Code.TOTALS_ROUNDED


def _crowns_of(totals: Totals) -> Decimal:
    """By how much the document's own claim was rounded to whole crowns; zero where it was not."""
    apart = abs(totals.gross_amount - totals.net_amount - totals.vat_amount)
    is_whole = totals.gross_amount == totals.gross_amount.to_integral_value()
    return apart if is_whole and apart < ROUNDING_EXPLAINS else ZERO


def _differ(document: Document, remote: RemoteDocument) -> Reason:
    cause = f"The totals differ: RecMan {show_sums(document.totals)}, Unimicro {show_sums(remote.totals)}"
    apart = abs(document.totals.gross_amount - remote.totals.gross_amount)
    lost = _lost_by_prices(document)
    if not lost or apart > sum_allowance(document) + lost:
        return Reason(code=Code.TOTALS_DIFFER, cause=cause, fix=fix_for(Code.TOTALS_DIFFER))
    cause = f"{cause}; a price with or without VAT has more than {_PRICE_DECIMALS} decimals"
    return Reason(code=Code.TOTALS_DIFFER, cause=cause, fix=fix_for(Code.TOTALS_DIFFER, "long_price"))


def _lost_by_prices(document: Document) -> Decimal:
    """What Unimicro may lose of the whole document by prices of four decimals."""
    return sum(map(lost_by_price, document.lines), ZERO)


def lost_by_price(line: Line) -> Decimal:
    """What Unimicro may lose of a line by a price of four decimals: none where it has no more, with or without VAT."""
    with_vat = line.unit_price_net * (1 + (line.vat_rate or ZERO) / 100)
    decimals = max(count_decimals(price.normalize()) for price in (line.unit_price_net, with_vat))
    return abs(line.quantity) * TEN_THOUSANDTH if decimals > _PRICE_DECIMALS else ZERO


def _rounds_by_itself(document: Document, remote: RemoteDocument) -> Reason:
    cause = (
        f"Unimicro rounds what is to be paid by {show_money(remote.rounding_amount)}, and the document does not: "
        f"RecMan {show_sums(document.totals)}, Unimicro {show_sums(remote.totals)}"
    )
    return Reason(code=Code.TOTALS_DIFFER, cause=cause, fix=fix_for(Code.TOTALS_DIFFER, "rounds_by_itself"))


def compare_base(document: Document, remote: RemoteDocument, *, rate: Decimal, currency: str) -> Reason | None:
    """How the sums in the company's own currency are not the document's at this rate; None where they are.

    At a rate of 1 both are the same money and agree to the øre, else by what rounding explains in either currency. What
    Unimicro or RecMan does not tell is not compared.
    """
    base, theirs = remote.base_totals, remote.totals
    if base is None:
        return None
    allowed = ZERO if rate == 1 else sum_allowance(document) * (1 + rate)
    wanted = Totals(
        net_amount=round_money(theirs.net_amount * rate),
        vat_amount=round_money(theirs.vat_amount * rate),
        gross_amount=round_money(theirs.gross_amount * rate),
    )
    if not _is_near(wanted, base, allowed):
        cause = f"In {currency} the totals differ: {show_sums(wanted)} at {rate:f}, Unimicro has {show_sums(base)}"
        return Reason(code=Code.TOTALS_DIFFER, cause=cause, fix=fix_for(Code.TOTALS_DIFFER, "base"))
    stated = document.base_vat_amount
    if stated is not None and abs(stated - base.vat_amount) > max(allowed, sum_allowance(document)):
        cause = f"RecMan's VAT in {currency} is {show_money(stated)}, Unimicro has {show_money(base.vat_amount)}"
        return Reason(code=Code.TOTALS_DIFFER, cause=cause, fix=fix_for(Code.TOTALS_DIFFER, "base"))
    return None


def _is_near(one: Totals, other: Totals, allowed: Decimal) -> bool:
    pairs = (
        (one.net_amount, other.net_amount),
        (one.vat_amount, other.vat_amount),
        (one.gross_amount, other.gross_amount),
    )
    return all(abs(mine - theirs) <= allowed for mine, theirs in pairs)


def show_sums(totals: Totals) -> str:
    """The three sums as sentences name them."""
    net, vat, gross = map(show_money, (totals.net_amount, totals.vat_amount, totals.gross_amount))
    return f"{net} + {vat} VAT = {gross}"
