"""What the doors of exports take and show."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.api.views import Order, RowId, View
from app.domain.documents import DocumentKind
from app.domain.reasons.codes import Code
from app.domain.states import FileState, InvoiceState
from app.errors import RequestError
from app.files.examine import Finding

_MOST_IDS = 10_000
_MOST_NAMED = 10
Ids = Annotated[list[RowId], Field(min_length=1, max_length=_MOST_IDS, examples=[[17, 18]])]
Why = Annotated[str, Field(min_length=3, max_length=500)]


class ExportRequest(Order):
    """Which documents of a key go into its next file; what is left out does not limit."""

    key_id: UUID
    ids: Ids | None = Field(None, description="Of GET /v1/invoices; each must be ready")
    dated_from: date | None = Field(None, examples=["2026-11-01"])
    dated_to: date | None = Field(None, examples=["2026-11-30"])
    department: str | None = Field(None, max_length=100, description="RecMan's department id")
    customer: str | None = Field(None, max_length=200, description="A part of the name")
    everything: bool = Field(False, description="Really all that is ready and in no file yet: nothing else is named")
    layout: str | None = Field(None, max_length=100, description="null: the key's usual one", examples=["bilag"])
    dry_run: bool = Field(False, description="Only tell what the file would hold, and everything that is wrong")


class SumsView(View):
    """Sums in one currency; a credit note counts with a minus."""

    documents: int
    net_amount: Decimal
    vat_amount: Decimal
    gross_amount: Decimal


class PlannedFileView(View):
    """One file of an export."""

    layout: str = Field(examples=["bilag"])
    year: int | None = Field(description="The financial year of its documents; null: of any", examples=[2026])
    imported_first: bool = Field(description="To be imported before the documents: customers, products")
    assumed: list[str] = Field(description="What of the layout nobody has told us")


class FoundView(View):
    """One thing about a document, or about the whole file where it names none."""

    transfer_id: int | None
    number: str
    field: str
    code: str = Field(examples=["file_letters"])
    cause: str
    fix: str

    @classmethod
    def of(cls, one: Finding) -> "FoundView":
        """The finding as it is shown."""
        reason = one.reason
        return cls(
            transfer_id=int(one.transfer_id) if one.transfer_id else None,
            number=one.number,
            field=one.field,
            code=reason.code,
            cause=reason.cause,
            fix=reason.fix,
        )


class ExportView(View):
    """Documents of a key that went out together."""

    id: UUID
    tenant_id: UUID
    key_id: UUID
    number: int = Field(description="The running number of the key's files", examples=[12])
    layout: str
    documents: int
    states: dict[str, int] = Field(description="How many are in_file, taken, not_taken, freed")
    wanted: dict[str, Any] = Field(description="What was asked for")
    drops: bool = Field(description="Its files go into the folder, too")
    made_by: str
    made_at: datetime
    settled_at: datetime | None = Field(description="When somebody had said of every document what became of it")


class ExportFileView(View):
    """One file of an export."""

    name: str = Field(examples=["nordlys-000012-bilag-2026.xlsx"])
    layout: str
    sha256: str
    size: int = Field(description="In bytes")
    dropped_at: datetime | None


class ExportDetail(ExportView):
    """An export with its files, in the order in which they are imported."""

    files: list[ExportFileView]


class MadeExport(View):
    """An export that was made, or would be."""

    dry_run: bool
    export: ExportDetail | None = Field(description="null: a dry run")
    documents: int
    left: int = Field(description="So many more are ready")
    sums: dict[str, SumsView] = Field(description="By currency; of a file that can be made")
    files: list[PlannedFileView]
    faults: list[FoundView] = Field(description="What keeps the file from being made")
    notes: list[FoundView] = Field(description="What stands in it otherwise than in RecMan")


class ExportDocumentView(View):
    """A document of an export, as it stands in the file."""

    transfer_id: int
    position: int
    number: str
    kind: DocumentKind
    customer_number: str
    currency: str
    gross_amount: Decimal = Field(description="Positive also on a credit note")
    state: FileState = Field(description="in_file: nobody has said; freed: it may go, or went, into another file")
    said: str | None = Field(description="Why it was refused, or let go")
    said_by: str | None
    said_at: datetime | None
    invoice_state: InvoiceState


class RefusedItem(Order):
    """A document that the import did not take."""

    id: RowId = Field(examples=[17])
    because: Why = Field(examples=["Customer 100003 is locked"])


class ConfirmOrder(Order):
    """What became of an export's documents."""

    taken: Literal["all"] | Ids | None = Field(
        None, description="all: every one of which nobody has said anything, and that is not refused here"
    )
    refused: list[RefusedItem] = Field(default_factory=list, max_length=_MOST_IDS, description="Each id once")

    @model_validator(mode="after")
    def _verify_one_word_each(self) -> Self:
        """Of two words about one document nobody knows which holds."""
        said = [one.id for one in self.refused] + (self.taken if isinstance(self.taken, list) else [])
        twice = sorted(one for one, count in Counter(said).items() if count > 1)
        if twice:
            named = ", ".join(map(str, twice[:_MOST_NAMED]))
            cause = f"more than one word was said of document {named}"
            raise RequestError(cause, fix="Name each document once.", code=Code.NOTHING_NAMED)
        return self


class Confirmed(View):
    """What was said."""

    taken: int
    refused: int
    export: ExportDetail


class AgainOrder(Order):
    """Which documents may go into another file, and why."""

    ids: Literal["all"] | Ids = Field(description="all: every one that nobody said was imported")
    reason: Why = Field(examples=["The file was lost before it was imported"])


class Freed(View):
    """What may go into another file."""

    freed: int
    export: ExportDetail
