"""`recman-unimicro check customers` as a person runs it."""

import asyncio
import csv
import json
import sys
from pathlib import Path

from tests.world import World
from tests.world.processes import make_environment, real_world


async def run(world: World, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and error output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "check", "customers", *arguments),
        env=make_environment(world.resources.settings) | {"COLUMNS": "300", "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


async def test_check_tells_what_needs_a_person_and_writes_the_report(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        status, _, err = await run(world, "--key", "Nordlys")
        assert status == 0, err
        assert "is green: 5 only in recman" in err
        store = world.recman.state.store
        store.put_record("company", "208", store.records["company"]["201"] | {"companyId": "208", "companyNumber": "7"})
        status, out, _ = await run(world, "--key", "Nordlys", "--tenant", "Nordlys")
        assert status == 1
        assert "outside series" in out
        assert "Change the customer's number in RecMan" in out
        report = tmp_path / "report.csv"
        status, out, _ = await run(world, "--key", "Nordlys", "--format", "csv", "--out", str(report))
        assert (status, out) == (1, "")
        with report.open(encoding="utf-8-sig", newline="") as file:
            assert [row["finding"] for row in csv.DictReader(file)].count("outside series") == 1
        status, out, _ = await run(world, "--key", "Nordlys", "--format", "json")
        assert json.loads(out)["state"] == "findings"
        assert await world.count("SELECT count(*) FROM audit WHERE actor = 'command line'") == 4


async def test_unknown_key_and_tenant_are_named(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        status, _, err = await run(world, "--key", "Sydlys")
        assert (status, "“Sydlys”" in err, "Nordlys" in err, "Traceback" in err) == (1, True, True, False)
        status, _, err = await run(world, "--key", "Nordlys", "--tenant", "Ingen")
        assert (status, "“Ingen”" in err) == (1, True)
