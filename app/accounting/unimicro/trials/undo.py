"""Taking back what trials have made: drafts are deleted, what is booked is credited; each can be asked again.

Source: docs/facts/unimicro.md §4.1 (delete, credit), §12 (undo of vouchers), §3.1 (customers), §3.4 (orders).
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from app.accounting.unimicro.payloads import CREDIT_NOTE_TYPE, INVOICE_CREDITED, INVOICE_DRAFT, ORDER_DRAFT, to_text
from app.accounting.unimicro.target import UnimicroTarget
from app.accounting.unimicro.target_documents import quote
from app.accounting.unimicro.trials.bench import Bench, Thing
from app.accounting.unimicro.trials.issuing import to_number
from app.accounting.unimicro.trials.parties import find_trial_customers
from app.accounting.unimicro.trials.preset import WAS, turn_back
from app.errors import OutcomeUnknownError, RemoteMissingError, RemoteRejectedError, System

# All of a voucher's lines have it once it is credited. Source: §12 [O].
_LINE_CREDITED = 31004


class Ended(StrEnum):
    """What has become of a thing."""

    NEVER_MADE = "never_made"
    DELETED = "deleted"
    CREDITED = "credited"
    CLOSED = "closed"
    STAYS = "stays"
    TURNED_BACK = "turned_back"


async def take_back(bench: Bench, thing: Thing) -> Ended:
    """How the thing ended.

    Raises:
        RemoteError: it could not be taken back now; it is still there, or nobody knows.
    """
    ids = [thing.remote_id] if thing.remote_id is not None else await _find(bench, thing)
    ended = [await _END[thing.route](bench, one, thing) for one in ids]
    return ended[0] if ended else Ended.NEVER_MADE


async def _find(bench: Bench, thing: Thing) -> list[int]:
    """The ids of what got no answer."""
    return await bench.look_patiently(partial(_FIND[thing.route], bench, thing.reference))


async def _find_invoices(bench: Bench, reference: str) -> list[int]:
    rows = await bench.client.fetch_list("invoices", filter=f"ExternalReference eq {quote(reference)}")
    found = [row["ID"] for row in rows if to_text(row.get("ExternalReference")) == reference]
    return found or await _find_unnamed(bench)


async def _find_unnamed(bench: Bench) -> list[int]:
    """The invoices of the trials' own customer without reference: what an order became has none (§3.4)."""
    customer = await bench.notebook.find("customers")
    if customer is None or customer.remote_id is None:
        return []
    rows = await bench.client.fetch_list("invoices", filter=f"CustomerID eq {customer.remote_id}")
    ours = [row for row in rows if row.get("CustomerID") == customer.remote_id]
    return [row["ID"] for row in ours if not (to_text(row.get("ExternalReference")) or _is_seen_to(row))]


def _is_seen_to(row: Mapping[str, Any]) -> bool:
    """Whether it is settled, or goes with something else: a voucher, or the invoice that it credits."""
    is_other = row.get("CreatedFromJournalEntry") or row.get("InvoiceType") == CREDIT_NOTE_TYPE
    return bool(is_other or row.get("Deleted") or row.get("StatusCode") == INVOICE_CREDITED)


async def _find_orders(bench: Bench, reference: str) -> list[int]:
    rows = await bench.client.fetch_list("orderitems", filter=f"ExternalReference eq {quote(reference)}")
    ours = [row for row in rows if to_text(row.get("ExternalReference")) == reference]
    return sorted({row["CustomerOrderID"] for row in ours if row.get("CustomerOrderID")})


async def _find_customers(bench: Bench, reference: str) -> list[int]:
    return [row["ID"] for row in await find_trial_customers(bench, reference)]


async def _find_vouchers(bench: Bench, reference: str) -> list[int]:
    """By its number as well: whether a journal entry keeps our reference is one of the questions (§12)."""
    found = await UnimicroTarget(bench.client).find_vouchers(to_number(reference), reference, thoroughly=True)
    ours = [one for one in found if one.is_made and one.external_reference in ("", reference)]
    return [one.entry_id for one in ours if one.entry_id is not None]


async def _end_invoice(bench: Bench, remote_id: int, thing: Thing) -> Ended:
    try:
        row = await bench.client.fetch_one(f"invoices/{remote_id}")
    except RemoteMissingError:
        return Ended.DELETED
    if (row.get("StatusCode") or 0) <= INVOICE_DRAFT:
        await bench.client.delete(f"invoices/{remote_id}")
        return Ended.DELETED
    if row.get("StatusCode") != INVOICE_CREDITED and row.get("InvoiceType") != CREDIT_NOTE_TYPE:
        await _credit(bench, remote_id)
    _ = thing
    return Ended.CREDITED


async def _credit(bench: Bench, invoice_id: int) -> None:
    """Issue the invoice's credit note, made now or before."""
    condition = f"InvoiceReferenceID eq {invoice_id} and InvoiceType eq {CREDIT_NOTE_TYPE}"
    rows = await bench.client.fetch_list("invoices", filter=condition)
    ours = [row for row in rows if row.get("InvoiceReferenceID") == invoice_id]
    if any((row.get("StatusCode") or 0) > INVOICE_DRAFT for row in ours):
        return
    if not ours:
        made = await bench.client.act("PUT", f"invoices/{invoice_id}", "create-credit-draft-invoice")
        if not isinstance(made, dict) or not isinstance(made.get("ID"), int):
            raise OutcomeUnknownError("Unimicro made a credit draft but did not say which", system=System.UNIMICRO)
        ours = [made]
    await bench.client.act("POST", f"invoices/{ours[0]['ID']}", "invoice")


async def _end_order(bench: Bench, remote_id: int, thing: Thing) -> Ended:
    _ = thing
    try:
        row = await bench.client.fetch_one(f"orders/{remote_id}")
    except RemoteMissingError:
        return Ended.DELETED
    try:
        if (row.get("StatusCode") or 0) <= ORDER_DRAFT:
            await bench.client.delete(f"orders/{remote_id}")
            return Ended.DELETED
        await bench.client.act("POST", f"orders/{remote_id}", "complete")
    except RemoteRejectedError:
        return Ended.STAYS
    return Ended.CLOSED


async def _end_customer(bench: Bench, remote_id: int, thing: Thing) -> Ended:
    _ = thing
    try:
        await bench.client.delete(f"customers/{remote_id}")
    except RemoteMissingError:
        return Ended.DELETED
    except RemoteRejectedError:
        await bench.client.act("PUT", "customers", "deactivate", id=str(remote_id))
        return Ended.CLOSED
    return Ended.DELETED


async def _end_voucher(bench: Bench, remote_id: int, thing: Thing) -> Ended:
    """The voucher credited by its number; one that was credited already is refused, which is as good."""
    number = thing.number
    if not number:
        number = to_text((await bench.client.fetch_one(f"journalentries/{remote_id}")).get("JournalEntryNumber"))
    if await _is_credited(bench, remote_id):
        return Ended.CREDITED
    await bench.client.act("POST", "journalentries", "credit-journal-entry", journalEntryNumber=number)
    return Ended.CREDITED


async def _is_credited(bench: Bench, remote_id: int) -> bool:
    """Whether all lines of the voucher are credited. Source: §12 (StatusCode 31004)."""
    rows = await bench.client.fetch_list("journalentrylines", filter=f"JournalEntryID eq {remote_id}")
    lines = [row for row in rows if row.get("JournalEntryID") == remote_id]
    return bool(lines) and all(row.get("StatusCode") == _LINE_CREDITED for row in lines)


async def _find_settings(bench: Bench, reference: str) -> list[int]:
    """There is one record of them; it may have been turned although nobody heard so."""
    _ = bench, reference
    return [1]


async def _end_preset(bench: Bench, remote_id: int, thing: Thing) -> Ended:
    _ = remote_id
    await turn_back(bench, was_on=thing.route == WAS[True])
    return Ended.TURNED_BACK


_FIND: dict[str, Callable[[Bench, str], Awaitable[list[int]]]] = {
    "invoices": _find_invoices,
    "orders": _find_orders,
    "customers": _find_customers,
    "journalentries": _find_vouchers,
    **dict.fromkeys(WAS.values(), _find_settings),
}
_END: dict[str, Callable[[Bench, int, Thing], Awaitable[Ended]]] = {
    "invoices": _end_invoice,
    "orders": _end_order,
    "customers": _end_customer,
    "journalentries": _end_voucher,
    **dict.fromkeys(WAS.values(), _end_preset),
}
