"""What monitoring reads."""

from prometheus_client.parser import text_string_to_metric_families

from tests.world import OURS, TOKEN, World

AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}


async def read(world: World) -> dict[tuple[str, ...], float]:
    answer = await world.http.get(f"{OURS}/metrics", headers=AUTHORIZATION)
    assert answer.status_code == 200
    return {
        (
            sample.name.removeprefix("recman_unimicro_"),
            *(sample.labels[one] for one in ("tenant", "purpose", "scope") if one in sample.labels),
        ): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_calls_and_what_waits_are_told_by_tenant(world: World) -> None:
    await world.hear_of("invoice", 5001)
    tenant = str(world.tenant_id)
    assert (await read(world))["lanes_waiting", tenant] == 1
    await world.settle()
    found = await read(world)
    used = sum(value for (name, *_), value in found.items() if name == "recman_calls")
    assert used == len(world.source.list_calls())
    assert found["recman_calls_limit", tenant, "invoices"] == 100_000
    assert found["recman_calls_limit", tenant, "sweeps"] == 50_000
    assert found["recman_paused", tenant] == 0
    assert ("lanes_waiting", tenant) not in found


async def test_held_changes_are_told(world: World) -> None:
    await world.call("PATCH", "/v1/recman", {"first_day": "2020-01-01", "most_changes": 0}, tenant=world.tenant_id)
    await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    await world.settle()
    held = (await read(world))["recman_changes_held", str(world.tenant_id), "invoice"]
    assert held == len(world.recman.state.store.records["invoice"])


async def test_metrics_are_for_operators(world: World) -> None:
    admin = await world.office.make_token(world.tenant_id, "admin")
    assert (await world.call("GET", "/metrics", token=admin)).status_code == 403
    assert (await world.http.get(f"{OURS}/metrics")).status_code == 401
