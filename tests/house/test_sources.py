"""Every source that the code names can be opened, and everything that is assumed is listed."""

import re
from functools import cache
from pathlib import Path

import pytest

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "docs" / "facts"
# Where a claim about another document is made, its sections are not ours.
FOREIGN = ("OpenID Connect", "RFC ", "bokføring")
TOKEN = re.compile(
    r"docs/facts/(?P<file>[\w-]+)\.md|\bfacts/(?P<old>[\w.-]*\w)|§(?P<section>[\d.]*\d)(?: rows? (?P<row>\d+))?"
)


def test_every_section_that_the_code_names_is_a_heading_of_that_file() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {trouble}"
        for path in list_sources()
        for trouble in list_dead_ends(read_passages(path))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("passages", "trouble"),
    [
        (["Source: docs/facts/unimicro.md §3.99 [O]."], "unimicro.md has no §3.99"),
        (["Source: docs/facts/unimicro.md §9 row 99."], "unimicro.md §9 has no row 99"),
        (["Source: docs/facts/fortnox.md §1."], "there is no docs/facts/fortnox.md"),
        (["Source: facts/unimicro-api.md."], "facts/unimicro-api.md is not in docs/"),
        (["Says nothing of a file.", "Source: §3.1."], "§3.1 of which file?"),
        (["The head names docs/facts/recman.md.", "Source: §3.1, §3.99."], "recman.md has no §3.99"),
        (["Source: the banks' rules as issue 14 gives them."], "issue 14 is in no docs/facts"),
    ],
)
def test_dead_ends_are_seen(passages: list[str], trouble: str) -> None:
    assert list_dead_ends(passages) == [trouble]


def test_modules_that_assume_something_are_those_listed_under_assumed() -> None:
    assumed = {
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "app").rglob("*.py"))
        if any(assumes(passage) for passage in read_passages(path))
    }
    listed = {name for file in FACTS.glob("*.md") for name in read_assumed_modules(file)}
    assert assumed - listed == set(), "say in docs/facts, under Assumed, what happens if it is wrong"
    assert listed - assumed == set(), "nothing is assumed there (any more)"


def test_settings_that_the_facts_name_exist() -> None:
    named = {name for file in FACTS.glob("*.md") for name in re.findall(r"\bRMU_(\w+)", file.read_text("utf-8"))}
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def list_sources() -> list[Path]:
    """Modules and recorded shapes that may name a source; this test's own examples are none."""
    found = [*(ROOT / "app").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "tests").rglob("*.json")]
    return sorted(path for path in found if path != Path(__file__))


@cache
def read_passages(path: Path) -> list[str]:
    """Docstrings, the module's first, and blocks of comments; of a JSON file each line that names the facts."""
    text = path.read_text(encoding="utf-8")
    if not any(word in text for word in ("§", "Source:", "facts/")):
        return []
    if path.suffix == ".json":
        return [line for line in text.splitlines() if "facts/" in line]
    return [*re.findall(r'"""(.*?)"""', text, re.DOTALL), *re.findall(r"(?:^.*# .*\n)+", text, re.MULTILINE)]


def list_dead_ends(passages: list[str]) -> list[str]:
    """What leads nowhere; a bare § means the file that the passage, else the module's head, names."""
    dead = []
    head = re.search(r"docs/facts/([\w-]+)\.md", passages[0] if passages else "")
    for passage in passages:
        told = re.search(r"\bissue \d+", read_source(passage))
        dead += [f"{told[0]} is in no docs/facts"] if told else []
        if any(name in passage for name in FOREIGN) and "docs/facts" not in passage:
            continue
        file = head.group(1) if head else None
        for token in TOKEN.finditer(passage):
            file = token["file"] or file
            dead += [trouble] if (trouble := find_trouble(token, file)) else []
    return dead


def find_trouble(token: re.Match[str], file: str | None) -> str | None:
    if token["old"] is not None:
        inside = token.string[: token.start()].endswith("docs/")
        return None if inside else f"facts/{token['old']} is not in docs/"
    if token["file"] is not None:
        return None if (FACTS / f"{file}.md").exists() else f"there is no docs/facts/{file}.md"
    if file is None:
        return f"§{token['section']} of which file?"
    if not (FACTS / f"{file}.md").exists():
        return None
    rows = read_sections(file).get(token["section"])
    if rows is None:
        return f"{file}.md has no §{token['section']}"
    missing = token["row"] is not None and token["row"] not in rows
    return f"{file}.md §{token['section']} has no row {token['row']}" if missing else None


@cache
def read_sections(file: str) -> dict[str, set[str]]:
    """The numbered headings of a file, each with the numbers of its table's rows."""
    sections: dict[str, set[str]] = {}
    number = ""
    for line in (FACTS / f"{file}.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"#{2,3} (\d+(?:\.\d+)?)\.? ", line):
            number = heading.group(1)
            sections[number] = set()
        elif number and (row := re.match(r"\| (\d+) \|", line)):
            sections[number].add(row.group(1))
    return sections


def assumes(passage: str) -> bool:
    """Whether what a passage names as its source is assumed."""
    return "assumed" in read_source(passage).lower()


def read_source(passage: str) -> str:
    """What follows `Source:`, up to the end of its paragraph."""
    return re.split(r"\n\s*\n|Raises:", passage.partition("Source:")[2])[0]


def read_assumed_modules(file: Path) -> set[str]:
    """The modules in the tables below the heading "Assumed"."""
    below = re.split(r"\n## \d+\. Assumed\n", file.read_text(encoding="utf-8"))[1].split("\n## ")[0]
    rows = [line for line in below.splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"\| `(app/[\w/]+\.py)`", row)}
