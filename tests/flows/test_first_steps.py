"""A stranger copies what `recman-unimicro sandbox` prints and finds an invoice in the sandbox's books."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from app.platform.http import httpx
from app.sandbox.first_steps import SAMPLE_INVOICE
from app.sandbox.samples import load_samples
from tests.world.processes import outside
from tests.world.tools import require_tool

LAST_LINE = "The next start prints new lines."


@dataclass(frozen=True, slots=True)
class Terminal:
    """A running command, its input, and the file that holds what it shows."""

    process: subprocess.Popen[bytes]
    output: Path

    def paste(self, lines: list[str]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def read(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, arrived: Callable[[], bool], *, seconds: float = 100) -> None:
        # Far off, for a machine may be busy; whoever ended is not waited for.
        deadline = time.monotonic() + seconds
        while not arrived():
            assert time.monotonic() < deadline, self.read()
            assert self.process.poll() is None, self.read()
            time.sleep(0.2)


@pytest.mark.timeout(330)
def test_whoever_copies_the_printed_lines_finds_the_invoice_in_the_books(tmp_path: Path) -> None:
    require_tool("curl")
    api, recman, unimicro, identity = free_ports()
    options = [f"--recman-port={recman}", f"--unimicro-port={unimicro}", f"--identity-port={identity}"]
    options.append(f"--redirect-uri=http://127.0.0.1:{api}/oauth/unimicro/callback")
    with (
        opened([sys.executable, "-m", "app", "sandbox", *options], tmp_path / "sandbox") as sandbox,
        opened([require_tool("bash")], tmp_path / "service") as service,
        opened([require_tool("bash")], tmp_path / "person") as person,
    ):
        sandbox.wait_for(lambda: LAST_LINE in sandbox.read())
        start, *steps, last = read_blocks(sandbox.read())
        # The shell becomes the service: one pid to end.
        service.paste([*start[:-1], f"exec {start[-1]}"])
        service.wait_for(lambda: answers(f"http://127.0.0.1:{api}/health/ready"))
        for block in steps:
            person.paste(block)
        person.wait_for(lambda: load_sample_invoice(unimicro) == load_samples().expected[SAMPLE_INVOICE].gross)
        # The last step only looks; a person repeats it until the overview has caught up.
        person.wait_for(lambda: looks_again(person, steps[-1], for_words='"state":"in Unimicro"'))
        person.wait_for(lambda: looks_again(person, last, for_words='"state":"open"'))
    assert '"companies":[{"key"' in person.read()


def read_blocks(printed: str) -> list[list[str]]:
    """The indented lines of each numbered step."""
    blocks: list[list[str]] = []
    for line in printed.splitlines():
        if re.match(r"\d\. ", line):
            blocks.append([])
        elif line.startswith("  "):
            blocks[-1].append(line)
    return blocks


def load_sample_invoice(unimicro: int) -> Decimal | None:
    """The gross amount of the sample invoice in the first company's books, once it has a number."""
    books = outside().get(f"http://127.0.0.1:{unimicro}/sandbox/books").json()["companies"]
    invoices = next(iter(books.values()))["invoices"]
    found = [
        one for one in invoices if one.get("ExternalReference") == f"RM-{SAMPLE_INVOICE}" and "InvoiceNumber" in one
    ]
    return Decimal(str(found[0]["TaxInclusiveAmount"])) if found else None


def looks_again(person: Terminal, step: list[str], *, for_words: str) -> bool:
    person.paste(step)
    time.sleep(0.5)
    return for_words in person.read()


def answers(url: str) -> bool:
    try:
        return outside().get(url).is_success
    except httpx.TransportError:
        return False


@contextmanager
def opened(command: list[str], folder: Path) -> Iterator[Terminal]:
    folder.mkdir()
    output = folder / "shown.txt"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RMU_")}
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=sink, stderr=sink, env=clean | {"RMU_DATA_DIR": str(folder)}
        )
    try:
        yield Terminal(process, output)
    finally:
        process.send_signal(signal.SIGTERM)
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_ports() -> tuple[int, int, int, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        first, second, third, fourth = (one.getsockname()[1] for one in sockets)
    return first, second, third, fourth
