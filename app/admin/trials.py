"""What `golive` makes in a company, noted before it is sent. The only owner of table `trial_thing`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, update

from app.accounting.trials import Ended, Thing
from app.platform.db import Session, Sessions
from app.tables import TrialThing

# What every trial needs is no single one's: it stays.
_EVERYBODY = ""


@dataclass(slots=True, kw_only=True)
class TrialNotes:
    """The notebook of one company; `trial` is the one under way. Each note is stored for good at once."""

    sessions: Sessions
    tenant_id: UUID
    company_key: str
    trial: str = _EVERYBODY

    async def note(self, route: str, what: str) -> Thing:
        """A thing that is about to be made, under a reference that no other has."""
        thing = Thing(reference=f"GL-{token_hex(6)}", route=route, what=what)
        trial = _EVERYBODY if route == "customers" and self.trial != "customer" else self.trial
        async with self.sessions.begin() as session:
            await _record_begun(session, self, thing, trial)
        return thing

    async def found(self, thing: Thing, *, remote_id: int, number: str = "") -> Thing:
        """The thing, now that it has an id."""
        made = replace(thing, remote_id=remote_id, number=number)
        async with self.sessions.begin() as session:
            await _record_found(session, self, made)
        return made

    async def refused(self, thing: Thing) -> None:
        """The thing was surely not made."""
        await self.end(thing, Ended.NEVER_MADE)

    async def find(self, route: str) -> Thing | None:
        """The newest thing of the route that every trial uses and that is still there."""
        async with self.sessions() as session:
            things = await list_things(session, self, trial=_EVERYBODY)
        return next((one for one in reversed(things) if one.route == route), None)

    async def end(self, thing: Thing, ended: Ended) -> None:
        """What became of the thing."""
        async with self.sessions.begin() as session:
            await _record_ended(session, self, thing, ended)


async def list_things(session: Session, notes: TrialNotes, *, trial: str | None = None) -> Sequence[Thing]:
    """What is still there, or may be, the oldest first; of one trial, or (None) of all."""
    query = select(TrialThing).where(*_of(notes), TrialThing.ended.is_(None))
    if trial is not None:
        query = query.where(TrialThing.trial == trial)
    rows = (await session.scalars(query.order_by(TrialThing.begun_at, TrialThing.reference))).all()
    return [
        Thing(
            reference=row.reference, route=row.route, what=row.what, remote_id=row.remote_id, number=row.remote_number
        )
        for row in rows
    ]


async def list_left_over(session: Session, notes: TrialNotes) -> Sequence[Thing]:
    """What trials that were interrupted have left; what every trial uses is none of it."""
    used = await list_things(session, notes, trial=_EVERYBODY)
    return [one for one in await list_things(session, notes) if one not in used]


async def _record_begun(session: Session, notes: TrialNotes, thing: Thing, trial: str) -> None:
    place = {"tenant_id": notes.tenant_id, "company_key": notes.company_key, "trial": trial}
    values = {"reference": thing.reference, "route": thing.route, "what": thing.what}
    await session.execute(insert(TrialThing).values(place | values))


async def _record_found(session: Session, notes: TrialNotes, thing: Thing) -> None:
    query = update(TrialThing).where(*_of(notes), TrialThing.reference == thing.reference)
    await session.execute(query.values(remote_id=thing.remote_id, remote_number=thing.number))


async def _record_ended(session: Session, notes: TrialNotes, thing: Thing, ended: Ended) -> None:
    query = update(TrialThing).where(*_of(notes), TrialThing.reference == thing.reference)
    await session.execute(query.values(ended=ended, ended_at=func.now()))


def _of(notes: TrialNotes) -> tuple[ColumnElement[bool], ...]:
    return TrialThing.tenant_id == notes.tenant_id, TrialThing.company_key == notes.company_key
