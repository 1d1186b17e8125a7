"""Rules of the house that no linter knows, read from the code itself."""

import ast
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"


def find_words(word: str) -> set[str]:
    """The modules below `app` that use the word as a name, an attribute or the name of an argument."""
    found = set()
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (getattr(node, "attr", None), getattr(node, "id", None), getattr(node, "arg", None))
            if word in names:
                found.add(path.relative_to(APP).as_posix())
    return found


def test_rows_are_locked_in_one_way_alone_which_reads_them_again() -> None:
    assert find_words("with_for_update") == {"platform/db.py"}
