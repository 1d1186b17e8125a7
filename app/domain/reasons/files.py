"""What may be the matter with a document of a key that makes files for people to import."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.FILE_PART_MISSING,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Something that the document points to is not in Unimicro, and no file can make it."),
        fix=Text(
            "Make it in Unimicro by hand under that number (a key with lists: send the list again), then retry; or let "
            "the key's documents go without what is missing (PATCH /v1/keys/{key_id}, settings `missing_dimensions`)."
        ),
        cases={
            "customer": Text(
                "Make the customer in Unimicro by hand, for the number that it gets there is not known before. Compare "
                "the customers (POST /v1/keys/{key_id}/customer-check) and link the two, then retry."
            ),
        },
        wakes=frozenset({Change.KEY_CHANGED}),
    ),
    Row(
        code=Code.FILE_BY_HAND,
        mender=Mender.ACCOUNTANT,
        sentence=Text("No file can carry such a document."),
        fix=Text(
            "Credit the invoice in Unimicro by hand and link the two (POST /v1/invoices/{transfer_id}/done-elsewhere), "
            "or ignore it here (POST /v1/transfers/{transfer_id}/ignore)."
        ),
        wakes=frozenset({Change.KEY_CHANGED}),
    ),
    Row(
        code=Code.FILE_ACCOUNT_UNKNOWN,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The number of an account is not known."),
        fix=Text("Give the product a sales account in Unimicro (or in the list of products), or name one in a rule."),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.FILE_WITHOUT_DIMENSION,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A file has no column for a dimension that a rule names."),
        fix=Text("Put it on the voucher in Unimicro by hand where it matters."),
    ),
    Row(
        code=Code.FILE_REFUSED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The document was refused when its file was imported."),
        fix=Text(
            "Mend what the import named, then let the document go into another file: POST "
            "/v1/exports/{export_id}/again with its id and a reason."
        ),
    ),
    Row(
        code=Code.FOLDER_UNUSABLE,
        mender=Mender.OPERATOR,
        sentence=Text("The folder for files is not there, or does not take them."),
        fix=Text(
            "An operator mounts the folder of RMU_EXPORTS_DIR where the scheduler runs, lets the service write there, "
            "and makes room; it goes on by itself. Until then take files by GET /v1/exports/{export_id}/file. Where "
            "the folder is a new one, look whether the last file was imported, then make the one that the cause names."
        ),
    ),
    Row(
        code=Code.FILE_NOT_FOUND,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Somebody has said that the document was imported, and Unimicro does not show it."),
        fix=Text(
            "Look in Unimicro for its number. If it is there, look once more (POST /v1/exports/{export_id}/read-back); "
            "if not, say that it was refused (POST /v1/exports/{export_id}/confirm), and let it go into another file."
        ),
    ),
    Row(
        code=Code.FILE_KEY_CHANGED,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The document was under way when its key began to send, or to make files."),
        fix=Text(
            "Retry it (POST /v1/transfers/{transfer_id}/retry): then it goes the key's new way; or enter it in "
            "Unimicro by hand and ignore it here (POST /v1/transfers/{transfer_id}/ignore)."
        ),
    ),
)
