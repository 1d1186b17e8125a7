"""The trials in the order in which they are made: each turns something unknown of a company into an answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from app.accounting.unimicro.answers import ODD_ANSWER
from app.accounting.unimicro.odd_answers import to_odd
from app.accounting.unimicro.trials.bench import Bench
from app.accounting.unimicro.trials.drafts import Told, try_draft, try_guid, try_productless, try_sums
from app.accounting.unimicro.trials.issuing import try_issue, try_kid_empty, try_number
from app.accounting.unimicro.trials.orders import try_order
from app.accounting.unimicro.trials.parties import try_customer_number, try_rate_factor, try_rate_sent
from app.accounting.unimicro.trials.preset import try_preset
from app.accounting.unimicro.trials.vouchers import try_credit_voucher, try_currency_voucher, try_voucher
from app.domain.answers import Question

_NOTHING, _DRAFT, _INVOICE = "nothing", "nothing: the draft is deleted", "an invoice and its credit note"
_VOUCHER = "a voucher and the one that credits it"


@dataclass(frozen=True, slots=True)
class Trial:
    """One small step: what it does, what it finds out, and what it leaves in the books."""

    name: str
    does: str
    leaves: str
    carry: Callable[[Bench], Awaitable[Told]]
    answers: tuple[Question, ...]


_ALL: tuple[Trial, ...] = (
    Trial(
        "draft",
        "makes a draft invoice and looks for it",
        _DRAFT,
        try_draft,
        (Question.DRAFT_STATUS, Question.REFERENCE_FOUND, Question.SEARCH_LAG),
    ),
    Trial(
        "sums",
        "makes a draft without sums",
        _DRAFT,
        try_sums,
        (Question.SUMS_COMPUTED, Question.SUMS_WAY),
    ),
    Trial("guid", "makes two drafts with one guid", _DRAFT, try_guid, (Question.GUID_REFUSED,)),
    Trial(
        "productless",
        "makes a draft with a line without product",
        _DRAFT,
        try_productless,
        (Question.PRODUCTLESS_LINE,),
    ),
    Trial(
        "customer",
        "makes a customer with a number of the series",
        "nothing, or an inactive customer where none can be deleted",
        try_customer_number,
        (Question.CUSTOMER_NUMBER_ACCEPTED,),
    ),
    Trial("rate_factor", "asks for a rate of exchange", _NOTHING, try_rate_factor, (Question.RATE_FACTOR,)),
    Trial("rate_sent", "makes a draft in a foreign currency", _DRAFT, try_rate_sent, (Question.RATE_SENT,)),
    Trial(
        "issue",
        "issues an invoice with a KID and credits it",
        _INVOICE,
        try_issue,
        (
            Question.KID_KEPT,
            Question.DAYS_KEPT,
            Question.SENT_WHEN_ISSUED,
            Question.CREDIT_COPIES_REFERENCE,
        ),
    ),
    Trial(
        "kid_empty", "issues an invoice without KID and credits it", _INVOICE, try_kid_empty, (Question.KID_WHEN_EMPTY,)
    ),
    Trial(
        "number",
        "issues an invoice with a number of ours, tries it on a second one, and credits what was issued",
        _INVOICE,
        try_number,
        (Question.NUMBER_POSTED, Question.PRESET_NUMBER, Question.NUMBER_TWICE),
    ),
    Trial(
        "preset",
        "turns preset invoice numbers over, issues an invoice with a number of ours and turns them back",
        _INVOICE,
        try_preset,
        (Question.PRESET_NUMBER, Question.NUMBER_POSTED),
    ),
    Trial(
        "voucher",
        "books a voucher that makes an invoice head",
        _VOUCHER,
        try_voucher,
        (Question.VOUCHER_MAKES_HEADS, Question.VOUCHER_KID, Question.VOUCHER_FOUND),
    ),
    Trial(
        "voucher_credit",
        "books the mirrored voucher of a credit note",
        _VOUCHER,
        try_credit_voucher,
        (Question.VOUCHER_CREDIT_NOTES,),
    ),
    Trial(
        "voucher_currency",
        "books a voucher in a foreign currency",
        _VOUCHER,
        try_currency_voucher,
        (Question.VOUCHER_CURRENCY,),
    ),
    Trial(
        "order",
        "registers an order and has it invoiced",
        "a closed order; where its invoice is issued at once, that and its credit note",
        try_order,
        (Question.ORDER_INVOICED_AS, Question.ORDER_LINES_NAMED),
    ),
)


def _watch(trial: Trial) -> Trial:
    async def carry(bench: Bench) -> Told:
        try:
            return await trial.carry(bench)
        except ODD_ANSWER as error:
            raise to_odd(error, is_written=True) from error

    return replace(trial, carry=carry)


TRIALS = tuple(map(_watch, _ALL))
