"""What RecMan tells of its records in webhooks, for a tenant whose RecMan cannot be asked."""

from typing import Any

from app.domain.money import dump_json
from app.sandbox.samples import load_samples
from tests.world.names import OURS
from tests.world.world import World

_SAMPLES = load_samples()


def record_of(scope: str, record_id: str) -> dict[str, Any]:
    """A sample as RecMan has it."""
    return next(dict(one) for one in _SAMPLES.records[scope] if str(one[f"{scope}Id"]) == record_id)


async def send(world: World, event: str, record_id: int, **more: Any) -> None:
    """A webhook of RecMan with these fields, accepted."""
    content = dump_json({"event": event, "id": record_id, **more})
    answer = await world.http.post(f"{OURS}{world.hook}", content=content)
    assert answer.status_code == 202, answer.text


async def send_invoice(world: World, **more: Any) -> None:
    """Invoice 5001 and its company, whole, by webhooks."""
    await send(world, "company.updated", 201, data=record_of("company", "201"), **more)
    record = record_of("invoice", "5001") | {"projectId": None, "departmentId": None}
    await send(world, "invoice.created", 5001, data=record, **more)
