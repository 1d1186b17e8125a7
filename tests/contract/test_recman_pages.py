"""RecMan's API client asked by id, in batches and page by page: everything once, and never more than was asked."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.world.account import Account, wrap

Answer = Callable[[Mapping[str, str]], Any]


# ---- by id, batches, pages


def by_page(pages: list[list[int]], scope: str = "invoice") -> Answer:
    def answer(params: Mapping[str, str]) -> Any:
        page = int(params["page"])
        return wrap([{f"{scope}Id": number} for number in (pages[page - 1] if page <= len(pages) else [])])

    return answer


async def test_many_ids_go_in_batches() -> None:
    def answer(params: Mapping[str, str]) -> Any:
        return wrap([{"companyId": number} for number in params["companyIds"].split(",")])

    account = Account(answer)
    ids = [str(number) for number in range(1_000_001, 1_001_001)]
    assert sorted(await account.open().fetch_companies([*ids, ids[0]])) == sorted(ids)
    assert [len(call["companyIds"].split(",")) for call in account.calls] == [400, 400, 200]


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_records_behind_the_first_page_of_an_answer_by_id_are_not_taken_for_gone(size: int) -> None:
    """Also when every answer is in another order."""
    shuffle = random.Random(size)

    def answer(params: Mapping[str, str]) -> Any:
        present = [number for number in params["companyIds"].split(",") if number != "9"]
        shuffle.shuffle(present)
        return wrap([{"companyId": number} for number in present[:size]])

    account = Account(answer)
    ids = [str(number) for number in range(1, 21) if number != 9]
    assert sorted(await account.open().fetch_companies(ids)) == sorted(ids)
    assert len(account.calls) == -(-len(ids) // size)
    found = await account.open().fetch("company", ["9"], also=ids)
    assert found["9"] is None
    assert None not in [raw for one, raw in found.items() if one != "9"]
    account.calls.clear()
    assert await account.open().fetch("company", ["9"]) == {"9": None}
    assert len(account.calls) == 1


async def test_others_come_along_as_far_as_they_cost_no_call() -> None:
    def answer(params: Mapping[str, str]) -> Any:
        shown = params["invoiceIds"].split(",")[:-1] if params["page"] == "1" else []
        return wrap([{"invoiceId": number} for number in shown])

    account = Account(answer)
    others = [str(number) for number in range(1_000_001, 1_002_001)]
    found = await account.open().fetch("invoice", ["7"], also=["7", *others])
    assert [call["page"] for call in account.calls] == ["1"]
    assert len(found) == 399
    assert None not in found.values()
    # Whether the last one is there was not needed, so it is not told.
    assert others[398] not in found


async def test_pages_are_read_from_where_new_records_were_found() -> None:
    account = Account(by_page([[1, 2], [3, 4], [5, 6]]))
    account.notes.refused.add("invoice?invoiceIds")
    assert list(await account.open().fetch_invoices(["6"])) == ["6"]
    account.calls.clear()
    found = await account.open().fetch("invoice", ["5"], also=["6", "1", "9"])
    assert [call["page"] for call in account.calls] == ["3"]
    assert {one: raw is not None for one, raw in found.items()} == {"5": True, "6": True}
    assert list(await account.open().fetch_invoices(["2"])) == ["2"]


@pytest.mark.parametrize("refuses", [True, False])
async def test_account_without_id_filter_is_read_by_pages_from_then_on(refuses: bool) -> None:  # noqa: FBT001
    pages = by_page([[1, 2], [3, 4], [5]])

    def answer(params: Mapping[str, str]) -> Any:
        if refuses and "invoiceIds" in params:
            return {"success": False, "errors": ["invalid parameter: invoiceIds"]}
        return pages(params)

    account = Account(answer)
    assert list(await account.open().fetch_invoices(["4"])) == ["4"]
    account.calls.clear()
    assert list(await account.open().fetch_invoices(["3"])) == ["3"]
    assert account.calls == [{"scope": "invoice", "page": "2"}]


async def test_page_parameter_that_is_ignored_does_not_go_on_for_ever() -> None:
    account = Account(wrap([{"invoiceId": 1}, {"invoiceId": 2}]))
    assert await account.open().fetch_invoices(["9"]) == {}
    assert len(account.calls) == 3


async def test_first_page_behind_the_last_one_is_the_end() -> None:
    pages = by_page([[1, 2], [3, 4], [5]])
    account = Account(lambda params: pages({**params, "page": str((int(params["page"]) - 1) % 3 + 1)}))
    account.notes.refused.add("invoice?invoiceIds")
    assert await account.open().fetch_invoices(["9"]) == {}
    assert [call["page"] for call in account.calls] == ["1", "2", "3", "4"]


async def test_next_page_that_is_empty_saves_a_call() -> None:
    account = Account(wrap([{"invoiceId": 1}], nextPage=None))
    account.notes.refused.add("invoice?invoiceIds")
    assert await account.open().fetch_invoices(["9"]) == {}
    assert len(account.calls) == 1


async def test_page_of_known_records_is_not_the_end() -> None:
    account = Account(by_page([[1, 2], [2, 1, 3], [3, 2], [4]]))
    assert list(await account.open().fetch_invoices(["4"])) == ["4"]


async def test_record_that_hops_while_pages_are_read_is_found_in_a_second_round() -> None:
    rounds = [[[1, 2], [2, 3]], [[1, 4], [2, 3]]]
    calls = 0

    def answer(params: Mapping[str, str]) -> Any:
        nonlocal calls
        calls += 1
        return by_page(rounds[0] if calls <= 3 else rounds[1])(params)

    account = Account(answer)
    account.notes.refused.add("invoice?invoiceIds")
    assert list(await account.open().fetch_invoices(["4"])) == ["4"]


async def test_record_that_is_nowhere_is_missing_and_costs_one_round_when_nothing_shifts() -> None:
    account = Account(by_page([[1, 2], [3]]))
    account.notes.refused.add("invoice?invoiceIds")
    assert await account.open().fetch_invoices(["9"]) == {}
    assert len(account.calls) == 3


async def test_one_row_without_id_does_not_stop_its_neighbours() -> None:
    account = Account(wrap([{"name": "?"}, {"companyId": 7, "name": "A"}]))
    assert list(await account.open().fetch_companies(["7"])) == ["7"]
