"""Which files an export makes: of its layout one, or one for each financial year, and those that are imported first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.booking import Booking
from app.domain.reasons.codes import Code
from app.errors import RequestError
from app.files.checks import Bounds
from app.files.choose import Chosen
from app.files.key_choices import choose_for
from app.files.layouts import Layout, load_layouts
from app.files.sources import RowKind
from app.tables import Key

_USUAL = {Booking.VOUCHER: "bilag", Booking.ORDER: "ordre"}
# What must be there before the documents are imported, by the rows that it has. Source: docs/facts/files.md §3.
_FIRST = {RowKind.CUSTOMERS: "kunde", RowKind.PRODUCTS: "produkt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One file: its layout, and of which documents; `year` None: of all. `is_first`: imported before the documents."""

    layout: Layout
    year: int | None = None
    is_first: bool = False
    bounds: Bounds = field(default_factory=Bounds)

    def takes(self, one: Chosen) -> bool:
        """Whether the document stands in this file."""
        return self.year in (None, self.bounds.year_of(one.invoice_date))

    def to_name(self, key: Key, number: int) -> str:
        """What the file is called: nothing that any system takes amiss."""
        year = "" if self.year is None else f"-{self.year}"
        return f"{to_plain(key.name)}-{number:06d}-{self.layout.name}{year}.{self.layout.extension}"


def to_plain(name: str) -> str:
    """A name in letters that every system takes in a file's."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return "-".join(filter(None, plain.split("-"))) or "key"


def choose_layouts(key: Key, name: str | None, folder: Path | None) -> tuple[Layout, ...]:
    """The layout of a key's documents, and after it those of what is imported first, each as the key has them.

    Raises:
        NotFoundError: there is no such layout.
        RequestError: it is not for documents that are booked so.
    """
    layouts = load_layouts(folder)
    booking = Booking(key.booking)
    wanted = name or str(key.settings.get("export_layout") or _USUAL.get(booking, ""))
    if wanted not in layouts:
        fix = f"Name one of these: {', '.join(sorted(layouts))}."
        raise RequestError(f"There is no layout {wanted!r}", fix=fix, code=Code.LAYOUT_UNFIT)
    main = layouts[wanted]
    _require_fit(main, booking)
    firsts = [RowKind.CUSTOMERS, *([RowKind.PRODUCTS] if booking is Booking.ORDER else [])]
    chosen = (main, *(layouts[_FIRST[rows]] for rows in firsts if not main.has_rows_of(rows)))
    return tuple(choose_for(key, one) for one in chosen)


def _require_fit(layout: Layout, booking: Booking) -> None:
    has_documents = any(map(layout.has_rows_of, (RowKind.ENTRIES, RowKind.DOCUMENTS, RowKind.LINES)))
    is_of_vouchers = layout.has_rows_of(RowKind.ENTRIES) or layout.has_rows_of(RowKind.DOCUMENTS)
    is_fit = not is_of_vouchers if booking is Booking.ORDER else layout.name != _USUAL[Booking.ORDER]
    if layout.for_people or not has_documents or not is_fit:
        raise RequestError(
            f"The layout {layout.name} is not for documents that are booked by {booking}",
            fix=f"Name another one, or none: then it is {_USUAL.get(booking, 'the usual one')}.",
            code=Code.LAYOUT_UNFIT,
        )


def to_shapes(layouts: Sequence[Layout], chosen: Sequence[Chosen], bounds: Bounds) -> tuple[Shape, ...]:
    """The files of an export, in the order in which they are imported."""
    main, *firsts = layouts
    years = sorted({bounds.year_of(one.invoice_date) for one in chosen}) if main.one_year else [None]
    return (
        *(Shape(layout=one, is_first=True) for one in firsts),
        *(Shape(layout=main, year=year, bounds=bounds) for year in years),
    )
