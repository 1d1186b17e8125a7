"""The check of a key before its first invoice: what would stop it, and what would falsify it, either way."""

from pathlib import Path
from typing import Any

import pytest

from app.sandbox.unimicro.switches import SettingsShown
from tests.world import World
from tests.world.processes import real_world, run_command

FIRST = ["sign-in", "company", "rights", "products", "VAT types", "product accounts", "locked dates", "number series"]
SET_UP = ["rounding", "decimals", "decimals of prices", "day of booking", "order of lines", "attachments"]
SET_UP += ["preset numbers", "invoice numbers", "KID", "automatic sending", "factoring", "reminders"]


async def check(world: World) -> dict[str, dict[str, Any]]:
    answer = await world.call("POST", f"/v1/keys/{world.key_id}/check")
    told = answer.json()
    found = {finding["what"]: finding for finding in told["findings"]}
    assert told["ok"] == all(one["level"] != "alarm" for one in found.values())
    for one in found.values():
        assert one["ok"] == (one["level"] in {"fine", "note"})
        # What it is, and unless it is fine: what it means, who can mend it, and how.
        assert all(one[name] for name in ("code", "cause", "means", "mender"))
        assert bool(one["fix"]) == (one["level"] != "fine")
        assert "{" not in one["fix"]
    return found


def turn(world: World, **switches: Any) -> None:
    books = world.ledger.books()
    books.switches = books.switches.turned(switches)


def levels(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {what: finding["level"] for what, finding in found.items()}


async def test_check_of_a_good_key_has_no_alarm_and_says_what_is_not_told(world: World) -> None:
    found = await check(world)
    assert list(found) == [*FIRST, *SET_UP, "numbers apart"]
    others = {what: level for what, level in levels(found).items() if level != "fine"}
    assert others == {"decimals of prices": "not known", "KID": "note", "numbers apart": "not known"}
    assert "not known" in found["decimals of prices"]["cause"]


@pytest.mark.parametrize(("on", "level"), [(True, "fine"), (False, "note")])
async def test_ten_decimals_are_read_where_the_company_tells_of_them(world: World, *, on: bool, level: str) -> None:
    turn(world, ten_decimals_told=True, ten_decimals=on)
    assert (await check(world))["decimals of prices"]["level"] == level


async def test_settings_that_are_left_out_are_not_known_and_never_fine(world: World) -> None:
    turn(world, settings_shown=SettingsShown.LEAST)
    world.ledger.books().settings["CustomerInvoiceReminderSettingsID"] = None
    found = levels(await check(world))
    assert {what: found[what] for what in SET_UP if what != "invoice numbers"} == dict.fromkeys(
        [what for what in SET_UP if what != "invoice numbers"], "not known"
    )


async def test_lists_that_cannot_be_read_are_not_known(world: World) -> None:
    await world.fault("error_before", method="GET", path="/api/biz/paymentinfotype", status=404, times=9)
    await world.fault("error_before", method="GET", path="/api/biz/number-series", query="action=", status=400, times=9)
    found = levels(await check(world))
    assert (found["KID"], found["invoice numbers"]) == ("not known", "not known")


@pytest.mark.parametrize(
    ("setting", "what", "level"),
    [
        ({"RoundingType": 0}, "rounding", "alarm"),
        ({"RoundingType": 2, "RoundingNumberOfDecimals": 0}, "rounding", "alarm"),
        ({"RoundingNumberOfDecimals": 0}, "rounding", "alarm"),
        ({"ShowNumberOfDecimals": 0}, "decimals", "alarm"),
        ({"BookCustomerInvoiceOnDeliveryDate": True}, "day of booking", "note"),
        ({"OverrideSortIndex": True}, "order of lines", "alarm"),
        ({"MergeAttachments": True}, "attachments", "note"),
        ({"PresetCustomerInvoiceNumber": True}, "preset numbers", "alarm"),
        ({"AutoDistributeInvoice": True}, "automatic sending", "alarm"),
        ({"UseFactoring": True}, "factoring", "alarm"),
        ({"AccountingLockedDate": "2999-12-31"}, "locked dates", "alarm"),
    ],
)
async def test_each_setting_is_found_before_an_invoice_does(
    world: World, setting: dict[str, Any], what: str, level: str
) -> None:
    before = levels(await check(world))
    await world.settle_company(**setting)
    assert await differences(world, before) == {what: level}


async def differences(world: World, before: dict[str, str]) -> dict[str, str]:
    return {what: level for what, level in levels(await check(world)).items() if before.get(what) != level}


async def test_where_unimicro_sends_its_sending_factoring_and_reminders_are_right(world: World) -> None:
    books = world.ledger.books()
    (reminders,) = books.rows("CustomerInvoiceReminderSettings")
    books.update("CustomerInvoiceReminderSettings", reminders["ID"], {"RemindersBeforeDebtCollection": 2})
    await world.settle_company(AutoDistributeInvoice=True, UseFactoring=True)
    names = ("automatic sending", "factoring", "reminders")
    found = await check(world)
    assert {found[name]["level"] for name in names} == {"alarm"}
    assert str(world.key_id) in found["reminders"]["fix"]
    # As the fix of two of them says.
    await world.office.choose_orders()
    found = await check(world)
    assert {found[name]["level"] for name in names} == {"fine"}
    assert (found["KID"]["level"], found["order numbers"]["level"]) == ("fine", "fine")
    # And an order goes, for Unimicro is to send it.
    await world.carry("invoice", 5001)
    assert await world.states(5001) == ["done"]


async def test_where_recman_sends_nothing_goes_that_unimicro_would_send_too(world: World) -> None:
    await world.settle_company(AutoDistributeInvoice=True)
    assert (await check(world))["automatic sending"]["level"] == "alarm"
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["would_send_twice"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"NextNumber": 4_000_000}, "used up"),
        ({"NextNumber": 3_999_990}, "10 numbers left"),
        ({"IsDefaultForTask": False}, "no series is the default"),
        ({"Disabled": True}, "no active series"),
    ],
)
async def test_series_of_invoices_that_cannot_number_the_first_is_an_alarm(
    world: World, change: dict[str, Any], told: str
) -> None:
    books = world.ledger.books()
    series = next(row for row in books.rows("NumberSeries") if row["Name"] == "CustomerInvoice")
    books.update("NumberSeries", series["ID"], change)
    found = (await check(world))["invoice numbers"]
    assert (found["level"], told in found["cause"]) == ("alarm", True)


async def test_series_that_overlap_or_are_both_the_default_are_an_alarm(world: World) -> None:
    books = world.ledger.books()
    series = next(row for row in books.rows("NumberSeries") if row["Name"] == "CustomerInvoice")
    kept = {name: value for name, value in series.items() if name != "ID"}
    other = books.insert(
        "NumberSeries", kept | {"DisplayName": "Own", "FromNumber": 3_500_000, "NextNumber": 3_500_000}
    )
    cause = (await check(world))["invoice numbers"]["cause"]
    assert "2 series are the default" in cause
    assert "(3000000-3999999) and Own (3500000-3999999) overlap" in cause
    changes = {"FromNumber": 1_000_000, "ToNumber": 1_999_999, "NextNumber": 1_000_000, "IsDefaultForTask": False}
    books.update("NumberSeries", other["ID"], changes)
    assert (await check(world))["invoice numbers"]["level"] == "fine"


@pytest.mark.parametrize("booking", ["renumbered", "order"])
@pytest.mark.parametrize(
    ("change", "told"), [({"Deleted": True}, "no KID"), ({"Control": 9}, "banks"), ({"Length": 30}, "banks")]
)
async def test_kid_that_is_not_set_up_or_not_as_banks_take_it_is_an_alarm(
    world: World, booking: str, change: dict[str, Any], told: str
) -> None:
    await world.office.change_key(booking=booking)
    books = world.ledger.books()
    (kid,) = books.rows("PaymentInfoType")
    books.update("PaymentInfoType", kid["ID"], change)
    found = (await check(world))["KID"]
    assert (found["level"], told in found["cause"]) == ("alarm", True)


async def test_kid_that_is_on_no_invoice_matters_where_unimicro_sends(world: World) -> None:
    await world.settle_company(ShowKIDOnCustomerInvoice=False)
    assert (await check(world))["KID"]["level"] == "note"
    await world.office.choose_orders()
    assert (await check(world))["KID"]["level"] == "alarm"


async def test_check_of_a_dead_sign_in_says_sign_in_again(world: World) -> None:
    world.unimicro.state.world.identity.refresh_tokens.clear()
    found = await check(world)
    assert list(found) == ["sign-in"]
    assert "sign in" in found["sign-in"]["fix"]
    assert (await world.get("/v1/keys"))[0]["state"] == "sign_in_again"


async def test_check_finds_that_rights_are_missing(world: World) -> None:
    await world.fault("error_before", method="GET", path="/api/biz/products", status=403)
    found = await check(world)
    assert (found["rights"]["ok"], "products" in found["rights"]["cause"]) == (False, True)


async def test_doctor_shows_what_the_check_of_a_key_finds(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        await world.settle_company(RoundingType=0)
        status, out, _ = await run_command(world, "doctor", "--key", "Nordlys")
        assert (status, "bad  rounding: up, to 2 decimals" in out) == (1, True), out
        assert "?    decimals of prices: not known" in out
        assert "the first invoice with øre is held. Choose rounding" in out
        assert "(unimicro administrator)" in out
        await world.settle_company(RoundingType=3)
        status, out, _ = await run_command(world, "doctor", "--key", "Nordlys")
        assert (status, "ok   rounding: half, to 2 decimals" in out) == (0, True), out
