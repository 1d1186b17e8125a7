"""Every code that a user can see, once: its row, the fix as its reader is told it, what a change mends. Pure."""

import re
from collections.abc import Mapping

from app.domain.reasons.after_booking import ROWS as AFTER_BOOKING
from app.domain.reasons.amounts import ROWS as AMOUNTS
from app.domain.reasons.api_refusals import REFUSALS
from app.domain.reasons.codes import Code
from app.domain.reasons.credits import ROWS as CREDITS
from app.domain.reasons.documents import ROWS as DOCUMENTS
from app.domain.reasons.file_contents import ROWS as FILE_CONTENTS
from app.domain.reasons.files import ROWS as FILES
from app.domain.reasons.kids import ROWS as KIDS
from app.domain.reasons.old_documents import ROWS as OLD_DOCUMENTS
from app.domain.reasons.parties import ROWS as PARTIES
from app.domain.reasons.rows import Change, Refusal, Row
from app.domain.reasons.running import ROWS as RUNNING
from app.domain.reasons.sending import ROWS as SENDING
from app.domain.reasons.series import ROWS as SERIES
from app.domain.reasons.set_up import ROWS as SET_UP
from app.domain.reasons.systems import ROWS as SYSTEMS
from app.domain.reasons.vat import ROWS as VAT
from app.domain.reasons.vouchers import ROWS as VOUCHERS

CATALOGUE: Mapping[Code, Row] = {
    row.code: row
    for rows in (
        DOCUMENTS,
        AMOUNTS,
        OLD_DOCUMENTS,
        CREDITS,
        PARTIES,
        VAT,
        SYSTEMS,
        SET_UP,
        AFTER_BOOKING,
        KIDS,
        VOUCHERS,
        SERIES,
        SENDING,
        RUNNING,
        FILES,
        FILE_CONTENTS,
    )
    for row in rows
}
REFUSED: Mapping[Code, Refusal] = {row.code: row for row in REFUSALS}

_PLACE = re.compile(r"\{(\w+)\}")


def fix_for(code: Code, case: str = "", **values: object) -> str:
    """What the reader of a reason can do; `case` names one of its row's other fixes.

    A place that nothing is known for stays as it is: as a part of an address it is the reader's to fill in.
    """
    row = CATALOGUE[code]
    text = row.cases[case] if case else row.fix
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), text.en)


def mended_by(change: Change) -> frozenset[Code]:
    """The codes that a change may mend: what is held for one of them is looked at again."""
    return frozenset(row.code for row in CATALOGUE.values() if change in row.wakes)
