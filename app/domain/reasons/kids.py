"""What may be the matter with the KID that a document is paid by."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.KID_INVALID,
        mender=Mender.RECMAN_ADMINISTRATOR,
        sentence=Text("The document's KID is one that no bank takes."),
        fix=Text(
            "What is booked stays; a payment of it is matched by hand in Unimicro. Set up RecMan's KID so that later "
            "invoices get one that banks take."
        ),
    ),
    Row(
        code=Code.KID_DIFFERS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The KID differs between RecMan and Unimicro."),
        fix=Text("Payments with RecMan's KID are matched by hand in Unimicro."),
    ),
    Row(
        code=Code.KID_TAKEN,
        mender=Mender.CLERK,
        sentence=Text("Another customer's invoice in the same books has the document's KID."),
        fix=Text(
            "A payment would find the wrong customer's invoice. Credit the invoice in RecMan, write a new one there "
            "with a KID of its own, and ignore the two here (POST /v1/transfers/{transfer_id}/ignore). Where the other "
            "one is wrong and not sent yet, ignore that instead: this one then goes on by itself."
        ),
        wakes=frozenset({Change.KID_SETTLED}),
    ),
    Row(
        code=Code.KID_REPEATED,
        mender=Mender.CLERK,
        sentence=Text("Another invoice of the same customer has the document's KID."),
        fix=Text(
            "If this customer's invoices share a KID, approve it (POST /v1/invoices/{transfer_id}/approve): it is "
            "asked once, and later ones go by themselves. Else credit the invoice in RecMan, write a new one there "
            "with a KID of its own, and ignore the two here (POST /v1/transfers/{transfer_id}/ignore)."
        ),
        wakes=frozenset({Change.KID_SETTLED}),
    ),
)
