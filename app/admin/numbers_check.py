"""Do the books give RecMan's documents numbers that other documents of RecMan's have? Then one number means two sales.

Told by what our log knows of RecMan's numbers: RecMan has no door that tells its series.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from app.domain.company_settings import Series
from app.domain.findings import Finding
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.platform.db import Session
from app.tables import Key

_WHAT = "numbers apart"
# RecMan counts on: a series that begins so few numbers behind its newest will be reached.
_SOON = 1000
_MOST_NAMED = 5

_OWN = r"""
    WITH own AS (
        SELECT id, number, remote_number,
               CASE WHEN number ~ '^[1-9][0-9]{0,17}$' THEN number::bigint END AS numeral
        FROM transfer
        WHERE tenant_id = :tenant_id AND scope = 'invoice' AND number <> ''
          AND (key_id IS NULL OR key_id IN (
              SELECT id FROM key WHERE tenant_id = :tenant_id AND company_key = :company_key)))
"""
_INSIDE = text(f"""{_OWN}
    SELECT min(numeral) FILTER (WHERE numeral BETWEEN :first AND :last) AS lowest,
           max(numeral) FILTER (WHERE numeral BETWEEN :first AND :last) AS newest,
           max(numeral) FILTER (WHERE numeral < :first) AS below,
           count(*) AS known
    FROM own
""")  # noqa: S608 - built from constants
_CLASHES = text(f"""{_OWN}
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

    Shape: `beside` None: the series cannot be read, or no document of RecMan's is known yet. A clash is the number in
    RecMan, and RecMan's number of the document that has it in Unimicro.
    """

    beside: tuple[OwnNumbers, ...] | None
    clashes: tuple[tuple[str, str], ...] = ()


async def load_number_facts(session: Session, key: Key, there: Sequence[Series] | None) -> NumberFacts:
    """Everything that `examine_numbers` judges."""
    place = {"tenant_id": key.tenant_id, "company_key": key.company_key}
    clashes = tuple((row.number, row.other) for row in await session.execute(_CLASHES, place))
    beside = []
    for one in there or ():
        if one.first is None or one.last is None:
            return NumberFacts(beside=None, clashes=clashes)
        row = (await session.execute(_INSIDE, {**place, "first": one.first, "last": one.last})).one()
        if not row.known:
            return NumberFacts(beside=None, clashes=clashes)
        beside.append(OwnNumbers(series=one, lowest=row.lowest, newest=row.newest, below=row.below))
    return NumberFacts(beside=tuple(beside) or None, clashes=clashes)


def examine_numbers(facts: NumberFacts) -> Finding:
    """Whether Unimicro's series give numbers that are none of RecMan's. Pure."""
    code = Code.SERIES_OVERLAPS
    fix = fix_for(code, "renumbered")
    troubles = [told for one in facts.beside or () if (told := _tell_overlap(one))]
    if facts.clashes:
        named = [
            f"RecMan's {other} is {number} in Unimicro, and so is called another document of RecMan's"
            for number, other in facts.clashes[:_MOST_NAMED]
        ]
        more = len(facts.clashes) - _MOST_NAMED
        troubles = [*named, *([f"{more} more"] if more > 0 else []), *troubles]
    if troubles:
        return Finding(_WHAT, ok=False, cause="; ".join(troubles), fix=fix, code=code)
    if facts.beside is None:
        cause = "not known: Unimicro does not tell its series, or no document of RecMan's is known yet"
        fix = "Compare RecMan's numbers with Unimicro's series by hand, and check again after the first document."
        return Finding(_WHAT, ok=False, known=False, cause=cause, fix=fix, code=code)
    return Finding(
        _WHAT, ok=True, cause="no series of Unimicro's gives a number that RecMan has or soon has", code=code
    )


def _tell_overlap(one: OwnNumbers) -> str:
    series = f"{one.series.name} ({one.series.first}-{one.series.last}, next {one.series.following})"
    if one.lowest is not None:
        return f"RecMan's numbers {one.lowest} to {one.newest} lie inside {series}"
    if one.below is not None and (one.series.first or 0) - one.below <= _SOON:
        return f"RecMan's newest number {one.below} will soon come into {series}"
    return ""
