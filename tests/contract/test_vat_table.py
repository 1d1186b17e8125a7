"""The table of what is booked where: printed here, committed beside the cases, so that a changed row shows."""

from tests.world.vat_table import BUYERS, FILE, OUTPUT, load_reference, render


async def test_every_code_buyer_rule_and_product_is_booked_or_held_as_the_table_says() -> None:
    table = render(await load_reference())
    print(table)  # noqa: T201 - for whoever reads the test's output
    assert table == FILE.read_text(encoding="utf-8"), "`python -m tests.world.vat_table --write`; read the difference"
    assert all(name in table for name in BUYERS)
    assert all(f"@ {account}" in table for account in (3000, 3020, 3030, 3100, 3110, 3200))
    assert len(OUTPUT) == 9
