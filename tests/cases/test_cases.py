"""The cases of this folder: each comes out right, or is held for its exact reason and mended as the fix says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import simplejson

from tests.world import World
from tests.world.ends import compare
from tests.world.play import Play, prepare, take

FOLDER = Path(__file__).parent
CASES = sorted(path.stem for path in FOLDER.glob("*.json"))
HOLDS: dict[str, Any] = tomllib.loads((FOLDER / "holds.toml").read_text(encoding="utf-8"))


@pytest.fixture
async def play(world: World) -> Play:
    """A world to play a case in."""
    return Play(world)


@pytest.mark.parametrize("name", CASES)
async def test_case_comes_out_right_or_is_held_for_its_reason_and_mended(play: Play, name: str) -> None:
    case = simplejson.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"), use_decimal=True)
    await prepare(play, case)
    for step in case["steps"]:
        await take(play, step)
    hold = HOLDS.get(name.partition("-")[0], {})
    if not hold.get("held_first"):
        await compare(play, list_ends(case["expect"], hold))
    await look_at_reasons(play, await list_reasons(play, hold), case)
    for snapshot, reasons in hold.get("snapshots", {}).items():
        for record, code in reasons.items():
            verify_reason(play.snapshots[snapshot][record], code, by=case)
    for step in hold.get("mend", []):
        await take(play, step)
    assert [row["reasons"] for row in (await play.load_transfers()).values() if row["state"] == "held"] == []
    await compare(play, hold.get("then", {}))


def test_every_hold_belongs_to_a_case() -> None:
    assert set(HOLDS) <= {path.stem.partition("-")[0] for path in FOLDER.glob("*.json")}


def list_ends(expected: dict[str, Any], hold: dict[str, Any]) -> dict[str, Any]:
    """What is expected before the mending: a document that may be right or held is compared when it is mended."""
    mended = hold.get("reasons", {}).keys() & hold.get("then", {}).keys()
    later = {record for record in mended if "state" not in expected.get(record, {})}
    return {record: wanted for record, wanted in expected.items() if record not in later}


async def list_reasons(play: Play, hold: dict[str, Any]) -> dict[str, str]:
    """The code that each held document must show, by RecMan id; where either may be it, exactly one is."""
    wanted: dict[str, str] = dict(hold.get("reasons", {}))
    either = hold.get("either")
    if either is not None:
        transfers = await play.load_transfers()
        (held,) = (str(one) for one in either["records"] if transfers[str(one)]["state"] == "held")
        wanted[held] = either["code"]
    return wanted


async def look_at_reasons(play: Play, wanted: dict[str, str], case: dict[str, Any]) -> None:
    """Every held document is held for the reason that is right, and nothing is held that the table does not know."""
    transfers = await play.load_transfers()
    for record, row in transfers.items():
        if row["state"] == "held":
            assert record in wanted, row["reasons"]
    for record, code in wanted.items():
        verify_reason(transfers[record], code, by=case)


def verify_reason(transfer: dict[str, Any], code: str, *, by: dict[str, Any]) -> None:
    """One reason or warning says it, with a cause and something that its reader can do."""
    told = {one["code"]: one for one in [*transfer["reasons"], *transfer["warnings"]]}
    assert code in told, (by["title"], told)
    assert told[code]["cause"]
    assert told[code]["fix"]
