"""What may be the matter with an invoice or a credit note. Its reader cannot change it in RecMan: nobody can."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.RECORD_MISSING,
        mender=Mender.CLERK,
        sentence=Text("RecMan's record is not there, or lacks something that is needed."),
        fix=Text(
            "RecMan's documents never change: have this one credited there and a new one written, or enter it "
            "in Unimicro by hand; then ignore this one (POST /v1/transfers/{transfer_id}/ignore)."
        ),
        cases={
            "party": Text("Fill it in in RecMan, then retry."),
            "not_shown": Text("Check in RecMan that it exists and that the API key may read it, then retry."),
            "no_delivery": Text(
                "Enter a RecMan API key for the tenant (PATCH /v1/tenants/{tenant_id}), or have RecMan send the "
                "whole record, then retry."
            ),
        },
        menders={"no_delivery": Mender.ADMINISTRATOR},
    ),
    Row(
        code=Code.RECORD_UNCLEAR,
        mender=Mender.CLERK,
        sentence=Text("RecMan's record can be read in more than one way."),
        fix=Text(
            "RecMan's documents never change: have this one credited there and a new one written, or enter it "
            "in Unimicro by hand; then ignore this one (POST /v1/transfers/{transfer_id}/ignore)."
        ),
        cases={
            "party": Text("Set it right in RecMan, then retry."),
        },
    ),
    Row(
        code=Code.GONE_IN_RECMAN,
        mender=Mender.CLERK,
        sentence=Text("RecMan no longer has the record."),
        fix=Text(
            "Nothing to do, if that is right. Should it be there after all, retry it (POST "
            "/v1/transfers/{transfer_id}/retry)."
        ),
        cases={
            "booked": Text("Credit or close it in Unimicro by hand if it should not count."),
            "begun": Text(
                "Look in Unimicro how far it came and remove what is there; then ignore it here (POST "
                "/v1/transfers/{transfer_id}/ignore)."
            ),
        },
        menders={"booked": Mender.ACCOUNTANT, "begun": Mender.ACCOUNTANT},
    ),
    Row(
        code=Code.PERIOD_LOCKED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The document is dated in a locked period."),
        fix=Text(
            "Open the period in Unimicro, then retry; or credit the invoice in RecMan, write a new one there, "
            "and ignore the two here (POST /v1/transfers/{transfer_id}/ignore)."
        ),
        cases={
            "credit_note": Text(
                "Open the period in Unimicro, then retry; or credit the invoice in Unimicro by hand and ignore "
                "this credit note (POST /v1/transfers/{transfer_id}/ignore)."
            ),
        },
    ),
    Row(
        code=Code.DUE_BEFORE_INVOICE,
        mender=Mender.CLERK,
        sentence=Text("The document is due before its own date."),
        fix=Text(
            "Credit the invoice in RecMan, write a new one there, and ignore the two here (POST "
            "/v1/transfers/{transfer_id}/ignore)."
        ),
        cases={
            "credit_note": Text(
                "Credit the invoice in Unimicro by hand and ignore this credit note (POST "
                "/v1/transfers/{transfer_id}/ignore)."
            ),
        },
        menders={"credit_note": Mender.ACCOUNTANT},
    ),
    Row(
        code=Code.WOULD_SEND_TWICE,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro would send what RecMan has sent."),
        fix=Text("Turn off automatic sending of invoices in Unimicro's company settings, then retry."),
    ),
    Row(
        code=Code.COMPANY_WITHOUT_VAT,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A company without VAT has a document with VAT."),
        fix=Text(
            "If the company is registered for VAT, say so in Unimicro's company settings, then retry; if it "
            "is not, credit the invoice in RecMan, write a new one there, and ignore the two here, without "
            "VAT this time."
        ),
    ),
    Row(
        code=Code.DOCUMENT_TWICE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro has the document more than once."),
        fix=Text("Delete or credit the extra ones in Unimicro, then retry."),
    ),
    Row(
        code=Code.DOCUMENT_NOT_OURS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("What the stored id shows carries another reference."),
        fix=Text(
            "Find out in Unimicro who gave that document another reference; once it carries {reference} again, retry."
        ),
    ),
    Row(
        code=Code.DOCUMENT_OTHER_CUSTOMER,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The document stands on another customer."),
        fix=Text(
            "Look at the document in Unimicro. A draft on the wrong customer is deleted there, then retry; "
            "what was issued to the wrong one is credited there and booked by hand."
        ),
    ),
    Row(
        code=Code.DOCUMENT_TAKEN,
        mender=Mender.CLERK,
        sentence=Text("The document there is another one's."),
        fix=Text(
            "Look in the overview which one has that id, and in Unimicro whose it is; then retry this one "
            "(POST /v1/transfers/{transfer_id}/retry) or ignore it (POST /v1/transfers/{transfer_id}/ignore)."
        ),
    ),
    Row(
        code=Code.ISSUED_AT_ONCE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro issued what was to be a draft."),
        fix=Text(
            "Check its totals in Unimicro, then retry: the issued invoice is taken over when they agree. "
            "Pause the key (PATCH /v1/keys/{key_id}) if it happens again."
        ),
    ),
    Row(
        code=Code.DRAFT_LEFT,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A draft that should go is still in Unimicro."),
        fix=Text("Delete the draft in Unimicro by hand, so that nobody issues it."),
    ),
    Row(
        code=Code.SAME_AS_OTHER,
        mender=Mender.CLERK,
        sentence=Text("The document is in RecMan twice."),
        fix=Text(
            "If it is really another one, approve it (POST /v1/invoices/{transfer_id}/approve); else ignore "
            "it (POST /v1/transfers/{transfer_id}/ignore). To send this one instead, ignore the other while "
            "it is not sent."
        ),
        wakes=frozenset({Change.OTHER_IGNORED}),
    ),
    Row(
        code=Code.CUSTOMER_ON_HOLD,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The customer is on the key's hold list."),
        fix=Text("Take the customer off the list (PUT /v1/rules): then it goes on by itself."),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.APPROVAL_MISSING,
        mender=Mender.CLERK,
        sentence=Text("A person must approve the document first."),
        fix=Text("Look at it (POST /v1/invoices/dry-run), then approve it (POST /v1/invoices/{transfer_id}/approve)."),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.SECOND_PERSON_MISSING,
        mender=Mender.CLERK,
        sentence=Text("A second person must approve the document."),
        fix=Text(
            "Let somebody approve it (POST /v1/invoices/{transfer_id}/approve) who neither made the key's rules nor "
            "chose to send it."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.NOT_WANTED,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The key's rules keep the document from being sent."),
        fix=Text(
            "Nothing to do, if that is right. If it should be sent, change the rule (PUT /v1/rules): then it "
            "goes on by itself."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.IGNORED,
        mender=Mender.CLERK,
        sentence=Text("Somebody chose not to send it."),
        fix=Text("Retry it (POST /v1/transfers/{transfer_id}/retry) to send it after all."),
    ),
    Row(
        code=Code.SKIPPED,
        mender=Mender.CLERK,
        sentence=Text("It would not be sent."),
        fix=Text(
            "Nothing to do, if that is right. If it should be sent, change the rule (PUT /v1/rules) or retry "
            "it (POST /v1/transfers/{transfer_id}/retry)."
        ),
    ),
    Row(
        code=Code.WAITS,
        mender=Mender.NOBODY,
        sentence=Text("Another record comes first."),
        fix=Text("Nothing to do: it goes on by itself when the other record is through."),
        cases={
            "held": Text("See to what holds the other record, then retry that one; this one goes on by itself."),
            "turn_unheard": Text(
                "Look in RecMan whether it has number {number}. If it has, it comes by itself, at the latest with the "
                "next sweep. If RecMan never used it, or nobody wants it in these books, an administrator passes it "
                "(POST /v1/keys/{key_id}/series/{series_id}/skip-to)."
            ),
            "turn_skipping": Text(
                "If that was asked for a while ago, ask for it once more (POST "
                "/v1/keys/{key_id}/series/{series_id}/skip-to with number {number})."
            ),
            "held_invoice": Text("See to what holds that invoice, then retry it; this credit note goes on by itself."),
            "old_invoice": Text(
                "Decide about that invoice: link it to the one in Unimicro, send it or ignore it (POST "
                "/v1/invoices/before-go-live); once it is linked or sent, the credit note goes on by itself."
            ),
            "held_credit": Text(
                "Mend what holds that credit note and retry it, or ignore it (POST "
                "/v1/transfers/{transfer_id}/ignore); then this one goes on by itself."
            ),
        },
        menders={
            "held": Mender.CLERK,
            "turn_unheard": Mender.ADMINISTRATOR,
            "turn_skipping": Mender.ADMINISTRATOR,
            "held_invoice": Mender.CLERK,
            "old_invoice": Mender.CLERK,
            "held_credit": Mender.CLERK,
        },
    ),
    Row(
        code=Code.LINES_MISSING,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro shows fewer lines than were sent; the sums agree."),
        fix=Text("Look at the document in Unimicro, and write what it lacks on it there if it matters."),
    ),
    Row(
        code=Code.TEXT_CUT,
        mender=Mender.NOBODY,
        sentence=Text("A text is longer than Unimicro takes."),
        fix=Text("Nothing to do, if it does not matter; else write it out in Unimicro by hand."),
    ),
    Row(
        code=Code.FILE_NOT_ATTACHED,
        mender=Mender.CLERK,
        sentence=Text("RecMan's file is not on the document."),
        fix=Text("Attach the file in Unimicro by hand if it matters."),
    ),
)
