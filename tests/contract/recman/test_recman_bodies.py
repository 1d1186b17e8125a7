"""RecMan's bodies, each in a file of its own with its origin and its exact reading.

`webhooks/*.json` go through `parse_hints`; `answers/*.json` through the API client and the translation.
"""

from pathlib import Path
from typing import Any

import pytest
import simplejson

from app.recman.webhook import parse_hints

HERE = Path(__file__).parent
WEBHOOKS = sorted((HERE / "webhooks").glob("*.json"))
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
