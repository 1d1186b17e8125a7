"""A storm: both systems fail at random, workers die, records vanish and return; then calm. The books are as ever."""

import copy
import random
from typing import Any

from app.sandbox.samples import load_samples
from tests.world.world import World

SAMPLES = load_samples()
_INVOICES = "/api/biz/invoices"
CALLS: list[dict[str, Any]] = [
    {"method": "POST", "path": "/api/biz/customers"},
    {"method": "POST", "path": "/api/biz/projects"},
    {"method": "POST", "path": "/api/biz/departments"},
    {"method": "POST", "path": _INVOICES, "query": ""},
    {"method": "POST", "path": _INVOICES, "query": "action=invoice"},
    {"method": "PUT", "path": _INVOICES, "query": "create-credit-draft-invoice"},
    {"method": "PUT", "path": _INVOICES, "query": ""},
    {"method": "DELETE", "path": _INVOICES},
    {"method": "GET", "path": _INVOICES},
    {"method": "GET", "path": "/api/biz"},
]
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("lose_answer", {}),
    ("error_after", {}),
    ("error_before", {}),
    ("hang", {"seconds": 0.05}),
    ("throttle", {"seconds": 0.1}),
]


class Storm:
    """The weather over one world; the same for the same seed, as far as tasks take turns alike."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.records = world.recman.state.store.records["invoice"]
        self.as_it_should_be = copy.deepcopy(self.records)

    async def blow(self) -> None:
        """A while of trouble, with a worker in the middle of it."""
        chance = self.chance
        for _ in range(chance.randint(0, 3)):
            fault, more = chance.choice(FAULTS)
            await self.world.fault(
                fault, **chance.choice(CALLS), **more, times=chance.choice([1, 1, 2]), after=chance.choice([0, 0, 1, 2])
            )
        if chance.random() < 0.3:
            await self.let_recman_fail(times=chance.randint(1, 3))
        if chance.random() < 0.5:
            self.spoil(chance.choice(list(self.records)))
        if chance.random() < 0.5:
            self.mend(chance.choice(list(self.as_it_should_be)))
        await self.work(seconds=chance.uniform(0.05, 0.5), dies=chance.random() < 0.5)
        await self.retry(chance.uniform(0, 1))
        if chance.random() < 0.3:
            assert await self.world.hear([chance.choice(SAMPLES.webhooks)]) == [202]

    async def calm_down(self) -> None:
        """Everything works again, and everybody is asked once more."""
        self.world.unimicro.faults.waiting.clear()  # type: ignore[attr-defined]
        await self.let_recman_fail(times=0)
        self.records.clear()
        for record_id in self.as_it_should_be:
            self.mend(record_id)
        for _ in range(3):
            await self.retry(1)
            await self.world.settle()

    def spoil(self, record_id: str) -> None:
        if self.chance.random() < 0.5:
            self.records[record_id]["invoiceDate"] = "sometime"
        else:
            del self.records[record_id]

    def mend(self, record_id: str) -> None:
        self.records[record_id] = copy.deepcopy(self.as_it_should_be[record_id])

    async def let_recman_fail(self, *, times: int) -> None:
        order = {"fault": "unavailable", "times": times}
        assert (await self.world.http.post(f"{self.world.recman_url}/sandbox/recman/faults", json=order)).is_success

    async def work(self, *, seconds: float, dies: bool) -> None:
        """A worker for a while; one that dies leaves everything as it lies."""
        if dies:
            await self.world.work_and_die(seconds=seconds)
        else:
            await self.world.work(seconds=seconds)

    async def retry(self, share: float) -> None:
        for row in (await self.world.transfers()).values():
            if row["state"] in {"held", "failed"} and self.chance.random() < share:
                assert (await self.world.post(f"/v1/transfers/{row['id']}/retry")).status_code == 202
