"""What may become of a document once it is booked: changed in RecMan, or by somebody in Unimicro."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Mender, Row, Text

ROWS = (
    Row(
        code=Code.CHANGED_AFTER_TRANSFER,
        mender=Mender.CLERK,
        sentence=Text("The document changed in RecMan after it was booked."),
        fix=Text(
            "What is booked stays as it is. Find out in RecMan who changed it: a booked document is put right "
            "with a credit note and a new invoice. Once RecMan shows it as it was booked, retry it."
        ),
        cases={
            "draft": Text(
                "The draft stays as it is. Find out in RecMan who changed it. Once RecMan shows it as it was, retry "
                "it; until then let nobody issue the draft in Unimicro."
            ),
            "order": Text(
                "The order stays as it is. Find out in RecMan who changed it. Once RecMan shows it as it was, retry "
                "it; until then let nobody invoice the order in Unimicro."
            ),
            "in_file": Text(
                "What is in the file stays as it is. If it was not imported, say so (POST /v1/exports/{export_id}/"
                "confirm), then let it go into another file (POST /v1/exports/{export_id}/again): that one has it as "
                "RecMan does now. If it was, a credit note and a new invoice put it right."
            ),
            "note": Text(
                "The claim is the same, and what Unimicro has stays as it is. Where it matters, set it right in "
                "Unimicro by hand: due date and KID say when and how it is paid, project and department whose work it "
                "was."
            ),
        },
        menders={"note": Mender.ACCOUNTANT},
    ),
    Row(
        code=Code.DRIFT_CHANGED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A booked document was changed in Unimicro."),
        fix=Text(
            "Find out in Unimicro who did it and why, and set it right there by hand if it was a mistake. "
            "Once it has RecMan's sums again, retry (POST /v1/transfers/{transfer_id}/retry) ends the alarm."
        ),
    ),
    Row(
        code=Code.DRIFT_CREDITED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A booked document was credited in Unimicro, and not by RecMan."),
        fix=Text(
            "Find out in Unimicro who did it and why. If it was a mistake, take the credit back there; if it "
            "was right, have RecMan credit it, too, so that both books agree."
        ),
    ),
    Row(
        code=Code.DRIFT_DELETED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A booked document was deleted in Unimicro."),
        fix=Text(
            "Find out in Unimicro who did it and why. If it was a mistake, book it there again by hand and link "
            "that (POST /v1/invoices/{transfer_id}/done-elsewhere): then the alarm ends. If it was right, have "
            "RecMan credit it, too; the alarm stays as the record of it."
        ),
        cases={
            "left": Text(
                "It was never a claim. If it is to be invoiced, make it in Unimicro by hand and link that (POST "
                "/v1/invoices/{transfer_id}/done-elsewhere). If it is not, have RecMan credit it, too; the alarm stays "
                "as the record of it."
            ),
        },
    ),
    Row(
        code=Code.ISSUED_ON_OTHER_DAYS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A document that Unimicro sends was issued with other days than RecMan's."),
        fix=Text(
            "Nothing need be done where it was meant: the customer has Unimicro's days. Where it was not, credit the "
            "invoice in Unimicro and issue it again."
        ),
    ),
    Row(
        code=Code.ORDER_UNREACHABLE,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro is to send the invoice and cannot reach the customer."),
        fix=Text(
            "Enter the customer's e-mail address or Peppol address in Unimicro, then retry (POST "
            "/v1/transfers/{transfer_id}/retry)."
        ),
    ),
    Row(
        code=Code.ORDER_WITHOUT_REFERENCE,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro is to send an electronic invoice that has no reference."),
        fix=Text(
            "Enter the reference that was agreed with the customer in Unimicro (e-invoice agreement reference), then "
            "retry (POST /v1/transfers/{transfer_id}/retry); or credit the invoice in RecMan and write it again with a "
            "reference."
        ),
    ),
    Row(
        code=Code.ORDER_INVOICES,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Which invoice an order became cannot be told."),
        fix=Text(
            "Compare the order with its invoices in Unimicro by hand. If one invoice is the document's, say which "
            "(POST /v1/invoices/{transfer_id}/done-elsewhere): it is compared and taken over. Where there are several, "
            "a credit note for it is made there by hand, too."
        ),
        cases={
            "part": Text(
                "Have the rest of the order invoiced in Unimicro too, or close the order there: it is looked at again "
                "by itself."
            )
        },
    ),
    Row(
        code=Code.DRIFT_OTHER,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A booked document's id shows another document."),
        fix=Text(
            "Find out in Unimicro what became of it. Book it there again by hand if it is gone, and link the one "
            "that counts (POST /v1/invoices/{transfer_id}/done-elsewhere): then the alarm ends."
        ),
    ),
)
