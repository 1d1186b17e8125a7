"""What may be the matter with a document that keeps RecMan's number in the books: a voucher, or a number of its own."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

_BY_HAND = "enter it in Unimicro by hand under its number and link it (POST /v1/invoices/{transfer_id}/done-elsewhere)"

ROWS = (
    Row(
        code=Code.NUMBER_IN_BOOKS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Another document in Unimicro has the document's number."),
        fix=Text(
            "If the one in Unimicro is this document, entered by hand or by another system, link it (POST "
            "/v1/invoices/{transfer_id}/done-elsewhere). If it is another one, credit this one in RecMan, write a new "
            "one there that gets a free number, and ignore the two here (POST /v1/transfers/{transfer_id}/ignore)."
        ),
        wakes=frozenset({Change.KEY_CHANGED}),
    ),
    Row(
        code=Code.NUMBER_NOT_KEPT,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("Unimicro did not keep the number that the document was sent with."),
        fix=Text(
            "No draft is left in Unimicro. Choose another booking for the key (PATCH /v1/keys/{key_id}), then retry; "
            "or have Unimicro set up so that it keeps posted numbers, prove it (recman-unimicro golive run --key NAME "
            "--again), open the key (POST /v1/keys/{key_id}/open), then retry."
        ),
        wakes=frozenset({Change.KEY_CHANGED}),
    ),
    Row(
        code=Code.BOOKING_DISPROVEN,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("Unimicro does not do any more what the key's booking needs of it."),
        fix=Text(
            "Choose another booking for the key (PATCH /v1/keys/{key_id}); or have Unimicro set up as it was and prove "
            "it (recman-unimicro golive run --key NAME --again). Then retry."
        ),
        wakes=frozenset({Change.KEY_CHANGED}),
    ),
    Row(
        code=Code.VOUCHER_UNPROVEN,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("Nobody has proven for this company that such a document can be booked as a voucher."),
        fix=Text(
            "Prove it for this company (recman-unimicro golive run --key NAME), then retry; else credit the invoice in "
            "Unimicro by hand under the credit note's number and link that (POST "
            "/v1/invoices/{transfer_id}/done-elsewhere)."
        ),
        cases={
            "currency": Text(
                f"Prove it for this company (recman-unimicro golive run --key NAME), then retry; else {_BY_HAND}."
            )
        },
        wakes=frozenset({Change.KEY_CHANGED}),
    ),
    Row(
        code=Code.VOUCHER_WITHOUT_CLAIM,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The document claims nothing, so a voucher of it makes no invoice."),
        fix=Text(
            f"If it belongs in the books, {_BY_HAND}; else ignore it (POST /v1/transfers/{{transfer_id}}/ignore)."
        ),
    ),
    Row(
        code=Code.VOUCHER_WITHOUT_HEAD,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The voucher is booked, but Unimicro has made no invoice of it."),
        fix=Text(
            "The company books other vouchers alike: choose another booking for the key (PATCH /v1/keys/{key_id}) and "
            "let it go on (POST /v1/keys/{key_id}/open). Credit the voucher in Unimicro, ignore the document here "
            f"(POST /v1/transfers/{{transfer_id}}/ignore), then {_BY_HAND}."
        ),
    ),
    Row(
        code=Code.VOUCHER_LOST,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro has taken the voucher at some time, and shows none now."),
        fix=Text(
            "Look in Unimicro for a voucher with the document's number, credited ones too. If it stands there, retry "
            "this one; if not, ignore it here (POST /v1/transfers/{transfer_id}/ignore), then enter the document there "
            "by hand and link it (POST /v1/invoices/{transfer_id}/done-elsewhere)."
        ),
    ),
    Row(
        code=Code.CUSTOMER_WITHOUT_ACCOUNT,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The customer has not exactly one account of its own in Unimicro."),
        fix=Text("Open the customer in Unimicro and see to its account in the ledger of customers, then retry."),
    ),
)
