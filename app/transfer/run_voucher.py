"""Stop 7 for documents that are booked as vouchers: booked at once, read back, compared; or found, and compared."""

from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import func

from app.accounting.targets import guid_for
from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Links
from app.domain.states import EventState
from app.domain.vouchers import RemoteVoucher
from app.errors import HoldError
from app.platform.db import Session
from app.transfer.attach import attach
from app.transfer.attempts import attempt
from app.transfer.booked import show_content, show_place
from app.transfer.books import Books
from app.transfer.context import Outcome, Run
from app.transfer.describe import claim_of
from app.transfer.linked import Known, find_id, list_linked, make_links
from app.transfer.log import record_done, record_held, record_remote, record_values, show_reasons, show_totals
from app.transfer.plan.amounts import compare_totals, is_apart
from app.transfer.plan.issued import Wanted
from app.transfer.plan.products import choose_products
from app.transfer.plan.sale import to_sale
from app.transfer.plan.situation import DocumentSituation, Past
from app.transfer.plan.steps import AdoptVoucher, BookVoucher
from app.transfer.plan.vat_sums import VatSums
from app.transfer.plan.voucher import VoucherDesign, design_voucher, without_head
from app.transfer.proof import lock_judged, record_comparison, record_stop
from app.transfer.rates import load_rate, record_rate
from app.transfer.run_credit import require_turn
from app.transfer.writes import write_voucher


@dataclass(frozen=True, slots=True)
class _Booked:
    """A voucher, and what a person should know of it."""

    voucher: RemoteVoucher
    warnings: tuple[Reason, ...]


async def run_voucher(
    run: Run,
    books: Books,
    step: BookVoucher | AdoptVoucher,
    situation: DocumentSituation,
    known: Known,
    *,
    warnings: tuple[Reason, ...],
) -> None:
    """Book the document, or take over what an earlier try has booked; compare it, and end the lane's run with it.

    Raises:
        HoldError: its sums do not come out; another document of ours is that one already.
        WaitError: another credit note of the same invoice is under way.
        RemoteError, StaleLeaseError: see `attempt`.
    """
    if isinstance(step, AdoptVoucher):
        await _adopt(run, books, step, situation)
    else:
        await _book(run, books, step, situation, known, warnings=warnings)


async def _book(
    run: Run,
    books: Books,
    step: BookVoucher,
    situation: DocumentSituation,
    known: Known,
    *,
    warnings: tuple[Reason, ...],
) -> None:
    document, transfer_id = step.document, run.own_transfer_id
    links = make_links(books, step, known)
    design = require_design(books, document, links)
    rate = await load_voucher_rate(run, books, step)
    version, guid = name_voucher(books, document, situation.past)

    async def prepare(session: Session) -> None:
        if step.credited_id is not None:
            await require_turn(session, books, step.credited_id, transfer_id, situation)
        await record_values(
            session,
            transfer_id,
            booking=Booking.VOUCHER,
            external_reference=situation.external_reference,
            credits_remote_id=step.credited_id,
            guid_version=version,
            warnings=show_reasons(warnings),
        )

    async def call() -> _Booked:
        reference = situation.external_reference
        entry = await write_voucher(books, step, links, design, guid=guid, reference=reference, rate=rate)
        voucher = await books.target.read_back(entry, document.number)
        return await _complete(books, document, voucher, (*warnings, *entry.warnings))

    wanted = _to_wanted(books, document, customer_id=links.customer_id, rate=rate, vat=design.vat)

    async def opens(session: Session, booked: _Booked) -> None:
        await lock_judged(session, books, wanted, booked.voucher.document)

    async def settle(session: Session, booked: _Booked) -> None:
        await _settle(session, run, books, wanted, booked)

    claims = claim_of(run, situation)
    await attempt(
        run, books, transfer_id, step="create", call=call, settle=settle, claims=claims, prepare=prepare, opens=opens
    )


async def _adopt(run: Run, books: Books, step: AdoptVoucher, situation: DocumentSituation) -> None:
    document = step.document
    known = () if situation.past is None else situation.past.warnings
    wanted = _to_wanted(
        books,
        document,
        customer_id=find_id(list_linked(situation), "company", document.recman_company_id),
        rate=None if step.voucher.document is None else step.voucher.document.rate,
        vat=_find_vat(books, situation),
    )

    async def call() -> _Booked:
        return await _complete(books, document, step.voucher, known)

    async def opens(session: Session, booked: _Booked) -> None:
        await lock_judged(session, books, wanted, booked.voucher.document)

    async def settle(session: Session, booked: _Booked) -> None:
        await _settle(session, run, books, wanted, booked)

    await attempt(run, books, run.own_transfer_id, step="look", call=call, settle=settle, opens=opens)


def require_design(books: Books, document: Document, links: Links) -> VoucherDesign:
    """How the document's claim is shared out.

    Raises:
        HoldError: it cannot be.
    """
    design = design_voucher(document, links.bookings, books.reference, books.rules)
    if isinstance(design, Reason):
        raise HoldError((design,))
    return design


async def load_voucher_rate(run: Run, books: Books, step: BookVoucher) -> Decimal:
    """What one unit is worth: on the document's day, or for a credit note when its invoice was booked.

    Raises:
        HoldError: Unimicro has no rate, or one that is not believed.
        RemoteError: Unimicro could not be asked.
    """
    return step.credited_rate or await load_rate(run, books, step.document)


def name_voucher(books: Books, document: Document, past: Past | None) -> tuple[int, str]:
    """The guid that a voucher is booked with, and its version: the same for ever, for no voucher is deleted."""
    version = 1 if past is None else past.guid_version
    return version, guid_for(str(books.key.id), "voucher", document.recman_invoice_id, str(version))


def _find_vat(books: Books, situation: DocumentSituation) -> VatSums | None:
    """What a found voucher must come to on each VAT code; None where nobody can say any more what it was booked on."""
    document = situation.complete_document
    try:
        bookings = choose_products(to_sale(document, situation, reference=books.reference))
    except LookupError:
        return None
    design = design_voucher(document, bookings, books.reference, books.rules)
    return None if isinstance(design, Reason) else design.vat


async def _complete(books: Books, document: Document, voucher: RemoteVoucher, warnings: tuple[Reason, ...]) -> _Booked:
    """The voucher with RecMan's file on it, as far as it has a head."""
    unattached: tuple[Reason, ...] = ()
    if voucher.document is not None:
        unattached = await attach(books, document, entry_id=voucher.entry_id)
    return _Booked(voucher, (*warnings, *unattached))


def _to_wanted(
    books: Books, document: Document, *, customer_id: int | None, rate: Decimal | None, vat: VatSums | None
) -> Wanted:
    makes_kid = books.key.kid_acceptance is not None
    return Wanted(
        document=document, booking=Booking.VOUCHER, customer_id=customer_id, rate=rate, vat=vat, makes_kid=makes_kid
    )


async def _settle(session: Session, run: Run, books: Books, wanted: Wanted, booked: _Booked) -> None:
    document, remote, transfer_id = wanted.document, booked.voucher.document, run.own_transfer_id
    if remote is None:
        await _settle_headless(session, run, books, document, booked)
        return
    difference = compare_totals(document, remote)
    told = booked.warnings if difference is None or is_apart(difference) else (*booked.warnings, difference)
    await record_remote(
        session,
        transfer_id,
        books.key,
        booking=Booking.VOUCHER,
        remote_id=remote.remote_id,
        remote_customer_id=remote.customer_id,
        # Where Unimicro keeps none, it is known by its number.
        external_reference=remote.external_reference or None,
    )
    await record_done(
        session,
        transfer_id,
        booking=Booking.VOUCHER,
        **show_place(replace(remote, voucher_id=booked.voucher.entry_id), voucher_number=booked.voucher.number),
        **show_content(document, wanted.vat, wanted.rate),
        warnings=show_reasons(told),
        **show_totals("remote_", remote.totals),
    )
    await record_rate(session, run, books, document, wanted.rate)
    alarms = await record_comparison(session, run, books, wanted, remote)
    if alarms:
        await record_held(session, transfer_id, alarms)
    await run.finish(
        session,
        state=EventState.HELD if alarms else EventState.DONE,
        note=f"in Unimicro as {remote.number}, voucher {booked.voucher.number}",
        outcome=Outcome.HELD if alarms else Outcome.BOOKED,
        reasons=alarms or told,
        remote_number=remote.number,
    )


async def _settle_headless(session: Session, run: Run, books: Books, document: Document, booked: _Booked) -> None:
    """The claim is in the ledger, and nobody is reminded of it: it stays open, so that it is never sent again."""
    gap = without_head(document, booked.voucher)
    await record_held(session, run.own_transfer_id, (gap,), unclear=True, unclear_since=func.now())
    fix = fix_for(Code.KEY_STOPPED, key_id=books.key.id)
    await record_stop(session, run, books, Reason(code=Code.KEY_STOPPED, cause=gap.cause, fix=fix))
    await run.finish(session, state=EventState.HELD, note=gap.cause, reasons=[gap])
