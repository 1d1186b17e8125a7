"""`sweep`, `backfill` and `recman probe` as a person runs them; a backfill that is killed goes on where it was."""

import asyncio
import time
from pathlib import Path

from app.sandbox.recman.store import RecmanOptions
from app.sandbox.samples import load_samples
from tests.world import RECMAN_KEY
from tests.world.processes import real_world, run_command, start_command

SAMPLES = load_samples()
ALL = ("--from", "2000-01-01", "--to", "2098-12-31")


async def test_backfill_counts_first_and_then_fetches(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        status, out, err = await run_command(world, "backfill", *ALL, "--dry-run")
        assert status == 0, err
        assert f"to send {len(SAMPLES.records['invoice'])}" in out
        assert await world.transfers() == {}
        status, out, err = await run_command(world, "backfill", *ALL, "--tenant", "Nordlys")
        assert status == 0, err
        assert "is done" in err
        await world.settle()
        found = {
            record: row["state"] for (_, record), row in (await world.transfers()).items() if record in SAMPLES.expected
        }
        assert found == {record: one.state for record, one in SAMPLES.expected.items()}
        assert await world.count("SELECT count(*) FROM audit WHERE actor = 'command line'") == 2


async def test_backfill_shows_what_is_older_than_the_key_and_sends_it_when_confirmed(
    database_url: str, tmp_path: Path
) -> None:
    async with real_world(database_url, tmp_path) as world:
        await world.call("PATCH", f"/v1/keys/{world.key_id}", {"go_live": "2026-12-01"})
        days = ("--from", "2026-10-05", "--to", "2026-10-05")
        status, out, err = await run_command(world, "backfill", *days, "--dry-run")
        assert (status, "110001" in out, "before the go-live day" in out) == (0, True, True), err
        assert "--confirm 1" in err
        status, out, err = await run_command(world, "backfill", *days, "--confirm", "1")
        assert status == 0, err
        await world.settle()
        assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_sweep_and_probe(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        status, out, err = await run_command(world, "sweep")
        assert status == 0, err
        assert [line.split()[0] for line in out.splitlines()[1:]] == ["company", "project", "invoice"]
        status, out, err = await run_command(world, "recman", "probe")
        assert status == 0, err
        assert "invoiceNumber" in out
        assert [line.split()[1] for line in out.splitlines() if line.startswith("product")] == ["refused"]


async def test_a_sweep_says_what_it_waits_for_and_ends(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        await world.office.change_reading(daily_calls=2)
        begun = time.monotonic()
        status, _, err = await run_command(world, "sweep")
        assert (status, time.monotonic() - begun < 30) == (1, True), err
        assert "Sweep 1 waits: " in err
        assert "calls to RecMan are made today" in err
        assert "with any worker that runs" in err
        # Each step once, however long it took.
        assert len(err.splitlines()) == len(set(err.splitlines()))
        await world.office.change_reading(daily_calls=1000)
        status, _, err = await run_command(world, "sweep")
        assert (status, "Sweep 1 is done" in err) == (0, True), err
        await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"state": "paused"})
        status, _, err = await run_command(world, "sweep")
        assert (status, "is paused" in err, len(err.splitlines())) == (1, True, 2), err


async def test_doctor_knows_tenants_keys_and_workers(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        await world.call("POST", "/v1/tenants", {"name": "Paused"})
        await world.office.make_tenant("Quiet", recman_api_key=RECMAN_KEY)
        status, out, err = await run_command(world, "doctor")
        told = {line[5:].split(":")[0]: line for line in out.splitlines() if line[:4].strip()}
        assert status == 0, out + err
        assert told["secrets"].startswith("ok")
        assert told["workers"].startswith("note")
        assert "active; records from RecMan's API; 1 keys, 1 hooks" in told["tenant Nordlys"]
        assert told["tenant Quiet"].startswith("note")
        assert "active, open; mode full, booking renumbered" in told["key Nordlys"]
        async with world.resources.engine.begin() as connection:
            await connection.exec_driver_sql(
                "UPDATE key SET state = 'sign_in_again', api_base = 'https://evil.example/'"
            )
        status, out, _ = await run_command(world, "doctor")
        assert status == 1
        assert "bad  keys: The sign-in of key “Nordlys” of Nordlys is no longer good" in out


async def test_what_is_meant_must_be_clear(database_url: str, tmp_path: Path) -> None:
    async with real_world(database_url, tmp_path) as world:
        for arguments, word in (
            (("sweep", "--tenant", "Ingen"), "“Ingen”"),
            (("backfill", "--from", "2026-10-31", "--to", "2026-10-01"), "before"),
        ):
            status, _, err = await run_command(world, *arguments)
            assert (status, word in err, "Traceback" in err) == (1, True, False), err
        await world.office.make_tenant("Sydlys", recman_api_key=RECMAN_KEY)
        status, _, err = await run_command(world, "recman", "probe")
        assert (status, "Nordlys, Sydlys" in err) == (1, True)


async def test_a_backfill_killed_again_and_again_arrives_whole_and_once(database_url: str, tmp_path: Path) -> None:
    options = RecmanOptions(daily_quota=100_000, keys=frozenset({RECMAN_KEY}), page_size=1)
    async with real_world(database_url, tmp_path, recman_options=options) as world:
        kills = 0
        for page in (3, 7, 12):
            process = start_command(world, "backfill", *ALL)
            far = "SELECT coalesce(max(page), 0) FROM sweep"
            while await world.count(far) < page and process.returncode is None:  # noqa: ASYNC110 - another process works
                await asyncio.sleep(0.005)
            if process.returncode is None:
                process.kill()
                kills += 1
            process.wait()
        assert kills == 3
        assert await world.count("SELECT count(*) FROM sweep WHERE state = 'running'") == 1
        status, out, err = await run_command(world, "backfill", *ALL)
        assert status == 0, err
        assert f"records {len(SAMPLES.records['invoice'])}" in out
        await world.settle()
        assert await world.count("SELECT count(*) FROM sweep") == 1
        told = (
            "SELECT count(*) - count(DISTINCT record_id) FROM event WHERE source LIKE 'backfill:%' AND scope <> 'sweep'"
        )
        assert await world.count(told) == 0
        found = {
            record: row["state"] for (_, record), row in (await world.transfers()).items() if record in SAMPLES.expected
        }
        assert found == {record: one.state for record, one in SAMPLES.expected.items()}
        done = [one for one in SAMPLES.expected.values() if one.state == "done"]
        assert len(await world.invoices()) == len(done)
