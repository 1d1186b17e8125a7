"""When RecMan does not show a record: not yet, not to us, or no more. Nothing is ever deleted in Unimicro."""

from app.domain.states import EventState
from app.engine.lanes import check_fence
from app.errors import HoldError, Reason, RemoteUnavailableError
from app.tables import Transfer
from app.transfer.context import Run
from app.transfer.doubles import wake_doubles
from app.transfer.log import is_begun, list_of_record, record_not_wanted, record_values, show_reasons
from app.transfer.take_back import take_back_draft

# A record that RecMan does not show yet gets this many tries before a person is asked.
_TRIES = 3
_GONE = "gone_in_recman"


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
        raise RemoteUnavailableError(f"RecMan does not show {scope} {run.lease.record_id} (yet)")
    if not is_deleted:
        raise HoldError((_missing(run),))
    await take_back_draft(run)
    await _mark_gone(run)


def _missing(run: Run) -> Reason:
    scope, record_id = run.lease.scope, run.lease.record_id
    if run.reader.client is None:
        cause = f"Record incomplete: no delivery holds {scope} {record_id}, or the last word is that it was deleted"
        fix = "Enter a RecMan API key for the tenant, or let RecMan send the whole record, then retry."
    else:
        cause = f"RecMan announced {scope} {record_id} but does not show it"
        fix = "Check that it exists and that the RecMan API key may read it, then retry."
    return Reason(code="record_missing", cause=cause, fix=fix)


async def _mark_gone(run: Run) -> None:
    scope, record_id = run.lease.scope, run.lease.record_id
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        for transfer in await list_of_record(session, run.place(None, scope, record_id)):
            if transfer.booked_at is not None:
                others = [warning for warning in transfer.warnings if warning["code"] != _GONE]
                await record_values(session, transfer.id, warnings=[*others, *show_reasons([_gone(transfer)])])
            elif is_begun(transfer):
                raise HoldError((_gone(transfer),))
            else:
                await record_not_wanted(session, transfer.id, _gone(transfer))
                await wake_doubles(session, transfer.id)
        note = f"RecMan confirms that {scope} {record_id} is gone; nothing is deleted in Unimicro"
        await run.finish(session, state=EventState.IGNORED, note=note)


def _gone(transfer: Transfer) -> Reason:
    what = f"RecMan no longer has {transfer.kind.replace('_', ' ')} {transfer.number or transfer.record_id}"
    if transfer.booked_at is not None:
        cause, fix = f"{what}; it stays in Unimicro", "Credit or close it in Unimicro by hand if it should not count."
    elif is_begun(transfer):
        cause = f"{what}, but sending it to Unimicro had begun"
        fix = "Look in Unimicro how far it came and remove what is there; then ignore it here."
    else:
        cause, fix = f"{what}; it was never sent", "Nothing to do. Should it be there after all, retry it."
    return Reason(code=_GONE, cause=cause, fix=fix)
