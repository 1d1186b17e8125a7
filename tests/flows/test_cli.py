"""The command line as a person meets it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.platform.crypto import Vault
from app.platform.http import httpx
from app.settings import Settings, to_variable
from tests.world.processes import outside, run_from_scratch

SECRET = "canary-secret-value"


def test_help_names_every_command() -> None:
    shown = run_from_scratch("--help").stdout
    for command in ("up", "serve", "worker", "migrate", "demo", "sandbox", "doctor", "check", "openapi", "settings"):
        assert re.search(rf"\b{command}\b", shown)


def test_settings_are_listed_with_source_and_meaning_and_secrets_masked() -> None:
    url = f"postgresql://rmu:{SECRET}@db/rmu"
    done = run_from_scratch(
        "settings", RMU_BOOTSTRAP_TOKEN=SECRET, RMU_UNIMICRO_CLIENT_SECRET=SECRET, DATABASE_URL=url, RMU_PORT="81"
    )
    assert done.returncode == 0
    assert SECRET not in done.stdout + done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "environment" in lines["RMU_PORT"]
    assert "default" in lines["RMU_HOST"]
    assert "Postgres" in lines["DATABASE_URL"]


def test_what_is_piped_is_neither_cut_nor_wrapped() -> None:
    done = run_from_scratch("settings", COLUMNS="40", RMU_PROT="81")
    rows = [line.split()[0] for line in done.stdout.splitlines()]
    assert set(rows) - {"variable"} == {to_variable(name) for name in Settings.model_fields}
    assert "…" not in done.stdout


def test_the_version_is_told_and_a_misspelled_setting_warned_about() -> None:
    assert re.fullmatch(r"recman-unimicro \d+\.\d+\.\d+\n", run_from_scratch("--version").stdout)
    done = run_from_scratch("migrate", DATABASE_URL="nonsense", RMU_PROT="81")
    assert re.search(r"setting_unknown.*RMU_PORT.*RMU_PROT", done.stderr + done.stdout)
    assert done.returncode == 1


def test_new_key_is_usable() -> None:
    key = run_from_scratch("doctor", "--new-key").stdout.strip()
    vault = Vault(key)
    assert vault.open(vault.seal("hemmelig", owner="a"), owner="a") == "hemmelig"


def test_missing_encryption_key_stops_the_start_with_cause_and_fix(server_url: str) -> None:
    done = run_from_scratch("worker", DATABASE_URL=server_url)
    assert done.returncode == 1
    assert "RMU_ENCRYPTION_KEYS" in done.stderr
    assert "doctor --new-key" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_setting_is_told_without_traceback() -> None:
    done = run_from_scratch("doctor", RMU_PORT="many")
    assert done.returncode == 1
    assert "RMU_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_lists_every_trouble_at_once(database_url: str) -> None:
    issuer = "http://127.0.0.1:9/nobody"
    done = run_from_scratch("doctor", DATABASE_URL=database_url, RMU_UNIMICRO_ISSUER=issuer)
    assert done.returncode == 1
    bad = [line for line in done.stdout.splitlines() if line.startswith("bad")]
    assert len(bad) == 3
    assert "ok   database" in done.stdout
    assert "ok   RecMan's day" in done.stdout
    done = run_from_scratch("doctor", DATABASE_URL=database_url, RMU_UNIMICRO_ISSUER=issuer, RMU_RECMAN_DAY_ZONE="Oslo")
    assert "bad  RecMan's day: Postgres knows no time zone “Oslo”" in done.stdout


@pytest.mark.timeout(180)
def test_up_runs_everything_and_stops_tidily(tmp_path: Path) -> None:
    port = 21000 + os.getpid() % 2000
    variables = {
        "RMU_DATA_DIR": str(tmp_path),
        "RMU_PORT": str(port),
        "RMU_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | variables
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        refused = outside().get(f"http://127.0.0.1:{port}/v1/transfers")
        # Its Postgres dies in the middle, and is there again by itself, under the same address.
        before = find_postgres(tmp_path)
        os.kill(before, signal.SIGKILL)
        assert wait_until(lambda: find_postgres(tmp_path) not in {0, before})
        assert wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        assert outside().get(f"http://127.0.0.1:{port}/v1/transfers").status_code == 401
        assert wait_until(lambda: outside().get(f"http://127.0.0.1:{port}/health").json()["status"] == "ok")
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert refused.status_code == 401
    assert re.search(r"First operator token, shown this once: rmu_\S{40,}", output)
    assert process.returncode in (0, -15), output
    assert "postgres_restarted" in output
    assert "Traceback" not in output, output
    assert not (tmp_path / "postgres" / "cluster" / "postmaster.pid").exists()


def find_postgres(folder: Path) -> int:
    """The process number of the Postgres in a folder; 0: there is none."""
    file = folder / "postgres" / "cluster" / "postmaster.pid"
    lines = file.read_text().splitlines() if file.exists() else []
    return int(lines[0]) if lines and lines[-1].strip() == "ready" else 0


def wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def wait_until_ready(url: str) -> bool:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            if outside().get(url).is_success:
                return True
        except httpx.TransportError:
            time.sleep(0.1)
    return False


def test_a_sandbox_whose_ports_are_in_use_says_so_in_two_lines() -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = run_from_scratch("sandbox", "--recman-port", port, "--unimicro-port", "1", "--identity-port", "2")
    lines = done.stderr.strip().splitlines()
    assert (done.returncode, len(lines), done.stdout) == (1, 2, "")
    assert f"Port {port} of 127.0.0.1" in lines[0]
    assert run_from_scratch("sandbox", "--recman-port", "99999999").returncode == 2


def test_a_doctor_without_a_database_says_so_once() -> None:
    done = run_from_scratch("doctor", DATABASE_URL="postgresql://rmu@127.0.0.1:9/rmu")
    assert done.returncode == 1
    assert done.stdout.count("does not answer") == 1
    assert "try again in a few seconds" not in done.stdout
