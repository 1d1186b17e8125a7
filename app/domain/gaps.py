"""What could be read of a record that cannot be used as it is. Pure."""

from dataclasses import dataclass

from app.domain.documents import DocumentKind, Totals
from app.domain.reasons.codes import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """A record of RecMan's as far as it can be read, and why that is not enough; a clerk can recognise it by the rest.

    Shape: `gaps` has at least one entry; the other fields hold what was readable. `recman_company_id` is the company
    that the record is, or belongs to; from `kind` on they are a document's alone.
    """

    recman_id: str
    gaps: tuple[Reason, ...]
    number: str = ""
    name: str = ""
    recman_company_id: str | None = None
    kind: DocumentKind = DocumentKind.INVOICE
    recman_department_id: str | None = None
    currency: str = ""
    product_numbers: tuple[str, ...] = ()
    stated_totals: Totals | None = None

    @property
    def recman_invoice_id(self) -> str:
        """The record's id, as a whole document calls it."""
        return self.recman_id
