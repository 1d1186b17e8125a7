"""The turn of a document that is issued in a series of its own: RecMan's numbers, one after the other. Pure."""

from dataclasses import replace

from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState
from app.domain.series import SCOPE, InvoiceSeries, name_turn, parse_numeral
from app.domain.states import STOPPED, TransferState
from app.transfer.plan.basics import name_document
from app.transfer.plan.situation import DocumentSituation, SeriesView
from app.transfer.plan.steps import AdoptDocument, CreateCreditDraft, CreateDraft, Decision, Go, Hold, Issue, Step, Wait


def keep_order(decision: Decision, document: Document, situation: DocumentSituation) -> Decision:
    """The decision as RecMan's order of numbers has it: its steps name the series, or it waits, or more holds it.

    What is issued already has had its turn.
    """
    view = situation.series
    if view is None or not isinstance(decision, Go | Hold):
        return decision
    gaps = list_series_gaps(document, situation, view)
    if isinstance(decision, Hold):
        return Hold((*decision.gaps, *gaps))
    if not _is_issued(decision):
        if gaps:
            return Hold(gaps)
        waits = plan_turn(document, view)
        if waits is not None:
            return waits
    series = view.fitting[0] if len(view.fitting) == 1 else None
    return replace(decision, steps=tuple(_name_series(step, series) for step in decision.steps))


def _is_issued(decision: Go) -> bool:
    return any(isinstance(one, AdoptDocument) and one.remote.state is not DocumentState.DRAFT for one in decision.steps)


def _name_series(step: Step, series: InvoiceSeries | None) -> Step:
    if isinstance(step, Issue):
        return replace(step, series=series)
    if isinstance(step, CreateDraft | CreateCreditDraft) and series is not None:
        return replace(step, series_id=series.series_id)
    return step


def list_series_gaps(document: Document, situation: DocumentSituation, view: SeriesView) -> tuple[Reason, ...]:
    """Why no series can give the document its number."""
    name, number = name_document(document), parse_numeral(document.number)
    if situation.booking != Booking.SERIES:
        return ()
    if number is None:
        cause = f"{name} has no plain whole number, and Unimicro's series give nothing else"
        return (Reason(code=Code.SERIES_NUMBER_UNFIT, cause=cause, fix=fix_for(Code.SERIES_NUMBER_UNFIT)),)
    if len(view.fitting) != 1:
        told = " and ".join(f"{one.name} ({one.serves_what})" for one in view.fitting)
        cause = f"More than one series numbers {name}: {told}" if told else f"No series is named that numbers {name}"
        return (Reason(code=Code.SERIES_UNSET, cause=cause, fix=fix_for(Code.SERIES_UNSET, key_id=view.key_id)),)
    (series,) = view.fitting
    if number < series.next_number:
        cause = f"{name} comes too late: {series.name} is at {series.next_number}, and never goes back"
        return (Reason(code=Code.SERIES_PASSED, cause=cause, fix=fix_for(Code.SERIES_PASSED)),)
    return ()


def plan_turn(document: Document, view: SeriesView) -> Wait | None:
    """What the document waits for before its number has its turn; None: nothing."""
    (series,), number = view.fitting, parse_numeral(document.number)
    if number is None or (number == series.next_number and series.skipping_to is None) or view.is_near:
        return None
    turn = name_turn(view.company_key, series.series_id, number)
    cause, fix = _explain(document, series, view)
    return Wait(SCOPE, turn, cause, fix)


def _explain(document: Document, series: InvoiceSeries, view: SeriesView) -> tuple[str, str]:
    """Which number is waited for, how it stands, and what can be done about it."""
    following, places = series.next_number, {"key_id": view.key_id, "series_id": series.series_id}
    waits = f"{name_document(document)} waits for number {following}, which comes first in {series.name}"
    if series.skipping_to is not None:
        cause = f"{name_document(document)} waits: {series.name} is being set to {series.skipping_to}"
        return cause, fix_for(Code.WAITS, "turn_skipping", number=series.skipping_to, **places)
    ahead = view.ahead
    if ahead is None:
        return f"{waits} and of which RecMan has told nothing yet", fix_for(
            Code.WAITS, "turn_unheard", number=following, **places
        )
    why = f": {ahead.why}" if ahead.why else ""
    cause = f"{waits} and is {ahead.state}{why}"
    if ahead.state == TransferState.IGNORED:
        return cause, fix_for(Code.WAITS, "turn_unheard", number=following, **places)
    return cause, fix_for(Code.WAITS, "held") if ahead.state in STOPPED else fix_for(Code.WAITS)
