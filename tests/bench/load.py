"""A bounded load on loopback: as fast as the connections go, or at a steady rate.

Bare sockets instead of an HTTP client: on two cores the load must not cost more than what it measures.
"""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_ACCEPTED = b"HTTP/1.1 202"


@dataclass(slots=True)
class Load:
    """What a load measured."""

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Accepted deliveries per second."""
        return (len(self.milliseconds) - self.refused) / self.seconds


class Sender:
    """One kept-alive connection that posts webhooks and reads the answers' status lines."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, load: Load, number: int) -> None:
        """Post one webhook about a record of its own and note how long the answer took."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        body = f'{{"scope":"invoice","operation":"insert","invoiceId":{number + 1}}}'
        head = f"POST {self._path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        started = time.monotonic()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        load.milliseconds.append((time.monotonic() - started) * 1000)
        load.refused += not answer.startswith(_ACCEPTED)

    def close(self) -> None:
        """Give the connection up."""
        if self._streams is not None:
            self._streams[1].close()


async def post_together(url: str, *, connections: int, seconds: float) -> Load:
    """`connections` clients posting one after the other for `seconds`."""
    load, numbers = Load(), itertools.count()
    senders = [Sender(url) for _ in range(connections)]
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(_post_until(sender, load, numbers, started + seconds))
    load.seconds = time.monotonic() - started
    for sender in senders:
        sender.close()
    return load


async def post_steadily(url: str, *, rate: int, seconds: float) -> Load:
    """`rate` posts per second, each begun at its own time whether or not earlier ones are answered."""
    load = Load()
    idle: asyncio.LifoQueue[Sender] = asyncio.LifoQueue()
    for _ in range(rate // 3):
        idle.put_nowait(Sender(url))
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for n in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, started + n / rate - time.monotonic()))
            group.create_task(_post_once(idle, load, 10_000_000 + n))
    load.seconds = time.monotonic() - started
    while not idle.empty():
        idle.get_nowait().close()
    return load


async def _post_until(sender: Sender, load: Load, numbers: "itertools.count[int]", end: float) -> None:
    while time.monotonic() < end:
        await sender.post(load, next(numbers))


async def _post_once(idle: "asyncio.LifoQueue[Sender]", load: Load, number: int) -> None:
    sender = await idle.get()
    await sender.post(load, number)
    idle.put_nowait(sender)
