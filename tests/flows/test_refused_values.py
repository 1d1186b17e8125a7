"""Values that no column holds are refused at the door: no statement is tried with them, and nobody reads a trace."""

import re
from typing import Any
from uuid import UUID

from tests.world import OURS, World
from tests.world.described import list_numbers, list_operations, list_parts

BOUNDS = {"maximum", "exclusiveMaximum", "enum", "const"}


def is_unbounded(schema: Any) -> bool:
    return schema.get("type") == "integer" and not BOUNDS & schema.keys()


def test_every_number_that_is_taken_has_a_bound() -> None:
    found = []
    for method, path, operation in list_operations():
        bodies = [one["schema"] for one in operation.get("requestBody", {}).get("content", {}).values()]
        places = [(f"{method} {path} {one['name']}", one["schema"]) for one in operation.get("parameters", ())]
        for place, schema in [*places, *((f"{method} {path}", body) for body in bodies)]:
            found += [where for where, part in list_parts(schema, place) if is_unbounded(part)]
    assert found == []


async def test_a_number_beyond_all_bounds_is_refused_before_any_statement(world: World, caplog: Any) -> None:
    numbers = list(list_numbers())
    assert len(numbers) > 20
    for method, path, name, schema in numbers:
        for value in (2**63, schema.get("minimum", 0) - 1):
            filled = path.replace(f"{{{name}}}", str(value))
            filled = re.sub(r"\{\w+_id\}", str(UUID(int=0)), filled)
            query = "" if f"{{{name}}}" in path else f"?{name}={value}"
            answer = await world.call(method, f"{filled}{query}", {} if method != "GET" else None)
            assert (answer.status_code, answer.json()["code"]) == (422, "bad_request"), (method, path, name, value)
            assert name in answer.json()["cause"]
    assert "value_refused" not in caplog.text


async def test_a_nul_is_refused_before_any_statement(world: World, caplog: Any) -> None:
    for path in ("/v1/invoices?text=a%00", "/v1/audit?subject=%00", "/v1/departments/7%00/key", "/webhooks/recman/%00"):
        answer = await world.http.get(f"{OURS}{path}", headers={"Authorization": "Bearer rmu_canary-operator-token"})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_request"), path
    for method, path in (("POST", "/v1/tenants"), ("POST", "/v1/hooks"), ("PATCH", f"/v1/keys/{world.key_id}")):
        answer = await world.call(method, path, {"name": "a\0b"}, tenant=world.tenant_id)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_request"), path
        assert "NUL" in answer.json()["cause"]
    assert "value_refused" not in caplog.text


async def test_what_only_the_database_refuses_is_told_without_a_trace(world: World, caplog: Any) -> None:
    told = await world.office.put_rules({"held_customers": ["a\0b"]}, status=422)
    assert told["code"] in {"bad_request", "rules_unreadable", "rules_unusable"}
    assert "Traceback" not in caplog.text
