"""Signs of life of processes, and what all of them have counted together: the only owner of the table `heartbeat`.

A process writes now and then that it lives, with what it has counted (`platform.figures`). What one that has ended
counted is added to a row of those that are gone, so that no sum ever falls, whoever tells it.
"""

import asyncio
import math
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.platform.db import Session, locked
from app.platform.figures import Figures, add, from_rows, read_figures, subtract, to_rows
from app.platform.resources import Resources
from app.tables import Heartbeat

EVERY_SECONDS = 10.0
# Whoever misses several has died, or is too busy to be relied on.
ALIVE_SECONDS = 45.0
# What such a process has counted is kept apart until nobody expects it back.
_GONE_SECONDS = 600.0
_GONE = UUID(int=0)


@dataclass(slots=True)
class Pulse:
    """This process's own heartbeat.

    `turned`: when its loop over lanes went round last, by its own clock. `written` is what its row holds; `folded`
    what was taken for a dead one's and is counted with those.
    """

    id: UUID = field(default_factory=uuid4)
    role: str = "serve"
    turned: float = -math.inf
    written: Figures = field(default_factory=dict, repr=False)
    folded: Figures = field(default_factory=dict, repr=False)
    beating: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def begin(self, role: str, *, works: bool) -> None:
        """Be known as what the process is started for; one that works is taken to do so from the beginning."""
        self.role = role
        if works:
            self.turn()

    def turn(self) -> None:
        """Note that the loop over lanes goes round."""
        self.turned = time.monotonic()

    @property
    def is_turning(self) -> bool:
        """Whether the loop over lanes went round a moment ago."""
        return time.monotonic() - self.turned < ALIVE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A process as its heartbeat tells it; `works_seconds` is how long ago its loop over lanes went round, if ever."""

    role: str
    place: str
    version: str
    started_at: datetime
    seen_seconds: float
    works_seconds: float | None

    @property
    def is_alive(self) -> bool:
        """Whether it was seen a moment ago."""
        return self.seen_seconds < ALIVE_SECONDS

    @property
    def works(self) -> bool:
        """Whether it takes up lanes."""
        return self.is_alive and self.works_seconds is not None and self.works_seconds < ALIVE_SECONDS


async def record_beat(resources: Resources) -> None:
    """Write that this process lives, and what it has counted so far."""
    pulse = resources.kept(Pulse)
    # One at a time: a reading that was made earlier must not be written later.
    async with pulse.beating:
        figures = subtract(read_figures(), pulse.folded)
        async with resources.sessions.begin() as session:
            is_there = await _record_again(session, pulse, figures)
            if not is_there:
                pulse.folded = add(pulse.folded, pulse.written)
                figures = subtract(figures, pulse.written)
                pulse.id, pulse.written = uuid4(), {}
                await _record_first(session, pulse, figures)
        pulse.written = figures


async def _record_again(session: Session, pulse: Pulse, figures: Figures) -> bool:
    values: dict[str, Any] = {"seen_at": func.now(), "figures": to_rows(figures)}
    if pulse.is_turning:
        values["turned_at"] = func.now()
    query = update(Heartbeat).where(Heartbeat.id == pulse.id).values(values).returning(Heartbeat.id)
    return (await session.execute(query)).scalar_one_or_none() is not None


async def _record_first(session: Session, pulse: Pulse, figures: Figures) -> None:
    values = {
        "id": pulse.id,
        "role": pulse.role,
        "place": f"{platform.node()[:60]}/{os.getpid()}",
        "version": version("recman-unimicro"),
        "turned_at": func.now() if pulse.is_turning else None,
        "figures": to_rows(figures),
    }
    await session.execute(insert(Heartbeat).values(values))


async def end_beat(resources: Resources) -> None:
    """Count what this process did with those that are gone: it ends in good order."""
    await record_beat(resources)
    async with resources.sessions.begin() as session:
        await _prune(session, Heartbeat.id == resources.kept(Pulse).id)


async def prune_beats(session: Session) -> None:
    """Count what processes did that have died with those that are gone."""
    await _prune(session, Heartbeat.seen_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, _GONE_SECONDS))


async def _prune(session: Session, condition: Any) -> None:
    gone = {"id": _GONE, "role": "gone", "place": "", "version": "", "figures": []}
    await session.execute(upsert(Heartbeat).values(gone).on_conflict_do_nothing())
    total = await session.scalar(locked(select(Heartbeat.figures).where(Heartbeat.id == _GONE)))
    dead = delete(Heartbeat).where(Heartbeat.id != _GONE, condition).returning(Heartbeat.figures)
    found = (await session.scalars(dead, execution_options={"synchronize_session": False})).all()
    if found:
        figures = to_rows(add(from_rows(total or ()), *map(from_rows, found)))
        await session.execute(update(Heartbeat).where(Heartbeat.id == _GONE).values(figures=figures))


async def sum_figures(session: Session) -> Mapping[Any, float]:
    """What all processes have counted, also those that are gone."""
    return add(*(from_rows(rows) for rows in (await session.scalars(select(Heartbeat.figures))).all()))


async def list_lives(session: Session) -> list[Life]:
    """Every process that was seen within the last minutes, newest first."""
    seen, turned = (func.extract("epoch", func.now() - at) for at in (Heartbeat.seen_at, Heartbeat.turned_at))
    columns = (Heartbeat.role, Heartbeat.place, Heartbeat.version, Heartbeat.started_at)
    query = select(*columns, seen, turned).where(Heartbeat.id != _GONE).order_by(Heartbeat.started_at.desc())
    return [
        Life(
            role=role,
            place=place,
            version=made_of,
            started_at=started_at,
            seen_seconds=float(seen_seconds),
            works_seconds=None if works_seconds is None else float(works_seconds),
        )
        for role, place, made_of, started_at, seen_seconds, works_seconds in (await session.execute(query)).all()
    ]
