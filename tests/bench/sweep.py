"""A sweep of many unchanged records: CPU, memory and what it tells."""

import asyncio
import resource
import time
from dataclasses import dataclass

from sqlalchemy import text

from app.admin.tenants import create_tenant, record_recman_api_key
from app.platform.http import httpx
from app.platform.resources import Resources, open_resources
from app.settings import Settings
from app.sweep.sweeps import begin_sweep, load_sweep
from app.tables import Tenant
from app.worker import run_worker

PAGE = 1000
_INVOICE = (
    '"{id}":{{"invoiceId":{id},"invoiceNumber":"{id}","type":"invoice","invoiceDate":"2026-10-05","dueDate":"2026-10-19",'
    '"currency":"NOK","companyId":"{company}","departmentId":"1","projectId":null,"ourReference":"Bjørn Sæther",'
    '"yourReference":"Åse Østbø","kid":"1100015","notes":"Timer for september","totalExVat":"30462.96","vat":"7615.74",'
    '"totalIncVat":"38078.70","created":"2026-10-05 09:12:33","lines":[{{"invoiceLineId":{id},"productNumber":"1001",'
    '"productName":"Konsulenttimer","description":"Seniorrådgiver, uke 37–40","quantity":"37.5","unit":"time",'
    '"unitPrice":"812.3456","discount":"0.00","vatRate":"25","total":"30462.96"}}]}}'
)


@dataclass(frozen=True, slots=True)
class SweepCost:
    """What one sweep of unchanged records took; memory is by how much the process's largest size grew."""

    records: int
    cpu_seconds: float
    grown_megabytes: float
    events: int


class Account:
    """A RecMan with so many invoices, made while they are asked for."""

    def __init__(self, records: int) -> None:
        self._records = records

    def __call__(self, request: httpx.Request) -> httpx.Response:
        first = (int(request.url.params.get("page", "1")) - 1) * PAGE + 1
        last = min(first + PAGE, self._records + 1) if request.url.params.get("scope") == "invoice" else first
        rows = ",".join(_INVOICE.format(id=number, company=number % 997 + 1) for number in range(first, last))
        return httpx.Response(
            200, content=f'{{"success":true,"data":{{{rows}}}}}'.encode() if rows else b'{"success":true}'
        )


async def measure_sweep(settings: Settings, url: str, *, records: int) -> SweepCost:
    """The second sweep of an account; the first one has noted what is there."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(Account(records)))
    async with http, open_resources(settings, database_url=url, http=http) as resources:
        async with resources.sessions.begin() as session:
            tenant = await create_tenant(session, name=f"{records} invoices")
            await record_recman_api_key(session, resources.vault, tenant, api_key="bench")
        await _sweep(resources, tenant)
        before, size = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        events = await _sweep(resources, tenant)
        cpu = time.process_time() - before
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - size) / 1024
    return SweepCost(records, cpu, grown, events)


async def _sweep(resources: Resources, tenant: Tenant) -> int:
    """Sweep once; how many records were passed on so far."""
    async with resources.sessions.begin() as session:
        sweep = await begin_sweep(session, tenant, started_by="bench")
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(resources, stop))
    while sweep.state == "running":
        await asyncio.sleep(0.05)
        async with resources.sessions() as session:
            sweep = await load_sweep(session, sweep.id)
    stop.set()
    await worker
    if sweep.state != "done":
        raise RuntimeError(f"the sweep is {sweep.state}: {sweep.trouble}")
    async with resources.sessions() as session:
        told = text("SELECT count(*) FROM event WHERE tenant_id = :tenant AND scope <> 'sweep'")
        return int((await session.execute(told, {"tenant": tenant.id})).scalar_one())
