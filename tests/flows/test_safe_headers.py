"""What every answer says to browsers and caches, whoever asks, and that nothing follows the Host header."""

from pathlib import Path

import pytest

from app.api.once import shows_secret
from app.web import ROOMS
from tests.world import OURS, TOKEN, World, open_world

PERSON = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("path", ["/", "/health/live", "/v1/keys", "/v1/nothing", "/docs", "/openapi.json", "/metrics"])
async def test_every_answer_has_them_refusals_too(world: World, path: str) -> None:
    for headers in ({}, PERSON):
        answer = await world.http.get(f"{OURS}{path}", headers=headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "strict-transport-security" not in answer.headers
        is_private = path.startswith("/v1")
        assert answer.headers["cache-control"] in ({"private, no-cache"} if is_private else {"no-cache", "no-store"})


async def test_what_shows_a_secret_is_kept_by_nobody(world: World) -> None:
    made = await world.call("POST", "/v1/tokens", {"name": "a", "role": "viewer"}, tenant=world.tenant_id)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    showing = [route for room in ROOMS for route in room.router.routes if shows_secret(route)]
    assert len(showing) >= 5
    assert [route.path for route in showing if route.methods != {"POST"}] == []


@pytest.mark.parametrize("path", ["/v1/keys/", "/v1/keys", "/docs/", "/health/live/", "//evil.test/v1/keys/"])
async def test_nothing_follows_the_host_header(world: World, path: str) -> None:
    for method in ("GET", "POST"):
        headers = {**PERSON, "Host": "evil.test", "X-Forwarded-Host": "evil.test"}
        answer = await world.http.request(method, f"{OURS}{path}", headers=headers, follow_redirects=False)
        assert not answer.is_redirect
        assert "evil.test" not in "".join(answer.headers.values())


async def test_the_description_is_a_page_that_loads_nothing_and_can_be_off(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, connect=False, show_docs=False, public_url="https://x.test") as world:
        for path in ("/docs", "/openapi.json"):
            hidden = await world.http.get(f"{OURS}{path}")
            assert (hidden.status_code, hidden.headers["strict-transport-security"]) == (404, "max-age=31536000")


async def test_the_description_page_shows_every_operation(world: World) -> None:
    page = await world.http.get(f"{OURS}/docs")
    assert page.status_code == 200
    paths = (await world.http.get(f"{OURS}/openapi.json")).json()["paths"]
    assert [path for path in paths if path not in page.text] == []
    # Nothing is loaded from elsewhere, and nothing runs.
    assert [word for word in ("<script", "src=", "http://", "javascript:", "onload") if word in page.text] == []
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    assert (await world.http.get(f"{OURS}/redoc")).status_code == 404
