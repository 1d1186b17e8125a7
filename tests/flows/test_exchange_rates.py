"""Rates of exchange: believed only when they can be, confirmed by a rule, and kept by credit notes."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.answers import Question, Way
from tests.world import World
from tests.world.bookings import answer

LINE = {"position": 1, "productNumber": "1001", "description": "Timer", "quantity": "10", "unitPrice": "100.00"}
SUMS = {"totalExVat": "1000.00", "vat": "250.00", "totalIncVat": "1250.00"}


def price_in(world: World, currency: str, record_id: int = 5001, **changes: Any) -> None:
    """An invoice over 1250.00 in a foreign currency."""
    record = world.source.record(record_id)
    record.update({"lines": [LINE | {"vatRate": "25", "total": "1000.00"}], **SUMS, "currency": currency, **changes})


def turn(world: World, **switches: Any) -> None:
    books = world.ledger.books()
    books.switches = books.switches.turned(switches)


def list_base(world: World) -> list[Decimal]:
    return [row["TaxInclusiveAmount"] for row in world.ledger.documents()]


@pytest.mark.parametrize("answer", ["unit", "factor"])
async def test_rate_that_is_quoted_per_hundred_is_divided_by_them(world: World, answer: str) -> None:
    turn(world, rate_answer=answer)
    price_in(world, "DKK")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    assert list_base(world) == [Decimal("1968.75")]


@pytest.mark.parametrize("answer", ["divided", "hidden"])
async def test_rate_whose_units_are_not_what_it_says_is_held_until_the_rules_say_its_worth(
    world: World, answer: str
) -> None:
    turn(world, rate_answer=answer)
    price_in(world, "DKK")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["rate_doubtful"])
    assert "`rates: {DKK: 1.55}`" in (await world.document(5001))["reasons"][0]["fix"]
    assert world.ledger.documents() == []
    await world.office.put_rules({"rates": {"DKK": "1.55"}})
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert list_base(world) == [Decimal("1968.75")]


@pytest.mark.parametrize(
    ("given", "code"), [("one", "rate_doubtful"), ("zero", "rate_unusable"), ("null", "rate_unusable")]
)
async def test_no_rate_or_one_of_one_is_held_until_it_is_set_right_in_unimicro(
    world: World, given: str, code: str
) -> None:
    turn(world, rate_given=given)
    price_in(world, "EUR")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", [code])
    assert world.ledger.documents() == []
    turn(world, rate_given="known")
    await world.retry(await world.document(5001))
    await world.settle()
    assert list_base(world) == [Decimal("14687.50")]


async def test_rate_far_from_the_last_one_used_is_held_until_it_is_confirmed(world: World) -> None:
    price_in(world, "EUR")
    price_in(world, "EUR", 5002)
    await world.carry("invoice", 5001)
    world.ledger.books().rates["EUR"] = Decimal("14.20")
    await world.carry("invoice", 5002)
    assert await world.hold_of(5002) == ("held", ["rate_doubtful"])
    assert "the last one used was 11.75" in (await world.document(5002))["reasons"][0]["cause"]
    await world.office.put_rules({"rates": {"EUR": "14"}})
    await world.settle()
    assert await world.hold_of(5002) == ("done", [])
    assert list_base(world) == [Decimal("14687.50"), Decimal("17750.00")]
    # Confirmed once, it is the last one used.
    await world.office.put_rules({}, after_version=1)
    world.source.double("5002", 5099, invoiceNumber="119999", lines=[LINE | {"vatRate": "25", "description": "Ny"}])
    await world.carry("invoice", 5099)
    assert (await world.document(5099))["reasons"] == []


@pytest.mark.parametrize(
    ("meant_for", "hold", "booked"),
    [("unit", ("done", []), [Decimal("1968.75")]), ("factor", ("held", ["totals_differ"]), [])],
)
async def test_rate_that_unimicro_takes_for_other_units_is_never_booked_by_it(
    world: World, meant_for: str, hold: Any, booked: list[Decimal]
) -> None:
    turn(world, rate_sent=meant_for, base_sums="lines")
    price_in(world, "DKK")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == hold
    assert list_base(world) == booked


@pytest.mark.parametrize(
    ("currency", "way", "hold"),
    [
        ("DKK", Way.PER_FACTOR, ("held", ["rate_doubtful"])),
        ("EUR", Way.PER_FACTOR, ("done", [])),
        ("EUR", Way.UNLIKE, ("held", ["rate_doubtful"])),
        ("DKK", Way.PER_UNIT, ("done", [])),
    ],
)
async def test_rate_that_golive_has_seen_taken_for_other_units_is_not_even_sent(
    world: World, currency: str, way: Way, hold: Any
) -> None:
    turn(world, rate_answer="factor")
    await answer(world, Question.RATE_SENT, way)
    price_in(world, currency)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == hold
    assert (list_base(world) == []) == (hold[0] == "held")


@pytest.mark.parametrize(
    ("told", "codes"),
    [
        ({"exchangeRate": "11.75"}, []),
        ({"exchangeRate": "1175.00"}, []),
        ({"exchangeRate": "11.60"}, ["rate_doubtful"]),
        ({"vatNok": "2937.50"}, []),
        ({"vatNok": "2900.00"}, ["totals_differ"]),
    ],
)
async def test_what_recman_says_in_kroner_is_compared(world: World, told: dict[str, Any], codes: list[str]) -> None:
    price_in(world, "EUR", **told)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held" if codes else "done", codes)


@pytest.mark.parametrize("rate", ["kept", "of_day"])
@pytest.mark.parametrize("parts", [1, 2])
async def test_credit_note_keeps_the_rate_of_its_invoice(world: World, rate: str, parts: int) -> None:
    turn(world, rates="daily", credit_rate=rate)
    price_in(world, "EUR", 5003)
    price_in(world, "EUR", 5008)
    if parts > 1:
        half = LINE | {"vatRate": "25", "quantity": "5", "total": "500.00"}
        price_in(world, "EUR", 5008, lines=[half], totalExVat="500.00", vat="125.00", totalIncVat="625.00")
    await world.carry("invoice", 5003, 5008)
    assert await world.hold_of(5008) == ("done", [])
    (invoice,) = world.ledger.documents(kind=0)
    (credit,) = world.ledger.credits()
    assert credit["CurrencyExchangeRate"] == invoice["CurrencyExchangeRate"]
    assert credit["TaxInclusiveAmount"] * parts == -invoice["TaxInclusiveAmount"]


@pytest.mark.parametrize(("stated", "codes"), [("11.75", []), ("1175.00", []), ("11.60", ["rate_doubtful"])])
async def test_what_recman_says_of_a_credit_notes_rate_is_compared_with_its_invoices(
    world: World, stated: str, codes: list[str]
) -> None:
    price_in(world, "EUR", 5003)
    price_in(world, "EUR", 5008, exchangeRate=stated)
    await world.carry("invoice", 5003, 5008)
    assert await world.hold_of(5008) == ("held" if codes else "done", codes)
    assert world.ledger.list_drafts() == []
    if codes:
        (reason,) = (await world.document(5008))["reasons"]
        assert "by hand" in reason["fix"]
        assert "11.60" in reason["cause"]
        assert "11.75" in reason["cause"]
