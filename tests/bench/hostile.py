"""`python -m tests.bench.hostile`: what others wait, and how much memory is held, while one caller does its worst.

Our API as a process of its own, on loopback. Beside each attack a probe asks for `/health/live` and posts a small
webhook, one after the other. Printed as a table for docs/security.md.
"""

import asyncio
import gzip
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from app.embedded.postgres import EmbeddedPostgres
from app.platform.db import create_engine, migrate
from app.platform.logger import configure_logging
from tests.bench.load import Load, Sender
from tests.world import TOKEN, World
from tests.world.processes import make_environment, real_world

MB = 2**20
SECONDS = 6.0
PORT = 18_799
Attack = Callable[["Target"], Awaitable[None]]


class Target:
    """Our API as an attacker sees it."""

    def __init__(self, world: World, process: asyncio.subprocess.Process) -> None:
        self.hook = world.hook
        self.tenant, self.key = world.tenant_id, world.key_id
        self.pid = process.pid

    async def send(self, head: str, pieces: list[bytes], *, chunked: bool = False, pause: float = 0) -> bytes:
        """The status line that a request comes to, sent piece by piece."""
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {sum(map(len, pieces))}"
        with suppress(ConnectionError):
            writer.write(
                f"{head} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {TOKEN}\r\nIf-Match: *\r\n{size}\r\n\r\n".encode()
            )
            for piece in pieces:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                await writer.drain()
                await asyncio.sleep(pause)
            if chunked:
                writer.write(b"0\r\n\r\n")
        try:
            return (await asyncio.wait_for(reader.readline(), 60)).strip()
        except (ConnectionError, TimeoutError):
            return b"closed"
        finally:
            writer.close()

    def megabytes(self) -> float:
        """What the process holds now."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


async def stay_calm(_: Target) -> None:
    """Nobody attacks."""
    await asyncio.sleep(SECONDS)


async def send_thirty_megabytes(target: Target) -> None:
    """Bodies of 30 MB by eight at once, half of them without saying how long they are."""
    paths = [f"POST {target.hook}", "PUT /v1/rules?key_id=1"]
    await together(8, lambda n: target.send(paths[n % 2], [b"x" * MB] * 30, chunked=n % 4 < 2))


async def send_lists(target: Target) -> None:
    """A megabyte of lists by eight at once."""
    body = [b"[" + b",".join([b"[1]"] * 250_000) + b"]"]
    await together(8, lambda _: target.send(f"POST {target.hook}", body))


async def send_real_invoices(target: Target) -> None:
    """A megabyte of 350 whole invoices by four at once, each stored."""
    line = {"productNumber": "1001", "description": "Konsulenttimer uke 41", "quantity": "37.5", "unitPrice": "450.00"}
    rows = [{"event": "invoice.created", "data": {"invoiceId": n, "lines": [line] * 25}} for n in range(1, 350)]
    body = [json.dumps(rows).encode()[:MB]]
    await together(4, lambda _: target.send(f"POST {target.hook}", body))


async def send_rules(target: Target) -> None:
    """A file of 7,500 rules of each of three kinds, again and again."""
    rules = {
        "products": [{"recman": str(n), "unimicro": str(n + 1)} for n in range(7500)],
        "departments": [{"recman": str(n), "unimicro": str(n)} for n in range(7500)],
        "vat_codes": [{"recman": str(n), "unimicro": None} for n in range(7500)],
    }
    head = f"PUT /v1/rules?key_id={target.key}"
    for _ in range(4):
        answer = await target.send(head, [json.dumps(rules).encode()])
        assert b" 200" in answer, answer


async def drip(target: Target) -> None:
    """Four hundred slow connections: half of them send a head, half a body, a byte every half second."""
    head, body = f"POST {target.hook}", [b"x"] * 40
    async with asyncio.timeout(40):
        await asyncio.gather(*(hold_head() if n % 2 else target.send(head, body, pause=0.5) for n in range(400)))


async def hold_head() -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"GET / HTTP/1.1\r\nX: ")
    with suppress(ConnectionError):
        while not reader.at_eof() and not await read_soon(reader):
            writer.write(b"x")
    writer.close()


async def read_soon(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(100), 0.5)
    except TimeoutError:
        return b""


async def read_bombs(target: Target) -> None:
    """RecMan answers with a gzip bomb of 300 MB, and with 30 MB, to four at once."""
    head = f"POST /v1/departments/refresh?tenant={target.tenant}"
    await together(4, lambda _: target.send(head, []))


async def together(many: int, send: Callable[[int], Awaitable[bytes]]) -> None:
    """So many senders, each again and again."""
    end = time.monotonic() + SECONDS

    async def again(n: int) -> None:
        while time.monotonic() < end:
            await send(n)

    await asyncio.gather(*map(again, range(many)))


async def probe(target: Target, load: Load, health: list[float], stop: asyncio.Event) -> float:
    """The most megabytes that were seen; each answer's time goes into `load` and `health`."""
    most, sender, n = 0.0, Sender(f"http://127.0.0.1:{PORT}{target.hook}"), 50_000_000
    while not stop.is_set():
        started = time.monotonic()
        assert b" 200" in await target.send("GET /health/live", [])
        health.append((time.monotonic() - started) * 1000)
        n += 1
        try:
            await sender.post(load, n)
        except (ConnectionError, asyncio.IncompleteReadError):
            sender = Sender(f"http://127.0.0.1:{PORT}{target.hook}")
        most = max(most, target.megabytes())
        await asyncio.sleep(0.02)
    sender.close()
    return most


async def measure(target: Target, attack: Attack) -> None:
    """One attack, and what others saw of it."""
    health: list[float] = []
    load, stop = Load(), asyncio.Event()
    probing = asyncio.create_task(probe(target, load, health, stop))
    started = time.monotonic()
    await attack(target)
    stop.set()
    most, times = await probing, sorted([*health, *load.milliseconds])
    median, late = statistics.median(times), times[int(len(times) * 0.99)]
    said = (attack.__doc__ or "").strip().rstrip(".")
    print(f"| {said} | {median:.0f} | {late:.0f} | {times[-1]:.0f} | {most:.0f} |", flush=True)
    print(f"{attack.__name__}: {time.monotonic() - started:.0f} s, refused {load.refused}", file=sys.stderr, flush=True)


@asynccontextmanager
async def bombing() -> AsyncIterator[str]:
    """A RecMan that answers with bombs."""
    bomb, much, turn = gzip.compress(bytes(300 * MB), 9), b"x" * MB, iter(range(10**9))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            is_bomb = next(turn) % 2
            writer.write(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + b"Content-Encoding: gzip\r\n" * is_bomb + b"\r\n"
            )
            for piece in [bomb] if is_bomb else [much] * 30:
                writer.write(piece)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def run(url: str, folder: Path) -> None:
    engine = create_engine(url, pool_size=1)
    await migrate(engine)
    await engine.dispose()
    async with real_world(url, folder) as world, bombing() as recman:
        environment: dict[str, Any] = make_environment(world.resources.settings)
        environment |= {"RMU_PORT": str(PORT), "RMU_RECMAN_API_BASE": recman, "RMU_WEBHOOK_RATE": ""}
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "app", "serve", env=environment)
        try:
            target = Target(world, process)
            await asyncio.sleep(8)
            print("| attack | median ms | 99th | worst | most MB |\n|---|---|---|---|---|", flush=True)
            for attack in ATTACKS:
                await measure(target, attack)
        finally:
            process.terminate()
            await process.wait()


ATTACKS = (
    stay_calm,
    send_thirty_megabytes,
    send_lists,
    send_real_invoices,
    send_rules,
    drip,
    read_bombs,
    stay_calm,
)


def main() -> None:
    """Everything once."""
    configure_logging(style="text", level="WARNING")
    with tempfile.TemporaryDirectory(prefix="rmu-hostile-") as name:
        folder = Path(name)
        with EmbeddedPostgres(folder / "postgres") as server:
            asyncio.run(run(server.url, folder))


if __name__ == "__main__":
    main()
