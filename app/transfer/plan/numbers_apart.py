"""Would the books give one document's number to another? Asked of documents that get other numbers there. Pure.

Where RecMan's numbers and Unimicro's meet, one number means two sales, and nobody can say which one a customer pays.
"""

from collections.abc import Iterator, Sequence

from app.domain.company_settings import Series
from app.domain.documents import Document
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.series import parse_numeral
from app.transfer.plan.basics import name_document
from app.transfer.plan.situation import DocumentSituation, NumbersView


def list_number_gaps(situation: DocumentSituation) -> tuple[Reason, ...]:
    """Why the document may not get another number in the books: those that Unimicro gives may be RecMan's."""
    view = situation.numbers
    if view is None:
        return ()
    series = [one for one in situation.reference.invoice_series or () if one.series_id not in view.recmans]
    if not series or any(one.gives(0) is None for one in series):
        return () if view.is_vouched else (_explain_untold(view),)
    met = list(_list_met(series, situation, view))
    if not met:
        return ()
    code = Code.SERIES_OVERLAPS
    return (Reason(code=code, cause="; ".join(met), fix=fix_for(code, "renumbered", key_id=view.key_id)),)


def _explain_untold(view: NumbersView) -> Reason:
    code = Code.SERIES_UNTOLD
    cause = "Unimicro does not tell its series of invoices, so nobody knows whether its numbers are RecMan's too"
    return Reason(code=code, cause=cause, fix=fix_for(code, key_id=view.key_id))


def _list_met(series: Sequence[Series], situation: DocumentSituation, view: NumbersView) -> Iterator[str]:
    """Each series that gives the document's own number, or another one that RecMan has."""
    document = situation.document
    number = parse_numeral(document.number) if isinstance(document, Document) else None
    for one in series:
        where = f"{one.name} ({one.first}-{one.last}, next {one.following}), by which Unimicro numbers"
        others = [str(met) for met in view.met if one.gives(met) and met != number]
        if number is not None and isinstance(document, Document) and one.gives(number):
            yield f"The number of {name_document(document)} lies inside {where}"
        elif others:
            yield f"RecMan's numbers {', '.join(others)} lie inside {where}"
