"""What was made of a document and may not stand is taken away again: no hold leaves a draft for a person to issue."""

from app.db import Session
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import Reason, RemoteMissingError, RemoteRejectedError
from app.tables import Transfer
from app.transfer.attempts import attempt, missing_is_unclear
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.log import find_transfer, record_values, show_totals
from app.transfer.look import external_reference


async def take_back_draft(run: Run) -> tuple[Reason, ...]:
    """Delete the draft that this document has in Unimicro, if it has one; a reason more where that is refused.

    Asked before a hold is recorded, so that a kill in between makes the next run meet draft and refusal again.

    Raises:
        RemoteError: it is not certain what became of the draft; the hold must wait.
    """
    books = run.books
    if books is None or run.lease.scope != "invoice":
        return ()
    async with run.sessions() as session:
        transfer = await find_transfer(session, run.place(books.key.id, "invoice", run.lease.record_id))
    if transfer is None or transfer.key_id != books.key.id or transfer.booked_at or transfer.unimicro_id is None:
        return ()
    draft = await _find_own_draft(books, transfer)
    return () if draft is None else await _delete(run, books, transfer, draft)


async def _find_own_draft(books: Books, transfer: Transfer) -> RemoteDocument | None:
    """The draft under the stored id, as long as it is one and ours; a credit draft may be unmarked yet."""
    if transfer.unimicro_id is None:
        return None
    try:
        remote = await books.target.fetch_document(transfer.unimicro_id)
    except RemoteMissingError:
        # Whether it is gone, the next look must tell; nothing is there to be taken away.
        return None
    references = {external_reference(transfer.record_id)}
    if transfer.kind == "credit_note" and remote.credited_id == transfer.credits_unimicro_id:
        references.add("")
    is_ours = remote.external_reference in references
    return remote if is_ours and remote.state is DocumentState.DRAFT else None


async def _delete(run: Run, books: Books, transfer: Transfer, draft: RemoteDocument) -> tuple[Reason, ...]:
    async def settle(session: Session, _answer: None) -> None:
        # A deleted draft has taken its guid with it.
        totals = show_totals("unimicro_", draft.totals)
        version = transfer.guid_version + 1
        await record_values(session, transfer.id, unimicro_id=None, guid_version=version, **totals)

    async def call() -> None:
        async with missing_is_unclear():
            await books.target.delete_draft(draft.remote_id)

    try:
        await attempt(run, books, transfer.id, step="delete", call=call, settle=settle)
    except RemoteRejectedError as error:
        cause = f"Its draft (id {draft.remote_id}) is still in Unimicro, which does not let us delete it: {error.cause}"
        fix = "Delete the draft in Unimicro by hand, so that nobody issues it."
        return (Reason(code="draft_left", cause=cause, fix=fix),)
    return ()
