"""RecMan's file on what is booked, where the rules want it."""

from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument
from app.errors import RemoteError
from app.transfer.books import Books


async def attach(
    books: Books, document: Document, remote: RemoteDocument | None = None, *, entry_id: int | None = None
) -> tuple[Reason, ...]:
    """Put RecMan's file on the document, or on its voucher (`entry_id`); what fails is a warning, for it is booked."""
    attachment = document.attachment
    if not books.rules.attach_files or attachment is None or books.booking is Booking.ORDER:
        return ()
    if books.key.files_base is None:
        cause = f"Unimicro names no files service, so {attachment.name} was not attached"
        return (Reason(code=Code.FILE_NOT_ATTACHED, cause=cause, fix=fix_for(Code.FILE_NOT_ATTACHED)),)
    try:
        if remote is not None:
            await books.target.attach_file(remote.remote_id, attachment, files_base=books.key.files_base)
        if entry_id is not None:
            await books.target.attach_to_voucher(entry_id, attachment, files_base=books.key.files_base)
    except RemoteError as error:
        cause = f"{attachment.name} was not attached: {error.cause}"
        return (Reason(code=Code.FILE_NOT_ATTACHED, cause=cause, fix=fix_for(Code.FILE_NOT_ATTACHED)),)
    return ()
