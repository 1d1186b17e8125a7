"""Ten thousand invoices that are ready, through the door that makes files of them: time and memory."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from app.admin.keys import NewKey, create_key
from app.admin.tenants import create_tenant
from app.domain.file_documents import to_json
from app.domain.states import TransferState
from app.platform.resources import Resources, open_resources
from app.settings import Settings
from app.tables import FiledDocument, Key, Transfer
from tests.world.many_documents import make_many_documents

_PAGE = 1000
# A process of its own: the bench's memory is none of the door's.
_RUN = """
import asyncio, json, re, sys, time
from uuid import UUID
from app.admin.keys import load_key
from app.files.choose import Wanted
from app.files.exports import ExportOrder, create_export
from app.platform.resources import open_resources
from app.settings import Settings

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024

async def export(url, tenant_id, key_id):
    async with open_resources(Settings(database_url=url), database_url=url) as resources:
        async with resources.of_tenant(tenant_id).sessions() as session:
            await load_key(session, key_id)
        before, started, used = peak(), time.perf_counter(), time.process_time()
        async with resources.of_tenant(tenant_id).sessions.begin() as session:
            order = ExportOrder(wanted=Wanted(), made_by="bench")
            made, _ = await create_export(session, await load_key(session, key_id), order, folder=None)
        used = time.process_time() - used
        return [made.documents, time.perf_counter() - started, used, peak() - before]

print(json.dumps(asyncio.run(export(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3])))))
"""


@dataclass(frozen=True, slots=True)
class ExportFigures:
    """What one export took: `seconds` with all that its database and the machine's other users did meanwhile.

    Memory is by how much the process's largest size grew.
    """

    documents: int
    seconds: float
    cpu_seconds: float
    grown_megabytes: float


async def measure_export(settings: Settings, url: str, *, count: int) -> ExportFigures:
    """An export of so many invoices, customers among them, from what is ready to the last commit."""
    async with open_resources(settings, database_url=url) as resources:
        tenant_id, key_id = await _make_key(resources, count)
        async with resources.of_tenant(tenant_id).sessions.begin() as session:
            for page in _list_pages(tenant_id, key_id, count):
                await session.execute(insert(Transfer), [row for row, _ in page])
                await session.execute(insert(FiledDocument), [content for _, content in page])
        async with resources.engine.begin() as connection:
            await connection.execute(text("ANALYZE transfer, filed_document"))
    run = [sys.executable, "-c", _RUN, url, str(tenant_id), str(key_id)]
    secret = settings.encryption_keys.get_secret_value() if settings.encryption_keys else ""
    env = {**os.environ, "RMU_ENCRYPTION_KEYS": secret}
    done = await asyncio.to_thread(subprocess.run, run, capture_output=True, text=True, check=True, env=env)
    return ExportFigures(*json.loads(done.stdout.splitlines()[-1]))


async def _make_key(resources: Resources, count: int) -> tuple[UUID, UUID]:
    async with resources.sessions.begin() as session:
        tenant = await create_tenant(session, name=f"{count} invoices in a file")
        new = NewKey(
            tenant_id=tenant.id,
            name="files",
            company_key=f"bench-{tenant.id}",
            company_name="Bench AS",
            go_live=date(2026, 1, 1),
            grant=None,
            mode="file",
            sender="recman",
            booking="voucher",
        )
        key: Key = await create_key(session, resources.vault, new)
        key.proof = "open"
        return tenant.id, key.id


def _list_pages(tenant_id: UUID, key_id: UUID, count: int) -> Iterator[list[tuple[dict[str, Any], dict[str, Any]]]]:
    page: list[tuple[dict[str, Any], dict[str, Any]]] = []
    own = {"tenant_id": tenant_id, "key_id": key_id}
    for place, made in enumerate(make_many_documents(count), start=1):
        one = replace(made, transfer_id=str(10**9 + place), record_id=f"bench-{place}")
        transfer = {
            **own,
            "id": int(one.transfer_id),
            "scope": "invoice",
            "kind": "invoice",
            "record_id": one.record_id,
            "state": TransferState.COLLECTED,
            "number": one.number,
            "invoice_date": one.invoice_date,
        }
        content = {"transfer_id": int(one.transfer_id), "gross_amount": one.gross_amount, "content": to_json(one)}
        page.append((transfer, {**own, **content}))
        if len(page) == _PAGE or place == count:
            yield page
            page = []
