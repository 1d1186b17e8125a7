"""Everything that keeps documents from becoming a file, at once and before there is one."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app.domain.file_documents import FileDocument
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.files.cells import to_columns
from app.files.checks import Bounds, is_in_base_only, list_faults
from app.files.import_central import MOST_ROWS
from app.files.layouts import Field, Format, Layout
from app.files.rows import Once, list_records, list_rows
from app.files.sources import Row, RowKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about one document, or about the whole file where it names none."""

    reason: Reason
    transfer_id: str = ""
    number: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found: `faults` keep the file from being made, `notes` say what stands in it otherwise.

    Shape: in the order of the documents; of what stands in a file once, at the end. `assumed`: the layout's fields that
    nobody has told us.
    """

    faults: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    assumed: tuple[str, ...]

    @property
    def is_fit(self) -> bool:
        """Whether the file can be made."""
        return not self.faults


def examine(
    layout: Layout,
    documents: Iterable[FileDocument],
    *,
    accepted: Collection[str] = (),
    bounds: Bounds | None = None,
) -> Examination:
    """What is wrong with a file of these documents; `accepted` names the layouts that an administrator has accepted."""
    examiner = Examiner(layout, accepted=accepted, bounds=bounds)
    for document in documents:
        examiner.add(document)
    return examiner.finish()


def split_years(documents: Iterable[FileDocument], bounds: Bounds | None = None) -> dict[int, list[FileDocument]]:
    """The documents by their financial year, the first year first: what a layout of one year makes a file of each."""
    years: dict[int, list[FileDocument]] = {}
    for document in documents:
        years.setdefault((bounds or Bounds()).year_of(document.invoice_date), []).append(document)
    return dict(sorted(years.items()))


class Examiner:
    """The same as `examine` for whoever reads documents page by page."""

    def __init__(self, layout: Layout, *, accepted: Collection[str] = (), bounds: Bounds | None = None) -> None:
        self._layout, self._bounds = layout, bounds or Bounds()
        self._parts = [(one.rows, to_columns(layout, one)) for one in list_records(layout, once=False)]
        self._heads = [(one.rows, to_columns(layout, one)) for one in list_records(layout, once=True)]
        self._once, self._years, self._rows = Once(), set[int](), 0
        self._seen: dict[str, str] = {}
        self._faults: list[Finding] = []
        self._notes: list[Finding] = []
        self._document: FileDocument | None = None
        self._about, self._told = "", set[tuple[Code, str]]()
        if layout.is_assumed and layout.name not in accepted:
            count = len(layout.assumed_fields)
            self._add_fault(Code.LAYOUT_NOT_ACCEPTED, f"{count} fields of the layout {layout.name} are assumed")

    @property
    def has_faults(self) -> bool:
        """Whether something was found already that keeps the file from being made."""
        return bool(self._faults)

    def add(self, document: FileDocument) -> None:
        """Look at one more document."""
        self._look_at(document)
        self._compare(document)
        self._once.add(document)
        self._years.add(self._bounds.year_of(document.invoice_date))
        for code, words, case in list_faults(self._layout, document, self._bounds):
            self._add_fault(code, words, case)
        for rows, columns in self._parts:
            for row in list_rows(document, rows):
                self._rows += 1
                for fill in columns:
                    fill(row, self)

    def finish(self) -> Examination:
        """What was found in all of them."""
        for rows, columns in self._heads:
            for row in self._once.list_rows(rows):
                self._look_at(row.named_by, f"{_name(row)}: ")
                for fill in columns:
                    fill(row, self)
        self._look_at(None)
        if self._layout.one_year and len(self._years) > 1:
            self._add_fault(Code.FILE_YEARS, f"Documents are of {', '.join(map(str, sorted(self._years)))}")
        if self._layout.format is Format.WORKBOOK and self._rows > MOST_ROWS:
            self._add_fault(Code.FILE_ROWS, f"{self._rows} rows, and a workbook has at most {MOST_ROWS}")
        return Examination(faults=tuple(self._faults), notes=tuple(self._notes), assumed=self._layout.assumed_fields)

    def fault(self, code: Code, field: Field, words: str, case: str = "") -> None:
        """A field cannot be filled."""
        self._add_fault(code, f"{field.name} {words}", case, field.name)

    def note(self, code: Code, field: Field, words: str, case: str = "") -> None:
        """A field is filled otherwise."""
        self._add(self._notes, code, f"{field.name} {words}", case, field.name)

    def _look_at(self, document: FileDocument | None, about: str = "") -> None:
        self._document, self._about = document, about
        self._told.clear()

    def _compare(self, document: FileDocument) -> None:
        """What of the document does not go with those before it."""
        # A credit note of an invoice's number would be matched with it, or taken for it.
        known = self._seen.setdefault(document.number, document.transfer_id)
        if document.number and known != document.transfer_id and not self._layout.for_people:
            self._add_fault(Code.FILE_NUMBER_TWICE, f"Another document of the file has number {document.number}, too")
        before = self._once.find_customer(document.customer.number)
        if self._layout.has_rows_of(RowKind.CUSTOMERS) and before not in {None, document.customer}:
            words = f"Customer {document.customer.number} was otherwise in a document before"
            self._add(self._notes, Code.FILE_CUSTOMER_DIFFERS, words)
        if is_in_base_only(self._layout, document):
            words = f"It is in {document.currency}, and its amounts in {document.base_currency}"
            self._add(self._notes, Code.FILE_CURRENCY_UNTOLD, words, "base")

    def _add_fault(self, code: Code, words: str, case: str = "", field: str = "") -> None:
        self._add(self._faults, code, words, case, field)

    def _add(self, found: list[Finding], code: Code, words: str, case: str = "", field: str = "") -> None:
        # What stands on every row of a document is wrong once.
        if (code, words) in self._told:
            return
        self._told.add((code, words))
        one = self._document
        found.append(
            Finding(
                reason=Reason(code=code, cause=f"{self._about}{words}", fix=fix_for(code, case)),
                transfer_id=one.transfer_id if one else "",
                number=one.number if one else "",
                field=field,
            )
        )


def _name(row: Row) -> str:
    return f"Customer {row.customer.number}" if row.line is None else f"Product {row.line.product_number}"
