"""What would be done about a document: each planned call with its exact payload. Sends nothing and writes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app.clerk.rehearse import PlannedStep, rehearse, rehearse_taking_back
from app.clerk.side_run import open_side_run
from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument, RemoteProduct
from app.domain.rules import Review
from app.domain.states import KeyState, Proof
from app.errors import HoldError, KeyPausedError, RemoteRejectedError, WaitError
from app.platform.resources import Resources
from app.reading.records import NOTHING, ReadInvoices
from app.tables import Key, Transfer
from app.transfer.books import Books, pause_of, require_customer_check, stop_of
from app.transfer.carry import decide
from app.transfer.context import Run
from app.transfer.drift import look_for_drift
from app.transfer.found_draft import imagine_taken_back, is_as_planned
from app.transfer.log import booking_of
from app.transfer.look import look_at_document
from app.transfer.old_documents import find_shown_offer
from app.transfer.plan.document import plan_document
from app.transfer.plan.go_live import is_persons_choice
from app.transfer.plan.products import choose_product
from app.transfer.plan.sale import to_sale
from app.transfer.plan.situation import DocumentSituation
from app.transfer.plan.steps import AdoptDocument, Decision, Go, Hold, Skip, Wait
from app.transfer.route import choose_key, decide_without_key


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePreview:
    """How a line would be booked; account and VAT as Unimicro's numbers and codes, none of what is booked already."""

    position: int
    text: str
    product: str | None = None
    account: int | None = None
    vat_code: str | None = None
    vat_rate: Decimal | None = None
    net_amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What would become of one document.

    `outcome`: send, hold, wait, skip, look again, or paused. `steps` are there also where only a person's word is
    missing (an approval, a pause, a choice about an old or an ignored document): what that word lets go.
    """

    transfer_id: int
    number: str
    outcome: str
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    rules_version: int = 0
    steps: tuple[PlannedStep, ...] = ()
    lines: tuple[LinePreview, ...] = ()


async def dry_run(
    resources: Resources,
    transfer: Transfer,
    *,
    takes_back: bool = False,
    known: ReadInvoices = NOTHING,
) -> DryRun:
    """What would be done about a transfer's document now; with `takes_back` by a retry, which un-ignores it.

    `known` are invoices that RecMan was asked for a moment ago.

    Raises:
        RemoteError: RecMan or Unimicro could not be read.
    """
    try:
        return await _dry_run(resources, transfer, takes_back=takes_back, known=known)
    except HoldError as error:
        return _tell(transfer, "hold", error.gaps)
    except RemoteRejectedError as error:
        # What a customer there lacks is told as it would be held.
        return _tell(transfer, "hold", (error.reason,))
    except (KeyPausedError, WaitError) as error:
        return _tell(transfer, "wait" if isinstance(error, WaitError) else "paused", (error.reason,))


def _tell(transfer: Transfer, outcome: str, reasons: tuple[Reason, ...]) -> DryRun:
    return DryRun(transfer_id=transfer.id, number=transfer.number, outcome=outcome, reasons=reasons)


async def _dry_run(resources: Resources, transfer: Transfer, *, takes_back: bool, known: ReadInvoices) -> DryRun:
    run = await open_side_run(resources, transfer, rehearses=True, known=known)
    document = await run.reader.read_document(transfer.record_id)
    if document is None:
        cause = f"RecMan does not show invoice {transfer.record_id}"
        fix = fix_for(Code.RECORD_MISSING, "not_shown")
        return _tell(transfer, "hold", (Reason(code=Code.RECORD_MISSING, cause=cause, fix=fix),))
    async with run.sessions() as session:
        key = await choose_key(session, run, document)
    if key.state == KeyState.REMOVED:
        outcome, reasons = _name(await decide_without_key(run, key, document))
        return _tell(transfer, outcome, reasons)
    books = await run.open_books(key, terms=booking_of(transfer, key))
    situation = await look_at_document(run, books, document)
    if takes_back and situation.past is not None:
        situation = replace(situation, past=replace(situation.past, ignored=False))
    told = await _plan(run, books, situation, transfer)
    return _add_rest(told, await _list_rests(resources, key))


async def _plan(run: Run, books: Books, situation: DocumentSituation, transfer: Transfer) -> DryRun:
    """The plan as it is; where a person's word alone is missing, with the steps that this word lets go."""
    decision = await _decide(run, books, situation)
    outcome, reasons = _name(decision)
    if not isinstance(decision, Go):
        situation, decision = await _lift(run, books, situation, decision, transfer)
    planned: list[PlannedStep] = []
    if isinstance(decision, Go) and (left := await _find_left(books, situation, decision)) is not None:
        planned.append(await rehearse_taking_back(books, left))
        situation = imagine_taken_back(situation)
        decision = await _decide(run, books, situation)
        outcome, reasons = (outcome, reasons) if isinstance(decision, Go) else _name(decision)
    plan = decision if isinstance(decision, Go) else Go(())
    try:
        async for step in rehearse(run, books, situation, plan.steps):
            planned.append(step)  # noqa: PERF401 - what came before a hold is kept
    except HoldError as error:
        outcome, reasons = "hold", (*reasons, *error.gaps)
    document = situation.document
    return DryRun(
        transfer_id=transfer.id,
        number=document.number,
        outcome=outcome,
        reasons=reasons,
        warnings=plan.warnings,
        rules_version=books.rules_version,
        steps=tuple(planned),
        lines=() if isinstance(document, Gaps) else tuple(_list_lines(document, situation, books)),
    )


async def _find_left(books: Books, situation: DocumentSituation, plan: Go) -> RemoteDocument | None:
    """A found draft that is made again, for rules, products or codes have changed since."""
    for step in plan.steps:
        if isinstance(step, AdoptDocument) and not await is_as_planned(books, step.remote, situation):
            return step.remote
    return None


async def _decide(run: Run, books: Books, situation: DocumentSituation) -> Decision:
    decision = await decide(books, lambda reference: plan_document(replace(situation, reference=reference)), asked=True)
    past, document = situation.past, situation.document
    if isinstance(decision, Skip) and past is not None and past.booked and isinstance(document, Document):
        # Whoever asks for a booked document once more has it compared with what is there.
        drift = (await look_for_drift(run, books, document, past)).drift
        return decision if drift is None else Hold((drift,))
    return decision


async def _lift(
    run: Run, books: Books, situation: DocumentSituation, decision: Decision, transfer: Transfer
) -> tuple[DocumentSituation, Decision]:
    """The plan as if a person had said yes: an approver sees what he approves, whatever else waits for a person."""
    if situation.past is None or situation.past.booked or isinstance(situation.document, Gaps):
        return situation, decision
    agreed, lifted = await _decide_agreed(books, situation)
    if isinstance(lifted, Hold) and is_persons_choice(lifted):
        offer = find_shown_offer(transfer)
        choice: dict[str, Any] = {"decision": "send" if offer is None else "link"}
        choice["decided_on"] = None if offer is None else offer.id
        looked = await look_at_document(
            run, books, situation.document, imagine=lambda past: replace(past, ignored=False, **choice)
        )
        agreed, lifted = await _decide_agreed(books, looked)
    return agreed, lifted


async def _decide_agreed(books: Books, situation: DocumentSituation) -> tuple[DocumentSituation, Decision]:
    past = situation.past and replace(situation.past, approved=True, ignored=False)
    rules = situation.rules.model_copy(update={"held_customers": [], "review": Review()})
    agreed = replace(situation, past=past, doubles=(), rules=rules)
    return agreed, await decide(books, lambda reference: plan_document(replace(agreed, reference=reference)))


async def _list_rests(resources: Resources, key: Key) -> list[Reason]:
    """What keeps everything from this key, however good it is."""
    rests = [pause_of(key).reason] if key.state == KeyState.PAUSED else []
    rests += [stop_of(key).reason] if key.proof == Proof.STOPPED else []
    try:
        await require_customer_check(resources, key)
    except KeyPausedError as error:
        rests.append(error.reason)
    return rests


def _add_rest(told: DryRun, rests: Sequence[Reason]) -> DryRun:
    if not rests or told.outcome == "skip":
        return told
    is_paused = told.outcome == "send" and rests[0].code == Code.KEY_PAUSED
    return replace(told, outcome="paused" if is_paused else told.outcome, reasons=(*told.reasons, *rests))


def _name(decision: Decision) -> tuple[str, tuple[Reason, ...]]:
    match decision:
        case Go():
            return "send", ()
        case Hold():
            return "hold", decision.gaps
        case Wait():
            fix = decision.fix or fix_for(Code.WAITS)
            return "wait", (Reason(code=Code.WAITS, cause=decision.cause, fix=fix),)
        case Skip():
            return "skip", (Reason(code=Code.SKIPPED, cause=decision.reason, fix=fix_for(Code.SKIPPED)),)
        case _:
            cause = "A write got no answer; it is being looked up"
            return "look again", (Reason(code=Code.OUTCOME_UNKNOWN, cause=cause, fix=fix_for(Code.OUTCOME_UNKNOWN)),)


def _list_lines(document: Document, situation: DocumentSituation, books: Books) -> Iterator[LinePreview]:
    accounts = {one.remote_id: number for number, one in books.reference.accounts.items()}
    sale = to_sale(document, replace(situation, reference=books.reference))
    # What is booked stays on its codes, and who its buyer is was not looked at: the rules might name other ones.
    is_booked = situation.past is not None and situation.past.booked
    for line in document.lines:
        shown = LinePreview(position=line.position, text=line.text, product=line.product_number)
        chosen = () if line.is_text or is_booked else choose_product(line, sale)
        yield (
            replace(
                shown,
                product=chosen.number,
                account=accounts.get(chosen.account_id or 0),
                vat_code=books.reference.code_of(chosen.vat_type_id),
                vat_rate=chosen.vat_rate,
                net_amount=line.net_amount,
            )
            if isinstance(chosen, RemoteProduct)
            else shown
        )
