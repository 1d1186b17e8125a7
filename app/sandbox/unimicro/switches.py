"""What a company of the stand-in may do this way or that: one switch for each thing that the facts leave open.

A switch's default is what the stand-in has always done, so that turning none changes nothing. Source: each class and
attribute names the section of docs/facts/unimicro.md; "reference" is Unimicro's current one (facts, source SDK),
"client" its web client of 2021 (facts, source FE). What carries no source is assumed.
"""

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, get_type_hints

from app.sandbox.unimicro.ledger_switches import LedgerSwitches


class VatSums(StrEnum):
    """How VAT comes together. Source: unknown (§11 row 14).

    `line`: net and VAT rounded on each line. `document`: VAT of the lines' nets per rate, rounded once (EN 16931).
    `ui2021`: VAT out of a price with VAT rounded to four decimals, sums rounded at the end, as the client does.
    """

    LINE = "line"
    DOCUMENT = "document"
    UI2021 = "ui2021"


class LineSums(StrEnum):
    """What lines carry where VAT is not rounded per line.

    Source: "rounded to two decimals by the backend" is a remark in the client's `calculateDiscount`.
    """

    ROUNDED = "rounded"
    EXACT = "exact"


class SettingsRound(StrEnum):
    """What the company's RoundingType and RoundingNumberOfDecimals act on; the rest has two decimals, halves up.

    Source: `lines` as the reference says of RoundingNumberOfDecimals, `payable` as the client does.
    """

    NOTHING = "nothing"
    LINES = "lines"
    PAYABLE = "payable"


class HalfMeans(StrEnum):
    """RoundingType 3 "Half": halves go up at the last decimal, or amounts go to the nearest half unit (0.50)."""

    HALF_UP = "half_up"
    HALF_UNIT = "half_unit"


class LongPrices(StrEnum):
    """A price with more than four decimals, or more than ten once `ten_decimals` is on."""

    KEPT = "kept"
    CUT = "cut"
    REFUSED = "refused"


class BasePrices(StrEnum):
    """PriceExVat beside PriceExVatCurrency: as it was sent, or the currency's price times the rate (the client)."""

    SENT = "sent"
    COMPUTED = "computed"


class BaseSums(StrEnum):
    """Sums in the company's currency: from the base prices, from each line's sums times the rate, or head from head.

    Without effect on `ui2021`, where both come from the currency's prices.
    """

    PRICES = "prices"
    LINES = "lines"
    HEAD = "head"


class Rates(StrEnum):
    """One rate for ever, or another one each working day."""

    FIXED = "fixed"
    DAILY = "daily"


class RateAnswer(StrEnum):
    """What SEK and DKK are answered as, quoted per 100 by Norges Bank (§11 row 13, unproven).

    `unit`: for one, Factor 1. `factor`: for a hundred, Factor 100. `divided`: for one although Factor says 100.
    `hidden`: for a hundred although Factor says 1.
    """

    UNIT = "unit"
    FACTOR = "factor"
    DIVIDED = "divided"
    HIDDEN = "hidden"


class RateGiven(StrEnum):
    """What a foreign currency's rate is: known, 1, 0, or null."""

    KNOWN = "known"
    ONE = "one"
    ZERO = "zero"
    NULL = "null"


class RateSent(StrEnum):
    """What CurrencyExchangeRate of a document is for: one unit (§3.3, the client), or the currency's Factor."""

    UNIT = "unit"
    FACTOR = "factor"


class CreditRate(StrEnum):
    """The rate of a credit draft: its invoice's, or the day's."""

    KEPT = "kept"
    OF_DAY = "of_day"


class VatPercent(StrEnum):
    """Which percentage a line gets.

    `type`: the type's VatPercent. `invoice_day`, `delivery_day`: of VatTypePercentages, valid on that day (§3.7).
    `setting`: on the day of booking where UseFinancialDateToCalculateVatPercent (reference) is on, else of delivery.
    """

    TYPE = "type"
    INVOICE_DAY = "invoice_day"
    DELIVERY_DAY = "delivery_day"
    SETTING = "setting"


class VatIds(StrEnum):
    """Ids of VAT types: equal in all companies, in another order in each, or new ones before every read of the list."""

    EQUAL = "equal"
    PER_COMPANY = "per_company"
    MOVING = "moving"


class Unregistered(StrEnum):
    """Codes 3, 31, 32, 33 in a company not yet registered (TaxMandatoryType 2): the client puts 6 there (§3.7)."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    REFUSED = "refused"


class LineVat(StrEnum):
    """Which VAT type a line is put on: the one that it asks for, or its product's, when it is saved or issued.

    Source: unknown; the client sets a line's type from its product when that is chosen (§3.3, §3.5).
    """

    ASKED = "asked"
    PRODUCT = "product"
    PRODUCT_AT_ISSUE = "product_at_issue"


class LinesShown(StrEnum):
    """Which lines a document's answers show.

    `sent`: all where a write had any, or where they are expanded. `changed`: of a change those that it had.
    `expanded`: only where they are expanded. `without_sums`: as `sent`, without what they come to.
    Source: unknown (§6 [O] has a draft with lines, and no answer).
    """

    SENT = "sent"
    CHANGED = "changed"
    EXPANDED = "expanded"
    WITHOUT_SUMS = "without_sums"


class Unproduced(StrEnum):
    """A priced line without product: made a text line, taken with its account, or refused. Source: unknown (§3.3)."""

    TEXT = "text"
    PRICED = "priced"
    REFUSED = "refused"


class SettingsShown(StrEnum):
    """Which company settings are answered: all, or only those without which nobody can book. Source: unknown."""

    ALL = "all"
    LEAST = "least"


class LockDay(StrEnum):
    """Which day a lock is compared with: as BookCustomerInvoiceOnDeliveryDate says (§5.4 [I]), invoice, or either."""

    SETTING = "setting"
    INVOICE = "invoice"
    EITHER = "either"


class LockRefusal(StrEnum):
    """How a locked period is refused: §5.1's shapes 2, 2 in Norwegian, 3, 1. All texts are made up."""

    MESSAGES = "messages"
    NORWEGIAN = "norwegian"
    ECHO = "echo"
    PLAIN = "plain"


class DeletedCustomer(StrEnum):
    """What is answered for a deleted customer's id: 404, or the record with Deleted. Source: unknown (§3.1)."""

    MISSING = "missing"
    SHOWN = "shown"


class PrivateFlag(StrEnum):
    """IsPrivate of a customer: kept (§3.1 [O]), unknown and ignored, or unknown and refused."""

    KEPT = "kept"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches(LedgerSwitches):
    """The switches of one company; `Books.switches` may be exchanged at any time.

    Those of its numbers, KIDs, series and vouchers: see `LedgerSwitches`; of what happens to its
    documents: see `SaleSwitches`.

    Attributes:
        vat_sums: See `VatSums`.
        line_sums: See `LineSums`; without effect where VAT is rounded per line.
        settings_round: See `SettingsRound`.
        half_means: See `HalfMeans`.
        round_foreign: True rounds the payable amount in foreign currency too. Source: the client takes two decimals.
        gross_with_rounding: True has PayableRoundingAmount inside TaxInclusiveAmount (the client); False leaves that
            at net + VAT, and only RestAmount is rounded (as in UBL, whose names these are).
        shown_decimals: True answers amounts and prices with ShowNumberOfDecimals (reference: "to show").
        long_prices: See `LongPrices`.
        ten_decimals: Set by the action activate-10decimalsOnInvoiceCalculation. Source: §3.7 [O]; which field tells of
            it is unknown: the reference has none.
        ten_decimals_told: True has the settings tell of it, under a name made up; False leaves it out.
        settings_shown: See `SettingsShown`.
        base_prices: See `BasePrices`.
        base_sums: See `BaseSums`.
        rates: See `Rates`.
        rate_answer: See `RateAnswer`.
        rate_given: See `RateGiven`.
        rate_sent: See `RateSent`.
        credit_rate: See `CreditRate`.
        vat_percent: See `VatPercent`.
        vat_percent_shown: False leaves VatPercent out of VAT types: the reference has only VatTypePercentages.
        vat_ids: See `VatIds`.
        refuse_unusable_vat: True refuses input, locked, hidden VAT types, and those without a percentage on the day.
        unregistered: See `Unregistered`.
        vat_from_account: True gives a line without VAT type that of its account (the client, on choosing an account).
        line_vat: See `LineVat`.
        lines_shown: See `LinesShown`; of invoices and orders.
        unproduced: See `Unproduced`.
        refuse_locked_account: True refuses a line on a locked account.
        lock_at_draft: True looks at locks when a draft is saved, not only when it is issued.
        lock_day: See `LockDay`.
        lock_last_day: True has the locked date itself locked.
        lock_refusal: See `LockRefusal`.
        deleted_customer: See `DeletedCustomer`.
        private_flag: See `PrivateFlag`.
    """

    vat_sums: VatSums = VatSums.LINE
    line_sums: LineSums = LineSums.ROUNDED
    settings_round: SettingsRound = SettingsRound.PAYABLE
    half_means: HalfMeans = HalfMeans.HALF_UP
    round_foreign: bool = False
    gross_with_rounding: bool = True
    shown_decimals: bool = False
    long_prices: LongPrices = LongPrices.KEPT
    ten_decimals: bool = False
    ten_decimals_told: bool = False
    settings_shown: SettingsShown = SettingsShown.ALL
    base_prices: BasePrices = BasePrices.SENT
    base_sums: BaseSums = BaseSums.PRICES
    rates: Rates = Rates.FIXED
    rate_answer: RateAnswer = RateAnswer.UNIT
    rate_given: RateGiven = RateGiven.KNOWN
    rate_sent: RateSent = RateSent.UNIT
    credit_rate: CreditRate = CreditRate.KEPT
    vat_percent: VatPercent = VatPercent.TYPE
    vat_percent_shown: bool = True
    vat_ids: VatIds = VatIds.EQUAL
    refuse_unusable_vat: bool = False
    unregistered: Unregistered = Unregistered.ACCEPTED
    vat_from_account: bool = False
    line_vat: LineVat = LineVat.ASKED
    lines_shown: LinesShown = LinesShown.SENT
    unproduced: Unproduced = Unproduced.TEXT
    refuse_locked_account: bool = True
    lock_at_draft: bool = True
    lock_day: LockDay = LockDay.SETTING
    lock_last_day: bool = True
    lock_refusal: LockRefusal = LockRefusal.MESSAGES
    deleted_customer: DeletedCustomer = DeletedCustomer.MISSING
    private_flag: PrivateFlag = PrivateFlag.KEPT

    def turned(self, changes: dict[str, Any]) -> "Switches":
        """These switches with some of them turned; the changes are known ones, as in JSON."""
        choices = list_choices()
        return replace(self, **{name: _to_position(choices[name], value) for name, value in changes.items()})


def is_known(changes: dict[str, Any]) -> bool:
    """Whether each names a switch and one of its positions."""
    choices = list_choices()
    return all(value in choices.get(name, ()) for name, value in changes.items())


def _to_position(choices: tuple[Any, ...], value: Any) -> Any:
    return next(one for one in choices if one == value)


def list_choices() -> dict[str, tuple[Any, ...]]:
    """Every switch with all its positions: what a test draws its samples from."""
    types = get_type_hints(Switches)
    return {one.name: (False, True) if types[one.name] is bool else tuple(types[one.name]) for one in fields(Switches)}
