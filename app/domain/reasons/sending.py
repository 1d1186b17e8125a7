"""Who sends the invoice, and whether what stands in the books is what the customer has: said, proven, stopped."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.RENUMBERED_UNACCEPTED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Nobody has accepted that the books give documents another number than the customer has."),
        fix=Text(
            "Say in writing that you accept it (PATCH /v1/keys/{key_id} with `sender` recman, `booking` renumbered and "
            "`acceptance`: name, reason, day), or choose another `sender` and `booking` there."
        ),
        cases={
            "order": Text(
                "Send an accountant's acceptance along (`acceptance`: name, reason, day), or choose `series`, "
                "`voucher` or `own_number`, with which number and KID in the books are the document's."
            ),
        },
        wakes=frozenset({Change.KEY_CHANGED}),
    ),
    Row(
        code=Code.KEY_PROVING,
        mender=Mender.NOBODY,
        sentence=Text("The key is being proven: its documents go one at a time, and each is compared."),
        fix=Text("Nothing to do: it goes on by itself when the other one has come to its end."),
    ),
    Row(
        code=Code.KEY_STOPPED,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("What stands in Unimicro is not what the customer has, so nothing more goes with this key."),
        fix=Text(
            "Find out why, with the accountant: it is most likely true of every further document. Choose another "
            "`booking` where it is (PATCH /v1/keys/{key_id}), then let the key go on "
            "(POST /v1/keys/{key_id}/open with name and reason)."
        ),
        wakes=frozenset({Change.KEY_OPENED}),
    ),
    Row(
        code=Code.ISSUED_OTHERWISE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The document stands in Unimicro otherwise than the customer has it."),
        fix=Text(
            "Find out in Unimicro why, and set it right there by hand, or credit it in RecMan. Once it stands as the "
            "customer has it, retry (POST /v1/transfers/{transfer_id}/retry) ends the alarm; so does whoever lets a "
            "key go on that was stopped for it."
        ),
        wakes=frozenset({Change.KEY_OPENED}),
    ),
)
