"""`make bench`: bounded load on loopback, printed as ratios of one run, because machines are shared and noisy.

1. ack: webhooks through the real API (one process, real sockets) against single-row inserts by pgbench in the same run.
2. ack at a steady 300/s: the 99th percentile.
3. engine: events per second with a handler that does nothing, for 4,000 lanes of one event, 500 lanes, one hot lane.
   Turns: the claim of 8 beside 1,000 tenants with 100 due lanes each; hints of one tenant beside another's 100,000.
4. sweep: CPU seconds and memory for 100,000 unchanged invoices, against half as many.
5. customers: CPU seconds and memory for comparing ten thousand customers with ten thousand, against half as many.
6. decode: one webhook body of 2 KB to hints, against `json.loads` and a SHA-256 of the same body.
7. series: documents issued in RecMan's order, against a bare loop of the same calls, 0.1 s each.
8. files: ten thousand invoices as files, CPU seconds and memory.
9. export: ten thousand invoices that are ready, through the door that makes their files, seconds and memory.
10. accept: the statement that stores a webhook, for new records and for two hundred busy ones, against bare inserts.
"""

import asyncio
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from app.admin.hooks import create_hook
from app.admin.tenants import create_tenant
from app.embedded.postgres import EmbeddedPostgres, pgbench_path
from app.engine.inbox import Arrival, accept, dedupe_key
from app.platform.db import create_engine, migrate
from app.platform.http import httpx
from app.platform.logger import configure_logging
from app.platform.resources import Resources, open_resources
from app.settings import Settings
from app.transfer.context import Run
from app.worker import run_worker
from tests.bench.accepts import measure_accepts
from tests.bench.decode import make_body, measure_decode
from tests.bench.exports import measure_export
from tests.bench.files import measure_files
from tests.bench.load import Load, post_steadily, post_together
from tests.bench.series import measure_series
from tests.bench.sweep import measure_sweep
from tests.bench.turns import measure_claim, measure_waits
from tests.world import make_settings
from tests.world.many_customers import make_many, measure_megabytes, measure_seconds

CONNECTIONS = 32
SECONDS = 5.0
STEADY_RATE = 300
EVENTS = 4000
LANES = 500
SWEPT = (50_000, 100_000)
COMPARED = (5_000, 10_000)
WRITTEN = ("bilag", "kunde", "ordre", "unistd", "csv")
BARS = {
    "ack ratio": 0.08,
    "p99 ms at 300/s": 25.0,
    "accept": 0.35,
    "hot lane": 400.0,
    "single lanes": 1300.0,
    "claim ms": 3.0,
    "fair seconds": 2.0,
    "fair seconds, slots taken": 2.0,
    "sweep CPU seconds": 60.0,
    "sweep growth": 2.5,
    "sweep megabytes": 50.0,
    "series": 0.8,
    "customers growth": 3.5,
    "customers CPU seconds": 60.0,
    "customers megabytes": 500.0,
    "file CPU seconds": 10.0,
    "file megabytes": 100.0,
    "export CPU seconds": 10.0,
    "export megabytes": 100.0,
}

_INSERT = """
INSERT INTO bench_row (tenant_id, scope, record_id, body)
VALUES (gen_random_uuid(), 'invoice', '5001', repeat('x', 120)::bytea);
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bench runs."""

    folder: Path
    url: str
    settings: Settings


def main() -> int:
    """Run everything once; the exit status says whether every bar is passed."""
    configure_logging(style="text", level="WARNING")
    _bench_decode()
    plain = _bench_customers() & _bench_files()
    with tempfile.TemporaryDirectory(prefix="rmu-bench-") as name:
        folder = Path(name)
        with EmbeddedPostgres(folder / "postgres") as server:
            settings = make_settings(
                server.url, folder, worker_concurrency=8, poll_seconds=1, lease_seconds=30, webhook_rate=""
            )
            place = Place(folder, server.url, settings)
            asyncio.run(_migrate(place))
            ack = _bench_ack(place) & asyncio.run(_bench_accepts(place))
            engine = asyncio.run(_bench_engine(place)) & asyncio.run(_bench_turns(place))
            sweep = _bench_sweep(place) & _bench_series(place) & _bench_export(place)
    return 0 if plain and ack and engine and sweep else 1


async def _migrate(place: Place) -> None:
    engine = create_engine(place.url, pool_size=1)
    await migrate(engine)
    await engine.dispose()


def _bench_decode() -> None:
    plain, ours = measure_decode()
    print(f"json.loads and SHA-256 of {len(make_body())} bytes  {plain:8.0f} µs   1.00")
    print(f"the same body to hints                {ours:8.0f} µs   {ours / plain:.1f}")


def _bench_customers() -> bool:
    half, whole = (make_many(count) for count in COMPARED)
    measure_seconds(make_many(500))
    short, long = measure_seconds(half), measure_seconds(whole)
    megabytes = measure_megabytes(whole)
    print(f"customers, {COMPARED[1]} beside as many: {long:.1f} s CPU, {megabytes:.0f} MB at most")
    print(f"twice as many cost                                    {long / short:8.2f}")
    return (
        _judge("customers growth", long / short <= BARS["customers growth"])
        & _judge("customers CPU seconds", long <= BARS["customers CPU seconds"])
        & _judge("customers megabytes", megabytes <= BARS["customers megabytes"])
    )


def _bench_files() -> bool:
    figures = measure_files(WRITTEN, 10_000)
    for one in figures:
        print(f"10000 invoices as {one.name}: {one.cpu_seconds:.1f} s CPU, {one.megabytes:.0f} MB at most")
    return _judge("file CPU seconds", max(one.cpu_seconds for one in figures) <= BARS["file CPU seconds"]) & _judge(
        "file megabytes", max(one.megabytes for one in figures) <= BARS["file megabytes"]
    )


def _bench_export(place: Place) -> bool:
    one = asyncio.run(measure_export(place.settings, place.url, count=10_000))
    took = f"{one.seconds:.1f} s, {one.cpu_seconds:.1f} s CPU"
    print(f"{one.documents} invoices exported: {took}, memory grew by {one.grown_megabytes:.0f} MB")
    return _judge("export CPU seconds", one.cpu_seconds <= BARS["export CPU seconds"]) & _judge(
        "export megabytes", one.grown_megabytes <= BARS["export megabytes"]
    )


def _bench_series(place: Place) -> bool:
    ours, bare = asyncio.run(measure_series(place.url, place.folder, documents=20, seconds=0.1))
    print(f"documents of a series, calls of 0.1 s: {ours:.1f} s, a bare loop {bare:.1f} s   {bare / ours:8.2f}")
    return _judge("series", bare / ours >= BARS["series"])


def _bench_sweep(place: Place) -> bool:
    half, whole = (asyncio.run(measure_sweep(place.settings, place.url, records=count)) for count in SWEPT)
    for cost in (half, whole):
        figures = f"{cost.cpu_seconds:.1f} s CPU, memory grew by {cost.grown_megabytes:.0f} MB, {cost.events} events"
        print(f"sweep of {cost.records} unchanged invoices: {figures}")
    growth = whole.cpu_seconds / half.cpu_seconds
    print(f"twice as many cost                                    {growth:8.2f}")
    return (
        _judge("sweep CPU seconds", whole.cpu_seconds <= BARS["sweep CPU seconds"] and whole.events == 0)
        & _judge("sweep growth", growth <= BARS["sweep growth"])
        & _judge("sweep megabytes", whole.grown_megabytes <= BARS["sweep megabytes"])
    )


def _bench_ack(place: Place) -> bool:
    raw = _pgbench(place)
    with _served(place) as base:
        hook = asyncio.run(_make_hook(place))
        full = asyncio.run(post_together(f"{base}{hook}", connections=CONNECTIONS, seconds=SECONDS))
        steady = asyncio.run(post_steadily(f"{base}{hook}", rate=STEADY_RATE, seconds=SECONDS))
    ratio = full.per_second / raw
    p99 = statistics.quantiles(steady.milliseconds, n=100)[98]
    bad = full.refused + steady.refused
    print(f"raw single-row inserts (pgbench, {CONNECTIONS} connections)  {raw:8.0f}/s   1.00")
    print(f"webhooks acknowledged (1 API process)                {full.per_second:8.0f}/s   {ratio:.3f}")
    print(f"at {STEADY_RATE}/s: p50 {statistics.median(steady.milliseconds):.1f} ms, p99 {p99:.1f} ms; not 202: {bad}")
    return _judge("ack ratio", ratio >= BARS["ack ratio"]) & _judge(
        "p99 ms at 300/s", p99 <= BARS["p99 ms at 300/s"] and bad == 0 and _kept_pace(steady)
    )


async def _bench_accepts(place: Place) -> bool:
    async with open_resources(place.settings, database_url=place.url) as resources:
        rates = await measure_accepts(resources)
    print(rates.told)
    return _judge("accept", min(rates.new, rates.busy) / rates.bare >= BARS["accept"])


def _kept_pace(load: Load) -> bool:
    return load.per_second >= STEADY_RATE * 0.95


def _judge(name: str, passed: bool) -> bool:  # noqa: FBT001 - the verdict itself
    print(f"  bar {name} ({BARS[name]}): {'passed' if passed else 'MISSED'}")
    return passed


def _pgbench(place: Place) -> float:
    """Single-row inserts per second, each its own transaction, as pgbench measures them."""
    program = pgbench_path()
    script = place.folder / "insert.sql"
    script.write_text(_INSERT)
    script.chmod(0o644)
    socket = re.search(r"host=([^&]+)", place.url)
    host = ["-h", socket.group(1)] if socket else []
    asyncio.run(_make_bench_table(place))
    command = [str(program), "-n", "-c", str(CONNECTIONS), "-j", "2", "-T", str(int(SECONDS)), "-M", "prepared"]
    command += ["-f", str(script), *host, "-U", "postgres", "postgres"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise SystemExit(f"pgbench gave no figure: {done.stderr[-500:]}")
    return float(found.group(1))


async def _make_bench_table(place: Place) -> None:
    engine = create_engine(place.url, pool_size=1)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE TABLE bench_row (id bigserial PRIMARY KEY, tenant_id uuid, scope text, record_id text, body bytea)"
        )
    await engine.dispose()


@contextlib.contextmanager
def _served(place: Place) -> Iterator[str]:
    port = 18500 + os.getpid() % 1000
    values = {
        "DATABASE_URL": place.url,
        "RMU_PORT": str(port),
        "RMU_LOG_LEVEL": "WARNING",
        "RMU_ENCRYPTION_KEYS": _secret(place.settings),
        "RMU_BOOTSTRAP_TOKEN": "rmu_bench",
        "RMU_WEBHOOK_RATE": "",
    }
    command = [sys.executable, "-m", "app", "serve"]
    process = subprocess.Popen(command, env={**os.environ, **values})
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


def _secret(settings: Settings) -> str:
    return settings.encryption_keys.get_secret_value() if settings.encryption_keys else ""


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url).is_success:
                return
        time.sleep(0.05)
    raise SystemExit("the API did not start")


async def _make_hook(place: Place) -> str:
    opened = open_resources(place.settings, database_url=place.url)
    async with opened as resources, resources.sessions.begin() as session:
        tenant = await create_tenant(session, name="bench ack")
        made = await create_hook(session, resources.vault, tenant_id=tenant.id, name="bench")
    return f"/webhooks/recman/{made.address}"


async def _bench_engine(place: Place) -> bool:
    async with open_resources(place.settings, database_url=place.url) as resources:
        single = await _drain(resources, "bench single", lanes=EVENTS)
        spread = await _drain(resources, "bench spread", lanes=LANES)
        hot = await _drain(resources, "bench hot", lanes=1)
    print(f"engine, {LANES} lanes   {spread:8.0f} events/s   1.00")
    print(f"engine, 1 hot lane  {hot:8.0f} events/s   {hot / spread:.2f}")
    print(f"engine, {EVENTS} lanes of one event {single:8.0f} events/s   {single / spread:.2f}")
    return _judge("hot lane", hot >= BARS["hot lane"] or hot >= spread / 2) & _judge(
        "single lanes", single >= BARS["single lanes"]
    )


async def _bench_turns(place: Place) -> bool:
    async with open_resources(place.settings, database_url=place.url) as resources:
        claim = await measure_claim(resources)
        waits = await measure_waits(resources, stuck=False)
        stuck = await measure_waits(resources, stuck=True)
    print(f"claim of 8 beside 1000 tenants with 100 due lanes each: {claim:.2f} ms")
    for name, one in (("100,000 due lanes", waits), ("the same, every slot taken", stuck)):
        print(f"a hint beside {name}: p50 {statistics.median(one.seconds):.3f} s, p99 {one.p99:.3f} s")
    return (
        _judge("claim ms", claim <= BARS["claim ms"])
        & _judge("fair seconds", waits.p99 <= BARS["fair seconds"])
        & _judge("fair seconds, slots taken", stuck.p99 <= BARS["fair seconds, slots taken"])
    )


async def _drain(resources: Resources, tenant: str, *, lanes: int) -> float:
    """Events per second with a handler that does nothing."""
    async with resources.sessions.begin() as session:
        # What an earlier measurement left waiting must not be counted into this one.
        await session.execute(text("TRUNCATE attempt, transfer, event, event_key, lane CASCADE"))
        tenant_id = (await create_tenant(session, name=tenant)).id
        for n in range(EVENTS):
            arrival = Arrival(
                tenant_id=tenant_id,
                scope="invoice",
                record_id=str(n % lanes),
                operation="update",
                dedupe=dedupe_key(tenant, n),
            )
            await accept(session, arrival)
    done = asyncio.Event()
    left = EVENTS

    async def carry_nothing(run: Run) -> None:
        nonlocal left
        left -= len(run.events)
        if left == 0:
            done.set()

    started = time.monotonic()
    async with _working(resources, carry_nothing), asyncio.timeout(120):
        await done.wait()
    return EVENTS / (time.monotonic() - started)


@contextlib.asynccontextmanager
async def _working(resources: Resources, handler: object) -> AsyncIterator[None]:
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(resources, stop, carry_one=handler))  # type: ignore[arg-type]
    try:
        yield
    finally:
        stop.set()
        await worker


if __name__ == "__main__":
    sys.exit(main())
