"""What may be the matter with documents that are to become a file: none is made until nothing is."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Mender, Row, Text

_BY_HAND = "enter the document in Unimicro by hand and ignore it here (POST /v1/transfers/{transfer_id}/ignore)"
_RETRY = "then retry the document (POST /v1/transfers/{transfer_id}/retry)"

ROWS = (
    Row(
        code=Code.FILE_FIELD_EMPTY,
        mender=Mender.CLERK,
        sentence=Text("A field that must be filled in the file has nothing."),
        fix=Text(
            "A customer's field: complete the customer in RecMan. An account, a VAT code, a project or a department: "
            f"name it in a rule (PUT /v1/rules). {_RETRY[0].upper()}{_RETRY[1:]}. The document's own: {_BY_HAND}."
        ),
    ),
    Row(
        code=Code.FILE_CODE_UNFIT,
        mender=Mender.CLERK,
        sentence=Text("A number, an amount or a day cannot be written in its field of the file."),
        fix=Text(f"A customer's number: correct it in RecMan, {_RETRY}. The document's own: {_BY_HAND}."),
        cases={
            "long": Text(
                f"A customer's field: shorten it in RecMan, {_RETRY}. The document's own: choose a layout that has "
                f"room for it, or {_BY_HAND}."
            ),
            "digits": Text(f"No file keeps that many digits: {_BY_HAND}."),
            "day": Text(f"Choose a layout that writes years with four digits, or {_BY_HAND}."),
        },
    ),
    Row(
        code=Code.FILE_TEXT_CHANGED,
        mender=Mender.CLERK,
        sentence=Text("A text stands in the file otherwise than in the document."),
        fix=Text("Letters that would end the field were replaced: look whether it still says what it should."),
        cases={
            "cut": Text("The text was cut to the room that the field has: look whether it still says what it should."),
            "rounded": Text(
                "The number was rounded to the decimals that the field has: compare the sums after import."
            ),
        },
    ),
    Row(
        code=Code.FILE_LETTERS,
        mender=Mender.CLERK,
        sentence=Text("A text has letters that the file's encoding does not have."),
        fix=Text(
            "Choose another encoding for the file, if the program that reads it takes it, or a workbook, which has all "
            f"letters. Where it is a customer's text, it can be spelt otherwise in RecMan: {_RETRY}."
        ),
    ),
    Row(
        code=Code.FILE_UNBALANCED,
        mender=Mender.CLERK,
        sentence=Text("What the document books does not come to nothing, or its claim is not the document's."),
        fix=Text(
            f"Retry the document (POST /v1/transfers/{{transfer_id}}/retry): it is planned anew. Else {_BY_HAND}."
        ),
        cases={
            "none": Text(
                "The document was planned for another kind of file: choose a layout of orders or lines, or retry it "
                "(POST /v1/transfers/{transfer_id}/retry) so that it is planned anew."
            )
        },
    ),
    Row(
        code=Code.FILE_SUMS_DIFFER,
        mender=Mender.CLERK,
        sentence=Text("The document's sums are not what its lines or VAT codes come to."),
        fix=Text(
            f"Retry the document (POST /v1/transfers/{{transfer_id}}/retry): it is planned anew. Else {_BY_HAND}."
        ),
        cases={
            "reckoned": Text(
                f"Choose a layout that has the line's sum, or more decimals of its price. Else {_BY_HAND}."
            ),
        },
    ),
    Row(
        code=Code.FILE_RATE_MISSING,
        mender=Mender.CLERK,
        sentence=Text("The document is in a foreign currency, and no rate is known."),
        fix=Text(
            "Enter the day's rate in Unimicro or sign the key in, so that it can be read there; "
            f"{_RETRY}. Else {_BY_HAND}."
        ),
    ),
    Row(
        code=Code.FILE_CURRENCY_UNTOLD,
        mender=Mender.CLERK,
        sentence=Text("The document is in a foreign currency, and the file says of no amount which it is."),
        fix=Text(f"Choose a layout that names the currency, or {_BY_HAND}."),
        cases={
            "base": Text(
                "Amounts are in the company's currency. If the claim is to be followed in the "
                f"customer's, leave it out and {_BY_HAND}."
            )
        },
    ),
    Row(
        code=Code.FILE_NUMBER_OUTSIDE,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("A number is outside of the series that Unimicro keeps for it."),
        fix=Text(f"Widen the series in Unimicro so that it holds the number, or {_BY_HAND}."),
        cases={
            "customer": Text(
                "The import refuses a whole file for one such number: widen the series of customers in Unimicro, or "
                f"give the customer a number of it in RecMan, {_RETRY}."
            )
        },
    ),
    Row(
        code=Code.FILE_NUMBER_TWICE,
        mender=Mender.CLERK,
        sentence=Text("Two documents of the file have the same number."),
        fix=Text("Find out which is the right one, and ignore the other (POST /v1/transfers/{transfer_id}/ignore)."),
    ),
    Row(
        code=Code.FILE_YEARS,
        mender=Mender.CLERK,
        sentence=Text("The documents belong to several financial years, and a file may hold one."),
        fix=Text("Make one file for each financial year: choose the documents by their dates."),
    ),
    Row(
        code=Code.FILE_ROWS,
        mender=Mender.CLERK,
        sentence=Text("The documents make more rows than a workbook has."),
        fix=Text("Make several files: choose the documents by their dates."),
    ),
    Row(
        code=Code.FILE_CUSTOMER_DIFFERS,
        mender=Mender.CLERK,
        sentence=Text("Documents of the file know the same customer otherwise."),
        fix=Text("The file has what the last document says: look whether that is the customer as it is today."),
    ),
    Row(
        code=Code.LAYOUT_NOT_ACCEPTED,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The layout has fields of which nobody knows whether they are so."),
        fix=Text(
            "Compare it with a real file (recman-unimicro layout check), then accept it by its name; or choose one "
            "whose fields are documented."
        ),
    ),
)
