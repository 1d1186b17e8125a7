"""Why documents of a removed key are held, and what a person can do about each."""

from app.errors import Reason
from app.tables import Key, Transfer
from app.transfer.log import is_begun

CODE = "key_removed"


def explain_orphan(key: Key, transfer: Transfer | None) -> Reason:
    """Why a document of a removed key is held, and what a person can do."""
    if transfer is not None and is_begun(transfer):
        return Reason(
            code=CODE,
            cause=f"Key “{key.name}” was removed after this document had been begun with it: something of it may be in "
            f"{key.company_name}",
            fix=f"Look for it in Unimicro ({key.company_name}). Is it booked there, ignore it here; is it not, delete "
            f"its draft there, ignore it here (POST /v1/transfers/{transfer.id}/ignore) and retry it.",
        )
    return Reason(
        code=CODE,
        cause=f"Key “{key.name}” ({key.company_name}) was removed before this document was sent",
        fix="Say which key shall have it: POST /v1/keys/{key_id}/take-over with from_key_id "
        f"{key.id} (everything that waits, or `ids`), or PUT /v1/departments/{{id}}/key for its department; or ignore "
        "it.",
    )


def explain_credit(key: Key, credited: Transfer) -> Reason:
    """Why a credit note whose invoice is with a removed key is held, and what a person can do."""
    cause = f"Invoice {credited.number or credited.record_id}, which it credits, is with key “{key.name}” "
    cause += f"({key.company_name}), which was removed"
    link = f"POST /v1/invoices/{credited.id}/done-elsewhere"
    if credited.booked_at is None:
        fix = f"Hand the invoice to another key first: POST /v1/keys/{{key_id}}/take-over with from_key_id {key.id}."
        return Reason(code=CODE, cause=cause, fix=fix)
    fix = (
        f"Credit the invoice in Unimicro by hand ({key.company_name}, number {credited.remote_number}) and ignore "
        f"this credit note; or link the invoice with the key that serves its department now ({link}): then this credit "
        "note follows it."
    )
    return Reason(code=CODE, cause=cause, fix=fix)
