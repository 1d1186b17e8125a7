"""How a company is set up in Unimicro, and what that does to a first invoice: what a check of a key says."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Mender, Row, Text

ROWS = (
    Row(
        code=Code.SETTING_ROUNDING,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro's sums differ from RecMan's, and the first invoice with øre is held."),
        fix=Text("Choose rounding “half” with two decimals in Unimicro's company settings."),
    ),
    Row(
        code=Code.SETTING_DECIMALS,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Amounts are shown without their øre, so nobody sees in Unimicro that an invoice is right."),
        fix=Text("Show two decimals at least in Unimicro's company settings."),
    ),
    Row(
        code=Code.SETTING_PRICE_DECIMALS,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("A price with more than four decimals may be cut; then the sums differ and the invoice is held."),
        fix=Text(
            "Where RecMan has prices with more than four decimals, have Unimicro's support turn on ten decimals for "
            "invoices; else there is nothing to do."
        ),
    ),
    Row(
        code=Code.SETTING_KID,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Payments do not find the first invoice by its KID and are matched by hand."),
        fix=Text("Set up KID in Unimicro (check digit of mod 10 or 11, 4 to 25 digits) and have it shown on invoices."),
        cases={
            "own": Text(
                "Look at the first invoice: where Unimicro gave it a KID of its own, the invoice has the warning "
                "kid_differs. Then ask Unimicro's support how a KID that is sent along is kept."
            ),
        },
    ),
    Row(
        code=Code.SETTING_FACTORING,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro may sell the first invoice to a factor, but RecMan's tells the customer to pay you."),
        fix=Text(
            "Turn factoring off in Unimicro's company settings, or let the key make orders, which Unimicro invoices "
            "and sends (PATCH /v1/keys/{key_id})."
        ),
    ),
    Row(
        code=Code.SETTING_REMINDERS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro reminds customers of the first invoice under a number that they have never seen."),
        fix=Text(
            "Set the number of reminders to none in Unimicro, or let the key make orders, which Unimicro invoices and "
            "sends (PATCH /v1/keys/{key_id})."
        ),
    ),
    Row(
        code=Code.SETTING_ACCOUNTS,
        mender=Mender.ACCOUNTANT,
        sentence=Text("A line with such a product has no account to be booked on, and the invoice is held."),
        fix=Text("Choose a sales account for each product, or a default one in Unimicro's company settings."),
    ),
    Row(
        code=Code.SETTING_SERIES,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The first invoice gets no number, or one that another series has given."),
        fix=Text(
            "Have one series in Unimicro's settings that is the default, has numbers left, and overlaps no other."
        ),
    ),
    Row(
        code=Code.SETTING_BOOKING_DAY,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The first invoice is booked on its delivery date, in the period of that day, VAT as well."),
        fix=Text("If that is not meant, turn off booking on the delivery date in Unimicro's company settings."),
    ),
    Row(
        code=Code.SETTING_ATTACHMENTS,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Files on the first invoice become a part of its PDF in Unimicro."),
        fix=Text("If that is not meant, turn off merging of attachments in Unimicro's company settings."),
    ),
    Row(
        code=Code.SETTING_LINE_ORDER,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The first invoice's lines are sorted again: a text may stand behind another line than its own."),
        fix=Text("Turn off the overriding of the lines' order in Unimicro's company settings."),
    ),
    Row(
        code=Code.SETTING_PRESET_NUMBER,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The first invoice may get its number before it is compared; one that is held leaves a gap."),
        fix=Text("Turn off preset invoice numbers in Unimicro's company settings."),
    ),
)
