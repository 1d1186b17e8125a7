"""When RecMan does not show a record: not yet, not to us, or no more. Nothing is ever deleted in Unimicro."""

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.states import EventState
from app.engine.lanes import check_fence
from app.errors import HoldError, RemoteUnavailableError, System
from app.tables import Transfer
from app.transfer.context import Run
from app.transfer.doubles import wake_doubles
from app.transfer.listings import list_of_record
from app.transfer.log import is_begun, record_not_wanted, record_values, show_reasons
from app.transfer.take_back import take_back_draft

# A record that RecMan does not show yet gets this many tries before a person is asked.
_TRIES = 3


async def end_missing(run: Run) -> None:
    """End the run of a record that RecMan does not show.

    A deletion is believed when RecMan was asked for this very record; where it can only be read by pages, which shift,
    it is looked for as often as any other missing record first.

    Raises:
        RemoteUnavailableError: it may come yet.
        HoldError: a person must look.
    """
    client, scope = run.reader.client, run.lease.scope
    is_deleted = run.events[-1].operation == "delete"
    surely = client is None or (is_deleted and client.asks_by_id(scope))
    if not surely and run.lease.tries < _TRIES:
        raise RemoteUnavailableError(f"RecMan does not show {scope} {run.lease.record_id} (yet)", system=System.RECMAN)
    if not is_deleted:
        raise HoldError((_missing(run),))
    await take_back_draft(run)
    await _mark_gone(run)


def _missing(run: Run) -> Reason:
    scope, record_id = run.lease.scope, run.lease.record_id
    if run.reader.client is None:
        cause = f"Record incomplete: no delivery holds {scope} {record_id}, or the last word is that it was deleted"
    else:
        cause = f"RecMan announced {scope} {record_id} but does not show it"
    case = "no_delivery" if run.reader.client is None else "not_shown"
    return Reason(code=Code.RECORD_MISSING, cause=cause, fix=fix_for(Code.RECORD_MISSING, case))


async def _mark_gone(run: Run) -> None:
    scope, record_id = run.lease.scope, run.lease.record_id
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        gone = [
            (transfer, _gone(transfer)) for transfer in await list_of_record(session, run.place(None, scope, record_id))
        ]
        for transfer, gap in gone:
            if transfer.booked_at is not None or transfer.filed_at is not None:
                others = [warning for warning in transfer.warnings if warning["code"] != Code.GONE_IN_RECMAN]
                await record_values(session, transfer.id, warnings=[*others, *show_reasons([gap])])
            elif is_begun(transfer):
                raise HoldError((gap,))
            else:
                await record_not_wanted(session, transfer.id, gap)
                await wake_doubles(session, transfer.id)
        note = f"RecMan confirms that {scope} {record_id} is gone; nothing is deleted in Unimicro"
        await run.finish(session, state=EventState.IGNORED, note=note, reasons=[gap for _, gap in gone])


def _gone(transfer: Transfer) -> Reason:
    what = f"RecMan no longer has {transfer.kind.replace('_', ' ')} {transfer.number or transfer.record_id}"
    if transfer.booked_at is None and transfer.filed_at is not None:
        cause, case = f"{what}; it stays in its file", "booked"
    elif transfer.booked_at is not None:
        cause, case = f"{what}; it stays in Unimicro", "booked"
    elif is_begun(transfer):
        cause = f"{what}, but sending it to Unimicro had begun"
        case = "begun"
    else:
        cause, case = f"{what}; it was never sent", ""
    return Reason(
        code=Code.GONE_IN_RECMAN, cause=cause, fix=fix_for(Code.GONE_IN_RECMAN, case, transfer_id=transfer.id)
    )
