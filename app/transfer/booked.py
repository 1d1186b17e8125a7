"""What the log keeps of a document once it is booked, as columns of its transfer."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func

from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument
from app.transfer.drift import Sight
from app.transfer.kids import kid_of
from app.transfer.log import show_reasons
from app.transfer.plan.changes import show_booked
from app.transfer.plan.document import hash_document
from app.transfer.plan.situation import Past
from app.transfer.plan.vat_sums import VatSums, show_vat_sums


def show_content(document: Document, vat: VatSums | None = None, rate: Decimal | None = None) -> dict[str, Any]:
    """What is booked now: later changes in RecMan are told by it, and in Unimicro by `vat`, its sums by VAT code.

    `rate`: what one unit of its currency was taken for.
    """
    kept: dict[str, Any] = {} if vat is None else {"vat": show_vat_sums(vat)}
    kept |= {} if rate is None else {"rate": f"{rate:f}"}
    return {"content_hash": hash_document(document), "booked_as": {**show_booked(document), **kept}}


def show_place(remote: RemoteDocument, *, voucher_number: str = "") -> dict[str, Any]:
    """Under which number, KID and voucher it is in the books, by which either leads to the other."""
    place = {"remote_number": remote.number, "remote_kid": remote.kid or None, "voucher_id": remote.voucher_id}
    return {**place, "voucher_number": voucher_number or None}


def show_issued(
    document: RemoteDocument, *, due_date: date | None, sent: bool | None, voucher_id: int | None
) -> dict[str, Any]:
    """What issuing made of a document that was left for people, as its transfer keeps it."""
    day = document.invoice_date
    return {
        "kid": document.kid,
        "invoice_date": None if day is None else day.isoformat(),
        "due_date": None if due_date is None else due_date.isoformat(),
        "sent": sent,
        "voucher_id": voucher_id,
    }


def show_payer(document: Document | Gaps) -> dict[str, Any]:
    """By which KID it is paid, and whose it is."""
    return {"kid": kid_of(document) or None, "recman_company_id": document.recman_company_id}


def show_missing(past: Past, document: Document | Gaps) -> dict[str, Any]:
    """What a release before did not keep, learned from a document that is surely as it was booked."""
    if past.booked_as is not None or not isinstance(document, Document):
        return {}
    if past.content_hash != hash_document(document):
        return {}
    return {"booked_as": show_booked(document), **show_payer(document)}


def show_look(sight: Sight | None) -> dict[str, Any]:
    """When the document was looked for in the accounting system."""
    return {} if sight is None else {"drift_looked_at": func.now()}


def show_notes(told: tuple[Reason, ...], notes: tuple[Reason, ...]) -> dict[str, Any]:
    """The warnings with what changed in RecMan since, in place of what was said of that before."""
    wanted = (*(one for one in told if one.code != Code.CHANGED_AFTER_TRANSFER), *notes)
    return {} if wanted == told else {"warnings": show_reasons(wanted)}
