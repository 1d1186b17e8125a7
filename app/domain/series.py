"""The number series that a company issues RecMan's documents in, one RecMan series each. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# What a series of Unimicro's can give: it counts whole numbers and has no prefix of its own.
# Source: docs/facts/unimicro.md §3.7 (NumberSeries: FromNumber, ToNumber, NextNumber are integers, nothing else [O]).
_NUMERAL = re.compile(r"[1-9][0-9]{0,17}")

# What a lane waits for that waits for its number's turn: `engine.lanes` keeps “series:<record id>”.
SCOPE = "series"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSeries:
    """A series of the company's, and which of RecMan's documents it numbers.

    `next_number` is RecMan's number that is issued next; `prefix` its first digits; `departments` are RecMan's ids;
    `kind` is that of documents; what is empty does not matter. `skipping_to`: it is being set to this number.
    """

    series_id: int
    name: str
    next_number: int
    prefix: str = ""
    departments: tuple[str, ...] = ()
    kind: str | None = None
    skipping_to: int | None = None

    def serves(self, number: str, *, department_id: str | None, kind: str) -> bool:
        """Whether a document with this number is one that it numbers."""
        return (
            number.startswith(self.prefix)
            and (not self.departments or department_id in self.departments)
            and self.kind in (None, kind)
        )

    @property
    def told(self) -> int:
        """How much is said of the documents that it serves: what is said most closely counts."""
        return len(self.prefix) + 100 * bool(self.departments) + 100 * (self.kind is not None)

    @property
    def serves_what(self) -> str:
        """The documents that it numbers, in words."""
        parts = [
            "credit notes" if self.kind == "credit_note" else "invoices" if self.kind else "invoices and credit notes",
            f"of department {', '.join(self.departments)}" if self.departments else "",
            f"whose number begins with {self.prefix}" if self.prefix else "",
        ]
        return " ".join(filter(None, parts))


def parse_numeral(number: str) -> int | None:
    """RecMan's number as a series counts; None where no series can ever give it."""
    return int(number) if _NUMERAL.fullmatch(number) else None


def choose_series(
    series: Iterable[InvoiceSeries], number: str, *, department_id: str | None, kind: str
) -> tuple[InvoiceSeries, ...]:
    """The series that numbers a document: none where nobody has named one, several where two are named as closely."""
    fitting = [one for one in series if one.serves(number, department_id=department_id, kind=kind)]
    most = max((one.told for one in fitting), default=0)
    return tuple(one for one in fitting if one.told == most)


def name_turn(company_key: str, series_id: int, number: int) -> str:
    """The turn of a number, as a record that lanes wait for."""
    return f"{company_key}/{series_id}/{number}"


def parse_turn(record_id: str) -> tuple[str, int, int]:
    """Company, series and number of a turn, as `name_turn` has written them."""
    company_key, series_id, number = record_id.rsplit("/", 2)
    return company_key, int(series_id), int(number)


def list_twice(series: Sequence[InvoiceSeries]) -> list[tuple[InvoiceSeries, InvoiceSeries]]:
    """Pairs that serve the same documents, as closely said: nobody could tell which of the two counts."""
    return [
        (one, other)
        for index, one in enumerate(series)
        for other in series[index + 1 :]
        if (one.prefix, one.kind) == (other.prefix, other.kind)
        and (set(one.departments) & set(other.departments) or one.departments == other.departments)
    ]
