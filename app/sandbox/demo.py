"""The demo: every part as a real process on loopback, made-up data, and the main job visibly done."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.domain.booking import IN_BOOKS, Booking
from app.domain.states import UNDER_WAY, CheckState, EventState, Proof, SweepState, TransferState
from app.embedded.orphans import end_orphans
from app.embedded.postgres import EmbeddedPostgres
from app.platform.db import migrate_database
from app.platform.http import httpx
from app.sandbox.crew import Crew, DemoFailedError
from app.sandbox.demo_bookings import NewDemoKey, expect, list_surprises, make_key
from app.sandbox.demo_files import FileDemo
from app.sandbox.demo_people import expect_followed, fetch_cross_list, let_people_finish, list_broken
from app.sandbox.demo_settings import free_ports, make_settings, sandbox_arguments, show_secret, to_environment
from app.sandbox.demo_table import make_cross_table, make_table
from app.sandbox.recman.store import SANDBOX_KEY
from app.sandbox.samples import Expected
from app.settings import Settings

_START_SECONDS = 30
_WORK_SECONDS = 120
_LONG_AGO = "2020-01-01"
# The sample data begin in this month.
_GO_LIVE = "2026-10-01"

_OPENING = {"name": "Demo administrator", "reason": "so many documents stand in the sandbox as RecMan has them"}

# What is piped is neither cut nor wrapped.
_console = Console(width=None if sys.stdout.isatty() else 10_000)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How the demo behaves; `stay` keeps it running until Ctrl-C.

    `hooks` False: no webhook is sent, a sweep finds everything. `trouble_every`: each n-th webhook is lost, doubled or
    late, and a sweep finds what is missing. `booking`: how the key's documents get into the books.
    """

    stay: bool
    kill_worker: bool
    repeat: int
    shuffle: int | None
    hooks: bool = True
    trouble_every: int = 0
    booking: Booking = Booking.RENUMBERED

    @property
    def is_plain(self) -> bool:
        """Whether all goes well: then a file is made, too."""
        return self.hooks and not (self.kill_worker or self.trouble_every or self.repeat > 1)


def run_demo(options: DemoOptions, *, data_dir: Path) -> int:
    """The exit status: 0 when every transfer ended as the data intends."""
    folder = data_dir / "demo"
    # Before its folder goes, for nobody could find it afterwards.
    end_orphans()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Both by ourselves: what runs behind a shell or `nohup` has been told to take no notice of Ctrl-C.
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, _interrupt)
    with contextlib.ExitStack() as stack:
        try:
            return _run(options, folder, stack)
        except KeyboardInterrupt:
            _console.print("\nStopping everything that was started …")
            return 0 if options.stay else 1
        except DemoFailedError as error:
            _console.print(f"[red]{error}[/]")
            return 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _run(options: DemoOptions, folder: Path, stack: contextlib.ExitStack) -> int:
    ports = dict(zip(("api", "recman", "unimicro", "identity"), free_ports(), strict=True))
    _console.print("Starting Postgres (embedded) …")
    server = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
    settings = make_settings(ports, server.url, folder)
    crew = stack.enter_context(Crew(to_environment(settings), folder))
    asyncio.run(migrate_database(server.url))
    _console.print("Starting sandbox RecMan, sandbox Unimicro, API and worker …")
    crew.start("sandbox", *sandbox_arguments(ports, settings))
    http = stack.enter_context(httpx.Client(timeout=10))
    _wait_until(f"{settings.recman_api_base}/sandbox/recman/calls", crew, http)
    _wait_until(f"http://127.0.0.1:{ports['unimicro']}/sandbox/books", crew, http)
    crew.start("serve")
    crew.start("worker")
    _wait_until(f"{settings.public_url}/health/ready", crew, http)
    http.headers["Authorization"] = f"Bearer {show_secret(settings.bootstrap_token)}"
    hook, hands = _connect(settings, crew, http, options.booking)
    if options.hooks:
        _deliver(options, settings, hook, http)
    if options.trouble_every or not options.hooks:
        _sweep(settings, crew, http)
    if options.trouble_every:
        _deliver(options, settings, hook, http, part="late")
    transfers = _watch(options, settings, crew, http)
    intended = _show(transfers, expect(options.booking))
    intended = _show_books(hands, options.booking) and intended
    if options.is_plain:
        files = FileDemo(settings, crew, http, _console)
        intended = files.run(partial(_deliver, options, settings, http=http)) and intended
    _show_addresses(settings, ports)
    if options.stay:
        _console.print("Press Ctrl-C to stop everything.")
        # Not signal.pause(): a signal that comes just before it would be slept over.
        while True:
            time.sleep(0.5)
    return 0 if intended else 1


def _wait_until(url: str, crew: Crew, http: httpx.Client) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        crew.check()
        with contextlib.suppress(httpx.TransportError):
            if http.get(url).is_success:
                return
        time.sleep(0.05)
    raise DemoFailedError(f"{url} did not answer within {_START_SECONDS} s")


@dataclass(frozen=True, slots=True)
class _Hands:
    """What the demo does in several parts: see `Hands`."""

    settings: Settings
    crew: Crew
    http: httpx.Client
    company_key: str

    def ask(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return _ask(self.http, self.settings, method, path, body)

    def do(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        base = f"{self.settings.unimicro_api_base.rstrip('/')}/sandbox/companies/{self.company_key}"
        answer = self.http.post(f"{base}/{path}", json=body).raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def run(self, *arguments: str) -> None:
        _console.print(self.crew.run(*arguments).rstrip(), highlight=False, markup=False)


def _connect(settings: Settings, crew: Crew, http: httpx.Client, booking: Booking) -> tuple[str, _Hands]:
    """What an administrator does, over REST: tenant, hook, sign-in, key; the hook's whole address, and who did it."""
    tenant = _post(http, settings, "/v1/tenants", {"name": "Demo", "recman_api_key": SANDBOX_KEY})
    http.params = {"tenant": tenant["id"]}
    hook = _post(http, settings, "/v1/hooks", {"name": "RecMan"})
    begun = _post(http, settings, "/v1/keys/connect", {})
    # As a browser would: to Unimicro's sign-in, and from there back to us. The sandbox asks for no password.
    with httpx.Client(timeout=10, follow_redirects=True) as browser:
        signed_in = browser.get(begun["authorize_url"]).raise_for_status().json()
    names = ", ".join(company["name"] for company in signed_in["companies"])
    _console.print(f"Signed in to the sandbox Unimicro; it offers {names}.")
    company = signed_in["companies"][0]
    _post(http, settings, "/v1/departments/refresh", {})
    new = NewDemoKey(pending_id=signed_in["pending_id"], company_key=company["key"], name="Nordlys", go_live=_GO_LIVE)
    hands = _Hands(settings, crew, http, company["key"])
    key = make_key(hands, booking, new)
    _console.print(
        f"Made the key “{key['name']}” for {company['name']}, open to all departments: {key['sender']} sends, "
        f"documents are booked by {key['booking']}."
    )
    check = _post(http, settings, f"/v1/keys/{key['id']}/check", {})
    for finding in check["findings"]:
        _console.print(f"  {'ok ' if finding['ok'] else 'bad'} {finding['what']}: {finding['cause']}", highlight=False)
    _check_customers(http, settings, f"/v1/keys/{key['id']}/customer-check")
    return str(hook["address"]), hands


def _check_customers(http: httpx.Client, settings: Settings, path: str) -> None:
    """Compare all customers, show the sum of it, and accept what the sample data has: else nothing is sent."""
    with http.stream("POST", f"{settings.public_url}{path}", timeout=60) as lines:
        *_, last = lines.iter_lines()
    check = json.loads(last)
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in check.get("counts", {}).items() if count)
    _console.print(f"Compared the customers of RecMan and Unimicro, {check.get('state')}: {counts}.", highlight=False)
    if check.get("state") == CheckState.FINDINGS:
        word = {"name": "Demo administrator", "reason": "the sample data's findings are known"}
        _post(http, settings, f"{path}/accept", word)
        _console.print(f"  {word['name']} accepted it: {word['reason']}.", highlight=False)
    elif check.get("state") != CheckState.GREEN:
        raise DemoFailedError(f"the customer check ended so: {last}")


def _post(http: httpx.Client, settings: Settings, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return _ask(http, settings, "POST", path, body)


def _ask(http: httpx.Client, settings: Settings, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = http.request(method, f"{settings.public_url}{path}", json=body)
    if not answer.is_success:
        raise DemoFailedError(f"{path} was answered {answer.status_code}: {answer.text}")
    made: dict[str, Any] = answer.json()
    return made


def _deliver(options: DemoOptions, settings: Settings, hook: str, http: httpx.Client, *, part: str = "in_time") -> None:
    order = {"url": hook, "repeat": options.repeat, "shuffle": options.shuffle}
    order |= {"trouble_every": options.trouble_every, "part": part}
    answer = http.post(f"{settings.recman_api_base}/sandbox/recman/send", json=order, timeout=60)
    statuses = answer.raise_for_status().json()["statuses"]
    if set(statuses) - {202}:
        raise DemoFailedError(f"webhooks were answered {statuses}")
    late = "late " if part == "late" else ""
    _console.print(f"Sandbox RecMan delivered {len(statuses)} {late}webhooks; every one was answered 202.")


def _sweep(settings: Settings, crew: Crew, http: httpx.Client) -> None:
    """Let the service read all of RecMan, as it does by itself every day; the sample data are older than the demo."""
    path = f"{settings.public_url}/v1/recman"
    http.patch(path, json={"first_day": _LONG_AGO}).raise_for_status()
    begun = _post(http, settings, "/v1/recman/sweep", {})
    deadline = time.monotonic() + _WORK_SECONDS
    while time.monotonic() < deadline:
        crew.check()
        found = http.get(f"{path}/sweeps/{begun['id']}").raise_for_status().json()
        if found["state"] != SweepState.RUNNING:
            counts = ", ".join(f"{scope} {one['told']} of {one['records']}" for scope, one in found["counts"].items())
            _console.print(f"Swept RecMan, {found['state']}; passed on {counts}.", highlight=False)
            return
        time.sleep(0.1)
    raise DemoFailedError(f"the sweep was not through within {_WORK_SECONDS} s")


def _watch(options: DemoOptions, settings: Settings, crew: Crew, http: httpx.Client) -> list[dict[str, Any]]:
    expected = expect(options.booking)
    waits = {one for one, row in expected.items() if row.state == TransferState.WAITING}
    columns = (TextColumn("transferring"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    killed, documents = not options.kill_worker, list[dict[str, Any]]()
    with Progress(*columns, console=_console) as progress:
        task = progress.add_task("documents", total=len(expected))
        for transfers in _poll(settings, crew, http):
            documents = _documents(transfers)
            ended = [row for row in documents if row["state"] not in UNDER_WAY or row["record_id"] in waits]
            progress.update(task, completed=len(ended))
            _open_proven(settings, http, progress.console)
            if not killed and ended:
                crew.kill_and_restart("worker")
                progress.console.print("Killed the worker (kill -9) in the middle of its work and started another.")
                killed = True
            # What waits for its turn is never through; the rest is where it must be by then.
            is_through = not list_surprises(documents, expected) if waits else not _is_busy(settings, http)
            if len(ended) >= len(expected) and is_through:
                return transfers
    raise DemoFailedError(f"not through within {_WORK_SECONDS} s: {'; '.join(list_surprises(documents, expected))}")


def _open_proven(settings: Settings, http: httpx.Client, console: Console) -> None:
    """Open the key once it is proven: until then its documents go one at a time, and each is compared."""
    (key,) = http.get(f"{settings.public_url}/v1/keys").raise_for_status().json()["rows"]
    proof = key["proof"]
    if proof["state"] == Proof.STOPPED:
        raise DemoFailedError(f"the key was stopped: {proof['stopped']['cause']}")
    if proof["state"] == Proof.PROVING and not proof["missing"]:
        _post(http, settings, f"/v1/keys/{key['id']}/open", _OPENING)
        console.print(f"{proof['equal']} documents compared, all equal: {_OPENING['name']} opened the key.")


def _poll(settings: Settings, crew: Crew, http: httpx.Client) -> Iterator[list[dict[str, Any]]]:
    deadline = time.monotonic() + _WORK_SECONDS
    while time.monotonic() < deadline:
        crew.check()
        yield http.get(f"{settings.public_url}/v1/transfers", params={"limit": 1000}).raise_for_status().json()["rows"]
        time.sleep(0.1)


def _is_busy(settings: Settings, http: httpx.Client) -> bool:
    waiting = (
        http.get(f"{settings.public_url}/v1/events", params={"state": EventState.WAITING})
        .raise_for_status()
        .json()["rows"]
    )
    return bool(waiting)


def _documents(transfers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in transfers if row["kind"] in {"invoice", "credit_note"}]


def _show(transfers: list[dict[str, Any]], expected: dict[str, Expected]) -> bool:
    """Print the table of every transfer; whether all ended as intended."""
    _console.print(make_table(transfers))
    surprises = list_surprises(_documents(transfers), expected)
    for surprise in surprises:
        _console.print(f"[red]{surprise}[/]")
    if not surprises:
        _console.print("[green]Every transfer ended as the data intends.[/]")
    return not surprises


def _show_books(hands: _Hands, booking: Booking) -> bool:
    """Print what every document is in the books, of what was left for people once they have dealt with it."""
    surprises: list[str] = []
    if booking not in IN_BOOKS:
        expected, looks = expect_followed(booking), map(_documents, _poll(hands.settings, hands.crew, hands.http))
        for documents in let_people_finish(hands, booking, looks):
            surprises = list_surprises(documents, expected) or list_broken(fetch_cross_list(hands), booking)
            if not surprises:
                _console.print("[green]People in Unimicro have dealt with what was left for them; it was followed.[/]")
                break
    rows = fetch_cross_list(hands)
    _console.print(make_cross_table(rows))
    surprises = surprises or list_broken(rows, booking)
    for surprise in surprises:
        _console.print(f"[red]{surprise}[/]")
    if not surprises:
        _console.print(f"[green]Number, KID and voucher in the books are what booking {booking} promises.[/]")
    return not surprises


def _show_addresses(settings: Settings, ports: dict[str, int]) -> None:
    rows = {
        "API and its description": f"{settings.public_url}/docs",
        "Transfers": f"{settings.public_url}/v1/transfers",
        "Health": f"{settings.public_url}/health/ready",
        "Admin token": show_secret(settings.bootstrap_token),
        "Sandbox Unimicro's books": f"http://127.0.0.1:{ports['unimicro']}/sandbox/books",
        "Sandbox RecMan": f"{settings.recman_api_base}/sandbox/recman/calls",
        "Log files": f"{settings.data_dir}",
    }
    for name, address in rows.items():
        _console.print(f"{name:26}{address}", highlight=False, soft_wrap=True)
