"""A key that begins to send, or to make files: what becomes of documents that are between the two.

What is in a file stays there: it is never sent, whatever its key does.
"""

from enum import StrEnum

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.states import Mode
from app.errors import ConflictError
from app.platform.db import Session
from app.tables import Key
from app.transfer.filed import list_between, record_between
from app.transfer.retry import retry


class UnderWay(StrEnum):
    """What a person says of documents that wait, or are ready for a file: they go the new way, or are held."""

    MOVE = "move"
    HOLD = "hold"


async def record_switched(session: Session, key: Key, choice: UnderWay | None) -> int:
    """How many documents of the key, whose mode has just changed, go the new way or are held from now on.

    Raises:
        ConflictError: there are some, and nobody said what becomes of them.
    """
    between = await list_between(session, key)
    if not between:
        return 0
    if choice is None:
        raise ConflictError(
            f"{len(between)} documents of key “{key.name}” wait, or are ready for a file",
            fix="Say what becomes of them: `under_way` move (they go the new way) or hold (a person decides on each).",
            code=Code.DOCUMENTS_UNDER_WAY,
        )
    if choice is UnderWay.MOVE:
        for transfer in between:
            # The lane before the transfer, as workers take them.
            await retry(session, transfer)
    reason = _explain(key) if choice is UnderWay.HOLD else None
    await record_between(session, key, [one.id for one in between], reason=reason)
    return len(between)


def _explain(key: Key) -> Reason:
    what = "makes files from now on" if key.mode == Mode.FILE else "sends from now on"
    cause = f"Key “{key.name}” {what}; the document was under way when that was chosen"
    return Reason(code=Code.FILE_KEY_CHANGED, cause=cause, fix=fix_for(Code.FILE_KEY_CHANGED))
