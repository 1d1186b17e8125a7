"""What the doors of keys take and show."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from app.api.series_items import MOST_SERIES, SeriesOrderItem
from app.api.views import DepartmentId, Name, Order, RowId, View, pasted
from app.domain.booking import Booking, Sender
from app.domain.findings import Level
from app.domain.reasons.codes import Code
from app.domain.states import Access, KeyState, Proof
from app.errors import RequestError
from app.files.layouts import writes_plain
from app.files.sources import CreditSign
from app.files.switch import UnderWay

Mode = Literal["full", "file"]
Words = Annotated[str, Field(min_length=3, max_length=500)]
Who = Annotated[str, Field(min_length=2, max_length=100, examples=["Kari Nordmann"])]
Departments = Literal["all"] | Annotated[list[DepartmentId], Field(max_length=1000)]


def _verify_encoding(name: str) -> str:
    if not writes_plain(name):
        cause = f"there is no encoding {name!r} that writes plain letters as plain bytes"
        raise RequestError(cause, fix="Name one like utf-8 or windows-1252.", code=Code.LAYOUT_UNUSABLE)
    return name


def _verify_range(said: str) -> str:
    first, _, last = said.partition("-")
    if int(first) > int(last):
        fix = f"Name the first number before the last one: {last}-{first}."
        raise RequestError(f"the range {said} ends before it begins", fix=fix, code=Code.RANGE_REVERSED)
    return said


NumberRange = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}-[1-9][0-9]{0,9}$"), AfterValidator(_verify_range)]


class KeySettings(Order):
    """Where one company differs from the installation."""

    send_customer_number: bool | None = Field(
        None, description="Send RecMan's number when a customer is created; null: as the installation does"
    )
    customer_series: NumberRange | None = Field(
        None,
        description="With lists, and in mode file: numbers that customers may have there, for a file with any other is "
        "refused whole",
        examples=["100000-199999"],
    )
    document_series: NumberRange | None = Field(
        None,
        description="Mode file: numbers that RecMan's documents have; no file is made with another one",
        examples=["10000-49999"],
    )
    year_begins: int | None = Field(
        None, ge=1, le=12, description="Mode file: the month with which the financial year begins; null: January"
    )
    missing_dimensions: Literal["hold", "leave_out"] | None = Field(
        None,
        description="Mode file: whether a document whose project or department is not in Unimicro is held (as with "
        "null), or goes without it",
    )
    export_layout: str | None = Field(
        None, max_length=100, description="Mode file: the layout of its files; null: bilag of vouchers, ordre of orders"
    )
    export_encoding: Annotated[str, Field(max_length=40), AfterValidator(_verify_encoding)] | None = Field(
        None, description="Mode file: letters of text files; null: the layout's", examples=["iso8859-1"]
    )
    export_credit_sign: CreditSign | None = Field(
        None, description="Mode file: where a credit note's minus stands; null: the layout's choice"
    )
    drop_hours: float | None = Field(
        None, gt=0, le=24 * 31, description="Mode file: how often a file goes into the folder; null: never by itself"
    )


class Acceptance(Order):
    """An accountant's word that documents have another number and KID in the books than the customer has."""

    name: Who = Field(description="The accountant")
    reason: Words = Field(examples=["The series here is our own; the list of both numbers is kept with the books"])
    day: date = Field(description="When it was accepted", examples=["2026-12-01"])
    numbers_apart: bool = Field(
        False,
        description="The accountant has compared RecMan's numbers with Unimicro's series by hand, and they never meet; "
        "counts where Unimicro does not tell its series",
    )


class KidAcceptance(Order):
    """A word that Unimicro makes a KID for documents that have none."""

    name: Who
    reason: Words = Field(examples=["Customers without KID pay by invoice number; Unimicro's KID is shown to nobody"])


class AcceptanceView(View):
    """What was accepted, and which token said so when."""

    name: str
    reason: str
    day: date | None = None
    numbers_apart: bool = False
    at: datetime
    by: str


class OpeningOrder(Order):
    """Who lets a key go on, and why."""

    name: Who
    reason: Words = Field(examples=["Three invoices compared with the customers' copies"])


class StopView(View):
    """What stopped a key: both values stand in the cause."""

    code: str
    cause: str = Field(examples=["The invoice 119001 (10001 in Unimicro) is not what the customer has. number: …"])
    fix: str
    record_id: str = Field(description="RecMan's id of the document")
    at: datetime


class ProofView(View):
    """How far a key's documents are trusted.

    proving: they go one at a time, each is compared, the first difference stops the key. stopped: nothing goes until an
    administrator lets it. A key that makes files makes one at a time, and is open once so many are confirmed.
    """

    state: Proof
    equal: int = Field(
        description="So many documents stand in Unimicro as the customers have them; in mode file: were imported"
    )
    wanted: int = Field(description="So many are needed before the key is open, or can be opened")
    missing: int
    credits_proven: bool = Field(description="A credit note was among them; the first one goes alone all the same")
    under_way: str | None = Field(description="RecMan's id of the document that goes alone right now")
    stopped: StopView | None = Field(description="What stopped the key last")
    opened: AcceptanceView | None = Field(description="Who let it go on last")


class KeyView(View):
    """A named access to one Unimicro company, without its secrets."""

    id: UUID
    tenant_id: UUID
    name: str = Field(examples=["Nordlys"])
    company_key: str
    company_name: str = Field(examples=["Nordlys Bemanning AS"])
    mode: Mode
    sender: Sender | None = Field(description="Who sends the invoice to the customer; null: nobody has said so yet")
    booking: Booking
    acceptance: AcceptanceView | None = Field(description="renumbered: who accepted another number in the books")
    kid_acceptance: AcceptanceView | None = Field(description="Who accepted that Unimicro makes a KID")
    proof: ProofView
    client: Access = Field(description="lists: it has no sign-in; what is known of its company was sent as files")
    departments: Departments = Field(examples=["all"])
    go_live: date = Field(description="The key's first day: documents dated earlier are a person's decision")
    settings: KeySettings
    state: Literal[KeyState.ACTIVE, KeyState.PAUSED, KeyState.SIGN_IN_AGAIN]
    paused_until: datetime | None = Field(description="It rests until then and goes on by itself")
    pause_reason: str | None
    api_base: str = Field(examples=["https://app.unimicro.no/"])
    files_base: str | None
    token_expires_at: datetime | None
    created_at: datetime


class NewKeyOrder(Order):
    """What an administrator chose after signing in; or, for files alone, without a sign-in."""

    pending_id: UUID | None = Field(None, description="The sign-in; left out: the key has lists instead, `mode` file")
    company_key: str | None = Field(
        None,
        max_length=200,
        description="`key` of one of the sign-in's companies; left out: the one that was chosen at Unimicro",
    )
    company_name: Name | None = Field(
        None, description="Of a key without sign-in: the company's name, required", examples=["Nordlys Bemanning AS"]
    )
    name: Name = Field(examples=["Nordlys"])
    go_live: date = Field(
        description="The key's first day: no document dated earlier is booked unless a person says so",
        examples=["2026-12-01"],
    )
    mode: Mode = Field("full", description="full: sent to Unimicro; file: only exported as a file")
    sender: Sender | None = Field(
        None, description="Who sends the invoice to the customer: always required, and never assumed"
    )
    booking: Booking | None = Field(
        None,
        description="How a document gets in, always required. RecMan sends: series, voucher, own_number (number, KID "
        "and due date in the books are the document's), renumbered (they are not). Unimicro sends: order, draft. In "
        "mode file RecMan sends with voucher, Unimicro with order",
    )
    acceptance: Acceptance | None = Field(None, description="Required with renumbered")
    series: list[SeriesOrderItem] | None = Field(
        None,
        min_length=1,
        max_length=MOST_SERIES,
        description="Required with series, unless the company's are named already",
    )
    kid_acceptance: KidAcceptance | None = None
    departments: Departments = Field("all", examples=["all", ["7", "9"]], description="RecMan department ids")


class MadeKeyView(KeyView):
    """A key that was just made."""

    warning: str | None = Field(
        description="What to look at once more: its company is not the one that was chosen at Unimicro",
        examples=["At Unimicro Nordlys Bemanning AS was chosen, and this key books in Nordlys Test AS"],
    )


class KeyChange(Order):
    """What is to change; what is left out stays."""

    model_config = pasted({"name": "Nordlys", "go_live": "2026-12-01"})

    name: Name | None = None
    mode: Mode | None = None
    under_way: UnderWay | None = Field(
        None,
        description="With another mode: documents that wait, or are ready for a file, go the new way (move), or are "
        "held (hold). What is in a file is never sent",
    )
    sender: Sender | None = None
    booking: Booking | None = Field(None, description="For new documents; proving starts again")
    acceptance: Acceptance | None = None
    kid_acceptance: KidAcceptance | None = None
    series: list[SeriesOrderItem] | None = Field(
        None,
        min_length=1,
        max_length=MOST_SERIES,
        description="With booking series, unless the company's are named already",
    )
    departments: Departments | None = None
    go_live: date | None = Field(None, description="Another first day; what is held before it is looked at again")
    settings: KeySettings | None = None
    state: Literal[KeyState.ACTIVE, KeyState.PAUSED] | None = Field(
        None, description="paused: everything waits until it is active"
    )


class FindingView(View):
    """One thing that a first invoice depends on."""

    what: str = Field(examples=["VAT types"])
    ok: bool = Field(description="False also where it is not known")
    level: Level = Field(description="note: it works, and is worth a thought")
    code: str | None = Field(examples=["product_without_vat"])
    means: str = Field(description="What it means for an invoice where it is not in order")
    mender: str = Field(description="Who can do what the fix says", examples=["unimicro_administrator"])
    cause: str = Field(examples=["these products have no VAT type: 4711"])
    fix: str = Field(examples=["Choose a VAT type for each product, or for its sales account, in Unimicro."])


class CheckView(View):
    """Whether a first invoice could go through, and come out as it should."""

    ok: bool = Field(description="Nothing is an alarm; what is not known is for a person to look up")
    findings: list[FindingView]


class RemainsView(View):
    """How many invoices and credit notes a removed key has left behind; what waits or was begun is held."""

    waiting: int = Field(description="Nothing of them was sent: a person says which key takes them over")
    begun: int = Field(description="Something of them may be in the key's company: a person must look there")
    booked: int
    ignored: int


class RemovedKey(View):
    """What became of a removed key's sign-in, and what it left behind."""

    revoked: bool = Field(description="Whether Unimicro was told; a sign-in that is not revoked ends by itself")
    note: str
    remains: RemainsView
    departments: list[str] = Field(description="RecMan ids of departments that no key serves until one is chosen")


class FormerKeyView(View):
    """A key that was taken out of use."""

    id: UUID
    tenant_id: UUID
    name: str = Field(examples=["Nordlys"])
    company_key: str
    company_name: str = Field(examples=["Nordlys Bemanning AS"])
    remains: RemainsView


class TakeOverOrder(Order):
    """Which removed key's documents and departments this key takes over."""

    from_key_id: UUID = Field(description="A key of GET /v1/keys/removed")
    ids: list[RowId] | None = Field(
        None,
        min_length=1,
        max_length=10_000,
        description="Only these invoices and credit notes, and no department; left out: everything that waits",
        examples=[[17, 18]],
    )


class TakenOver(View):
    """What went over."""

    documents: int
    departments: list[str]
    left: int = Field(description="Held still: something of them may be in the former key's company")
