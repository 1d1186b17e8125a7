"""A sweep: read all that RecMan lists, page by page, and pass on to the lanes what differs from before.

Everything arrives this way even if no webhook ever comes. A sweep is a lane: whoever carries it may die at any moment,
and the next one goes on at the same page.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import simplejson

from app.admin.keys import find_first_go_live
from app.admin.tenants import load_tenant
from app.domain.reading import SWEPT_SCOPES, Reading
from app.domain.states import EventState, SweepState
from app.engine.inbox import Arrival, accept, dedupe_key
from app.engine.lanes import check_fence
from app.errors import RemoteRejectedError, RemoteUnexplainedError
from app.platform.db import Session, Sessions
from app.platform.logger import get_logger
from app.recman.api.client import RecmanClient
from app.recman.api.rows import hash_ids, index_rows
from app.recman.read.dialect import list_fields
from app.recman.read.spellings import Raw
from app.recman.read.translate import read_made_day
from app.sweep.backfill import confirm_document, find_confirmed, list_documents
from app.sweep.profiles import find_profile, record_drift
from app.sweep.sightings import Sighting, count_changes, record_misses, record_sightings, record_told, take_changes
from app.sweep.sweeps import end_sweep, has_swept, load_sweep, source_of
from app.tables import Sweep, Tenant
from app.transfer.context import Run
from app.transfer.listings import list_booked

# Stands for the page when a scope is read to its end and its changes are passed on.
_TELLING = 0
_TOLD_AT_ONCE = 200
# So many records of a page show how a scope is spelled.
_LOOKED_AT = 50
# What RecMan says no to so often, it says no to.
_TRIES = 3
_OPERATIONS = {"new": "insert", "changed": "update", "gone": "delete"}

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page as read: its records by id, whether it was the last, and why there is none."""

    rows: dict[str, Raw]
    last: bool
    refused: str = ""


async def carry_sweep(run: Run) -> None:
    """Take a sweep or backfill as far as it goes now.

    Raises:
        RemoteError: RecMan cannot be read now; it goes on later where it is.
    """
    sweep_id = int(run.lease.record_id)
    async with run.sessions() as session:
        tenant = await load_tenant(session, run.lease.tenant_id)
        sweep = await load_sweep(session, sweep_id)
    if run.reader.client is None:
        await _end(run, SweepState.FAILED, note="the tenant's RecMan API key was taken away")
        return
    pages: set[int] = set()
    while sweep.state == SweepState.RUNNING:
        if sweep.page == _TELLING:
            await _tell_unless_many(run, sweep, tenant)
            pages.clear()
            if not await _begin_next_scope(run, sweep_id):
                await _end(run, SweepState.DONE, note="read to the end")
                return
        else:
            page = await _read_page(run, run.reader.client, sweep, pages)
            await _record_page(run, sweep_id, tenant, page)
        async with run.sessions() as session:
            sweep = await load_sweep(session, sweep_id)
    await _end(run, None, note=f"it is {sweep.state}")


async def _read_page(run: Run, client: RecmanClient, sweep: Sweep, pages: set[int]) -> PageRead:
    """The next page; `pages` knows those before it by their hashes, and it too afterwards."""
    try:
        page = await client.fetch_page(sweep.scope, sweep.page)
        rows = index_rows(sweep.scope, page.rows)
    except (RemoteRejectedError, RemoteUnexplainedError) as error:
        # One scope that this account may not read must not stop the others, however RecMan words it.
        if isinstance(error, RemoteUnexplainedError) and run.lease.tries < _TRIES:
            raise
        return PageRead({}, last=True, refused=error.cause)
    # A page that was there before means that `page` is ignored, or that behind the last one comes the first.
    known = hash_ids(rows)
    last = not rows or known in pages or not page.more
    pages.add(known)
    return PageRead(rows, last=last)


async def _record_page(run: Run, sweep_id: int, tenant: Tenant, page: PageRead) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        sweep = await load_sweep(session, sweep_id, lock=True)
        _record_counts(sweep, pages=1, records=len(page.rows), **({"refused": page.refused} if page.refused else {}))
        if sweep.kind == "backfill":
            await _fill_back(session, sweep, page)
        else:
            await _note(session, sweep, tenant, page)
        sweep.page = _TELLING if page.last else sweep.page + 1
        sweep.trouble = None


async def _begin_next_scope(run: Run, sweep_id: int) -> bool:
    """Go on with the next scope; False when there is none."""
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        sweep = await load_sweep(session, sweep_id, lock=True)
        following = SWEPT_SCOPES[SWEPT_SCOPES.index(sweep.scope) + 1 :] if sweep.kind == "sweep" else ()
        if following:
            sweep.scope, sweep.page = following[0], 1
    return bool(following)


def _record_counts(sweep: Sweep, **more: Any) -> None:
    """Add numbers to the scope's counts; anything else replaces what was there."""
    counts = dict(sweep.counts.get(sweep.scope, {}))
    for name, value in more.items():
        counts[name] = counts.get(name, 0) + value if isinstance(value, int) else value
    sweep.counts = {**sweep.counts, sweep.scope: counts}


async def _note(session: Session, sweep: Sweep, tenant: Tenant, page: PageRead) -> None:
    """Note what the page holds, and behind the last one what was on none."""
    scope = sweep.scope
    if page.rows:
        await _note_rows(session, sweep, tenant, page.rows)
    # Nothing at all is no proof that everything is gone: a right may have been taken away.
    if page.last and not page.refused and sweep.counts[scope]["records"]:
        await record_misses(session, tenant_id=tenant.id, scope=scope, sweep_id=sweep.id)


async def _note_rows(session: Session, sweep: Sweep, tenant: Tenant, rows: Mapping[str, Raw]) -> None:
    scope, reading = sweep.scope, Reading.model_validate(tenant.reading)
    first_day = await _find_first_day(session, tenant, reading)
    is_first = not await has_swept(session, tenant.id)
    days = {one: read_made_day(scope, raw) for one, raw in rows.items()}
    # Whoever named a first day wants all that is not surely older. Else what was there before us stays as it is; an
    # invoice is passed on all the same, for one too many is held or looked up, and one too few is lost.
    unknown_is_old = is_first and reading.first_day is None and scope != "invoice"
    old = [one for one, day in days.items() if (unknown_is_old if day is None else day < first_day)]
    known = await list_booked(session, tenant_id=tenant.id, scope=scope, record_ids=old)
    quiet = set(old) - known.keys()
    await record_sightings(
        session,
        [Sighting(one, hash_record(raw), one in quiet) for one, raw in rows.items()],
        tenant_id=tenant.id,
        scope=scope,
        sweep_id=sweep.id,
        quiet_changes=scope == "invoice",
    )
    _record_counts(sweep, older=len(quiet))
    await _note_spelling(session, tenant.id, scope, list(rows.values())[:_LOOKED_AT])


async def _find_first_day(session: Session, tenant: Tenant, reading: Reading) -> date:
    """Documents dated earlier are not passed on, to save calls; what is booked is decided by each key's go-live day.

    So a first day may reach further back than the keys do, and never keeps from them what is theirs.
    """
    days = [reading.first_day, await find_first_go_live(session, tenant_id=tenant.id)]
    return min((day for day in days if day is not None), default=tenant.created_at.date())


async def _note_spelling(session: Session, tenant_id: UUID, scope: str, rows: list[Raw]) -> None:
    profile = await find_profile(session, tenant_id=tenant_id, scope=scope)
    if profile is not None and profile.outcome == "readable":
        for what in await record_drift(session, profile, list_fields(rows)):
            _log.warning("recman_spelling_drifts", of=scope, what=what)


def hash_record(raw: Raw) -> bytes:
    """What shows whether a record was changed; the order of its names does not matter."""
    own = {name: value for name, value in raw.items() if name != "_key"}
    return hashlib.sha256(simplejson.dumps(own, use_decimal=True, sort_keys=True).encode()).digest()


async def _tell_unless_many(run: Run, sweep: Sweep, tenant: Tenant) -> None:
    if sweep.kind == "backfill":
        return
    scope, reading = sweep.scope, Reading.model_validate(tenant.reading)
    async with run.sessions() as session:
        waiting = (await count_changes(session, [tenant.id])).get((tenant.id, scope), 0)
    held = waiting if waiting > reading.most_changes else 0
    told = 0 if held else await tell_changes(run.sessions, tenant.id, scope, source=source_of(sweep))
    if held:
        _log.warning("mass_change_held", of=scope, changes=held, most=reading.most_changes)
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        _record_counts(await load_sweep(session, sweep.id, lock=True), told=told, held=held)


async def tell_changes(sessions: Sessions, tenant_id: UUID, scope: str, *, source: str) -> int:
    """Pass on to the lanes what sweeps found changed in a scope; how many records that were.

    Each lot is passed on and noted as such in one transaction, so that a process may die in between.
    """
    told = 0
    while True:
        async with sessions.begin() as session:
            changes = await take_changes(session, tenant_id=tenant_id, scope=scope, most=_TOLD_AT_ONCE)
            if not changes:
                return told
            gone = [one for one, change in changes if change == "gone"]
            # What never came to us need not be looked for when it goes.
            known = await list_booked(session, tenant_id=tenant_id, scope=scope, record_ids=gone)
            for record_id, change in changes:
                if change != "gone" or record_id in known:
                    await _tell(session, tenant_id, scope, record_id, operation=_OPERATIONS[change], source=source)
                    told += 1
            await record_told(session, [one for one, _ in changes], tenant_id=tenant_id, scope=scope)


async def discard_changes(sessions: Sessions, tenant_id: UUID, scope: str) -> int:
    """Take what sweeps found changed as it is, without looking at it; how many records that were."""
    discarded = 0
    while True:
        async with sessions.begin() as session:
            changes = await take_changes(session, tenant_id=tenant_id, scope=scope, most=_TOLD_AT_ONCE)
            if not changes:
                return discarded
            await record_told(session, [one for one, _ in changes], tenant_id=tenant_id, scope=scope)
            discarded += len(changes)


async def _tell(session: Session, tenant_id: UUID, scope: str, record_id: str, *, operation: str, source: str) -> None:
    arrival = Arrival(
        tenant_id=tenant_id,
        scope=scope,
        record_id=record_id,
        operation=operation,
        source=source,
        dedupe=dedupe_key(source, scope, record_id, operation),
    )
    await accept(session, arrival)


async def _fill_back(session: Session, sweep: Sweep, page: PageRead) -> None:
    """Pass on the page's documents that are of the wanted days and not booked yet; a dry run only lists them."""
    first, last = (date.fromisoformat(sweep.wanted[name]) for name in ("dated_from", "dated_to"))
    days = {one: read_made_day("invoice", raw) for one, raw in page.rows.items()}
    chosen = [one for one, day in days.items() if day is not None and first <= day <= last]
    known = await list_booked(session, tenant_id=sweep.tenant_id, scope="invoice", record_ids=chosen)
    # In the order in which webhooks take lanes too, so that the two cannot wait for each other.
    wanted = sorted(one for one in chosen if not known.get(one))
    undated = [one for one, day in days.items() if day is None]
    _record_counts(
        sweep, in_time=len(chosen), booked=len(chosen) - len(wanted), undated=len(undated), to_send=len(wanted)
    )
    rows = {one: page.rows[one] for one in wanted}
    if sweep.wanted["dry_run"]:
        _record_counts(sweep, before_go_live=await list_documents(session, sweep, rows))
        return
    confirmed = await find_confirmed(session, sweep, rows)
    for record_id in wanted:
        source = source_of(sweep)
        await _tell(session, sweep.tenant_id, "invoice", record_id, operation="unknown", source=source)
        if record_id in confirmed:
            await confirm_document(session, sweep, confirmed[record_id])


async def _end(run: Run, state: SweepState | None, *, note: str) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        sweep = await load_sweep(session, int(run.lease.record_id), lock=True)
        if state is not None and sweep.state == SweepState.RUNNING:
            await end_sweep(session, sweep, state=state)
        await run.finish(session, state=EventState.DONE, note=note)
