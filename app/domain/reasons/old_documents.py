"""What may be the matter with a document from before its key's first day, and with a decision about it."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.BEFORE_GO_LIVE,
        mender=Mender.CLERK,
        sentence=Text("The document is dated before the key's first day."),
        fix=Text(
            "If it is in Unimicro, link it (POST /v1/invoices/{transfer_id}/done-elsewhere); else send it "
            "after all or ignore it: POST /v1/invoices/before-go-live with decision `send` or `ignore`."
        ),
        cases={
            "offered": Text(
                "Link it: POST /v1/invoices/before-go-live with decision `link`. If it is another document, send "
                "or ignore this one there."
            ),
        },
        wakes=frozenset({Change.FIRST_DAY_MOVED}),
    ),
    Row(
        code=Code.NUMBER_TWICE,
        mender=Mender.CLERK,
        sentence=Text("Several held documents have the number."),
        fix=Text("Name it by its id. Take it from GET /v1/invoices?state=before go-live."),
    ),
    Row(
        code=Code.NOTHING_OFFERED,
        mender=Mender.CLERK,
        sentence=Text("Nothing in Unimicro is offered for the document."),
        fix=Text("Link it by hand (POST /v1/invoices/{transfer_id}/done-elsewhere), send it or ignore it."),
    ),
    Row(
        code=Code.OFFERED,
        mender=Mender.CLERK,
        sentence=Text("Unimicro has a document that agrees."),
        fix=Text("Link it; if it really is another document, send it with `although_offered: true`."),
    ),
    Row(
        code=Code.OTHER_DAY,
        mender=Mender.CLERK,
        sentence=Text("The date in Unimicro differs."),
        fix=Text("Name it to link it all the same."),
    ),
    Row(
        code=Code.NOT_HELD,
        mender=Mender.CLERK,
        sentence=Text("No document that is held has this id or number."),
        fix=Text("Take it from GET /v1/invoices?state=before go-live."),
    ),
)
