"""Can RecMan's documents be issued in these series? What would give one a wrong number, before the first is issued."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.accounting.targets import Target
from app.admin.series import OddNumbers, find_odd_numbers, list_own_ids, list_taken
from app.domain.company_settings import Series
from app.domain.findings import Finding
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reference import RemoteDocument
from app.domain.series import InvoiceSeries, list_twice
from app.platform.db import Sessions
from app.tables import Key

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """What is known of series that are to number RecMan's documents.

    Shape: `there` are the company's series of invoices, None where they cannot be read; `strangers` what stands in a
    series that is none of RecMan's, by the series' id; `odd` RecMan's numbers that its next one does not fit to;
    `taken` those that another RecMan account issues in.
    """

    there: tuple[Series, ...] | None
    strangers: Mapping[int, tuple[RemoteDocument, ...]] = field(default_factory=dict)
    odd: Mapping[int, OddNumbers] = field(default_factory=dict)
    taken: frozenset[int] = frozenset()

    def name(self, one: InvoiceSeries) -> InvoiceSeries:
        """The series by the name that it has there."""
        series = _find(self.there, one.series_id)
        return one if series is None else replace(one, name=series.name)


async def fetch_series_facts(
    sessions: Sessions, target: Target, key: Key, wanted: Sequence[InvoiceSeries], *, year: int
) -> SeriesFacts:
    """Everything that `examine_series` judges, read now.

    Raises:
        RemoteError: Unimicro could not be read.
    """
    there = await target.fetch_invoice_series(year=year)
    found: dict[int, tuple[RemoteDocument, ...]] = {}
    for one in wanted:
        series = _find(there, one.series_id)
        found[one.series_id] = () if series is None else await target.list_in_series(series)
    async with sessions() as session:
        own = await list_own_ids(session, key, [document.remote_id for rows in found.values() for document in rows])
        return SeriesFacts(
            there=there,
            strangers={
                series_id: tuple(document for document in rows if document.remote_id not in own)
                for series_id, rows in found.items()
            },
            odd={one.series_id: await find_odd_numbers(session, key, one) for one in wanted},
            taken=await list_taken(session, key, [one.series_id for one in wanted]),
        )


def examine_series(wanted: Sequence[InvoiceSeries], facts: SeriesFacts) -> list[Finding]:
    """Every finding about the series, one by one; all fine: RecMan's next document gets its own number."""
    if not wanted:
        cause = "No series is named, so no document could be numbered"
        return [Finding("series", ok=False, cause=cause, fix=fix_for(Code.SERIES_UNSET), code=Code.SERIES_UNSET)]
    findings = [finding for one in wanted for finding in _examine_one(one, facts)]
    for one, other in list_twice(wanted):
        cause = f"{one.name} and {other.name} both number {one.serves_what}"
        findings.append(_alarm("series", Code.SERIES_OVERLAPS, cause))
    return findings


def _examine_one(one: InvoiceSeries, facts: SeriesFacts) -> list[Finding]:
    what, series = f"series {one.series_id}", _find(facts.there, one.series_id)
    if series is None or None in (series.first, series.last, series.following):
        cause = f"Unimicro shows no active series of invoices with id {one.series_id}"
        if series is not None:
            cause = f"Unimicro does not say where {series.name} begins, ends and stands"
        return [_alarm(what, Code.SERIES_MISSING, cause)]
    troubles = [
        *(_alarm(what, Code.SERIES_SHARED, cause) for cause in _list_shared(one, series, facts)),
        *(_alarm(what, Code.SERIES_OVERLAPS, cause) for cause in _list_overlaps(series, facts.there or ())),
        *(_alarm(what, Code.SERIES_NOT_NEXT, cause) for cause in _list_steps(one, series, facts)),
    ]
    told = f"{series.name} {series.first}-{series.last} numbers {one.serves_what}, next {series.following}"
    return troubles or [Finding(what, ok=True, cause=told, code=Code.SERIES_NOT_NEXT)]


def _list_shared(one: InvoiceSeries, series: Series, facts: SeriesFacts) -> Iterator[str]:
    """Who else takes numbers of the series."""
    if series.is_default is not False:
        told = "is" if series.is_default else "may be"
        yield f"{series.name} {told} the default series, so whoever makes an invoice by hand takes its next number"
    followers = [other.name for other in facts.there or () if other.follows_id == one.series_id]
    if followers or series.follows_id is not None:
        yield f"{series.name} shares its numbers with {', '.join(followers) or f'series {series.follows_id}'}"
    if one.series_id in facts.taken:
        yield f"Another RecMan account issues in {series.name} already"
    numbers = [document.number for document in facts.strangers.get(one.series_id, ()) if document.number]
    drafts = [str(document.remote_id) for document in facts.strangers.get(one.series_id, ()) if not document.number]
    if numbers:
        yield f"{series.name} has numbers that are not RecMan's: {_name(numbers)}"
    if drafts:
        yield f"{series.name} has drafts that are not RecMan's and would take its next number (ids {_name(drafts)})"


def _list_overlaps(series: Series, there: Sequence[Series]) -> Iterator[str]:
    for other in there:
        if other.series_id == series.series_id or None in (other.first, other.last):
            continue
        if max(series.first or 0, other.first or 0) <= min(series.last or 0, other.last or 0):
            names = f"{series.name} ({series.first}-{series.last}) and {other.name} ({other.first}-{other.last})"
            yield f"{names} overlap"


def _list_steps(one: InvoiceSeries, series: Series, facts: SeriesFacts) -> Iterator[str]:
    """How the series does not stand at RecMan's next number."""
    if series.following != one.next_number:
        yield f"{series.name} gives {series.following} next; RecMan's next number is {one.next_number}"
    if not (series.first or 0) <= one.next_number <= (series.last or 0):
        yield f"RecMan's next number {one.next_number} lies outside {series.name} ({series.first}-{series.last})"
    if not str(one.next_number).startswith(one.prefix):
        yield f"RecMan's next number {one.next_number} does not begin with {one.prefix}"
    odd = facts.odd.get(one.series_id, OddNumbers())
    if odd.booked:
        yield f"RecMan has used {_name(odd.booked)} already, so {one.next_number} is not its next number"
    if odd.open:
        yield f"RecMan's {_name(odd.open)} are not in the books yet and come before {one.next_number}"


def _find(there: Sequence[Series] | None, series_id: int) -> Series | None:
    return next((one for one in there or () if one.series_id == series_id), None)


def _name(numbers: Sequence[str]) -> str:
    more = len(numbers) - _MOST_NAMED
    return ", ".join(numbers[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _alarm(what: str, code: Code, cause: str) -> Finding:
    return Finding(what, ok=False, cause=cause, fix=fix_for(code), code=code)
