"""A long log beside a short one: what every listing, filter, claim and accept costs in each, as ratios of one run.

Both lie in databases of their own on one server and are asked in turn. Whatever is rare is as many rows in both and
the oldest of all, so that the answers are equally long and only the log behind them differs.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from app.admin.audit import list_changes
from app.admin.tenants import create_tenant
from app.clerk.job_documents import count_outcomes, list_job_documents
from app.clerk.jobs import list_jobs
from app.clerk.overview import InvoiceFilter, count_invoices, list_invoices
from app.domain.documents import DocumentKind
from app.domain.states import EventState, InvoiceState, TransferState
from app.embedded.postgres import EmbeddedPostgres
from app.engine.claims import Turn, claim
from app.engine.inbox import Arrival, accept, dedupe_key, list_events
from app.platform.db import Session, create_engine, look_at_all, migrate, to_driver_url
from app.platform.resources import Resources, open_resources
from app.settings import Settings
from app.transfer.listings import list_attempts, list_customers, list_transfers
from tests.bench.past import DAYS, fill, make_past_months
from tests.world import make_settings
from tests.world.databases import to_url

SHORT, LONG = 1_000, 1_000_000
ROUNDS = 100
PAGE = 20
BAR = 1.1

# What is asked; the answer's length, so that both logs can be seen to say as much.
Ask = Callable[[Session], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Log:
    """A database with a log in it."""

    resources: Resources
    tenant_id: UUID
    keys: Sequence[Any]
    middle_id: int
    middle_event: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one question in both logs, typical of rounds in turn."""

    name: str
    short: float
    long: float

    @property
    def ratio(self) -> float:
        """How much dearer the long log is."""
        return self.long / self.short


def main() -> int:
    """Print every ratio; the exit status says whether all of them pass."""
    with tempfile.TemporaryDirectory(prefix="rmu-bench-") as name:
        folder = Path(name)
        with EmbeddedPostgres(folder / "postgres") as server:
            costs = asyncio.run(measure_logs(make_settings(server.url, folder), server.url, long=_read_length()))
    return 0 if show_costs(costs) else 1


def _read_length() -> int:
    return int(sys.argv[1]) if len(sys.argv) > 1 else LONG


def show_costs(costs: Sequence[Cost]) -> bool:
    """Print each; whether all of them are within the bar."""
    for cost in sorted(costs, key=lambda one: one.ratio):
        verdict = "passed" if cost.ratio <= BAR else "MISSED"
        print(f"{cost.name:44} {cost.short:8.2f} ms {cost.long:8.2f} ms  {cost.ratio:8.2f}  {verdict}")
    return all(cost.ratio <= BAR for cost in costs)


async def measure_logs(settings: Settings, url: str, *, long: int = LONG) -> list[Cost]:
    """What everything costs in a short and a long log."""
    async with AsyncExitStack() as stack:
        logs = [await _make_log(stack, settings, url, f"log_{n}", n) for n in (SHORT, long)]
        asked = [await _list_asked(log) for log in logs]
        return [await _compare(name, logs, [one[name] for one in asked]) for name in asked[0]]


async def _make_log(stack: AsyncExitStack, settings: Settings, url: str, name: str, rows: int) -> Log:
    connection = await asyncpg.connect(to_driver_url(url))
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    own = to_url(url, name)
    engine = create_engine(own, pool_size=1)
    await migrate(engine)
    await make_past_months(engine)
    resources = await stack.enter_async_context(open_resources(settings, database_url=own))
    async with resources.sessions.begin() as session:
        tenant_id = (await create_tenant(session, name="bench")).id
    started = time.monotonic()
    await fill(engine, tenant_id, rows)
    print(f"{rows} transfers, {3 * rows} events and as many attempts in {time.monotonic() - started:.0f} s", flush=True)
    await engine.dispose()
    return await _open_log(resources, tenant_id, rows)


async def _open_log(resources: Resources, tenant_id: UUID, rows: int) -> Log:
    async with resources.engine.connect() as found:
        keys = (await found.execute(text("SELECT * FROM key ORDER BY name"))).all()
        ids = "SELECT id FROM {} ORDER BY {} DESC OFFSET {} LIMIT 1"
        middle = (await found.execute(text(ids.format("transfer", "created_at", rows // 2)))).scalar_one()
        event = (await found.execute(text(ids.format("event", "received_at", rows // 2)))).scalar_one()
    return Log(resources, tenant_id, keys, middle, event)


async def _compare(name: str, logs: Sequence[Log], asked: Sequence[Ask]) -> Cost:
    taken: list[list[float]] = [[] for _ in logs]
    for n in range(ROUNDS):
        lengths = []
        for log, ask, times in zip(logs, asked, taken, strict=True):
            async with log.resources.of_tenant(log.tenant_id).sessions.begin() as session:
                if name.startswith("all tenants"):
                    look_at_all(session)
                # The transaction is begun: what is measured is the question.
                await session.execute(text("SELECT 1"))
                started = time.perf_counter()
                lengths.append(await ask(session))
                times.append((time.perf_counter() - started) * 1000)
        assert len(set(lengths)) == 1, (name, lengths)
        if n == 0 and taken[-1][0] > 1000:
            # One look is enough to see that this one does not pass.
            break
    return Cost(name, *(_typical(times) for times in taken))


def _typical(times: Sequence[float]) -> float:
    """What a quarter of the rounds stays below: others work on this machine, too."""
    return sorted(times)[len(times) // 4]


async def _list_asked(log: Log) -> Mapping[str, Ask]:
    return {**_list_work(log), **_list_invoice_asks(log), **_list_other_asks(log)}


def _list_work(log: Log) -> dict[str, Ask]:
    turn = Turn()

    async def ask_claim(session: Session) -> int:
        return len((await claim(session, turn, most=8, lease_seconds=0.001)).leases)

    async def ask_accept(session: Session) -> int:
        now = datetime.now(UTC).isoformat()
        dedupe = dedupe_key(log.tenant_id, now)
        arrival = Arrival(
            tenant_id=log.tenant_id, scope="invoice", record_id=f"new {now}", operation="update", dedupe=dedupe
        )
        await accept(session, arrival)
        return 0

    return {"claim of 8": ask_claim, "accept": ask_accept}


def _list_invoice_asks(log: Log) -> dict[str, Ask]:
    middle = datetime.now(UTC).date() - timedelta(days=DAYS // 2)
    month: dict[str, date] = {"dated_from": middle - timedelta(days=30), "dated_to": middle}
    filters: dict[str, dict[str, Any]] = {
        "none": {},
        **{f"state {state}": {"state": state} for state in InvoiceState},
        "often used key": {"key_id": log.keys[0].id},
        "seldom used key": {"key_id": log.keys[1].id},
        "a month": month,
        "a month on, to today": {"dated_from": month["dated_from"]},
        "up to a day": {"dated_to": month["dated_to"]},
        "a month, held": {**month, "state": InvoiceState.HELD},
        "a month, done": {**month, "state": InvoiceState.IN_UNIMICRO},
        "large department": {"department": "3"},
        "small department": {"department": "rare"},
        "often named customer": {"customer": "unde 3"},
        "seldom named customer": {"customer": "sjelden"},
        "nobody's customer": {"customer": "nobody at all"},
        "credit notes": {"kind": DocumentKind.CREDIT_NOTE},
        "credit notes, held": {"kind": DocumentKind.CREDIT_NOTE, "state": InvoiceState.HELD},
        "open ones": {"only_open": True},
        "text: a customer": {"text": "sjelden"},
        "text: a reason": {"text": "not in Unimicro"},
        "text: a number": {"text": "900000217"},
        "text: part of a number": {"text": "00000217"},
        "text: nothing": {"text": "nothing of the kind"},
    }

    async def ask(session: Session, *, wanted: InvoiceFilter, before: int | None = None) -> int:
        return len(await list_invoices(session, wanted, before_id=before, limit=PAGE))

    own = {name: InvoiceFilter(tenant_id=log.tenant_id, **values) for name, values in filters.items()}
    asks: dict[str, Ask] = {f"invoices, {name}": partial(ask, wanted=wanted) for name, wanted in own.items()}
    asks["invoices, next page"] = partial(ask, wanted=own["none"], before=log.middle_id)
    asks["invoices, next page of a month"] = partial(ask, wanted=own["up to a day"], before=log.middle_id)
    for name, values in filters.items():
        asks[f"all tenants' invoices, {name}"] = partial(ask, wanted=InvoiceFilter(**values))

    async def ask_count(session: Session) -> int:
        return await count_invoices(session, InvoiceFilter(tenant_id=log.tenant_id, only_open=True))

    return asks | {"invoices, open ones counted": ask_count}


def _list_other_asks(log: Log) -> dict[str, Ask]:
    async def transfers(session: Session, **values: Any) -> int:
        wanted: dict[str, Any] = {"tenant_id": log.tenant_id, "state": None, "kind": None, "before_id": None, **values}
        return len(await list_transfers(session, **wanted, limit=PAGE))

    async def events(session: Session, **values: Any) -> int:
        wanted: dict[str, Any] = {"tenant_id": log.tenant_id, "state": None, "before_id": None, **values}
        return len(await list_events(session, **wanted, limit=PAGE))

    async def changes(session: Session, **values: Any) -> int:
        wanted: dict[str, Any] = {"tenant_id": log.tenant_id, "subject": None, "before_id": None, **values}
        return len(await list_changes(session, **wanted, limit=PAGE))

    async def customers(session: Session) -> int:
        return len(await list_customers(session, log.keys[0], before_id=None, limit=PAGE))

    async def attempts(session: Session) -> int:
        return len(await list_attempts(session, log.middle_id))

    async def job_documents(session: Session, *, tenant_id: UUID | None = log.tenant_id) -> int:
        job = (await list_jobs(session, tenant_id=tenant_id, before_id=None, limit=1))[0]
        counted = await count_outcomes(session, job)
        return len(await list_job_documents(session, job, after_id=0, limit=PAGE)) + sum(counted.values())

    asks: dict[str, Any] = {"transfers": transfers, "transfers, next page": partial(transfers, before_id=log.middle_id)}
    asks |= {f"transfers, {one}": partial(transfers, state=one) for one in TransferState}
    asks |= {f"transfers, {one}": partial(transfers, kind=one) for one in ("customer", "credit_note", "invoice")}
    asks |= {"events": events, "events, next page": partial(events, before_id=log.middle_event)}
    asks |= {f"events, {one}": partial(events, state=one) for one in EventState}
    asks |= {"a job's documents": job_documents}
    asks |= {"audit": changes, "audit, of one thing": partial(changes, subject="transfer:7")}
    everyone = {f"all tenants' {name}": partial(ask, tenant_id=None) for name, ask in asks.items()}
    return asks | everyone | {"a key's customers": customers, "a transfer's attempts": attempts}


if __name__ == "__main__":
    sys.exit(main())
