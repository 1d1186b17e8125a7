"""What the log tells: whose line it is, how each document ended, and never a person or a secret."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from sqlalchemy import text
from starlette.types import Receive, Scope, Send

from app.api.request_ids import HEADER, RequestIds
from app.cli import upkeep
from app.domain.money import dump_json
from app.domain.states import CheckState, EventState
from app.platform.http import httpx
from app.platform.logger import configure_logging, get_logger
from app.transfer.context import Run
from app.worker import carry, run_worker
from tests.world import OURS, RECMAN_KEY, TOKEN, World
from tests.world.canary import LogKeeper
from tests.world.workers import PATIENCE

PERSON = "Smultring"
# Whose values name a person, an address, or the work that somebody did.
_TELLING = ("name", "mail", "phone", "address", "reference", "description", "text", "notes", "city", "contact")
_ENDED = "SELECT count(*) FROM event WHERE state NOT IN ('waiting', 'recorded')"

_log = get_logger(__name__)


class Pages:
    """The log of a test in both styles, line by line."""

    def __init__(self) -> None:
        self.json, self.text = LogKeeper(), LogKeeper()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line as a machine reads it."""
        return [json.loads(line) for line in self.json.lines]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The lines of one event."""
        return [line for line in self.lines if line["event"] == event]


@pytest.fixture
def pages(world: World) -> Iterator[Pages]:  # noqa: ARG001 - whose own listening comes first
    """Everything that is logged from here on."""
    root, kept = logging.getLogger(), Pages()
    before = list(root.handlers)
    for style, keeper in (("json", kept.json), ("text", kept.text)):
        configure_logging(style=style, level="DEBUG")
        keeper.setFormatter(root.handlers[0].formatter)
    root.handlers = [*before, kept.json, kept.text]
    yield kept
    root.handlers = before


async def work(world: World, carry_one: Callable[[Run], Awaitable[None]], *, ended: int) -> None:
    """Let a worker carry in another way until so many events are over."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(world.resources, stop, carry_one=carry_one))
    async with asyncio.timeout(PATIENCE):
        while await world.count(_ENDED) < ended:  # noqa: ASYNC110 - the database tells
            await asyncio.sleep(0.02)
    stop.set()
    await worker


def name_persons(record: Any) -> Any:
    """The record with one person in every text that may name one."""
    if isinstance(record, list):
        return [name_persons(one) for one in record]
    if not isinstance(record, dict):
        return record
    return {
        name: f"{PERSON} {value}" if isinstance(value, str) and is_telling(name) else name_persons(value)
        for name, value in record.items()
    }


def is_telling(name: str) -> bool:
    return any(part in name.lower() for part in _TELLING)


async def break_off(_scope: Scope, _receive: Receive, _send: Send) -> None:
    text = f"{PERSON} cannot be read"
    raise ValueError(text)


async def ask_uvicorn() -> int:
    """The status that a real server answers when the application breaks."""
    server = uvicorn.Server(uvicorn.Config(break_off, port=0, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/?name={PERSON}")
    server.should_exit = True
    await serving
    return answer.status_code


async def test_no_line_holds_a_person_or_a_secret_whatever_goes_wrong(world: World, pages: Pages) -> None:
    store = world.recman.state.store
    for scope, records in store.records.items():
        for record_id, record in records.items():
            store.put_record(scope, record_id, name_persons(record))

    async def stumble(run: Run) -> None:
        if run.lease.record_id == "5004" and not run.lease.tries:
            await run.reader.read_document("5004")
            raise ValueError(f"{PERSON} {RECMAN_KEY} cannot be read") from LookupError(TOKEN)
        await carry(run)

    refusal: dict[str, Any] = {"body": dump_json({"Message": f"{PERSON} is no customer"})}
    refusal |= {"status": 400, "content_type": "application/json"}
    await world.fault("error_before", method="POST", path="/api/biz/invoices", **refusal)
    await world.hear_of("invoice", 5001)
    await work(world, stumble, ended=1)
    assert await world.hold_of(5001) == ("held", ["remote_rejected"])
    await world.hear_of("company", 201)
    await world.hear_of("invoice", 5002, 5003, 5004, 5008)
    await work(world, stumble, ended=6)
    await world.get("/v1/invoices", text=PERSON)
    await world.call("POST", f"/v1/keys?note={PERSON}", {"name": PERSON})
    assert await ask_uvicorn() == 500
    trouble = {"message": "Task exception was never retrieved", "exception": ValueError(PERSON), "future": PERSON}
    asyncio.get_running_loop().call_exception_handler(trouble)
    events = {line["event"] for line in pages.lines}
    assert {
        "document_ended",
        "unexpected_error",
        "Exception in ASGI application",
        "Task exception was never retrieved",
    } <= events
    for secret in (PERSON, RECMAN_KEY, TOKEN):
        assert [line for line in (*pages.json.lines, *pages.text.lines) if secret.lower() in line.lower()] == []
    told = pages.of("unexpected_error")[0]["exception"]
    assert "builtins.LookupError" in told
    assert "in stumble" in told


async def test_each_line_of_a_lane_is_its_own_however_many_run_at_once(world: World, pages: Pages) -> None:
    together = asyncio.Barrier(4)

    async def mark(run: Run) -> None:
        own = run.lease.record_id
        _log.info("begun", own=own)
        await together.wait()
        run.show_transfer(int(own))
        await together.wait()
        _log.info("going", own=own)
        async with run.sessions.begin() as session:
            await run.finish(session, state=EventState.DONE)

    await world.hear_of("invoice", 5001, 5002, 5003, 5004)
    await work(world, mark, ended=4)
    _log.info("outside")
    begun, going = pages.of("begun"), pages.of("going")
    assert len(begun) == len(going) == 4
    for line in (*begun, *going):
        assert (line["tenant"], line["scope"], line["record"]) == (str(world.tenant_id), "invoice", line["own"])
    assert len({line["lane"] for line in going}) == 4
    assert all("transfer" not in line for line in begun)
    assert all(line["transfer"] == int(line["own"]) for line in going)
    assert pages.of("outside")[0].keys().isdisjoint({"tenant", "lane", "scope", "record", "transfer", "request"})


async def test_lines_of_a_customer_check_from_the_command_line_name_the_tenant(
    world: World, database_url: str, pages: Pages
) -> None:
    # Stored rules that no release of ours wrote: nobody expects them, and the error quotes them.
    await world.office.put_rules({"product_policy": "match_only"})
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE rule_set SET rules = CAST(:rules AS jsonb)"), {"rules": f'["{PERSON}"]'})
    keys = await world.get("/v1/keys")
    name = next(one["name"] for one in keys if one["id"] == str(world.key_id))
    ended = await upkeep.check_customers(
        world.resources.settings, database_url, key=name, tenant=None, tell=lambda _: None
    )
    assert ended.check.state == CheckState.FAILED
    assert [line["tenant"] for line in pages.of("customer_check_failed")] == [str(world.tenant_id)]
    assert not [line for line in pages.json.lines if PERSON in line]


async def endings_of(world: World, pages: Pages, *records: int) -> list[tuple[str, str, list[str]]]:
    """What is said of the ends of these documents when they are heard of; each exactly once."""
    pages.json.lines.clear()
    await world.hear_of("invoice", *records)
    await world.settle()
    rows = pages.of("document_ended")
    assert sorted(row["record"] for row in rows) == sorted(map(str, records))
    assert all(row["level"] == "info" and row["milliseconds"] >= 0 and row["lane"] for row in rows)
    return [(row["outcome"], row["number"], row["codes"]) for row in rows]


async def test_each_end_of_a_document_is_one_line(world: World, pages: Pages) -> None:
    assert await endings_of(world, pages, 5001) == [("booked", "110001", [])]
    (line,) = pages.of("document_ended")
    shown = (await world.transfers())["invoice", "5001"]
    assert (line["remote_number"], line["transfer"]) == (shown["remote_number"], shown["id"])
    assert await endings_of(world, pages, 5001) == [("unchanged", "110001", [])]
    next(iter(world.recman.state.store.records["invoice"]["5002"]["lines"].values()))["productNumber"] = "7777"
    outcome, number, codes = (await endings_of(world, pages, 5002))[0]
    assert (outcome, number, "product_unknown" in codes) == ("held", shown_number(world, "5002"), True)
    await world.office.change_key(booking="draft")
    assert (await endings_of(world, pages, 5003))[0][:2] == ("drafted", shown_number(world, "5003"))


async def test_a_document_that_was_given_up_is_told_with_its_reason(world: World, pages: Pages) -> None:
    await world.fault("error_before", method="GET", path="/api/biz/customers", status=503, times=1000)
    await world.hear_of("invoice", 5001)
    world.resources.settings = world.resources.settings.model_copy(update={"give_up_hours": 0})
    await world.settle()
    (line,) = pages.of("document_ended")
    assert (line["outcome"], line["number"], line["codes"]) == ("failed", "110001", ["remote_unavailable"])


def shown_number(world: World, record_id: str) -> str:
    return str(world.recman.state.store.records["invoice"][record_id]["invoiceNumber"])


@pytest.mark.parametrize("given", ["a-1", "0af7651916cd43dd8448eb211c80319c", "x" * 64])
async def test_a_sane_request_id_is_kept(world: World, given: str) -> None:
    for path in ("/v1/keys", "/webhooks/recman/nobodys", "/nothing"):
        answer = await world.http.get(f"{OURS}{path}", headers={HEADER: given})
        assert answer.headers[HEADER] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "kari@nordmann.no", "two words", "é", "a\tb", '{"a":1}'])
async def test_any_other_request_id_is_replaced(world: World, given: str) -> None:
    answer = await world.http.get(f"{OURS}/v1/keys", headers=[(HEADER.encode(), given.encode())])
    assert answer.headers[HEADER] != given
    assert UUID(answer.headers[HEADER]).version == 4


async def test_an_unexpected_error_is_told_with_the_id_of_its_request(pages: Pages) -> None:
    together = asyncio.Barrier(3)

    async def stumble(scope: Scope, _receive: Receive, _send: Send) -> None:
        _log.info("asked", own=scope["path"][1:])
        await together.wait()
        raise LookupError(PERSON)

    transport = httpx.ASGITransport(app=RequestIds(stumble))
    async with httpx.AsyncClient(transport=transport, base_url=OURS) as client:
        answers = await asyncio.gather(*(client.get(f"/{own}", headers={HEADER: own}) for own in "abc"))
    for own, answer in zip("abc", answers, strict=True):
        assert (answer.status_code, answer.headers[HEADER], answer.json()["code"]) == (500, own, "internal")
        assert HEADER in answer.json()["fix"]
    assert sorted(line["request"] for line in pages.of("unexpected_error")) == ["a", "b", "c"]
    assert all(line["request"] == line["own"] for line in pages.of("asked"))
