"""What a company's settings would do to a first invoice, judged by how the key books. Pure.

A setting that is not told is not known, and never fine.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from uuid import UUID

from app.domain.booking import Booking, Sender, sender_of
from app.domain.company_settings import CompanySettings, KidSetUp, RoundingType, Series, SetUp
from app.domain.findings import Finding
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code

_ORE = 2
_FEW_NUMBERS = 100
_MODULI = (10, 11)
_KID_LENGTHS = range(4, 26)
_ASK = "Look it up in Unimicro's settings: the API does not tell it."


def examine_set_up(settings: CompanySettings, set_up: SetUp, *, booking: Booking, key_id: UUID) -> list[Finding]:
    """Every finding, in the order in which a first invoice would meet them."""
    return [
        _examine_rounding(settings),
        _examine_shown_decimals(settings),
        _examine_price_decimals(settings),
        _examine_booking_day(settings),
        _examine_line_order(settings),
        _examine_attachments(settings),
        _examine_preset_number(settings),
        *_examine_series(set_up, booking),
        _examine_kid(settings, set_up, booking),
        _examine_sending(settings, booking),
        _examine_factoring(settings, booking, key_id),
        _examine_reminders(set_up, booking, key_id),
    ]


def _is_sent_by_recman(booking: Booking) -> bool:
    return sender_of(booking) is Sender.RECMAN


def _unknown(what: str, code: Code | None) -> Finding:
    return Finding(what, ok=False, known=False, cause="not known: Unimicro does not say", fix=_ASK, code=code)


def _fine(what: str, code: Code, cause: str) -> Finding:
    return Finding(what, ok=True, cause=cause, code=code)


def _note(what: str, code: Code, cause: str, case: str = "") -> Finding:
    return Finding(what, ok=True, cause=cause, fix=fix_for(code, case), code=code)


def _alarm(what: str, code: Code, cause: str, key_id: UUID | None = None) -> Finding:
    fix = fix_for(code) if key_id is None else fix_for(code, key_id=key_id)
    return Finding(what, ok=False, cause=cause, fix=fix, code=code)


def _judge(*, is_on: bool | None, on: Finding, off: Finding) -> Finding:
    """One of the two, or that the switch is not known."""
    if is_on is None:
        return _unknown(on.what, on.code)
    return on if is_on else off


def _examine_rounding(settings: CompanySettings) -> Finding:
    what, code = "rounding", Code.SETTING_ROUNDING
    kind, decimals = settings.rounding_type, settings.rounding_decimals
    if kind is None or decimals is None:
        return _unknown(what, code)
    told = f"{kind.name.lower()}, to {decimals} decimals"
    is_ours = kind is RoundingType.HALF and decimals == _ORE
    return _fine(what, code, told) if is_ours else _alarm(what, code, f"{told}; RecMan rounds to two, halves up")


def _examine_shown_decimals(settings: CompanySettings) -> Finding:
    what, code, shown = "decimals", Code.SETTING_DECIMALS, settings.shown_decimals
    if shown is None:
        return _unknown(what, code)
    return _fine(what, code, f"{shown} are shown") if shown >= _ORE else _alarm(what, code, f"only {shown} are shown")


def _examine_price_decimals(settings: CompanySettings) -> Finding:
    what, code = "decimals of prices", Code.SETTING_PRICE_DECIMALS
    return _judge(is_on=settings.ten_decimals, on=_fine(what, code, "ten"), off=_note(what, code, "four"))


def _examine_booking_day(settings: CompanySettings) -> Finding:
    what, code = "day of booking", Code.SETTING_BOOKING_DAY
    on = _note(what, code, "the delivery date, not the invoice's own")
    return _judge(is_on=settings.books_on_delivery_date, on=on, off=_fine(what, code, "the invoice date"))


def _examine_line_order(settings: CompanySettings) -> Finding:
    what, code = "order of lines", Code.SETTING_LINE_ORDER
    on = _alarm(what, code, "the order that is sent is overridden")
    return _judge(is_on=settings.overrides_order, on=on, off=_fine(what, code, "as it is sent"))


def _examine_attachments(settings: CompanySettings) -> Finding:
    what, code = "attachments", Code.SETTING_ATTACHMENTS
    on = _note(what, code, "merged into the invoice")
    return _judge(is_on=settings.merges_attachments, on=on, off=_fine(what, code, "kept beside the invoice"))


def _examine_preset_number(settings: CompanySettings) -> Finding:
    what, code = "preset numbers", Code.SETTING_PRESET_NUMBER
    on = _alarm(what, code, "on; when such a number is given is not documented")
    off = _fine(what, code, "off: an invoice gets its number when it is issued")
    return _judge(is_on=settings.presets_number, on=on, off=off)


def _examine_series(set_up: SetUp, booking: Booking) -> Iterator[Finding]:
    """The series of invoices; of orders too where the key makes those."""
    yield _examine_one_series("invoice numbers", set_up.invoice_series)
    if booking is Booking.ORDER:
        yield _examine_one_series("order numbers", set_up.order_series)


def _examine_one_series(what: str, series: Sequence[Series] | None) -> Finding:
    code = Code.SETTING_SERIES
    if series is None or any(None in (one.first, one.last, one.following) for one in series):
        return _unknown(what, code)
    troubles = list(_list_troubles(series))
    if troubles:
        return _alarm(what, code, "; ".join(troubles))
    if len(series) > 1 and all(one.is_default is None for one in series):
        return _unknown(what, code)
    return _fine(what, code, ", ".join(f"{one.name} {one.first}-{one.last}, next {one.following}" for one in series))


def _list_troubles(series: Sequence[Series]) -> Iterator[str]:
    if not series:
        yield "there is no active series"
    told = [one for one in series if one.is_default is not None]
    defaults = [one for one in told if one.is_default]
    if told and len(defaults) != 1:
        yield "no series is the default" if not defaults else f"{len(defaults)} series are the default"
    for one, other in combinations(series, 2):
        if max(one.first or 0, other.first or 0) <= min(one.last or 0, other.last or 0):
            yield f"{one.name} ({one.first}-{one.last}) and {other.name} ({other.first}-{other.last}) overlap"
    for one in defaults or series:
        left = (one.last or 0) - (one.following or 0) + 1
        if left <= 0:
            yield f"{one.name} is used up: its last number is {one.last}, the next would be {one.following}"
        elif left < _FEW_NUMBERS:
            yield f"{one.name} has {left} numbers left"


def _examine_kid(settings: CompanySettings, set_up: SetUp, booking: Booking) -> Finding:
    """RecMan's KID goes along where RecMan sends; where Unimicro sends, it makes one of its own."""
    what, code = "KID", Code.SETTING_KID
    if settings.shows_kid is None or set_up.kids is None:
        return _unknown(what, code)
    if not set_up.kids:
        return _alarm(what, code, "no KID is set up")
    wrong = [one.name for one in set_up.kids if not _is_usable(one)]
    if wrong:
        return _alarm(what, code, f"banks take no such KID: {', '.join(wrong)} (check digit or length)")
    told = ", ".join(f"{one.name}, mod {one.control}, {one.length} digits" for one in set_up.kids)
    if _is_sent_by_recman(booking):
        return _note(what, code, f"RecMan's is sent along; Unimicro makes its own as well ({told})", "own")
    return _fine(what, code, told) if settings.shows_kid else _alarm(what, code, f"{told}, but not on invoices")


def _is_usable(kid: KidSetUp) -> bool:
    """Whether banks take it, as far as it says so."""
    return (kid.control is None or kid.control in _MODULI) and (kid.length is None or kid.length in _KID_LENGTHS)


def _examine_sending(settings: CompanySettings, booking: Booking) -> Finding:
    what, code = "automatic sending", Code.WOULD_SEND_TWICE
    if settings.sends_by_itself is None:
        return _unknown(what, code)
    if not _is_sent_by_recman(booking):
        on, off = "on: Unimicro sends what it invoices", "off: a person in Unimicro sends what it invoices"
        return _fine(what, code, on if settings.sends_by_itself else off)
    if not settings.sends_by_itself:
        return _fine(what, code, "off; RecMan sends the invoices")
    cause = "Unimicro would send every invoice to the customer by itself; RecMan has sent it already"
    return Finding(what, ok=False, cause=cause, fix="Turn it off in Unimicro's company settings.", code=code)


def _examine_factoring(settings: CompanySettings, booking: Booking, key_id: UUID) -> Finding:
    what, code = "factoring", Code.SETTING_FACTORING
    on = _fine(what, code, "on; Unimicro sends the invoices")
    if _is_sent_by_recman(booking):
        on = _alarm(what, code, "on, while RecMan sends the invoices", key_id)
    return _judge(is_on=settings.uses_factoring, on=on, off=_fine(what, code, "off"))


def _examine_reminders(set_up: SetUp, booking: Booking, key_id: UUID) -> Finding:
    what, code, reminders = "reminders", Code.SETTING_REMINDERS, set_up.reminders
    if reminders is None:
        return _unknown(what, code)
    if reminders == 0:
        return _fine(what, code, "none")
    if _is_sent_by_recman(booking):
        return _alarm(what, code, f"{reminders} before debt collection, while RecMan sends the invoices", key_id)
    return _fine(what, code, f"{reminders} before debt collection; Unimicro sends the invoices")
