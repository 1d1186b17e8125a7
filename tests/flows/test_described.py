"""What the description promises of every address: its methods, its parameters, nothing beside them."""

import pytest

from tests.world import OURS, TOKEN, World
from tests.world.routes import ROUTES

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
# No id that anything has, whatever it is an id of.
_NOBODY = "00000000-0000-4000-8000-000000000000"


def fill_in(path: str) -> str:
    """The address with ids that are nobody's."""
    for name in ("transfer_id", "sweep_id", "series_id", "recman_company_id", "recman_department_id"):
        path = path.replace(f"{{{name}}}", "9")
    return path.replace("{org_number}", "974760673").partition("{")[0] + (
        _NOBODY + path.partition("}")[2] if "{" in path else ""
    )


async def test_no_operation_takes_a_parameter_that_it_does_not_have(world: World) -> None:
    for method, path in ROUTES:
        answer = await world.http.request(method, f"{OURS}{fill_in(path)}?limt=1", headers=HEADERS, json={})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_request"), (method, path, answer.text)
        assert "limt" in answer.json()["cause"] or "body" in answer.json()["cause"], (method, path)
    answer = await world.http.get(f"{OURS}/v1/audit?limt=1&befor=2&limit=1", headers=HEADERS)
    assert answer.json()["cause"] == "There is no query parameter 'befor', 'limt' here"
    assert answer.json()["fix"] == "Leave it out. There are: before, limit, subject, tenant."


async def test_an_address_names_all_of_its_methods_and_its_head_is_that_of_its_get(world: World) -> None:
    by_path: dict[str, set[str]] = {}
    for method, path in ROUTES:
        by_path.setdefault(path, set()).add(method)
    for path, methods in by_path.items():
        answer = await world.http.request("OPTIONS", f"{OURS}{fill_in(path)}", headers=HEADERS)
        assert answer.status_code == 405, path
        assert set(answer.headers["Allow"].split(", ")) == methods | ({"HEAD"} if "GET" in methods else set()), path
        head = await world.http.head(f"{OURS}{fill_in(path)}", headers=HEADERS)
        got = await world.http.get(f"{OURS}{fill_in(path)}", headers=HEADERS)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"], path


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json"])
async def test_the_head_of_what_machines_look_at_is_answered(world: World, path: str) -> None:
    answer = await world.http.head(f"{OURS}{path}", headers=HEADERS)
    assert (answer.status_code, answer.content) == (200, b"")
