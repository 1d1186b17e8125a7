"""How a company in the accounting system is set up, as far as it says so. Pure."""

from dataclasses import dataclass
from enum import IntEnum


class RoundingType(IntEnum):
    """How amounts are rounded there. Source: docs/facts/unimicro.md §3.7 [O]."""

    UP = 0
    DOWN = 1
    INTEGER = 2
    HALF = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySettings:
    """What the company's settings say about invoices; None: they do not say, which is never the same as no.

    `rounding_decimals` is of lines, `shown_decimals` of what is shown; `ten_decimals`: prices are reckoned with ten
    instead of four. `books_on_delivery_date`: the delivery date, not the invoice's own, is the day of booking.
    `presets_number`: an invoice gets its number before it is issued; `overrides_order`: lines are sorted anew.
    """

    rounding_type: RoundingType | None = None
    rounding_decimals: int | None = None
    shown_decimals: int | None = None
    ten_decimals: bool | None = None
    books_on_delivery_date: bool | None = None
    shows_kid: bool | None = None
    uses_factoring: bool | None = None
    sends_by_itself: bool | None = None
    merges_attachments: bool | None = None
    overrides_order: bool | None = None
    presets_number: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KidSetUp:
    """How invoices get a KID there: `control` is the modulus of its check digit, `length` counts every digit."""

    name: str
    control: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A number series in use; both ends are inclusive. `follows_id`: it takes its numbers from this other one."""

    name: str
    first: int | None = None
    last: int | None = None
    following: int | None = None
    is_default: bool | None = None
    series_id: int | None = None
    follows_id: int | None = None

    def gives(self, number: int) -> bool | None:
        """Whether the number is one of the series; None: it does not say where it begins and ends."""
        return None if self.first is None or self.last is None else self.first <= number <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What else decides about invoices there; None: it could not be read.

    `reminders`: how many go out before debt collection.
    """

    kids: tuple[KidSetUp, ...] | None = None
    invoice_series: tuple[Series, ...] | None = None
    order_series: tuple[Series, ...] | None = None
    reminders: int | None = None
