"""Who may approve a document: where the key's review wants a second person, nobody who had a part in it."""

from app.admin.rules import load_rules
from app.admin.tokens import Caller, list_tokens_of_holder
from app.domain.actors import find_token_id
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import ForbiddenError
from app.platform.db import Session
from app.tables import Transfer


async def require_second_person(session: Session, transfer: Transfer, caller: Caller) -> None:
    """Make sure that the caller, with whichever of his tokens, may approve the document.

    A document without key has no rules yet: the plan asks again who approved it (`transfer/plan/review.py`).

    Raises:
        ForbiddenError: he made any of the rules in force, changed them last, or chose to send the old document.
    """
    if transfer.key_id is None:
        return
    in_force = await load_rules(session, transfer.key_id)
    if not in_force.rules.review.second_person:
        return
    parts = dict.fromkeys(in_force.makers, "made the key's rules")
    if transfer.decision == "send" and transfer.decided_by:
        parts[transfer.decided_by] = "chose to send this document"
    own = {str(one) for one in await list_tokens_of_holder(session, caller.token_id)}
    part = next((part for actor, part in parts.items() if find_token_id(actor) in own), None)
    if part is not None:
        fix = fix_for(Code.SECOND_PERSON_MISSING, transfer_id=transfer.id)
        raise ForbiddenError(f"{caller.name} {part}", fix=fix, code=Code.SECOND_PERSON_MISSING)
