"""Documents issued in a series of their own, in RecMan's order."""

from tests.world import World, rows_of
from tests.world.numbered import FIRST, expect_issued, list_issued, make_invoices, prove_again, skip_to, start_series

N = FIRST


def name_unknown_product(world: World, record_id: int) -> None:
    record = world.source.record(record_id)
    lines = record["lines"].values() if isinstance(record["lines"], dict) else record["lines"]
    next(iter(lines))["productNumber"] = "nowhere"


async def test_documents_get_their_own_numbers_in_the_order_of_recman(world: World) -> None:
    await start_series(world)
    ids = make_invoices(world, [N, N + 1, N + 2])
    await world.carry("invoice", *reversed(ids))
    assert await world.states(*ids) == ["done", "done", "done"]
    assert list_issued(world) == expect_issued([N, N + 1, N + 2])


async def test_a_later_number_waits_and_says_for_which_one(world: World) -> None:
    await start_series(world)
    first, second, third = make_invoices(world, [N, N + 1, N + 2])
    await world.carry("invoice", second, third)
    state, codes = await world.hold_of(third)
    assert (state, codes) == ("waiting", ["waits"])
    (reason,) = (await world.document(third))["reasons"]
    assert str(N) in reason["cause"]
    assert "RecMan has told nothing" in reason["cause"]
    assert "skip-to" in reason["fix"]
    assert list_issued(world) == []
    assert world.ledger.list_drafts() == []
    await world.carry("invoice", first)
    assert await world.states(first, second, third) == ["done"] * 3
    assert list_issued(world) == expect_issued([N, N + 1, N + 2])


async def test_who_waits_for_a_held_number_says_what_holds_it(world: World) -> None:
    await start_series(world)
    first, second = make_invoices(world, [N, N + 1])
    name_unknown_product(world, first)
    await world.carry("invoice", second)
    await world.carry("invoice", first)
    assert (await world.document(first))["state"] == "held"
    (reason,) = (await world.document(second))["reasons"]
    assert f"{N}" in reason["cause"]
    assert "is held: " in reason["cause"]
    assert list_issued(world) == []


async def test_who_waits_for_an_ignored_number_says_how_it_is_passed(world: World) -> None:
    series_id = await start_series(world)
    first, second = make_invoices(world, [N, N + 1])
    name_unknown_product(world, first)
    await world.carry("invoice", second, first)
    assert (await world.ignore(await world.document(first)))[0] == 200
    await world.settle()
    (reason,) = (await world.document(second))["reasons"]
    assert "is ignored" in reason["cause"]
    assert f"/series/{series_id}/skip-to" in reason["fix"]
    assert (await skip_to(world, series_id, N + 1)).status_code == 200
    await world.settle()
    assert list_issued(world) == expect_issued([N + 1])


async def test_a_gap_is_passed_by_an_administrator_who_gives_a_reason(world: World) -> None:
    series_id = await start_series(world)
    ids = make_invoices(world, [N, N + 2, N + 3])
    await world.carry("invoice", *ids)
    assert await world.states(*ids) == ["done", "waiting", "waiting"]
    answer = await skip_to(world, series_id, N + 2)
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"was_set": True} == answer.json()
    await world.settle()
    assert await world.states(*ids) == ["done"] * 3
    assert list_issued(world) == expect_issued([N, N + 2, N + 3])
    rows = await world.get("/v1/audit")
    (entry,) = (row for row in rows if row["action"] == "key.skip_to")
    assert entry["after"]["reason"] == "deleted in RecMan"
    sets = [one for one in await world.list_calls() if one["method"] == "PUT" and "number-series" in one["path"]]
    assert len(sets) == 1


async def test_a_dry_run_shows_the_series(world: World) -> None:
    series_id = await start_series(world)
    await world.office.put_rules({"review": {"everything": True}})
    (first,) = make_invoices(world, [N])
    await world.carry("invoice", first)
    ids = [(await world.document(first))["id"]]
    (told,) = rows_of(await world.post("/v1/invoices/dry-run", {"ids": ids}))
    (draft,) = (call for step in told["steps"] for call in step["calls"] if "Items" in (call["payload"] or {}))
    assert draft["payload"]["InvoiceNumberSeriesID"] == series_id


async def test_a_key_that_is_proven_takes_its_series_in_order_too(world: World) -> None:
    await start_series(world)
    await prove_again(world)
    ids = make_invoices(world, [N, N + 1, N + 2, N + 3])
    await world.carry("invoice", *reversed(ids))
    assert await world.states(*ids) == ["done"] * 4
    assert list_issued(world) == expect_issued([N, N + 1, N + 2, N + 3])
    proof = (await world.get(f"/v1/keys/{world.key_id}"))["proof"]
    assert (proof["state"], proof["equal"]) == ("proving", 4)


async def test_an_invoice_costs_four_calls_also_where_many_come_at_once(world: World) -> None:
    await start_series(world)
    numbers = list(range(N, N + 9))
    first, *rest = make_invoices(world, numbers)
    await world.carry("invoice", first)
    before = len(await world.list_calls())
    await world.carry("invoice", *rest)
    assert list_issued(world) == expect_issued(numbers)
    made = (await world.list_calls())[before:]
    # Whoever made ready while one ahead, who had looked a moment earlier, went to wait has its draft taken back: three
    # calls more. It happens to one document in two hundred on a machine that is very busy.
    taken_back = [call for call in made if call["method"] == "DELETE"]
    assert len(made) <= 4 * len(rest) + 3 * len(taken_back)
    assert len(taken_back) <= 1


async def test_a_document_linked_by_hand_lets_the_next_number_go(world: World) -> None:
    await start_series(world)
    first, second, third = make_invoices(world, [N, N + 1, N + 2])
    await world.carry("invoice", first)
    name_unknown_product(world, second)
    await world.carry("invoice", third, second)
    assert await world.states(second, third) == ["held", "waiting"]
    remote_id = book_by_hand(world, first, second)
    row = await world.document(second)
    answer = await world.post(f"/v1/invoices/{row['id']}/done-elsewhere", {"remote_id": remote_id})
    assert answer.status_code == 200, answer.text
    await world.settle()
    assert await world.states(second, third) == ["done", "done"]
    assert sorted(number for number, _ in list_issued(world)) == [str(N), str(N + 1), str(N + 2)]


def book_by_hand(world: World, like: int, record_id: int) -> int:
    """The id of what a clerk has issued in the series, under the number of RecMan's document."""
    books = world.ledger.books()
    (row,) = (one for one in world.ledger.documents() if one["ExternalReference"] == f"RM-{like}")
    number = int(world.source.record(record_id)["invoiceNumber"])
    left_out = {"ID", "_createguid", "ExternalReference"}
    values = {name: value for name, value in row.items() if name not in left_out}
    made = books.insert("CustomerInvoice", values | {"InvoiceNumber": str(number), "JournalEntryID": 10_000 + number})
    books.update("NumberSeries", row["InvoiceNumberSeriesID"], {"NextNumber": number + 1})
    return int(made["ID"])
