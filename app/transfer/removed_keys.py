"""Why documents of a removed key are held, and what a person can do about each."""

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.tables import Key, Transfer
from app.transfer.log import is_begun


def explain_orphan(key: Key, transfer: Transfer | None) -> Reason:
    """Why a document of a removed key is held, and what a person can do."""
    if transfer is not None and is_begun(transfer):
        # A credit draft may not carry our reference yet: only its id, or the invoice that it credits, tells it then.
        where = f"{key.company_name} (id {transfer.remote_id})" if transfer.remote_id else key.company_name
        if transfer.credits_remote_id:
            where += f", as a credit note of the invoice with id {transfer.credits_remote_id}"
        return Reason(
            code=Code.KEY_REMOVED,
            cause=f"Key “{key.name}” was removed after this document had been begun with it: something of it may be in "
            f"{where}",
            fix=fix_for(Code.KEY_REMOVED, "begun", company=key.company_name, transfer_id=transfer.id),
        )
    return Reason(
        code=Code.KEY_REMOVED,
        cause=f"Key “{key.name}” ({key.company_name}) was removed before this document was sent",
        fix=fix_for(Code.KEY_REMOVED, former_id=key.id),
    )


def explain_credit(key: Key, credited: Transfer) -> Reason:
    """Why a credit note whose invoice is with a removed key is held, and what a person can do."""
    cause = f"Invoice {credited.number or credited.record_id}, which it credits, is with key “{key.name}” "
    cause += f"({key.company_name}), which was removed"
    if credited.booked_at is None:
        fix = fix_for(Code.KEY_REMOVED, "open_invoice", former_id=key.id)
        return Reason(code=Code.KEY_REMOVED, cause=cause, fix=fix)
    place = {"company": key.company_name, "remote_number": credited.remote_number, "invoice_id": credited.id}
    fix = fix_for(Code.KEY_REMOVED, "booked_invoice", **place)
    return Reason(code=Code.KEY_REMOVED, cause=cause, fix=fix)
