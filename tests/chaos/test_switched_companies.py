"""Companies that reckon, round and refuse in any mixture of ways: whatever is booked has the document's claim."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from app.sandbox.unimicro.switches import Switches, VatSums, list_choices
from app.transfer.books import KnownBooks
from tests.world import World
from tests.world.claims import write_invoice

SEED = 20261125
COMPANIES, DOCUMENTS = 25, 8
# What one unit of a currency is worth in the stand-in's books on the documents' day.
RATES = {"NOK": Decimal(1), "EUR": Decimal("11.75"), "DKK": Decimal("1.575")}
SETTINGS = {"RoundingType": (0, 1, 2, 3), "RoundingNumberOfDecimals": (0, 2, 2, 2), "TaxMandatoryType": (2, 3, 3, 3)}
# What is not about sums has tests of its own; here it would only keep documents from being booked.
LEFT_ALONE = {"vat_ids", "lock_refusal", "rates"}


def switch(random: Random) -> dict[str, Any]:
    """A few switches turned at random."""
    names = [name for name in list_choices() if name not in LEFT_ALONE]
    return {name: random.choice(list_choices()[name]) for name in random.sample(names, 8)}


def write(world: World, random: Random, record_id: int) -> dict[str, Any]:
    way, currency = random.choice(list(VatSums)), random.choice(["NOK", "NOK", "EUR", "DKK"])
    raw = write_invoice(random, record_id, way=way, currency=currency)
    if random.random() < 0.2:
        raw["totalIncVat"] = str(Decimal(raw["totalIncVat"]).quantize(Decimal(1)))
    world.source.records()[str(record_id)] = raw | {"departmentId": "1", "created": "2026-11-02 09:00:00"}
    return raw


@pytest.mark.timeout(600)
async def test_no_mixture_of_ways_makes_another_claim_than_the_documents(world: World) -> None:
    random, books = Random(SEED), world.ledger.books()
    await world.office.put_rules({"rounding": {"account": 7740}})
    booked = 0
    for company in range(COMPANIES):
        books.switches = Switches().turned(switch(random))
        await world.settle_company(**{name: random.choice(values) for name, values in SETTINGS.items()})
        world.resources.kept(KnownBooks).references.clear()
        ids = range(9000 + company * DOCUMENTS, 9000 + (company + 1) * DOCUMENTS)
        raws = {record_id: write(world, random, record_id) for record_id in ids}
        await world.carry("invoice", *raws)
        rows = {record: row for (_, record), row in (await world.transfers()).items()}
        for record_id, raw in raws.items():
            row = rows[str(record_id)]
            assert row["state"] in {"done", "held"}, (row, books.switches)
            if row["state"] == "done":
                booked += 1
                verify_claim(world, raw, row["remote_id"])
            else:
                assert all(one["cause"] and one["fix"] for one in row["reasons"])
        assert world.ledger.list_drafts() == []
    # The sample is about something.
    assert booked > COMPANIES * DOCUMENTS / 5


def verify_claim(world: World, raw: dict[str, Any], remote_id: int) -> None:
    """The document in the books claims what RecMan's does, in both currencies."""
    books = world.ledger.books()
    invoice, gross = books.tables["CustomerInvoice"][remote_id], Decimal(raw["totalIncVat"])
    told = (books.switches, raw["invoiceNumber"])
    assert invoice["RestAmountCurrency"] == gross, told
    assert books.tables["CurrencyCode"][invoice["CurrencyCodeID"]]["Code"] == raw["currency"], told
    rate = RATES[raw["currency"]]
    apart = abs(invoice["RestAmount"] - gross * rate)
    assert apart <= (0 if rate == 1 else 1 + rate), told
    assert abs(invoice["VatTotalsAmountCurrency"] - Decimal(raw["vat"])) <= 1, told
