"""How long a webhook's body takes to become hints, against the least anybody would do with it in the same run."""

import hashlib
import json
import timeit
from collections.abc import Callable

from app.api.webhooks.form import EXAMPLES
from app.recman.hook.webhook import parse_hints

ROUNDS = 500
REPEATS = 7


def make_body() -> bytes:
    """The published form with a whole invoice of about 2 KB."""
    example = EXAMPLES["whole invoice"]
    row = example["data"]["lines"][0]
    lines = [{"invoiceLineId": 70001 + n, "position": n, **row} for n in range(9)]
    return json.dumps({**example, "data": {**example["data"], "lines": lines}}).encode()


def measure_decode() -> tuple[float, float]:
    """Microseconds for `json.loads` and a SHA-256 of the body, and for our decoding; the best of several rounds."""
    body = make_body()
    headers = {"content-type": "application/json", "user-agent": "bench"}
    assert len(parse_hints(body, content_type="application/json", path_scope=None, headers=headers).hints) == 1
    plain = _best(lambda: (json.loads(body), hashlib.sha256(body).digest()))
    ours = _best(lambda: parse_hints(body, content_type="application/json", path_scope=None, headers=headers))
    return plain, ours


def _best(task: Callable[[], object]) -> float:
    return min(timeit.repeat(task, number=ROUNDS, repeat=REPEATS)) / ROUNDS * 1e6
