"""What may be the matter with a credit note and the invoice that it credits."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.CREDITED_UNKNOWN,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The credit note names no invoice."),
        fix=Text(
            "Credit in Unimicro by hand the invoice that it belongs to, or book it there as a credit without "
            "one; then ignore it here (POST /v1/transfers/{transfer_id}/ignore)."
        ),
    ),
    Row(
        code=Code.CREDIT_BEFORE_INVOICE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The credit note is dated before its invoice."),
        fix=Text(
            "If it is right all the same, credit the invoice in Unimicro by hand; then ignore this credit "
            "note (POST /v1/transfers/{transfer_id}/ignore)."
        ),
    ),
    Row(
        code=Code.CREDIT_CURRENCY_DIFFERS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The credit note has another currency than its invoice."),
        fix=Text(
            "Have a credit note in {currency} written in RecMan, or credit the invoice in Unimicro by hand; "
            "then ignore this one (POST /v1/transfers/{transfer_id}/ignore)."
        ),
    ),
    Row(
        code=Code.CREDIT_CUSTOMER_DIFFERS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The credit note has another customer than its invoice."),
        fix=Text(
            "If it is right all the same, credit the invoice in Unimicro by hand; then ignore this credit "
            "note (POST /v1/transfers/{transfer_id}/ignore)."
        ),
    ),
    Row(
        code=Code.CREDIT_OF_ORDER,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The order that it credits has not been invoiced yet."),
        fix=Text(
            "Invoice the order in Unimicro: then the credit note is made for that invoice by itself. If the order is "
            "not to be invoiced, delete it there and ignore this credit note (POST "
            "/v1/transfers/{transfer_id}/ignore)."
        ),
    ),
    Row(
        code=Code.CREDIT_SIGN_DIFFERS,
        mender=Mender.CLERK,
        sentence=Text("The credit note seems to take a credit back."),
        fix=Text(
            "If it does, make an invoice in RecMan for what is owed again and ignore this one (POST "
            "/v1/transfers/{transfer_id}/ignore); if it credits like the others, approve it (POST "
            "/v1/invoices/{transfer_id}/approve)."
        ),
    ),
    Row(
        code=Code.CREDIT_TOO_LARGE,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The credit note is over more than is left of its invoice."),
        fix=Text(
            "Ignore this credit note (POST /v1/transfers/{transfer_id}/ignore); if {left} should be credited, "
            "make a credit note over that in RecMan. If a credit note in Unimicro is one too many, take that "
            "back there and retry."
        ),
    ),
    Row(
        code=Code.CREDITED_MISSING,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro does not show the invoice that is credited."),
        fix=Text(
            "Find out in Unimicro what became of the invoice. If there is nothing to credit, ignore this "
            "credit note (POST /v1/transfers/{transfer_id}/ignore); else retry it."
        ),
    ),
    Row(
        code=Code.CREDITED_NOT_ISSUED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The invoice that is credited is still a draft."),
        fix=Text(
            "Issue the invoice in Unimicro: once the service has seen it, the credit note goes on by itself; retry to "
            "have it at once. Or delete the draft there and ignore this credit note "
            "(POST /v1/transfers/{transfer_id}/ignore)."
        ),
    ),
    Row(
        code=Code.CREDITED_NOT_OURS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The stored id shows another document than the invoice that is credited."),
        fix=Text(
            "Find out in Unimicro what became of the invoice; credit it there by hand and ignore this credit "
            "note (POST /v1/transfers/{transfer_id}/ignore), or retry once it is as it was."
        ),
    ),
    Row(
        code=Code.CREDITED_NOT_SENT,
        mender=Mender.CLERK,
        sentence=Text("The invoice that is credited is not sent by us."),
        fix=Text(
            "If that invoice is in Unimicro, link it (POST /v1/invoices/{invoice_id}/done-elsewhere): then "
            "this credit note goes on by itself; if it should be sent, retry it (POST "
            "/v1/transfers/{invoice_id}/retry) and then this credit note; else ignore this credit note and "
            "credit the invoice by hand."
        ),
        wakes=frozenset({Change.INVOICE_LINKED}),
    ),
    Row(
        code=Code.CREDITED_WITH_OTHER_KEY,
        mender=Mender.CLERK,
        sentence=Text("The credit note was begun with another key than its invoice."),
        fix=Text(
            "Delete its draft in {company}, ignore it here (POST /v1/transfers/{transfer_id}/ignore), then "
            "retry it: it follows its invoice."
        ),
    ),
)
