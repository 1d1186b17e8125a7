"""Switches of numbers, KIDs, number series and vouchers: what the facts leave open about the books of a company.

Source: each class names the section of docs/facts/unimicro.md; what carries no source is assumed. Defaults are what the
stand-in has always done, or what the facts make likelier.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.sandbox.unimicro.sale_switches import SaleSwitches


class Kid(StrEnum):
    """The KID of an invoice once issued. Source: "generated only when invoiced" (§11 row 1); the rest is unknown.

    `kept`: the draft's, made where it has none. `made`: made anew, whatever the draft had. `kept_only`: the draft's,
    and none made. `none`: none at all.
    """

    KEPT = "kept"
    MADE = "made"
    KEPT_ONLY = "kept_only"
    NONE = "none"


class NumberPosted(StrEnum):
    """An InvoiceNumber in a draft that is posted or put (§4.3 E, §9 row 1: unknown).

    `ignored`: as if it were not there. `taken`: the draft has it, and keeps it when issued. `draft_only`: the draft has
    it, and gets the series' number when issued all the same. `refused`: 400.
    """

    IGNORED = "ignored"
    TAKEN = "taken"
    DRAFT_ONLY = "draft_only"
    REFUSED = "refused"


class PresetNumber(StrEnum):
    """What PresetCustomerInvoiceNumber does where it is on (§4.3 C: the field exists, its meaning is unknown).

    `nothing`. `at_draft`: a draft has its number from the series at once. `posted`: a number posted is taken.
    """

    NOTHING = "nothing"
    AT_DRAFT = "at_draft"
    POSTED = "posted"


class PresetTurned(StrEnum):
    """What turns PresetCustomerInvoiceNumber (§4.3 C: field and action are known, what they do is not).

    `put`: the field does, on and off; the action turns it on. `action`: the action alone does, and nothing turns it
    off. `toggled`: the action turns it over. `refused`: nothing but Unimicro's own pages.
    """

    PUT = "put"
    ACTION = "action"
    TOGGLED = "toggled"
    REFUSED = "refused"


class NumberInUse(StrEnum):
    """A number that another invoice has: refused, used twice, or (out of a series) passed over for the next free one.

    A number posted is refused where the switch says `skipped`.
    """

    REFUSED = "refused"
    SKIPPED = "skipped"
    TAKEN = "taken"


class NextNumber(StrEnum):
    """Which number a series gives next: its NextNumber, or the lowest free one from its first on."""

    STORED = "stored"
    FIRST_GAP = "first_gap"


class ResetNext(StrEnum):
    """Where reset-numberseries-next-number goes to; that it jumps back into a gap: §11 row 5 [O]."""

    FIRST_GAP = "first_gap"
    AFTER_HIGHEST = "after_highest"


class NextPut(StrEnum):
    """A changed NextNumber of a series already used; of an unused one it is always taken (§11 row 5 [O])."""

    TAKEN = "taken"
    IGNORED = "ignored"
    REFUSED = "refused"


class InvoiceSeries(StrEnum):
    """Where the company's own series of invoices lies, beside numbers that RecMan gives; chosen when it is made.

    `apart`: where RecMan's numbers never come. `overlapping`: around them (§11 row 5: series are the company's choice).
    """

    APART = "apart"
    OVERLAPPING = "overlapping"


class SeriesNamed(StrEnum):
    """InvoiceNumberSeriesID of a draft: the series the number is taken from, or without effect at issue."""

    FOLLOWED = "followed"
    IGNORED = "ignored"


class CreditSeries(StrEnum):
    """The series of a credit draft: its invoice's, none (so the default one), or one of credit notes' own."""

    COPIED = "copied"
    DEFAULT = "default"
    OWN = "own"


class VoucherAmounts(StrEnum):
    """What Amount is on a draft line with VatTypeID: with VAT inside (§12 [o]), or VAT comes on top."""

    GROSS = "gross"
    NET = "net"


class VoucherHeads(StrEnum):
    """Whether book-journal-entries-create-invoices makes invoice heads, one for each customer's line with a number.

    `none`: the vouchers alone are booked.
    """

    MADE = "made"
    NONE = "none"


class HeadSums(StrEnum):
    """What a made head says of net and VAT: what the voucher's other lines come to, or all of it net and VAT 0."""

    LINES = "lines"
    GROSS = "gross"


class VoucherCredits(StrEnum):
    """A customer's line with a negative amount: a credit note's head, refused, or booked without a head."""

    MADE = "made"
    REFUSED = "refused"
    IGNORED = "ignored"


class VoucherKid(StrEnum):
    """PaymentID of a made head: the line's.

    Where it has none, `asked` makes one with generateKID only, `always` without it too; `replaced` makes one with
    generateKID although the line has one.
    """

    ASKED = "asked"
    ALWAYS = "always"
    REPLACED = "replaced"


class VoucherCurrency(StrEnum):
    """Lines in a foreign currency: taken, refused, or booked as if they were in the company's."""

    TAKEN = "taken"
    REFUSED = "refused"
    IGNORED = "ignored"


class DuplicateHeads(StrEnum):
    """A head with a number that an invoice has: refused, a second one, or a payment on the first (as §11 row 4)."""

    REFUSED = "refused"
    MADE = "made"
    MATCHED = "matched"


class VoucherReference(StrEnum):
    """ExternalReference of a journal entry (§12): filtered on, shown though no filter knows it, or not kept."""

    FILTERED = "filtered"
    SHOWN = "shown"
    DROPPED = "dropped"


class UndoneHead(StrEnum):
    """The head of a voucher that is credited by credit-journal-entry: credited, left as it is, or deleted."""

    CREDITED = "credited"
    LEFT = "left"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSwitches(SaleSwitches):
    """The part of one company's switches that is about its books; of its documents: see `SaleSwitches`.

    Attributes:
        kid: See `Kid`.
        number_posted: See `NumberPosted`.
        preset_number: See `PresetNumber`.
        preset_turned: See `PresetTurned`.
        number_in_use: See `NumberInUse`.
        invoice_series: See `InvoiceSeries`.
        next_number: See `NextNumber`; of invoice series.
        reset_next: See `ResetNext`.
        next_put: See `NextPut`.
        used_series_fixed: True refuses another FromNumber or ToNumber of a series already used (§11 row 5 [O]).
        series_told: False answers active series without their numbers (§3.7: which rights show them is unknown).
        series_named: See `SeriesNamed`.
        credit_series: See `CreditSeries`.
        voucher_amounts: See `VoucherAmounts`.
        voucher_heads: See `VoucherHeads`.
        head_sums: See `HeadSums`.
        voucher_credits: See `VoucherCredits`.
        voucher_kid: See `VoucherKid`.
        voucher_currency: See `VoucherCurrency`.
        duplicate_heads: See `DuplicateHeads`.
        voucher_reference: See `VoucherReference`.
        voucher_guids: False takes no notice of `_createguid` on journal entries and their lines.
        voucher_matching: False leaves invoices alone where a plain voucher has their number (§11 row 4 [O]: it pays).
        matching_by_number: True has a plain voucher pay the invoice with its number whoever the customer is.
        yearly_vouchers: True has a voucher series for each year, which begins at 1 (§12: "34-2024").
        undone_head: See `UndoneHead`.
        statistics_join: False has statistics that know of no join.
        voucher_lines_shown: True answers a booked voucher with its lines (§12: unknown).
    """

    kid: Kid = Kid.KEPT
    number_posted: NumberPosted = NumberPosted.IGNORED
    preset_number: PresetNumber = PresetNumber.NOTHING
    preset_turned: PresetTurned = PresetTurned.PUT
    number_in_use: NumberInUse = NumberInUse.REFUSED
    invoice_series: InvoiceSeries = InvoiceSeries.APART
    next_number: NextNumber = NextNumber.STORED
    reset_next: ResetNext = ResetNext.FIRST_GAP
    next_put: NextPut = NextPut.TAKEN
    used_series_fixed: bool = True
    series_told: bool = True
    series_named: SeriesNamed = SeriesNamed.FOLLOWED
    credit_series: CreditSeries = CreditSeries.COPIED
    voucher_amounts: VoucherAmounts = VoucherAmounts.GROSS
    voucher_heads: VoucherHeads = VoucherHeads.MADE
    head_sums: HeadSums = HeadSums.LINES
    voucher_credits: VoucherCredits = VoucherCredits.MADE
    voucher_kid: VoucherKid = VoucherKid.ASKED
    voucher_currency: VoucherCurrency = VoucherCurrency.TAKEN
    duplicate_heads: DuplicateHeads = DuplicateHeads.REFUSED
    voucher_reference: VoucherReference = VoucherReference.FILTERED
    voucher_guids: bool = True
    voucher_matching: bool = True
    matching_by_number: bool = False
    yearly_vouchers: bool = False
    undone_head: UndoneHead = UndoneHead.CREDITED
    statistics_join: bool = True
    voucher_lines_shown: bool = False
