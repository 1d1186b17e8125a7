"""RecMan's bodies, each in a file of its own with its origin and its exact reading.

`webhooks/*.json` go through `parse_hints`; `answers/*.json` through the API client and the translation.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import simplejson

from app.domain.documents import Document, Line
from app.domain.gaps import Gaps
from app.domain.parties import Address, Customer
from app.errors import RemoteError
from app.platform.http import httpx
from app.recman.api.client import RecmanClient
from app.recman.hook.webhook import parse_hints
from app.recman.read.translate import read_company, read_department, read_invoice, read_project
from tests.world.account import sleep_not

HERE = Path(__file__).parent
WEBHOOKS = sorted((HERE / "webhooks").glob("*.json"))
ANSWERS = sorted((HERE / "answers").glob("*.json"))
READERS: dict[str, Callable[[Any], Any]] = {
    "invoice": read_invoice,
    "company": read_company,
    "project": read_project,
    "department": read_department,
}
ORIGINS = {"documented", "third-party code", "assumed"}


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = simplejson.loads(path.read_text(encoding="utf-8"), use_decimal=True)
    return found


def to_bytes(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["body_hex"]) if "body_hex" in case else case["body"].encode()


@pytest.mark.parametrize("path", WEBHOOKS, ids=lambda path: path.stem)
def test_webhook_is_read_exactly_as_noted(path: Path) -> None:
    case = load(path)
    decoded = parse_hints(
        to_bytes(case), content_type=case["content_type"], path_scope=case["path_scope"], headers=case["headers"]
    )
    found = [
        {
            "scope": hint.scope,
            "record_id": hint.record_id,
            "operation": hint.operation,
            "has_record": hint.record is not None,
        }
        for hint in decoded.hints
    ]
    assert found == case["hints"]
    assert case["note"] in decoded.note
    assert bool(decoded.note) == (not decoded.hints)


def test_there_are_enough_webhooks_and_each_tells_its_origin() -> None:
    cases = [load(path) for path in WEBHOOKS]
    assert len(cases) >= 40
    assert {case["origin"] for case in cases} == ORIGINS
    assert all(case["source"] for case in cases)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
async def test_answer_is_read_exactly_as_noted(path: Path) -> None:
    case = load(path)
    if case["error"] is not None:
        with pytest.raises(RemoteError) as caught:
            await fetch(case)
        assert [type(caught.value).__name__, caught.value.cause] == case["error"]
        return
    found = await fetch(case)
    assert {
        key: show(READERS[case["scope"]](raw), noted=case["records"].get(key, {})) for key, raw in found.items()
    } == (case["records"])


async def fetch(case: dict[str, Any]) -> dict[str, Any]:
    """The records by id, asked for as the service asks."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(case["status"], content=case["body"].encode())

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = RecmanClient(http, base_url="https://recman.test", api_key="canary-key", sleep=sleep_not)
        if case["scope"] == "department":
            return {str(row["_key"]): row for row in await client.fetch_v1("department")}
        ask = {"invoice": client.fetch_invoices, "company": client.fetch_companies, "project": client.fetch_projects}
        return dict(await ask[case["scope"]](case["ask"]))


def show(found: Any, *, noted: dict[str, Any]) -> dict[str, Any]:
    """What was read, in the words of the file: all gaps, or the noted fields as texts."""
    if isinstance(found, Gaps):
        # A file may note a gap without its bracket of spellings, which would repeat the alias tables.
        causes = [gap.cause for gap in found.gaps]
        return {
            "gaps": [cause if cause in noted.get("gaps", ()) else cause.partition(" (looked")[0] for cause in causes]
        }
    fields = {name: str(getattr(found, name)) for name in noted if name not in {"net", "vat", "gross", "lines"}}
    if isinstance(found, Document):
        totals = found.totals
        fields |= {"net": str(totals.net_amount), "vat": str(totals.vat_amount), "gross": str(totals.gross_amount)}
        return fields | {"lines": [show_line(line) for line in found.lines]}
    if isinstance(found, Customer):
        fields |= {name: show_address(getattr(found, name)) for name in noted if name.endswith("_address")}
    return fields


def show_line(line: Line) -> str:
    parts = (line.position, line.product_number, line.text, line.quantity, line.unit_price_net)
    return "|".join(map(str, (*parts, line.discount_percent, line.vat_rate)))


def show_address(address: Address) -> str:
    parts = (address.line1, address.line2, address.postal_code, address.city, address.country_code)
    return "|".join(parts)


def test_there_are_enough_answers_and_each_tells_its_origin() -> None:
    cases = [load(path) for path in ANSWERS]
    assert len(cases) >= 25
    assert {case["origin"] for case in cases} == ORIGINS
    assert all(case["source"] for case in cases)
