"""What a situation says of the sale: its buyer, and by which rules and reference data it is booked. Pure."""

from app.domain.buyers import Buyer, find_country
from app.domain.documents import Document
from app.domain.parties import Customer
from app.domain.rules import Rules
from app.transfer.plan.situation import CustomerView, DocumentSituation
from app.transfer.plan.vat import Sale


def to_sale(document: Document, situation: DocumentSituation) -> Sale:
    """What decides about all lines of the document alike."""
    return Sale(
        document=document,
        buyer=Buyer(_find_country(situation.customer)),
        reference=situation.reference,
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
