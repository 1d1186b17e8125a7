"""What may be the matter with a number series in which RecMan's documents are issued in RecMan's order."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.SERIES_UNSET,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("Nobody has said in which series of Unimicro's the document gets its number."),
        fix=Text("Say so (PUT /v1/keys/{key_id}/series); it then goes on by itself."),
        wakes=frozenset({Change.KEY_CHANGED, Change.KEY_OPENED}),
    ),
    Row(
        code=Code.SERIES_NUMBER_UNFIT,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The document's number is none that a series of Unimicro's can give."),
        fix=Text(
            "Book it by hand under its number and ignore it here (POST /v1/transfers/{transfer_id}/ignore). Where all "
            "numbers are such, choose another booking for the key (PATCH /v1/keys/{key_id}); where some are, have "
            "RecMan number the later ones in whole numbers."
        ),
        wakes=frozenset({Change.KEY_CHANGED, Change.KEY_OPENED}),
    ),
    Row(
        code=Code.SERIES_PASSED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The series has passed the document's number already."),
        fix=Text(
            "Look in Unimicro who has the number. If it is this document, say so (POST "
            "/v1/invoices/{transfer_id}/done-elsewhere); else book it by hand under its number, and ignore it here "
            "(POST /v1/transfers/{transfer_id}/ignore)."
        ),
        wakes=frozenset({Change.KEY_CHANGED, Change.KEY_OPENED}),
    ),
    Row(
        code=Code.SERIES_OUT_OF_STEP,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The series would give the document another number than RecMan has; nothing was issued."),
        fix=Text(
            "Somebody else has used the series, or set it. Find out who, with the accountant. Where the number is gone "
            "for good, book the document by hand, ignore it here and pass its number (POST "
            "/v1/keys/{key_id}/series/{series_id}/skip-to); where the series was set by mistake, set it right in "
            "Unimicro. Then let the key go on (POST /v1/keys/{key_id}/open)."
        ),
        wakes=frozenset({Change.KEY_CHANGED, Change.KEY_OPENED}),
    ),
    Row(
        code=Code.SERIES_NOT_TAKEN,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro has put the draft in another series than it was sent with; nothing was issued."),
        fix=Text(
            "See to it in Unimicro that the user who signed in may use the series and that it is one for invoices; ask "
            "Unimicro's support how a draft's series is chosen. Else choose another booking for the key."
        ),
        wakes=frozenset({Change.KEY_CHANGED, Change.KEY_OPENED}),
    ),
    Row(
        code=Code.SERIES_MISSING,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("There is no such series of invoices, or its numbers cannot be read."),
        fix=Text("Make an own series of invoices in Unimicro, and name its id."),
    ),
    Row(
        code=Code.SERIES_SHARED,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Others take numbers of the series, so RecMan's next number may be gone when it comes."),
        fix=Text(
            "Make an own series of invoices in Unimicro that nobody else uses and that is not the default, and name "
            "its id."
        ),
    ),
    Row(
        code=Code.SERIES_OVERLAPS,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Another series gives the same numbers, or serves the same documents."),
        fix=Text("Give each series numbers and documents of its own."),
        cases={
            "renumbered": Text(
                "Make a series of invoices in Unimicro that RecMan's numbers never come into, let it be the default, "
                "and close the other one. Then check the key (POST /v1/keys/{key_id}/check): what is held for it goes "
                "on by itself. Where two documents have one number already, the cross-list (GET "
                "/v1/invoices/cross-list) says which is which."
            ),
            "new_key": Text(
                "Make a series of invoices in Unimicro that RecMan's numbers never come into, let it be the default, "
                "and close the other one. Or choose `series`, `voucher` or `own_number`, with which the number in the "
                "books is the document's."
            ),
        },
        wakes=frozenset({Change.KEY_CHANGED, Change.KEY_OPENED, Change.NUMBERS_APART}),
    ),
    Row(
        code=Code.SERIES_UNTOLD,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("Unimicro does not tell its series, so its numbers may be ones that RecMan's documents have."),
        fix=Text(
            "Let the user who signed in read number series in Unimicro and check the key (POST "
            "/v1/keys/{key_id}/check). Or let the accountant compare both by hand and say so (PATCH /v1/keys/{key_id} "
            "with `acceptance`: name, reason, day and `numbers_apart` true). It then goes on by itself."
        ),
        cases={
            "new_key": Text(
                "Let the user who signed in read number series in Unimicro; or let the accountant compare both by hand "
                "and say so (`numbers_apart` true in `acceptance`)."
            ),
        },
        wakes=frozenset({Change.KEY_CHANGED, Change.KEY_OPENED, Change.NUMBERS_APART}),
    ),
    Row(
        code=Code.SERIES_NOT_NEXT,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The series does not stand at RecMan's next number."),
        fix=Text(
            "Look up the number of the last invoice in RecMan, and set the series' next number in Unimicro to the one "
            "behind it, once. Then name that number here."
        ),
    ),
)
