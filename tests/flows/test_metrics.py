"""What monitoring reads."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, insert, update

from app.monitoring.gauges import GAUGES
from app.platform.figures import LABELS
from app.platform.heartbeats import end_beat, list_lives, prune_beats, sum_figures
from app.sandbox.recman.hooks import Delivery
from app.tables import Heartbeat
from tests.world import OURS, TOKEN, World
from tests.world.exposition import list_format_faults

AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}


async def read(world: World) -> dict[tuple[str, ...], float]:
    answer = await world.http.get(f"{OURS}/metrics", headers=AUTHORIZATION)
    assert answer.status_code == 200
    return {
        (
            sample.name.removeprefix("recman_unimicro_"),
            *(
                sample.labels[one]
                for one in sorted(sample.labels, key=lambda one: (one != "tenant", one))
                if one != "le"
            ),
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
    assert found["recman_rests", tenant] == 0
    assert found["lanes_waiting", tenant] == found["lane_oldest_due_seconds", tenant] == 0


async def test_the_work_itself_is_counted_from_the_webhook_to_the_books(world: World) -> None:
    before, calls, reads = await read(world), len(await world.list_calls()), len(world.source.list_calls())
    delivery = Delivery(body='{"scope":"invoice","operation":"insert","invoiceId":5001}')
    assert await world.hear([delivery, delivery]) == [202, 202]
    assert (await world.http.post(f"{OURS}/webhooks/recman/nobody", content="{}")).status_code == 404
    await world.settle()
    after = await read(world)
    more = {key: value - before.get(key, 0.0) for key, value in after.items()}
    assert more["requests_received_total", "webhook"] == 3
    assert [more["requests_answered_total", "webhook", status] for status in ("202", "404")] == [2, 1]
    assert more["request_seconds_count", "webhook"] == 3
    assert (more["webhook_records_total", "new"], more["webhook_records_total", "repeat"]) == (1, 1)
    assert more["documents_total", "booked"] == more["document_delay_seconds_count", "booked"] == 1
    assert more["lane_runs_total", "done", "invoice"] == more["lane_wait_seconds_count",] == 1
    assert more["remote_calls_total", "ok", "unimicro"] == len(await world.list_calls()) - calls
    assert more["remote_calls_total", "ok", "recman"] == len(world.source.list_calls()) - reads
    assert more["remote_call_seconds_count", "POST invoices", "unimicro"] == 1
    assert more["leases_lost_total",] == more["token_refreshes_total", "sign_in_lost"] == 0


async def test_troubles_are_counted_by_what_they_are(world: World) -> None:
    before = await read(world)
    await world.fault("error_before", path="/api/biz/", times=1000)
    await world.hear_of("invoice", 5001)
    await world.work_for("SELECT count(*) FROM lane WHERE tries > 0")
    after = await read(world)
    assert after["lane_troubles_total", "remote_unavailable"] > before.get(
        ("lane_troubles_total", "remote_unavailable"), 0
    )
    assert after["remote_calls_total", "failed", "unimicro"] > before.get(
        ("remote_calls_total", "failed", "unimicro"), 0
    )


async def test_what_processes_that_have_ended_counted_stays_in_the_sum(world: World) -> None:
    def pretend(figures: list[Any], role: str) -> Any:
        values = {"id": uuid4(), "role": role, "place": "x/1", "version": "1", "figures": figures}
        return insert(Heartbeat).values(values)

    labels, name = {"outcome": "booked"}, "recman_unimicro_documents_total"
    own = (await read(world)).get(("documents_total", "booked"), 0.0)
    async with world.resources.sessions.begin() as session:
        await session.execute(pretend([[name, labels, 40]], "worker"))
        await session.execute(pretend([[name, labels, 2.0], ["of_another_version_total", {}, 1]], "serve"))
    assert (await read(world))["documents_total", "booked"] == own + 42
    async with world.resources.sessions.begin() as session:
        await session.execute(update(Heartbeat).values(seen_at=func.now() - timedelta(hours=1)))
        await prune_beats(session)
    # Ours was taken for dead, too: it comes back under another name, and nothing is counted twice.
    assert (await read(world))["documents_total", "booked"] == own + 42
    await end_beat(world.resources)
    async with world.resources.sessions() as session:
        figures = await sum_figures(session)
        assert figures[name, (("outcome", "booked"),)] == own + 42
        assert figures["of_another_version_total", ()] == 1
        assert await list_lives(session) == []


async def test_names_and_units_are_as_prometheus_wants_them(world: World) -> None:
    await world.carry("invoice", 5001)
    text = (await world.call("GET", "/metrics")).text
    families = list(text_string_to_metric_families(text))
    assert len(families) == len({family.name for family in families}) == len(GAUGES) + len(LABELS)
    for family in families:
        assert re.fullmatch(r"recman_unimicro(_[a-z]+)+", family.name), family.name
        assert family.documentation
        assert not re.search(r"milli|micro_?sec|minutes|hours|_(count|sum|bucket|total|gauge|histogram)$", family.name)
        assert family.type != "histogram" or family.name.endswith("_seconds"), family.name
        assert len({(one.name, *sorted(one.labels.items())) for one in family.samples}) == len(family.samples)
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        name = family.name.removeprefix("recman_unimicro_") + ("_total" if family.type == "counter" else "")
        assert labels <= set(GAUGES[name].labels if name in GAUGES else LABELS[name]), name
    # Nothing of a record, a person or an address: else there would be a series for each.
    assert not re.search(r'="[^"]*(5001|110001|http|@)', text)
    assert list_format_faults(text) == []


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
