"""How long what the service keeps is kept, of one tenant. Pure, and immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from pydantic import ConfigDict, Field

from app.domain.exact import Exact

T = TypeVar("T")

# The law keeps accounting material for five years after the financial year's end, whatever anybody chooses.
# Source: bokføringsloven § 13 (docs/facts/unimicro.md §11, legal frame).
LEAST_YEARS = 5


class Retention(Exact):
    """What an administrator chose for one tenant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bodies_days: int = Field(90, ge=1, le=3650, description="What webhooks carried")
    exchanges_days: int = Field(90, ge=1, le=3650, description="What was sent to Unimicro, and what it answered")
    events_days: int = Field(396, ge=31, le=3650, description="Hints that ended, sweeps and customer checks")
    documents_years: int = Field(
        LEAST_YEARS, ge=LEAST_YEARS, le=30, description="Documents, jobs and the audit trail, in whole calendar years"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The moments before which something is let go; `hints`: those that ended, which may wait for their month."""

    bodies: datetime
    exchanges: datetime
    events: datetime
    hints: datetime
    documents: datetime


def to_cuts(retention: Retention, now: datetime) -> Cuts:
    """What a choice means at a moment; documents go with their whole year."""
    oldest_year = now.astimezone(UTC).year - retention.documents_years
    return Cuts(
        bodies=now - timedelta(days=retention.bodies_days),
        exchanges=now - timedelta(days=retention.exchanges_days),
        events=now - timedelta(days=retention.events_days),
        hints=now - timedelta(days=retention.events_days),
        documents=datetime.combine(date(oldest_year, 1, 1), datetime.min.time(), UTC),
    )


def wait_for_months(every: Mapping[T, Cuts]) -> Mapping[T, Cuts]:
    """The same, with the hints of whoever keeps them longest left for the day on which their month is dropped whole.

    To drop it costs the same however many there are; to delete them one by one costs what storing them did.
    """
    first = min((cuts.hints for cuts in every.values()), default=None)
    if first is None:
        return every
    begins = first.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return {one: replace(cuts, hints=begins) if cuts.hints == first else cuts for one, cuts in every.items()}
