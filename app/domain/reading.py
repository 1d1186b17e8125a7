"""How one tenant's RecMan is read: how many calls a day, for what, and how often everything. Pure, and immutable."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.domain.exact import Exact

Percent = Annotated[int, Field(ge=0, le=100)]
SweptScope = Literal["company", "project", "invoice"]
# In this order: what an invoice needs is known before it.
SWEPT_SCOPES: tuple[SweptScope, ...] = ("company", "project", "invoice")


class Purpose(StrEnum):
    """What a call to RecMan is for, the most important first."""

    INVOICES = "invoices"
    CUSTOMERS = "customers"
    PROJECTS = "projects"
    SWEEPS = "sweeps"


class Shares(Exact):
    """How far into the day's calls each purpose may reach, in percent; what is above is kept for the ones before it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    customers: Percent = 90
    projects: Percent = 80
    sweeps: Percent = 50
    unshown: Percent = Field(
        10,
        description="For ids that RecMan does not show and never showed; then one reading an hour, and sweeps",
    )


class Reading(Exact):
    """What an administrator chose for one tenant; what is left out is as the service's settings have it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    daily_calls: int | None = Field(None, ge=1, le=1_000_000, description="Calls to RecMan a day", examples=[200])
    shares: Shares = Field(Shares(), description="How far into the day's calls each purpose may reach, in percent")
    sweep_hours: float | None = Field(
        None, ge=0, le=24 * 31, description="Everything is read again this often; 0: never by itself", examples=[24]
    )
    first_day: date | None = Field(
        None,
        description="Sweeps pass on no document with an older date, to save calls. Left out, or later than this: the "
        "earliest go_live of the tenant's keys, else the day the tenant was made. What is booked is go_live's alone",
        examples=["2026-12-01"],
    )
    most_changes: int = Field(
        500,
        ge=0,
        le=10_000_000,
        description="More changes than this in one scope and sweep wait for a person's approval",
    )

    def most_calls(self, purpose: Purpose, *, daily_calls: int) -> int:
        """The number of the day's calls at which this purpose stops."""
        share = 100 if purpose is Purpose.INVOICES else getattr(self.shares, purpose.value)
        return daily_calls * share // 100

    def most_unshown(self, *, daily_calls: int) -> int:
        """How many of the day's calls may go to ids that RecMan never showed; one at least."""
        return max(1, daily_calls * self.shares.unshown // 100)

    def list_limits(self, *, daily_calls: int) -> dict[str, int]:
        """The number of the day's calls at which each purpose stops."""
        return {purpose.value: self.most_calls(purpose, daily_calls=daily_calls) for purpose in Purpose}
