"""What monitoring reads."""

import re

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


async def test_a_tenant_s_monitor_reads_its_own_figures_alone(world: World) -> None:
    other = await world.office.make_tenant("Another", recman_api_key="another")
    monitor = await world.office.make_token(world.tenant_id, "monitor")
    for token, tenants in ((TOKEN, {str(world.tenant_id), str(other)}), (monitor, {str(world.tenant_id)})):
        answer = await world.call("GET", "/metrics", token=token)
        assert set(re.findall(r'tenant="([^"]+)"', answer.text)) == tenants


async def test_metrics_are_for_monitors_and_operators(world: World) -> None:
    for role in ("admin", "viewer"):
        token = await world.office.make_token(world.tenant_id, role)
        assert (await world.call("GET", "/metrics", token=token)).status_code == 403
    assert (await world.http.get(f"{OURS}/metrics")).status_code == 401


async def test_a_monitor_does_nothing_else(world: World) -> None:
    made = await world.call("POST", "/v1/tokens", {"name": "Prometheus", "role": "monitor"})
    assert made.json()["tenant_id"] is None
    monitor = made.json()["token"]
    assert (await world.call("GET", "/metrics", token=monitor)).status_code == 200
    paths = (await world.http.get(f"{OURS}/openapi.json")).json()["paths"]
    guarded = [(path, method) for path, ways in paths.items() if path.startswith("/v1/") for method in ways]
    assert len(guarded) > 60
    for path, method in guarded:
        # A number or an id: whatever form it has, nothing but the role is in the way.
        answers = [
            await world.call(method.upper(), re.sub(r"\{\w+\}", form, path), token=monitor)
            for form in ("1", str(world.tenant_id))
        ]
        assert 403 in {answer.status_code for answer in answers}, (path, method, answers[0].text)
        assert {answer.status_code for answer in answers} <= {403, 422}


async def test_a_monitor_of_the_installation_is_no_operator_who_stays(world: World) -> None:
    await world.call("POST", "/v1/tokens", {"name": "Prometheus", "role": "monitor"})
    operators = [row for row in await world.get("/v1/tokens") if row["role"] == "operator"]
    answers = [await world.call("DELETE", f"/v1/tokens/{row['id']}") for row in operators]
    assert [answer.status_code for answer in answers] == [409] * len(operators)
