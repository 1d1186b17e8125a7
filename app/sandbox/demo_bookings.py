"""What the demo's administrator and Unimicro's people do for each booking, and how the samples then end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from app.domain.booking import IN_BOOKS, Booking, Sender, sender_of
from app.domain.states import TransferState
from app.sandbox.samples import Expected, load_samples

# An accountant's words: the sandbox numbers by itself, and makes a KID where RecMan has none.
_ACCOUNTANT = "Demo accountant"
_REASON = "made-up books"
# What `golive` must find out before a key may book so.
_STEPS: Mapping[Booking, tuple[str, ...]] = {
    Booking.VOUCHER: ("voucher", "voucher_credit", "voucher_currency"),
    Booking.OWN_NUMBER: ("issue", "number"),
}
# RecMan numbers each department by itself: id, first number and name of its series.
_SERIES = (("1", 110_001, "Sør"), ("2", 210_001, "Nord"))
_LONG = 999


class Hands(Protocol):
    """What the demo can do: call our API as an administrator, Unimicro's people's door, and our own commands."""

    def ask(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of our API."""

    def do(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a door of the stand-in's for one company."""

    def run(self, *arguments: str) -> None:
        """Run one of our commands to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDemoKey:
    """A key to be made from this sign-in, in this company; `go_live`: its first day."""

    pending_id: str
    company_key: str
    name: str
    go_live: str


def make_key(hands: Hands, booking: Booking, new: NewDemoKey) -> dict[str, Any]:
    """The key, made as an administrator makes one that books so; what must be proven is found out before."""
    order = {"pending_id": new.pending_id, "company_key": new.company_key, "name": new.name, "go_live": new.go_live}
    said = _say(booking, new.go_live)
    if booking is Booking.OWN_NUMBER:
        # Whether Unimicro takes a posted number is unknown; here it does.
        hands.do("switches", {"number_posted": "taken"})
    if booking is Booking.SERIES:
        said |= {"series": _make_series(hands)}
    steps = _STEPS.get(booking, ())
    if not steps:
        return hands.ask("POST", "/v1/keys", order | said)
    # Until `golive` has been there, a key can leave documents to people and no more.
    key = hands.ask("POST", "/v1/keys", order | {"sender": Sender.UNIMICRO, "booking": Booking.DRAFT})
    only = [word for step in steps for word in ("--only", step)]
    hands.run("golive", "run", "--key", new.name, "--yes-production", "--by", _ACCOUNTANT, *only)
    return hands.ask("PATCH", f"/v1/keys/{key['id']}", said)


def _say(booking: Booking, day: str) -> dict[str, Any]:
    """Who sends, how it is booked, and what an accountant accepts with it."""
    word = {"name": _ACCOUNTANT, "reason": _REASON}
    said: dict[str, Any] = {"sender": sender_of(booking), "booking": booking}
    said |= {"kid_acceptance": word} if booking in IN_BOOKS else {}
    return said | ({"acceptance": word | {"day": day}} if booking is Booking.RENUMBERED else {})


def _make_series(hands: Hands) -> list[dict[str, Any]]:
    """The series that Unimicro's administrator makes for RecMan's, as the key is told of them."""
    told = []
    for department, first, name in _SERIES:
        series = {"DisplayName": name, "FromNumber": first, "ToNumber": first + _LONG}
        made = hands.do("people/make-series", series)
        told.append({"series_id": made["ID"], "next_number": first, "departments": [department]})
    return told


def expect(booking: Booking) -> dict[str, Expected]:
    """How each sample must end with this booking.

    A credit note of what people have not issued yet is held; behind a held number all later ones of its series wait.
    """
    samples = load_samples()
    expected = samples.expected
    records = {str(one["invoiceId"]): one for one in samples.records["invoice"]}
    if booking not in IN_BOOKS:
        notes = {one for one in expected if records[one].get("type") == "creditNote"}
        return {one: replace(row, state="held") if one in notes else row for one, row in expected.items()}
    if booking is not Booking.SERIES:
        return expected
    firsts: dict[str, int] = {}
    for one, row in expected.items():
        if row.state == TransferState.HELD:
            department, number = str(records[one]["departmentId"]), int(records[one]["invoiceNumber"])
            firsts[department] = min(number, firsts.get(department, number))
    return {one: _let_wait(row, records[one], firsts) for one, row in expected.items()}


def _let_wait(row: Expected, record: Mapping[str, Any], firsts: Mapping[str, int]) -> Expected:
    first = firsts.get(str(record["departmentId"]))
    is_behind = first is not None and int(record["invoiceNumber"]) > first
    return replace(row, state=TransferState.WAITING, product_number=None) if is_behind else row


def list_surprises(documents: Sequence[dict[str, Any]], expected: Mapping[str, Expected]) -> list[str]:
    """How the samples stand otherwise than expected; empty: they do not."""
    found = {row["record_id"]: row for row in documents}
    surprises = [f"Invoice {record_id} was not transferred" for record_id in expected.keys() - found.keys()]
    surprises += [f"Invoice {record_id} was not expected" for record_id in found.keys() - expected.keys()]
    for record_id in expected.keys() & found.keys():
        row, wanted = found[record_id], expected[record_id]
        causes = " ".join(reason["cause"] for reason in row["reasons"])
        if row["state"] != wanted.state:
            surprises.append(f"Invoice {record_id} is {row['state']} instead of {wanted.state}: {causes}")
        elif wanted.product_number is not None and wanted.product_number not in causes:
            surprises.append(f"Invoice {record_id} is held, but not for product {wanted.product_number}: {causes}")
        elif row["state"] == TransferState.DONE and row["remote_gross_amount"] != str(wanted.gross):
            surprises.append(f"Invoice {record_id} is {row['remote_gross_amount']} in Unimicro, not {wanted.gross}")
    return sorted(surprises)
