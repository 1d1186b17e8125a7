"""Documents issued in RecMan's order, against a bare loop that makes the same calls one after another."""

import asyncio
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from app.admin.keys import open_secret
from app.domain.money import dump_json
from app.platform.http import httpx
from app.tables import Key
from tests.world import World, open_world
from tests.world.numbered import FIRST, make_invoices, start_series


async def measure_series(url: str, folder: Path, *, documents: int, seconds: float) -> tuple[float, float]:
    """Seconds that so many documents take us, and a bare loop; each call to Unimicro takes `seconds` longer."""
    async with open_world(url, folder, poll_seconds=1) as world:
        await start_series(world)
        first, *rest = make_invoices(world, range(FIRST, FIRST + documents + 1))
        await world.carry("invoice", first)

        async def slow(request: httpx.Request) -> None:
            if "/api/biz/" in request.url.path:
                await asyncio.sleep(seconds)

        world.resources.http.event_hooks = {"request": [slow], "response": []}
        await world.hear_of("invoice", *rest)
        started = time.monotonic()
        await world.settle()
        ours = time.monotonic() - started
        assert await world.states(*rest) == ["done"] * documents
        return ours, await _loop(world, documents)


async def _loop(world: World, documents: int) -> float:
    """Seconds that the bare calls take: a draft, where its series stands, issue, read."""
    body = await _find_draft(world)
    async with world.resources.sessions() as session:
        key = await session.get_one(Key, (world.tenant_id, world.key_id))
        token = open_secret(world.resources.vault, key, "access_token")
    headers = {"Authorization": f"Bearer {token}", "CompanyKey": key.company_key, "Content-Type": "application/json"}
    base, http = f"{world.unimicro_url}/api/biz", world.resources.http
    started = time.monotonic()
    for number in range(documents):
        content = dump_json(_renew(body) | {"ExternalReference": f"B-{number}"})
        made = (await http.post(f"{base}/invoices", content=content, headers=headers)).raise_for_status().json()
        address = f"{base}/invoices/{made['ID']}"
        series = await http.get(f"{base}/number-series/{body['InvoiceNumberSeriesID']}", headers=headers)
        issued = await http.post(address, params={"action": "invoice"}, headers=headers)
        read = await http.get(address, params={"expand": "Items"}, headers=headers)
        assert series.is_success
        assert issued.is_success
        assert read.json()["InvoiceNumber"] == str(series.json()["NextNumber"])
    return time.monotonic() - started


async def _find_draft(world: World) -> dict[str, Any]:
    query = "SELECT exchanges FROM attempt WHERE step = 'create' ORDER BY id DESC LIMIT 1"
    async with world.resources.engine.connect() as connection:
        exchanges = (await connection.execute(text(query))).scalar_one()
    found: dict[str, Any] = next(one["request"] for one in exchanges if one["path"] == "api/biz/invoices")
    return found


def _renew(value: Any) -> Any:
    """The same with guids that Unimicro has not seen."""
    if isinstance(value, list):
        return [_renew(one) for one in value]
    if isinstance(value, dict):
        return {name: str(uuid4()) if name == "_createguid" else _renew(one) for name, one in value.items()}
    return value
