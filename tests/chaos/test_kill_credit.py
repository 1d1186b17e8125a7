"""kill -9 of a real worker process while a part of an invoice is credited: the draft is finished, and there is one."""

import asyncio
from pathlib import Path

import pytest

from tests.world import COMPANY, World
from tests.world.processes import is_through, real_world, start_worker
from tests.world.workers import PATIENCE, wait_until

CREATE = "action=create-credit-draft-invoice"


@pytest.mark.parametrize(("method", "query"), [("PUT", CREATE), ("PUT", ""), ("POST", "action=invoice")])
async def test_kill_while_a_part_is_credited_leaves_one_credit_note(
    database_url: str, tmp_path: Path, method: str, query: str
) -> None:
    async with real_world(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await world.settle()
        # Carried out at once, answered when nobody is there any more.
        await world.fault("hang", method=method, path="/api/biz/invoices", query=query, seconds=30)
        world.source.credit_hours()
        await world.hear_of("invoice", 5008)
        await kill_in_the_middle(world, tmp_path)
        worker = start_worker(world.resources.settings, tmp_path)
        try:
            async with asyncio.timeout(PATIENCE):
                await wait_until(lambda: is_through(world))
        finally:
            worker.terminate()
            worker.wait(20)
        row = (await world.transfers())["credit_note", "5008"]
        assert (row["state"], row["remote_gross_amount"]) == ("done", "250.00"), row["reasons"]
        assert world.ledger.list_drafts() == []
        rows = world.unimicro.state.world.company(COMPANY).books.rows("CustomerInvoice")
        assert [one["ExternalReference"] for one in rows] == ["RM-5003", "RM-5008"]


async def kill_in_the_middle(world: World, folder: Path) -> None:
    """Start a worker, and kill it while it waits for the answer that hangs."""
    calls = world.unimicro.calls  # type: ignore[attr-defined]
    calls.clear()
    worker = start_worker(world.resources.settings, folder)

    async def is_waiting() -> bool:
        return any(call.fault == "hang" for call in calls.last)

    await wait_until(is_waiting)
    worker.kill()
    worker.wait()
