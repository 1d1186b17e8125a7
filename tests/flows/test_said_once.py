"""What a request says is heard, and once: nothing is said twice, to nobody, or in another spelling than a number's."""

import json
from typing import Any

import pytest

from tests.world import OURS, TOKEN, World
from tests.world.described import fill_in, list_numbers, list_operations, list_parts

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
JSON = {**HEADERS, "Content-Type": "application/json"}
# As other languages write numbers, and as people do.
NO_NUMBERS = ["+5", "05", "5.0", "5e0", "1_000", " 5", "0x5", "٣", "true", ""]


def takes_body(operation: Any) -> bool:
    return "requestBody" in operation


async def test_a_name_that_stands_twice_in_a_body_is_refused_wherever_it_stands(world: World) -> None:
    bodies = [
        '{"name": "Kari", "name": "Ola", "role": "viewer"}',
        '{"role": "viewer", "name": "Kari", "role": "operator"}',
        '{"settings": {"year_begins": 1, "year_begins": 2}}',
        '{"series": [{"series_id": 1, "next_number": 1, "next_number": 2}]}',
    ]
    for method, path, operation in list_operations():
        if not path.startswith("/v1/") or "application/json" not in operation.get("requestBody", {}).get("content", ""):
            continue
        for body in bodies:
            query = f"?key_id={world.key_id}" if path == "/v1/rules" else ""
            headers = {**JSON, "If-Match": "*"}
            answer = await world.http.request(method, f"{OURS}{fill_in(path)}{query}", headers=headers, content=body)
            assert answer.status_code == 422, (method, path, body, answer.text)
            assert "more than once" in answer.json()["cause"] or "given twice" in answer.json()["cause"], (path, body)
    assert {row["name"] for row in await world.get("/v1/tokens")}.isdisjoint({"Kari", "Ola"})


async def test_a_parameter_that_is_given_twice_is_refused(world: World) -> None:
    for path in ("/v1/transfers?state=held&state=done", f"/v1/keys?tenant={world.tenant_id}&tenant={world.tenant_id}"):
        answer = await world.call("GET", path)
        assert (answer.status_code, answer.json()["fix"]) == (422, "Say it once."), answer.text


async def test_a_body_that_nobody_would_read_is_refused(world: World) -> None:
    tried = 0
    for method, path, operation in list_operations():
        if takes_body(operation) or not path.startswith("/v1/"):
            continue
        tried += 1
        url = f"{OURS}{fill_in(path)}"
        answer = await world.http.request(method, url, headers=JSON, content=b'{"dry_run": true}')
        assert answer.status_code == 422, (method, path, answer.text)
        assert "takes no body" in answer.json()["cause"] or "path." in answer.json()["cause"], (method, path)
    assert tried > 50
    for nothing in (b"", b"{}", b"null", b" \n"):
        url = f"{OURS}/v1/recman/sweep?tenant={world.tenant_id}"
        # One after the other: the first one is under way when the others come.
        assert (await world.http.post(url, headers=JSON, content=nothing)).status_code in (202, 409), nothing


@pytest.mark.parametrize("written", NO_NUMBERS)
async def test_a_number_in_an_address_is_written_in_digits(world: World, written: str) -> None:
    for method, path, name, _ in list_numbers():
        in_path = f"{{{name}}}" in path
        if in_path and not written.strip():
            continue
        filled = fill_in(path.replace(f"{{{name}}}", "N" if in_path else f"{{{name}}}")).replace("/N", f"/{written}")
        params = {"tenant": str(world.tenant_id)} | ({} if in_path else {name: written})
        answer = await world.http.request(method, f"{OURS}{filled}", params=params, headers=HEADERS)
        assert answer.status_code == 422, (method, path, name, answer.text)
        assert name in answer.json()["cause"], (method, path, name, answer.json())


async def test_what_is_wrong_with_a_body_is_told_in_a_sentence_of_some_length(world: World) -> None:
    bodies: list[Any] = [
        {f"k{number}": 1 for number in range(15_000)},
        {"k" * 200_000: 1},
        {"series": [[1]] * 40_000},
        {"departments": ["7"] * 40_000, "series": [{"series_id": 1, "next_number": 1, "departments": ["7"] * 9000}]},
        {"settings": {"export_encoding": "x" * 90_000}},
    ]
    for method, path, operation in list_operations():
        if path.startswith("/v1/") and takes_body(operation) and path != "/v1/rules" and "lists" not in path:
            for body in bodies:
                answer = await world.http.request(
                    method, f"{OURS}{fill_in(path)}", headers=JSON, content=json.dumps(body)
                )
                assert answer.status_code == 422, (method, path)
                assert len(answer.content) < 5000, (method, path, len(answer.content))
    answer = await world.http.get(f"{OURS}/errors/{'x' * 5000}")
    assert (answer.status_code, len(answer.content) < 1000) == (404, True)


def test_every_list_and_text_that_is_ordered_has_a_bound() -> None:
    found = []
    for method, path, operation in list_operations():
        for kind, body in operation.get("requestBody", {}).get("content", {}).items():
            # A file of rules is bounded as a whole.
            if path == "/v1/rules" or kind != "application/json":
                continue
            for where, part in list_parts(body["schema"], f"{method} {path}"):
                is_list = part.get("type") == "array" and "maxItems" not in part
                words = {"maxLength", "enum", "const", "format"}
                is_text = (
                    part.get("type") == "string" and words.isdisjoint(part) and "}$" not in part.get("pattern", "")
                )
                found += [where] if is_list or is_text else []
    assert found == []
