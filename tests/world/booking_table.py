"""Every booking × everything unknown about Unimicro, both ways: what becomes of an invoice, its credit note, the next.

The key is open and its company's answers prove the booking, so nothing but the documents themselves shows that the
company does it otherwise. `tests/contract/test_booking_table.py` prints the table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.domain.booking import IN_BOOKS, KEEPS_NUMBER, Booking
from app.sandbox.unimicro.switches import Switches, list_choices
from app.scheduler import look_at_clock
from app.transfer.books import KnownBooks
from tests.world.bookings import CREDIT_NOTES, CURRENCY, choose_booking
from tests.world.numbered import FIRST, add_series, put_series
from tests.world.source import to_kid
from tests.world.world import World

FILE = Path(__file__).parents[1] / "cases" / "booking_table.txt"
# A cell's documents: invoice, credit note of it, next invoice.
_LIKE = ("5003", "5008", "5003")
_STEP = 10
_APART = 3_000_000
_LOG = (
    *("attempt", "making", "event", "proving", "series_claim", "series_order", "transfer WHERE scope = 'invoice'"),
    "lane WHERE NOT EXISTS (SELECT FROM transfer WHERE lane_id = lane.id AND tenant_id = lane.tenant_id)",
)

_ISSUED = ("kid", "at_issue", "stop_flags", "auto_sending", "preset_number")
_CREDITED = ("credit_references", "credit_series")
_SERIES = ("series_named", "next_number")
_VOUCHERS = (
    *("voucher_amounts", "voucher_heads", "head_sums", "voucher_credits", "voucher_kid", "duplicate_heads"),
    *("voucher_reference", "voucher_guids", "voucher_matching", "matching_by_number", "yearly_vouchers"),
    *("statistics_join", "voucher_lines_shown", "auto_sending"),
)
# Which unknowns can make a difference to what is booked so.
SWITCHES: Mapping[Booking, Sequence[str]] = {
    Booking.SERIES: (*_ISSUED, *_CREDITED, *_SERIES, "number_posted"),
    Booking.VOUCHER: _VOUCHERS,
    Booking.OWN_NUMBER: (*_ISSUED, *_CREDITED, "number_posted", "series_named"),
    Booking.RENUMBERED: (*_ISSUED, *_CREDITED, "number_posted", "invoice_series", "series_told"),
    Booking.ORDER: (*_ISSUED, *_CREDITED, "order_transfer", "order_link", "sharing_ends"),
    Booking.DRAFT: (*_ISSUED, *_CREDITED, "number_posted", "sharing_ends"),
}
VOUCHER_ONLY = {"voucher_kid", "voucher_currency", "duplicate_heads"}
# What has no effect without these settings of the company.
_SETTINGS: Mapping[str, dict[str, Any]] = {
    "preset_number": {"PresetCustomerInvoiceNumber": True},
    "auto_sending": {"AutoDistributeInvoice": True},
}
# Documents that RecMan writes otherwise, and what they make a difference to.
_WITHOUT_KID = "without KID"
_ACCEPTED = "without KID, made ones accepted"
_TAKEN = "next number is another's"
_IN_KRONER = "in DKK"
_VARIANTS: Mapping[str, tuple[str, ...]] = {
    _WITHOUT_KID: ("kid", "voucher_kid"),
    _ACCEPTED: ("kid", "voucher_kid"),
    _TAKEN: ("number_in_use", "duplicate_heads"),
    _IN_KRONER: ("voucher_currency",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One company, and what RecMan sends it."""

    booking: Booking
    switch: str = ""
    position: Any = None
    variant: str = ""

    @property
    def name(self) -> str:
        """What is otherwise than in a company that does what is expected."""
        said = f"{self.switch} {str(self.position).lower()}" if self.switch else "as expected"
        return f"{said}, {self.variant}" if self.variant else said


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a cell: each document in a few words, the key's proof, and what must never be."""

    words: tuple[str, ...]
    proof: str
    faults: list[str] = field(default_factory=list)


def list_cells(booking: Booking) -> Iterator[Cell]:
    """Every cell of a booking; what is expected comes first, other ways alone after it."""
    yield Cell(booking=booking)
    expected, choices = Switches(), list_choices()
    for switch in SWITCHES[booking]:
        for position in choices[switch]:
            if position != _find_expected(booking, switch, getattr(expected, switch)) or switch in _SETTINGS:
                yield Cell(booking=booking, switch=switch, position=position)
    for variant, switches in _VARIANTS.items():
        for switch in switches:
            if booking in IN_BOOKS and (switch in VOUCHER_ONLY) == (booking is Booking.VOUCHER):
                for position in choices[switch]:
                    yield Cell(booking=booking, switch=switch, position=position, variant=variant)


def _find_expected(booking: Booking, switch: str, default: Any) -> Any:
    return "taken" if (booking, switch) == (Booking.OWN_NUMBER, "number_posted") else default


async def try_cell(world: World, cell: Cell, first: int) -> Outcome:
    """What becomes of three documents from this number on; the log begins empty, customers and products are known."""
    numbers = [first, first + 1, first + 2]
    await _prepare(world, cell, numbers)
    # One after the other: what one of them stops, the next must find stopped.
    for number in numbers:
        if cell.variant == _TAKEN and number == numbers[2]:
            _take_number(world, numbers)
        await world.hear_of("invoice", to_id(number))
        await world.work_off()
    if cell.booking not in IN_BOOKS:
        await _let_people_finish(world)
    return await _look(world, cell, numbers)


def to_id(number: int) -> int:
    """RecMan's id of the document with this number."""
    return 10 * number


async def _prepare(world: World, cell: Cell, numbers: Sequence[int]) -> None:
    await _forget(world, has_word=cell.variant != _WITHOUT_KID)
    books = world.ledger.books()
    turned = {"number_posted": "taken"} if cell.booking is Booking.OWN_NUMBER else {}
    books.switches = Switches().turned(turned | ({cell.switch: cell.position} if cell.switch else {}))
    plain = dict.fromkeys([name for settings in _SETTINGS.values() for name in settings], False)
    settings = plain | _SETTINGS.get(cell.switch, {})
    if any(books.settings[name] != value for name, value in settings.items()):
        books.update("CompanySettings", 1, settings)
        world.resources.kept(KnownBooks).references.clear()
    _place_series(world, cell, numbers)
    _write_documents(world, cell, numbers)
    if cell.booking is Booking.SERIES:
        series_id = add_series(world, first=numbers[0], last=numbers[0] + _STEP - 1)
        answer = await put_series(world, {"series_id": series_id, "next_number": numbers[0]})
        assert answer.status_code == 200, answer.text


def _place_series(world: World, cell: Cell, numbers: Sequence[int]) -> None:
    """The company's own series lies around RecMan's numbers, or where they never come."""
    books = world.ledger.books()
    own = next(row for row in books.rows("NumberSeries") if row["Name"] == "CustomerInvoice")
    is_around = (cell.switch, str(cell.position)) == ("invoice_series", "overlapping")
    wanted = numbers[0] if is_around else _APART
    is_moved = own["FromNumber"] != wanted
    if is_moved:
        following = max([wanted, *(int(row["InvoiceNumber"] or 0) + 1 for row in world.ledger.documents())])
        books.update("NumberSeries", own["ID"], {"FromNumber": wanted, "NextNumber": following})
    if is_moved or cell.switch == "series_told":
        world.resources.kept(KnownBooks).references.clear()


async def _forget(world: World, *, has_word: bool) -> None:
    """Nothing of the cells before is left but their documents in Unimicro; the key is open."""
    accepted = "coalesce(kid_acceptance, acceptance)" if has_word else "NULL"
    changed = f"proof = 'open', credits_proven = true, kid_acceptance = {accepted}"
    async with world.resources.engine.begin() as connection:
        for rows in _LOG:
            await connection.exec_driver_sql(f"DELETE FROM {rows}")  # noqa: S608 - our own words
        await connection.exec_driver_sql(f"UPDATE key SET {changed}")  # noqa: S608 - our own words


def _write_documents(world: World, cell: Cell, numbers: Sequence[int]) -> None:
    has_kid = cell.variant not in {_WITHOUT_KID, _ACCEPTED}
    for like, number in zip(_LIKE, numbers, strict=True):
        changes: dict[str, Any] = {"invoiceNumber": str(number), "kid": to_kid(str(number)) if has_kid else None}
        # Not what comes of counting the customer's credit days anew.
        changes["dueDate"] = "2026-11-02"
        if like == "5008":
            changes |= {"creditedInvoiceId": to_id(numbers[0]), "kid": None}
        if cell.variant == _IN_KRONER:
            changes["currency"] = "DKK"
        world.source.double(like, to_id(number), **changes)


def _take_number(world: World, numbers: Sequence[int]) -> None:
    """Another invoice has the number of RecMan's next one, by whatever way it came there."""
    head = world.ledger.documents()[-1]
    left_out = {"ID", "_createguid", "ExternalReference"}
    values = {name: value for name, value in head.items() if name not in left_out}
    changed = {"InvoiceNumber": str(numbers[2]), "PaymentID": "", "CreatedFromJournalEntry": False}
    world.ledger.books().insert("CustomerInvoice", values | changed)


async def _let_people_finish(world: World) -> None:
    """Issue what was left for people, and let it be followed."""
    key = (await world.get("/v1/keys"))[0]["company_key"]
    door = f"{world.unimicro_url}/sandbox/companies/{key}/people"
    rows = [row for (kind, _), row in (await world.transfers()).items() if kind == "invoice" and row["state"] == "done"]
    numbers = {str(row["remote_number"]) for row in rows}
    for order_id in [row["ID"] for row in world.ledger.orders() if str(row["OrderNumber"]) in numbers]:
        answer = await world.http.post(f"{door}/invoice-order", json={"ID": order_id, "InvoiceDate": "2026-10-08"})
        assert answer.is_success, answer.text
    for draft_id in [row["ID"] for row in world.ledger.documents() if not row["InvoiceNumber"]]:
        answer = await world.http.post(f"{door}/issue", json={"ID": draft_id})
        assert answer.is_success, answer.text
    assert await look_at_clock(world.resources)
    await world.work_off()


async def _look(world: World, cell: Cell, numbers: Sequence[int]) -> Outcome:
    rows = {int(record_id): row for (_, record_id), row in (await world.transfers()).items()}
    heads = {row["ID"]: row for row in world.ledger.documents()}
    proof = (await world.get(f"/v1/keys/{world.key_id}"))["proof"]
    words: list[str] = []
    faults: list[str] = []
    ours: list[dict[str, Any]] = []
    for record_id in map(to_id, numbers):
        row = rows[record_id]
        found = _find_heads(heads, row, record_id)
        head = found[0] if found else None
        ours += found
        apart = [] if head is None else list(_list_apart(world.source.record(record_id), head))
        words.append(_say(row, head, apart))
        faults += _list_faults(cell, row, head, apart, proof)
    faults += _list_doubles(cell, ours, is_stopped=proof["state"] == "stopped")
    return Outcome(tuple(words), proof["state"], faults)


def _find_heads(heads: Mapping[int, dict[str, Any]], row: dict[str, Any], record_id: int) -> list[dict[str, Any]]:
    """The document's invoice heads, whatever the transfer says of them."""
    made = [
        one for one in heads.values() if one.get("CreatedFromJournalEntry") and one["InvoiceNumber"] == row["number"]
    ]
    ours = [one for one in heads.values() if one["ExternalReference"] == f"RM-{record_id}" or one in made]
    # An order has an id and a number of its own until it is followed to its invoice.
    followed = heads.get(row["remote_id"])
    return ours or ([followed] if followed and str(followed["InvoiceNumber"]) == row["remote_number"] else [])


def _list_apart(record: dict[str, Any], head: dict[str, Any]) -> Iterator[str]:
    """In what of it the customer would be told otherwise; nobody pays a credit note."""
    if str(head["InvoiceNumber"] or "") != record["invoiceNumber"]:
        yield "number"
    if record["type"] != "creditNote":
        if (head["PaymentID"] or "") != (record["kid"] or ""):
            yield "KID"
        if head["PaymentDueDate"][:10] != record["dueDate"]:
            yield "due date"


def _say(row: dict[str, Any], head: dict[str, Any] | None, apart: Sequence[str]) -> str:
    codes = ", ".join(dict.fromkeys(reason["code"] for reason in row["reasons"]))
    state = f"{row['state']}: {codes}" if codes else row["state"]
    if head is None:
        return f"{state} (nothing)"
    if not head["InvoiceNumber"]:
        return f"{state} (draft)"
    return f"{state} (other {', '.join(apart)})" if apart else f"{state} (equal)"


def _list_faults(
    cell: Cell, row: dict[str, Any], head: dict[str, Any] | None, apart: Sequence[str], proof: dict[str, Any]
) -> Iterator[str]:
    """What must never be, of one document."""
    name, state = f"{row['kind']} {row['record_id']}", row["state"]
    if state not in {"done", "held", "waiting"}:
        yield f"{name} is left {state}"
    if state == "done" and head is None and cell.booking is not Booking.ORDER:
        yield f"{name} is done and nothing stands there"
    if state != "done" and not row["reasons"]:
        yield f"{name} is {state}, and nobody is told why"
    is_accepted = cell.variant == _ACCEPTED and apart == ["KID"]
    if cell.booking in KEEPS_NUMBER and head is not None and head["InvoiceNumber"] and apart and not is_accepted:
        told = f"{name} stands with other {', '.join(apart)}"
        yield from _list_silences(told, row, str(head["InvoiceNumber"]), proof)


def _list_silences(told: str, row: dict[str, Any], number: str, proof: dict[str, Any]) -> Iterator[str]:
    """RecMan's customer pays by something that the books do not know, and it goes on."""
    if row["state"] == "done":
        yield f"{told}, and is done"
    if proof["state"] != "stopped":
        yield f"{told}, and its key goes on"
    elif not {row["number"], number} <= _read_values(proof):
        yield f"{told}; the stopped key does not name both numbers"


def _read_values(proof: dict[str, Any]) -> set[str]:
    return set(proof["stopped"]["cause"].replace(",", " ").replace(";", " ").replace("(", " ").split())


def _list_doubles(cell: Cell, ours: Sequence[dict[str, Any]], *, is_stopped: bool) -> Iterator[str]:
    if len(ours) > len({row["ExternalReference"] or row["InvoiceNumber"] for row in ours}):
        yield "a document stands twice"
    numbers = sorted(int(row["InvoiceNumber"]) for row in ours if row["InvoiceNumber"])
    if len(numbers) > len(set(numbers)):
        yield f"a number is used twice: {numbers}"
    if cell.booking is Booking.SERIES and not is_stopped and numbers and numbers[-1] - numbers[0] + 1 != len(numbers):
        yield f"the series has a gap: {numbers}"


async def try_booking(world: World, booking: Booking) -> dict[Cell, Outcome]:
    """Every cell of a booking, one after the other in the same world."""
    await choose_booking(world, booking, CREDIT_NOTES, CURRENCY)
    cells = list(list_cells(booking))
    return {cell: await try_cell(world, cell, FIRST + _STEP * index) for index, cell in enumerate(cells)}


def render(booking: Booking, outcomes: Mapping[Cell, Outcome]) -> str:
    """The grid of one booking: what comes to the same stands together."""
    lines = [f"## {booking}"]
    together: dict[tuple[str, ...], list[str]] = {}
    for cell, outcome in outcomes.items():
        together.setdefault((*outcome.words, f"key {outcome.proof}"), []).append(cell.name)
    for words, names in together.items():
        lines += [f"invoice {words[0]} | credit note {words[1]} | next {words[2]} | {words[3]}"]
        lines += [f"    {name}" for name in names]
    return "\n".join(lines)


def load_grids() -> dict[str, str]:
    """The committed grids by their booking."""
    grids = FILE.read_text(encoding="utf-8").rstrip().split("\n\n") if FILE.exists() else []
    return {grid.split("\n", 1)[0].removeprefix("## "): grid for grid in grids}


def write_grid(booking: Booking, grid: str) -> None:
    """Write one booking's grid among the others."""
    grids = load_grids() | {str(booking): grid}
    FILE.write_text("\n\n".join(grids[one] for one in Booking if one in grids) + "\n", encoding="utf-8")
