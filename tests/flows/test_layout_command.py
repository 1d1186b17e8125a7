"""`recman-unimicro layout` as a person runs it, with a file in hand."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.layouts import create_layout_cli
from app.errors import RequestError
from app.files.layouts import load_layout
from app.files.writing import write_file
from app.settings import Settings
from tests.world.file_documents import make_file_document


def run(*arguments: str, folder: Path | None = None) -> tuple[int, str]:
    """Exit status and output."""
    done = CliRunner().invoke(create_layout_cli(lambda: Settings(layouts_dir=folder)), arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def test_a_real_file_is_compared_and_a_layout_of_one_s_own_made_to_fit(tmp_path: Path) -> None:
    sample, own = tmp_path / "Faktura.txt", tmp_path / "layouts"
    own.mkdir()
    with sample.open("wb") as out:
        write_file(load_layout("unistd"), [make_file_document()], out)
    # Somebody's program writes the due date before the invoice date, and four digits of the year.
    sample.write_bytes(sample.read_bytes().replace(b"020226,160226", b"16022026,02022026"))
    status, told = run("check", str(sample))
    assert status == 1
    assert "line 2, record 80, position 4 (Fakturadato, assumed): expected a day as ddMMyy, found '16022026'" in told
    assert "And 1 other kinds of difference" in told
    assert run("check", str(sample), "--all")[1].count("expected a day as ddMMyy") == 2
    fitted = run("show", "unistd")[1].replace('name = "unistd"', 'name = "acme"').replace('"ddMMyy"', '"ddMMyyyy"')
    (own / "acme.toml").write_text(fitted, encoding="utf-8")
    status, told = run("check", str(sample), folder=own)
    assert (status, "Compared with the layout acme" in told, "The file is as the layout says" in told) == (
        0,
        True,
        True,
    )
    assert "acme 1" in run("list", folder=own)[1]


def test_a_file_that_is_not_there_or_that_nobody_makes_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read"):
        run("check", str(tmp_path / "gone.txt"))
    (tmp_path / "Faktura.pdf").write_bytes(b"%PDF")
    with pytest.raises(RequestError, match=r"No layout makes files that end in '\.pdf'"):
        run("check", str(tmp_path / "Faktura.pdf"))
