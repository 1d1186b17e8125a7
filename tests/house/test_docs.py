"""The documents say what the code says."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.main import get_command

from app.cli.commands import cli
from app.monitoring.gauges import GAUGES
from app.platform.figures import LABELS
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAP = re.search(r"```\napp/\n.*?```", README, re.DOTALL)


def test_readme_can_be_read_in_one_go() -> None:
    assert len(README.splitlines()) <= 150


def test_every_room_is_on_the_map() -> None:
    rooms = {f"{path.name}/" for path in (ROOT / "app").iterdir() if (path / "__init__.py").exists()}
    flat = {path.name for path in (ROOT / "app").glob("*.py") if not path.name.startswith("__")}
    assert MAP is not None
    assert {name for name in rooms | flat if name not in MAP[0]} == set()


def test_every_name_on_the_map_is_in_its_room_and_lists_are_whole() -> None:
    named, missing = set(), set()
    for room, inside in read_lists():
        listed = re.split(r" {4}| · | …", inside)[0]
        words = [re.sub(r" \(.*", "", name).strip() for name in re.split(r", (?![^(]*\))", listed)]
        named |= {f"app/{room}/{word}" for word in words if word.isidentifier()}
        if "…" not in inside:
            modules = {path.stem for path in (ROOT / "app" / room).glob("*.py")} - {"__init__"}
            missing |= {f"app/{room}/{module}" for module in modules - set(words)}
    assert len(named) > 40
    assert {path for path in named if not exists(path)} == set()
    assert missing == set()


def test_every_folder_of_tests_is_on_the_map() -> None:
    assert MAP is not None
    flat = re.search(r"tests/\{([\w,]+)\}", MAP[0])
    assert flat is not None
    named = {*flat[1].split(","), *re.findall(r"tests/(\w+)/", MAP[0])}
    assert named == {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("*.py"))}


def read_lists() -> list[tuple[str, str]]:
    """The rooms of the map that list what is in them."""
    assert MAP is not None
    return re.findall(r"── (\w+)/ [^:\n]*: ([^\n]*)", MAP[0])


def test_every_path_that_is_named_exists() -> None:
    named = {
        path
        for page in PAGES
        for path in re.findall(r"`((?:app|tests|docs|openapi)/[\w/.-]+)", page.read_text("utf-8"))
    }
    assert {path for path in named if not exists(path)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        if not there.is_file() or (anchor and anchor not in list_anchors(there)):
            dead.append(target)
    assert dead == []


def test_the_table_of_settings_is_the_code_s_own() -> None:
    rows = dict(re.findall(r"^\| `((?:DATABASE|RMU)_\w+)` \| (.*?) \|", OPERATING, re.MULTILINE))
    assert rows == {to_variable(name): to_default(name) for name in Settings.model_fields}


def test_the_table_of_metrics_is_the_code_s_own() -> None:
    made = {name: set(labels) for name, labels in LABELS.items()}
    made |= {name: set(gauge.labels) for name, gauge in GAUGES.items()}
    told = re.findall(r"^\| `recman_unimicro_(\w+?)(?:\{([\w,]+)\})?` \|", OPERATING, re.MULTILINE)
    assert {name: set(filter(None, labels.split(","))) for name, labels in told} == made


def test_every_log_line_is_in_the_table() -> None:
    call = re.compile(r'_log\.(?:info|warning|error|exception)\(\s*"(\w+)"')
    made = {event for path in (ROOT / "app").rglob("*.py") for event in call.findall(path.read_text(encoding="utf-8"))}
    table = OPERATING.partition("| event | level |")[2].partition("\n\n")[0]
    told = {event for row in table.splitlines() for event in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    assert made - told == set()


def test_decisions_have_a_number_a_reason_and_a_price() -> None:
    found = re.findall(r"^\*\*(\d+)\. (.*?)(?=^\*\*\d+\. |^## |\Z)", DECISIONS, re.MULTILINE | re.DOTALL)
    assert sorted(int(number) for number, _ in found) == list(range(1, len(found) + 1))
    assert [number for number, text in found if "*Because*" not in text or "*Costs:*" not in text] == []


def test_the_ci_runs_what_the_readme_names() -> None:
    assert re.search(r"^make test\b", README, re.MULTILINE)
    assert re.search(r"^exec make test\b", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)


def exists(path: str) -> bool:
    return any((ROOT / name).exists() for name in (path.rstrip("/."), f"{path}.py"))


def list_anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from their words."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def to_variable(name: str) -> str:
    return name.upper() if name.startswith("database_") and name != "database_connections" else f"RMU_{name.upper()}"


def to_default(name: str) -> str:
    value = Settings.model_fields[name].default
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    return "" if shown is None or shown == "" else f"`{shown}`"


def test_commands_that_a_fix_names_are_there_whole() -> None:
    """A group of commands does nothing, and a key's command asks for the key."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    named = {tuple(one.split()) for one in re.findall(r"recman-unimicro ((?:[a-zA-Z_-]+ ?)+)", text)}
    assert len(named) > 5
    assert {" ".join(words): trouble for words in named if (trouble := find_trouble(words))} == {}


def find_trouble(words: Sequence[str]) -> str:
    """What is missing of a command as it is written in a sentence; empty: nothing."""
    command: Any = get_command(cli)
    left = list(words)
    while commands := getattr(command, "commands", None):
        if not left or left[0] not in commands:
            return "is a group of commands"
        command = commands[left.pop(0)]
    options = [one for one in command.params if one.param_type_name == "option"]
    known = {name for one in options for name in one.opts}
    strange = [word for word in left if word.startswith("--") and word not in known]
    missing = [one.opts[0] for one in options if one.required and one.opts[0] not in left]
    return " ".join([*(f"has no {name}" for name in strange), *(f"needs {name}" for name in missing)])
