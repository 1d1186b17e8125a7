"""Do the books give RecMan's documents numbers that other documents of RecMan's have? Then one number means two sales.

Told by what our log knows of RecMan's numbers: RecMan has no door that tells its series.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.admin.series import list_series
from app.domain.company_settings import Series
from app.domain.findings import Finding
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import ConflictError
from app.platform.db import Session
from app.tables import Key

_WHAT = "numbers apart"
# RecMan counts on: a series that begins so few numbers behind its newest will be reached.
_SOON = 1000
_MOST_NAMED = 5

_OWN = """tenant_id = :tenant_id AND scope = 'invoice' AND number <> ''
    AND (key_id IS NULL OR key_id IN (SELECT id FROM key WHERE tenant_id = :tenant_id AND company_key = :company_key))
"""
# Texts of one length stand in the order of their numbers, and have an index.
_INSIDE = text(rf"""
    SELECT min(number) AS lowest, max(number) AS newest FROM transfer
    WHERE {_OWN} AND number BETWEEN :low AND :high AND length(number) = length(:low) AND number ~ '^[1-9][0-9]*$'
""")  # noqa: S608 - built from constants
_IS_KNOWN = text(f"SELECT EXISTS (SELECT FROM transfer WHERE {_OWN})")  # noqa: S608 - built from constants
_CLASHES = text(f"""
    WITH own AS (SELECT id, number, remote_number FROM transfer WHERE {_OWN})
    SELECT one.number AS number, other.number AS other
    FROM own AS one JOIN own AS other ON other.remote_number = one.number AND other.id <> one.id
    ORDER BY one.id LIMIT 100
""")  # noqa: S608 - built from constants


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNumbers:
    """RecMan's numbers beside one series of Unimicro's: the ones inside it, and the newest one before it begins."""

    series: Series
    lowest: int | None = None
    newest: int | None = None
    below: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFacts:
    """What is known of RecMan's numbers; `clashes`: documents of RecMan's whose number is another one's in the books.

    Shape: `beside` None: the series cannot be read. `is_vouched`: an accountant has compared both by
    hand, which counts then. `is_heard`: RecMan has told of a document. A clash is the number in
    RecMan, and RecMan's number of the document that has it in Unimicro.
    """

    key_id: UUID
    beside: tuple[OwnNumbers, ...] | None
    is_vouched: bool = False
    is_heard: bool = True
    clashes: tuple[tuple[str, str], ...] = ()


async def load_number_facts(session: Session, key: Key, there: Sequence[Series] | None) -> NumberFacts:
    """Everything that `examine_numbers` judges."""
    place = {"tenant_id": key.tenant_id, "company_key": key.company_key}
    clashes = tuple((row.number, row.other) for row in await session.execute(_CLASHES, place))
    is_heard = bool(await session.scalar(_IS_KNOWN, place))
    beside = await find_beside(session, key, there)
    return NumberFacts(
        key_id=key.id, beside=beside, is_vouched=is_vouched(key.acceptance), is_heard=is_heard, clashes=clashes
    )


def is_vouched(acceptance: Mapping[str, Any] | None) -> bool:
    """Whether whoever accepted that documents are renumbered has compared both numberings by hand. Pure."""
    return bool((acceptance or {}).get("numbers_apart"))


async def find_beside(session: Session, key: Key, there: Sequence[Series] | None) -> tuple[OwnNumbers, ...] | None:
    """RecMan's numbers beside each of the company's series that others number by; None: the series do not tell.

    A series in which RecMan's documents are issued gives them RecMan's own numbers.
    """
    recmans = {one.series_id for one in await list_series(session, key)}
    foreign = [one for one in there or () if one.series_id not in recmans]
    if not foreign or any(one.gives(0) is None for one in foreign):
        return None
    return tuple([await _load_one(session, key, one) for one in foreign])


async def _load_one(session: Session, key: Key, one: Series) -> OwnNumbers:
    first, last = one.first or 0, one.last or 0
    inside = [found async for found in _find_spans(session, key, first, last)]
    below = [found async for found in _find_spans(session, key, max(first - _SOON, 1), first - 1)]
    return OwnNumbers(
        series=one,
        lowest=inside[0][0] if inside else None,
        newest=inside[-1][1] if inside else None,
        below=below[-1][1] if below else None,
    )


async def _find_spans(session: Session, key: Key, first: int, last: int) -> AsyncIterator[tuple[int, int]]:
    """The lowest and the highest of RecMan's numbers in this range, for each count of digits that has any."""
    place = {"tenant_id": key.tenant_id, "company_key": key.company_key}
    for low, high in list_spans(first, last):
        row = (await session.execute(_INSIDE, {**place, "low": low, "high": high})).one()
        if row.lowest is not None:
            yield int(row.lowest), int(row.newest)


def list_spans(first: int, last: int) -> Iterator[tuple[str, str]]:
    """The range in parts whose numbers have equally many digits, as texts. Pure."""
    first = max(first, 1)
    while first <= last:
        end = min(last, 10 ** len(str(first)) - 1)
        yield str(first), str(end)
        first = end + 1


def examine_numbers(facts: NumberFacts) -> Finding:
    """Whether Unimicro's series give numbers that are none of RecMan's. Pure."""
    code = Code.SERIES_OVERLAPS
    troubles = [told for one in facts.beside or () if (told := tell_overlap(one) or _tell_soon(one))]
    if facts.clashes:
        named = [
            f"RecMan's {other} is {number} in Unimicro, and so is called another document of RecMan's"
            for number, other in facts.clashes[:_MOST_NAMED]
        ]
        more = len(facts.clashes) - _MOST_NAMED
        troubles = [*named, *([f"{more} more"] if more > 0 else []), *troubles]
    if troubles:
        fix = fix_for(code, "renumbered", key_id=facts.key_id)
        return Finding(_WHAT, ok=False, cause="; ".join(troubles), fix=fix, code=code)
    if facts.beside is None and facts.is_vouched:
        cause = "as an accountant has said; Unimicro does not tell its series"
        return Finding(_WHAT, ok=True, cause=cause, code=code)
    if facts.beside is None or not facts.is_heard:
        cause = "not known: Unimicro does not tell its series, or no document of RecMan's is known yet"
        fix = "Compare RecMan's numbers with Unimicro's series by hand, and check again after the first document."
        return Finding(_WHAT, ok=False, known=False, cause=cause, fix=fix, code=code)
    return Finding(
        _WHAT, ok=True, cause="no series of Unimicro's gives a number that RecMan has or soon has", code=code
    )


def require_apart(beside: Sequence[OwnNumbers] | None, acceptance: Mapping[str, Any] | None) -> None:
    """Make sure that no number that RecMan has is one that the books give. Pure.

    Raises:
        ConflictError: one is, or nobody can tell.
    """
    if beside is None and not is_vouched(acceptance):
        code = Code.SERIES_UNTOLD
        cause = "Unimicro does not tell its series of invoices: their numbers may be RecMan's"
        raise ConflictError(cause, fix=fix_for(code, "new_key"), code=code)
    troubles = [told for one in beside or () if (told := tell_overlap(one))]
    if troubles:
        code = Code.SERIES_OVERLAPS
        raise ConflictError("; ".join(troubles), fix=fix_for(code, "new_key"), code=code)


def tell_overlap(one: OwnNumbers) -> str:
    """Which of RecMan's numbers the series gives, too; empty: none that is known. Pure."""
    if one.lowest is None:
        return ""
    told = f"numbers {one.lowest} to {one.newest} lie" if one.lowest != one.newest else f"number {one.lowest} lies"
    return f"RecMan's {told} inside {name_series(one.series)}"


def _tell_soon(one: OwnNumbers) -> str:
    if one.below is None:
        return ""
    return f"RecMan's newest number {one.below} will soon come into {name_series(one.series)}"


def name_series(series: Series) -> str:
    """The series, where it begins and ends, and where it stands."""
    return f"{series.name} ({series.first}-{series.last}, next {series.following})"
