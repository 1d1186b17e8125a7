"""The sale: a document with its buyer, and by which rules and reference data it is booked. Pure."""

from dataclasses import dataclass

from app.domain.buyers import Buyer, find_country
from app.domain.documents import Document
from app.domain.parties import Customer
from app.domain.reference import Reference
from app.domain.rules import Rules
from app.transfer.plan.situation import CustomerView, DocumentSituation


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What decides about all lines of a document alike."""

    document: Document
    buyer: Buyer
    reference: Reference
    rules: Rules

    @property
    def is_registered(self) -> bool:
        """Whether the company is registered for VAT on the document's day."""
        return self.reference.is_registered(self.document.invoice_date)


def to_sale(document: Document, situation: DocumentSituation, *, reference: Reference | None = None) -> Sale:
    """What decides about all lines of the document alike; `reference` where it was read since the look."""
    return Sale(
        document=document,
        buyer=Buyer(_find_country(situation.customer)),
        reference=reference or situation.reference,
        rules=situation.rules,
    )


def _find_country(view: CustomerView | None) -> str:
    """RecMan's word for the customer's country, as it is now or was when it was linked; else Unimicro's."""
    if view is None:
        return ""
    if isinstance(view.record, Customer):
        told = find_country(view.record.invoice_address, view.record.org_number)
    else:
        told = view.past.country if view.past is not None else ""
    return told or view.remote_country


def hangs_on_country(document: Document, rules: Rules) -> bool:
    """Whether the buyer's country decides anything: a rule names one, or a line has no VAT."""
    is_named = any(rule.country is not None for rule in rules.accounting)
    return is_named or any(not line.is_text and not line.vat_rate for line in document.lines)
