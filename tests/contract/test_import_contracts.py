"""The contracts of import-linter bite: each is broken by a copy of the app that imports what it may not."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Module (made where there is none), what it imports besides, and the contract that must say no.
VIOLATIONS = {
    "rooms: imports point down": ("engine/inbox.py", "import app.transfer.log"),
    "inside transfer: imports point down": ("transfer/log.py", "import app.transfer.run"),
    "inside the plan: imports point down": (
        "transfer/plan/steps.py",
        "import app.transfer.plan.credit",
    ),
    "inside admin: imports point down": ("admin/audit.py", "import app.admin.keys"),
    "inside clerk: imports point down": ("clerk/dry_run.py", "import app.clerk.jobs"),
    "inside files: imports point down": ("files/layouts.py", "import app.files.exports"),
    "inside sweep: imports point down": ("sweep/listed.py", "import app.sweep.run"),
    "inside reading: imports point down": ("reading/quota.py", "import app.reading.records"),
    "inside engine: imports point down": ("engine/lanes.py", "import app.engine.loop"),
    "inside RecMan's room: what comes in and what is asked for share the spellings alone": (
        "recman/hook/frames.py",
        "import app.recman.api.client",
    ),
    "inside platform: imports point down": ("platform/crypto.py", "import app.platform.resources"),
    "the plan and the domain are pure": ("domain/money.py", "import sqlalchemy"),
    "no accounting system is known by name": (
        "transfer/books.py",
        "import app.accounting.unimicro.target",
    ),
    "RecMan is asked by those alone who count its calls": (
        "clerk/absence.py",
        "import app.recman.api.client",
    ),
    "one importer of the HTTP libraries": ("accounting/unimicro/client.py", "import httpx"),
    "one importer of the database driver": ("sweep/probe.py", "import asyncpg"),
    "FastAPI at the doors": ("clerk/overview.py", "from fastapi import HTTPException"),
    "stand-ins and a Postgres of our own are loaded by commands alone": (
        "worker.py",
        "import app.sandbox.demo",
    ),
    "the stand-ins share no code with what they stand in for": (
        "sandbox/faults.py",
        "import app.domain.money",
    ),
}

# What none of the copies above shows: rooms that nobody listed, and ways to write an import that looks like none.
HIDDEN = {
    "newroom/__init__.py": "",
    "helpers.py": "",
    "transfer/extra.py": "",
    "api/keys.py": "def late() -> None:\n    import app.accounting.unimicro.client as y",
    "admin/keys.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app.transfer.log import Place",
    "engine/lanes.py": "from app import transfer",
    "transfer/run.py": "import httpx2",
    "reading/quota.py": "from aiohttp import ClientSession",
    "transfer/plan/steps.py": "from app import reading",
    "domain/money.py": "import app.settings",
}
TOLD = (
    *("app.newroom", "app.helpers", "app.transfer.extra"),
    *("app.api.keys -> app.accounting.unimicro.client", "app.admin.keys -> app.transfer.log"),
    *("app.engine.lanes -> app.transfer", "app.transfer.run -> httpx2", "app.reading.quota -> aiohttp"),
    *("app.transfer.plan.steps -> app.reading", "app.domain.money -> app.settings"),
)


def lint(folder: Path, changes: Mapping[str, str]) -> str:
    """What import-linter says of a copy with more lines in these modules."""
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, more in changes.items():
        changed = folder / "app" / path
        changed.parent.mkdir(exist_ok=True)
        before = changed.read_text(encoding="utf-8") if changed.exists() else ""
        changed.write_text(f"{before}\n{more}\n", encoding="utf-8")
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"COLUMNS": "500"})
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    return lint(tmp_path_factory.mktemp("broken"), dict(VIOLATIONS.values()))


def test_every_contract_is_tried() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    assert [one["name"] for one in contracts] == list(VIOLATIONS)


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_contract_bites(broken: str, contract: str) -> None:
    path, line = VIOLATIONS[contract]
    importer = "app." + path.removesuffix(".py").replace("/", ".")
    assert f"{contract} BROKEN" in broken
    assert f"{importer} -> {line.split()[1]}" in broken


def test_new_rooms_and_hidden_imports_are_seen(tmp_path: Path) -> None:
    said = lint(tmp_path, HIDDEN)
    assert [one for one in TOLD if one not in said] == []
