"""What is sent may be large and odd, and yet nobody else waits for it: values are counted, large work goes aside."""

import json
import threading
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from app.admin.rules_check import list_faults
from app.admin.rules_file import dump_yaml, parse_yaml
from app.domain.reference import Reference, RemoteAccount
from app.domain.rules import Rules
from app.errors import RequestError
from app.platform.aside import LARGE_BYTES, run_aside
from app.recman.hook.webhook import parse_hints

MB = 1_048_576


def fill(unit: str, *, head: str = "[", tail: str = "]") -> str:
    """As many equal values as fit into the largest body."""
    return head + ",".join([unit] * ((MB - len(head + tail)) // (len(unit) + 1))) + tail


HEAVY = {
    "lists": fill("[1]"),
    "empty lists": fill("[]"),
    "objects": fill("{}"),
    "numbers": fill("1"),
    "texts": fill('""'),
    "lists in lists": fill("[" * 20 + "1" + "]" * 20),
    "texts that hold lists": fill('"[1,1,1,1,1]"'),
    "a list in a text, escaped": '["[' + "1\\u002c" * 140_000 + '1]"]',
    "wrappers": fill('{"data":' * 19 + "[1]" + "}" * 19),
    "rows by number": "{" + ",".join(f'"{n}":{{}}' for n in range(90_000)) + "}",
    "ids in one text": fill("1", head='{"scope":"invoice","ids":"', tail='"}'),
    "a form that holds a list": "scope=invoice&data=%5B" + "1%2C" * 250_000 + "1%5D",
}


@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY)
def test_a_body_of_values_without_end_is_not_walked_through(body: str) -> None:
    kind = "application/x-www-form-urlencoded" if body.startswith("scope=") else "application/json"
    started = time.thread_time()
    decoded = parse_hints(body.encode(), content_type=kind, path_scope="invoice", headers={})
    assert (decoded.too_much, decoded.hints) == (True, ())
    assert time.thread_time() - started < 0.3


def test_a_full_body_of_real_invoices_is_read() -> None:
    line = {"productNumber": "1001", "description": "Konsulenttimer uke 41", "quantity": "37.5", "unitPrice": "450.00"}
    rows = [{"event": "invoice.created", "data": {"invoiceId": n, "lines": [line] * 20}} for n in range(1, 500)]
    body = json.dumps(rows).encode()
    assert 0.9 * MB < len(body) < MB * 1.1
    assert len(parse_hints(body, content_type="application/json", path_scope=None, headers={}).hints) == 499


async def test_large_work_is_done_in_a_thread_and_small_work_at_once() -> None:
    here = threading.current_thread()
    assert await run_aside(threading.current_thread, size=LARGE_BYTES - 1) is here
    assert await run_aside(threading.current_thread, size=LARGE_BYTES) is not here


# ---- rules


def make_rules(count: int) -> dict[str, Any]:
    """Rules of every kind that comes in lists."""
    return {
        "products": [{"recman": str(n), "unimicro": str(n)} for n in range(count)],
        "accounting": [{"product": str(n), "account": 9000 + n} for n in range(count)],
        "accounts": [{"recman": str(n), "unimicro": 9000 + n} for n in range(count)],
        "sales_accounts": [9000 + n for n in range(count)],
    }


def seconds(work: Callable[[], object]) -> float:
    """The processor time of the quickest of three tries."""
    taken = []
    for _ in range(3):
        started = time.thread_time()
        work()
        taken.append(time.thread_time() - started)
    return min(taken)


def check_accounts(count: int) -> float:
    rules = Rules.model_validate(make_rules(count))
    accounts = {9000 + n: RemoteAccount(remote_id=n, vat_type_id=None, number=9000 + n) for n in range(count)}
    reference = Reference(products={}, departments={}, currencies={}, base_currency="NOK", accounts=accounts)
    return seconds(lambda: list_faults(rules, reference, today=date(2026, 11, 26)))


def look_up(count: int) -> float:
    rules = Rules.model_validate(make_rules(count))
    return seconds(lambda: [(rules.product_number(str(n)), rules.account_number(str(n))) for n in range(count)])


def read_file(count: int) -> float:
    text = json.dumps(make_rules(count))
    return seconds(lambda: parse_yaml(text))


@pytest.mark.parametrize("work", [check_accounts, look_up, read_file])
def test_four_times_the_rules_take_about_four_times_as_long(work: Callable[[int], float]) -> None:
    assert work(2400) < 9 * work(600) + 0.02


def test_a_file_of_thousands_of_rules_is_read_in_a_moment() -> None:
    assert seconds(lambda: parse_yaml(json.dumps(make_rules(4000)))) < 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("products:\n" + "- " * 60_000, 2),
        ('{"products": [\n' + '{"a":' * 20_000, 2),
        ("\n\n" + "[" * 100_000, 3),
        ("a:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 400)), 21),
    ],
)
def test_what_is_nested_too_deep_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(RequestError, match=f"nested too deep in line {line}$") as told:
        parse_yaml(text)
    assert told.value.status == 422


@pytest.mark.parametrize(
    "text", ["a: 1\n---\nb: 2\n", "not_before: 2026-13-45\n", "? [a]\n: 1\n", f"a: {'1' * 5000}\n"]
)
def test_what_no_rule_can_be_made_of_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(RequestError, match="in line"):
        parse_yaml(text)


def test_rules_are_written_as_the_library_would_write_them_whole() -> None:
    rules: dict[str, Any] = {
        "products": [{"recman": f"é{n}", "unimicro": "no"} for n in range(450)],
        "accounts": [],
        "review": {},
    }
    rules |= {"departments": [{"recman": "7", "dimensions": {"5": "OSLO"}}], "rates": {"SEK": "0.99"}}
    assert dump_yaml(rules) == yaml.safe_dump(rules, allow_unicode=True, sort_keys=False)
    assert dump_yaml({}) == yaml.safe_dump({})


def test_rules_come_back_from_their_file_as_they_were() -> None:
    rules = Rules.model_validate({**make_rules(300), "rounding": {"account": 7740}, "rates": {"SEK": Decimal("0.99")}})
    assert parse_yaml(dump_yaml(rules.model_dump(mode="json", exclude_defaults=True))) == rules
