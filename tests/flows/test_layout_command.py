"""`recman-unimicro layout` as a person runs it, with a file in hand."""

from pathlib import Path

import pytest
from typer.testing import CliRunner
from xlsxwriter import Workbook

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


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.TXT", b"", "line 1: expected CR LF at its end, found nothing"),
        ("mark.txt", b"\xef\xbb\xbf30,100001,Kari\r\n", "found letters in utf-8"),
        ("other.txt", "30,1,Kåre\r\n".encode("utf-16"), "line 1: expected"),
        ("semicolons.txt", b"30;1;A\r\n", "expected a record of 30, 80, 81, found '30;1;A'"),
        ("quoted.csv", b'Type;"' + b"x" * 200_000, "expected rows of a CSV, found field larger than field limit"),
        ("zeros.csv", b"Type;\0\r\n", "heading 2: expected Fakturanr"),
        ("old.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096), "expected a workbook"),
        ("broken.xlsx", b"PK\x03\x04 and no more", "expected a workbook"),
    ],
)
def test_file_of_any_other_kind_is_told_as_a_difference(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    sample = tmp_path / name
    sample.write_bytes(content)
    status, shown = run("check", str(sample), "--all")
    assert status == 1
    assert told in shown


def test_cell_at_the_far_end_of_a_sheet_is_told_and_takes_no_memory(tmp_path: Path) -> None:
    sample = tmp_path / "far.xlsx"
    with Workbook(sample) as book:
        book.add_worksheet().write(1_048_575, 16_383, "x")
    status, shown = run("check", str(sample), "--layout", "bilag")
    assert (status, "expected a workbook" in shown) == (1, True), shown


def test_folder_with_one_broken_layout_says_which_and_why(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text('name = "broken"\nrecords = [', encoding="utf-8")
    with pytest.raises(RequestError, match=r"broken\.toml cannot be used"):
        run("list", folder=tmp_path)
    with pytest.raises(RequestError, match="no folder of that name"):
        run("list", folder=tmp_path / "gone")
