"""A small world for flow tests: our service between the two stand-ins, every part over its own front door."""

import asyncio
import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import text

from app.domain.money import dump_json
from app.platform.http import httpx
from app.platform.resources import Resources
from app.sandbox.recman.hooks import Delivery, deliver
from app.sandbox.samples import load_samples
from app.transfer.books import KnownBooks
from app.worker import run_worker
from tests.world.ledger import Ledger
from tests.world.names import COMPANY, GO_LIVE, LATE, OURS, RECMAN, TOKEN, UNIMICRO
from tests.world.office import NOBODY, Office, rows_of
from tests.world.source import Source
from tests.world.workers import PATIENCE, at_work, list_lanes

# Who waits for another record is left alone, unless that wait ends by itself in a moment.
_FORGET = "TRUNCATE attempt, transfer, event, event_key, lane RESTART IDENTITY CASCADE"
_UNSETTLED = """
    SELECT count(*) FROM lane
    WHERE state = 'leased' OR (state = 'ready' AND (waits_for IS NULL OR run_at < now() + interval '6 seconds'))
"""
# What was put off for longer than a try that failed goes on when somebody has done something.
_DUE_SOON = """
    SELECT count(*) FROM lane JOIN tenant ON tenant.id = lane.tenant_id
    WHERE lane.state = 'leased' OR (
        lane.state = 'ready' AND waits_for IS NULL AND tenant.state = 'active' AND run_at < now() + interval '1 second'
    )
"""


# What the samples come to is the same in every world whose Unimicro begins as it always does.
_LEARNT: dict[str, Any] = {}


@dataclass(slots=True, kw_only=True)
class World:
    """Handles on every part; `http` reaches all three apps by their made-up hosts."""

    resources: Resources
    http: httpx.AsyncClient
    recman: FastAPI
    unimicro: FastAPI
    tenant_id: UUID = NOBODY
    key_id: UUID = NOBODY
    hook: str = ""
    unimicro_url: str = UNIMICRO
    recman_url: str = RECMAN

    @property
    def office(self) -> Office:
        """The administrator's side."""
        return Office(self.http, self.tenant_id, self.key_id, self.resources.engine)

    @property
    def source(self) -> Source:
        """What stands in RecMan."""
        return Source(self.recman)

    @property
    def ledger(self) -> Ledger:
        """What stands in Unimicro."""
        return Ledger(self.unimicro)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = TOKEN,
        tenant: UUID | None = None,
        **headers: str,
    ) -> httpx.Response:
        """The answer to any call at one of our own addresses; a header's name has `_` for `-`."""
        url = httpx.URL(f"{OURS}{path}")
        if tenant is not None:
            url = url.copy_merge_params({"tenant": str(tenant)})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, url, json=body, headers={"Authorization": f"Bearer {token}", **named})

    async def hear(self, deliveries: Sequence[Delivery]) -> list[int]:
        """Post webhooks to our hook, one after the other."""
        return await deliver(self.http, f"{OURS}{self.hook}", deliveries)

    async def hear_of(self, scope: str, *record_ids: str | int) -> None:
        """Tell of changed records, each in a webhook of its own that looks like no earlier one."""
        for record_id in record_ids:
            note = await self.count("SELECT count(*) FROM event")
            body = f'{{"scope":"{scope}","operation":"insert","{scope}Id":{record_id},"note":{note}}}'
            assert await self.hear([Delivery(body=body)]) == [202]

    async def carry(self, scope: str, *record_ids: str | int) -> None:
        """Tell of changed records, and work until all is settled."""
        await self.hear_of(scope, *record_ids)
        await self.settle()

    async def deliver_samples(self, *, repeat: int = 1, seed: int | None = None) -> None:
        """Every sample webhook, so many times, shuffled where a seed is given."""
        deliveries = list(load_samples().webhooks) * repeat
        if seed is not None:
            random.Random(seed).shuffle(deliveries)
        assert set(await self.hear(deliveries)) == {202}

    async def learn_books(self) -> dict[str, Any]:
        """The books after every sample webhook and a calm run, of which nothing is left; carried once per process."""
        if not _LEARNT:
            await self.deliver_samples()
            await self.settle()
            _LEARNT.update(await self.books())
            await self.reset()
        return deepcopy(_LEARNT)

    async def post_hook(self, body: Any, **headers: str) -> None:
        """A delivery of any form, which must be taken."""
        content = body if isinstance(body, str) else dump_json(body)
        answer = await self.http.post(f"{OURS}{self.hook}", content=content, headers=headers)
        assert answer.status_code == 202, answer.text

    async def settle(self) -> None:
        """Run a worker until no lane is ready, leased or waiting to be tried again."""
        async with asyncio.timeout(PATIENCE), at_work(self.resources) as shift:
            while await self.count(_UNSETTLED) and not shift.is_over:
                await shift.rest()

    async def stall(self) -> None:
        """Run a worker until it has nothing left that it may do now, though something waits: its key rests, say."""
        await self.work_off()
        assert await self.count(_UNSETTLED)

    async def work_off(self) -> None:
        """Run a worker until it has nothing left that it may do now, whether something waits or not."""
        async with asyncio.timeout(PATIENCE), at_work(self.resources) as shift:
            while await self.count(_DUE_SOON) and not shift.is_over:
                await shift.rest()

    async def settle_with(self, workers: int) -> None:
        """Several workers until nothing is left to do."""
        stop = asyncio.Event()
        others = [asyncio.create_task(run_worker(self.resources, stop)) for _ in range(workers - 1)]
        try:
            await self.settle()
        finally:
            stop.set()
            await asyncio.gather(*others)

    async def work(self, *, seconds: float) -> None:
        """A worker for a while, which then ends in good order."""
        async with at_work(self.resources):
            await asyncio.sleep(seconds)

    async def work_for(self, query: str) -> None:
        """A worker until the query counts something."""
        async with asyncio.timeout(PATIENCE), at_work(self.resources) as shift:
            while not await self.count(query):
                await shift.move()

    async def hang(self, times: int = 1) -> None:
        """Return when so many calls that are to hang were made; the last one waits for its answer."""
        calls = self.unimicro.calls  # type: ignore[attr-defined]
        async with asyncio.timeout(PATIENCE):
            while sum(call.fault == "hang" for call in calls.last) < times:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.005)

    async def let_lag_pass(self) -> None:
        """What Unimicro may not have shown yet, it shows afterwards."""
        await asyncio.sleep(self.resources.settings.unimicro_read_lag_seconds)

    async def work_and_die(self, *, seconds: float | None = None) -> None:
        """A worker that is killed, in the middle of a call that hangs where no time is named; all lies as it lies."""
        before = asyncio.all_tasks()
        worker = asyncio.create_task(run_worker(self.resources, asyncio.Event()))
        await (self.hang() if seconds is None else asyncio.sleep(seconds))
        tasks = [worker, *list_lanes(before)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def work_until(self, record_id: str | int, state: str) -> dict[str, Any]:
        """The document's transfer, once it is in this state; a worker runs until then."""
        async with asyncio.timeout(PATIENCE), at_work(self.resources) as shift:
            while True:
                found = await self.find_document(record_id)
                if found is not None and found["state"] == state:
                    return found
                await shift.move()

    async def count(self, query: str) -> int:
        """The single number a query answers."""
        async with self.resources.engine.connect() as connection:
            return int((await connection.execute(text(query))).scalar_one())

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON behind one of our own addresses, as an operator; of a list, its rows."""
        answer = await self.http.get(f"{OURS}{path}", params=params, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.text
        return rows_of(answer)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        """The answer to a POST at one of our own addresses, as an operator."""
        return await self.http.post(f"{OURS}{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"})

    async def transfers(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every transfer by kind and RecMan id."""
        rows = await self.get("/v1/transfers", limit=1000)
        return {(row["kind"], row["record_id"]): row for row in rows}

    async def find_document(self, record_id: str | int) -> dict[str, Any] | None:
        """The transfer of an invoice or credit note, where there is one."""
        rows = await self.get("/v1/transfers", limit=1000)
        documents = (row for row in rows if row["kind"] in {"invoice", "credit_note"})
        return next((row for row in documents if row["record_id"] == str(record_id)), None)

    async def document(self, record_id: str | int) -> dict[str, Any]:
        """The transfer of an invoice or credit note, which there must be."""
        found = await self.find_document(record_id)
        assert found is not None, record_id
        return found

    async def states(self, *record_ids: str | int) -> list[str]:
        """The state of each of these documents."""
        return [(await self.document(one))["state"] for one in record_ids]

    async def hold_of(self, record_id: str | int = 5008) -> tuple[str, list[str]]:
        """A document's state, and the codes of its reasons, each of which says cause and fix."""
        row = await self.document(record_id)
        assert all(reason["cause"] and reason["fix"] for reason in row["reasons"])
        return row["state"], [reason["code"] for reason in row["reasons"]]

    async def outcomes(self, *record_ids: str | int) -> dict[str, list[str]]:
        """The first reason's code, or nothing, of these documents by their state."""
        found: dict[str, list[str]] = {}
        for record_id in record_ids:
            state, codes = await self.hold_of(record_id)
            found.setdefault(state, []).append(codes[0] if codes else "")
        return found

    async def overview_row(self, record_id: str | int) -> dict[str, Any]:
        """The document as a clerk's overview shows it."""
        wanted = (await self.document(record_id))["id"]
        rows = await self.get("/v1/invoices", limit=1000)
        return next(row for row in rows if row["id"] == wanted)

    async def retry(self, transfer: dict[str, Any]) -> None:
        """Ask for one more try, which must be granted."""
        answer = await self.call("POST", f"/v1/transfers/{transfer['id']}/retry")
        assert answer.status_code == 202, answer.text

    async def ignore(self, transfer: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What is answered to a person who wants the document left out, after what was made can be seen."""
        await self.let_lag_pass()
        answer = await self.call("POST", f"/v1/transfers/{transfer['id']}/ignore", {"reason": "removed by hand"})
        return answer.status_code, answer.json()

    async def decide(self, decision: str, **order: Any) -> dict[str, Any]:
        """What is answered to a decision about documents before the go-live day, carried out."""
        body = {"decision": decision, **order}
        answer = await self.call("POST", "/v1/invoices/before-go-live", body, tenant=self.tenant_id)
        assert answer.status_code == 202, answer.text
        await self.settle()
        told: dict[str, Any] = answer.json()
        return told

    async def hold_twin(self) -> dict[str, Any]:
        """5001 in Unimicro, and a held twin of it in RecMan."""
        await self.carry("invoice", 5001)
        self.source.double("5001", 5099, invoiceNumber="119999")
        await self.office.put_rules({"review": {"everything": True}})
        await self.carry("invoice", 5099)
        held = await self.document(5099)
        assert held["state"] == "held"
        return held

    async def forget(self) -> None:
        """As if another system had done all that is in Unimicro so far."""
        async with self.resources.engine.begin() as connection:
            await connection.exec_driver_sql(
                "TRUNCATE attempt, transfer, event, event_key, lane RESTART IDENTITY CASCADE"
            )
        self.ledger.forget_references()

    async def book_before(self, *record_ids: int, go_live: str = LATE) -> dict[int, int]:
        """Invoices as a system before us left them, with RecMan's numbers; their ids in Unimicro."""
        await self.office.move_go_live(GO_LIVE)
        await self.carry("invoice", *record_ids)
        ids = {record_id: (await self.document(record_id))["remote_id"] for record_id in record_ids}
        await self.forget()
        for record_id, remote_id in ids.items():
            number = str(self.source.record(record_id)["invoiceNumber"])
            self.ledger.books().update("CustomerInvoice", remote_id, {"InvoiceNumber": number})
        await self.office.move_go_live(go_live)
        return ids

    async def list_calls(self) -> list[dict[str, Any]]:
        """The calls that the sandbox Unimicro's own API has had, the last ones in order."""
        told = (await self.http.get(f"{self.unimicro_url}/sandbox/calls")).json()
        return [call for call in told["calls"] if call["path"].startswith("/api/biz")]

    async def settle_company(self, **settings: Any) -> None:
        """Other settings of the first key's company in Unimicro."""
        key = (await self.get("/v1/keys"))[0]["company_key"]
        answer = await self.http.post(f"{self.unimicro_url}/sandbox/companies/{key}/settings", json=settings)
        assert answer.is_success, answer.text

    async def books(self, *, without_numbers: bool = True) -> dict[str, Any]:
        """What the sandbox Unimicro has, in its comparable form; series numbers left out unless asked for."""
        params = {"without_numbers": int(without_numbers)}
        answer = await self.http.get(f"{self.unimicro_url}/sandbox/books", params=params)
        companies: dict[str, Any] = answer.json()["companies"]
        return companies

    async def invoices(self) -> list[dict[str, Any]]:
        """The invoices and credit notes of the key's company, with their numbers."""
        books = await self.books(without_numbers=False)
        return next(list(company["invoices"]) for company in books.values() if company["name"] == COMPANY)

    async def reset(self, *, keep_reference: bool = False) -> None:
        """Empty books and an empty log, with the same key and hook; what is kept of Unimicro's lists stays true."""
        await self.http.post(f"{self.unimicro_url}/sandbox/reset")
        if not keep_reference:
            self.resources.kept(KnownBooks).references.clear()
        self.resources.kept(KnownBooks).recipients.clear()
        async with self.resources.engine.begin() as connection:
            await connection.exec_driver_sql(
                "TRUNCATE attempt, transfer, event, event_key, lane RESTART IDENTITY CASCADE"
            )

    async def fault(self, fault: str, *, method: str | None = None, path: str, times: int = 1, **more: Any) -> None:
        """Make the sandbox Unimicro fail the next matching calls."""
        match = {"method": method, "path": path} | ({"query": more.pop("query")} if "query" in more else {})
        order = {"match": match, "fault": fault, "times": times, **more}
        answer = await self.http.post(f"{self.unimicro_url}/sandbox/faults", json=order)
        assert answer.is_success, answer.text
