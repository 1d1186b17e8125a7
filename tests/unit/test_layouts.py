"""Layouts are data: ours are sound, one's own are read with every mistake at once, and a real file is compared."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.reasons.codes import Code
from app.errors import NotFoundError, RequestError
from app.files.layout_check import choose_layout, compare_with_sample
from app.files.layouts import Evidence, Format, Layout, choose, load_layout, load_layouts, parse_layout
from app.files.sources import CreditSign
from app.files.writing import write_file
from tests.world.file_documents import make_credit_note, make_file_document, make_file_line, make_text_line

LAYOUTS = load_layouts()
UNISTD = LAYOUTS["unistd"]
FACTS = (Path(__file__).resolve().parents[2] / "docs" / "facts" / "files.md").read_text(encoding="utf-8")
DOCUMENTS = [make_file_document(lines=(make_file_line(), make_text_line())), make_credit_note()]


def make_file(layout: Layout) -> bytes:
    out = io.BytesIO()
    write_file(layout, DOCUMENTS, out)
    return out.getvalue()


def test_every_field_that_is_documented_is_in_the_facts() -> None:
    for name in ("bilag", "kunde", "unistd"):
        for record in LAYOUTS[name].records:
            for one in record.fields:
                is_type = one.position == 1 and bool(one.constant)
                if one.evidence is Evidence.DOCUMENTED and not is_type:
                    assert one.name.removesuffix(" (igjen)").lower() in FACTS.lower(), f"{name} {one.name}"


def test_what_nobody_has_told_us_is_assumed() -> None:
    assert {one.evidence for record in UNISTD.records[1:] for one in record.fields[1:]} == {Evidence.ASSUMED}
    assert {name for name, layout in LAYOUTS.items() if layout.is_assumed} == {"ordre", "produkt", "unistd"}
    assert not [
        one for layout in LAYOUTS.values() for record in layout.records for one in record.fields if not one.name
    ]


# What is changed of the layout's text, and what its reader is told.
MISTAKES = [
    ('source = "customer.name"', 'source = "customer.nickname"', "no source 'customer.nickname'"),
    ('source = "document.due_date", kind = "date"', 'source = "document.due_date"', "document.due_date is no text"),
    ('position = 5, name = "Adresse 2"', 'position = 6, name = "Adresse 2"', "30: positions go 1, 2, 3"),
    ('constant = "80"', 'constant = "08"', "80: position 1 is the record's type"),
    ('source = "document.number"', 'source = "line.text"', "rows of documents have no line.text"),
    ('encoding = "cp1252"', 'encoding = "klingon"', "klingon does not write plain letters"),
    ('encoding = "cp1252"', 'encoding = "utf-16"', "utf-16 does not write plain letters"),
    ('encoding = "cp1252"', 'encoding = "utf-7"', "utf-7 does not write plain letters"),
    ('encoding = "cp1252"', 'encoding = "cp1252"\nmark = true', "only utf-8 has a mark"),
    ('separator = ","', 'separator = ",,"', "one letter separates"),
    ('separator = ","', 'separator = "7"', "one letter separates"),
    ('separator = ","', 'separator = "\\""', "one letter separates"),
    ('decimal_mark = "."', 'decimal_mark = ","', "another letter than that between fields"),
    ('decimal_mark = "."', 'decimal_mark = "5"', "a point or a comma"),
    ('date_format = "ddMMyy"', 'date_format = "DDMMYY"', "days are written with dd, MM and yy"),
    ('date_format = "ddMMyy"', 'date_format = "ddMMyyy"', "days are written with dd, MM and yy"),
    ('name = "unistd"', 'name = "../unistd"', "its name has letters"),
    ('extension = "TXT"', 'extension = "../TXT"', "its extension has letters"),
    ('type = "81"', 'type = "80"', "two records have one type"),
    ('constant = "81"', 'constant = "8,1"', "its constant and words are letters"),
    ('credit_note = "K"', 'credit_note = "K,"', "its constant and words are letters"),
    ("decimals = 6", "decimals = 60", "0 to 10 decimals"),
    ('format = "records"', 'format = "csv"', "a csv has one kind of rows"),
    ('format = "records"', 'format = "workbook"', "a workbook has letters of its own"),
    ('title = "UniStd 30, 80, 81"\nformat = "records"', 'title = "30/80"\nformat = "workbook"', "a sheet's name"),
    ('evidence = "assumed"', 'evidence = "hearsay"', "evidence"),
    ('version = "1"', 'version = "1"\ncolour = "red"', "colour"),
    ('name = "unistd"', "name = unistd", "line 3"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES)
def test_a_mistake_in_a_layout_is_told(old: str, new: str, told: str) -> None:
    assert old in UNISTD.text
    with pytest.raises(RequestError) as refused:
        parse_layout(UNISTD.text.replace(old, new, 1), place="mine.toml")
    assert refused.value.code is Code.LAYOUT_UNUSABLE
    assert "mine.toml" in refused.value.cause
    assert told in refused.value.cause


def test_all_mistakes_of_a_layout_are_told_at_once() -> None:
    text = UNISTD.text
    for old, new, _ in (MISTAKES[0], MISTAKES[2], MISTAKES[5]):
        text = text.replace(old, new, 1)
    with pytest.raises(RequestError) as refused:
        parse_layout(text, place="mine.toml")
    assert [told in refused.value.cause for _, _, told in (MISTAKES[0], MISTAKES[2], MISTAKES[5])] == [True] * 3


def test_a_layout_of_one_s_own_stands_beside_ours_and_takes_no_name_of_theirs(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(UNISTD.text.replace('name = "unistd"', 'name = "acme"', 1), encoding="utf-8")
    assert load_layout("acme", tmp_path).records == UNISTD.records
    assert set(load_layouts(tmp_path)) == {*LAYOUTS, "acme"}
    (tmp_path / "b.toml").write_text(UNISTD.text, encoding="utf-8")
    with pytest.raises(RequestError, match="another layout is called 'unistd'"):
        load_layouts(tmp_path)
    with pytest.raises(NotFoundError, match="no layout 'nobody'"):
        load_layout("nobody")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no folder"):
        load_layouts(tmp_path / "gone")


def test_letters_and_signs_can_be_chosen_where_a_layout_has_room_for_it() -> None:
    chosen = choose(UNISTD, encoding="iso-8859-1", credit_sign=CreditSign.NONE)
    assert (chosen.encoding, chosen.credit_sign, chosen.name) == ("iso-8859-1", CreditSign.NONE, "unistd")
    assert choose(UNISTD) == UNISTD
    with pytest.raises(RequestError, match="utf-8"):
        choose(LAYOUTS["bilag"], encoding="cp1252")
    with pytest.raises(RequestError, match="klingon"):
        choose(UNISTD, encoding="klingon")


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_our_own_file_is_as_its_layout_says_and_is_known_by_it(name: str) -> None:
    layout = LAYOUTS[name]
    content = make_file(layout)
    assert compare_with_sample(layout, content).differences == ()
    found = choose_layout(LAYOUTS.values(), content, extension=layout.extension.upper())
    assert found is not None
    assert (found.layout, found.differences) == (name, ())
    assert sum(found.rows.values()) > 0


def edit(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old, new, 1)


# How a real file may be otherwise, and what is pointed at: the place, what was expected, what is there.
OTHERWISE: list[tuple[Callable[[bytes], bytes], str, str, str]] = [
    (edit(b",020226,", b",2026-02-02,"), "line 2, record 80, position 4", "a day as ddMMyy", "2026-02-02"),
    (edit(b",020226,", b",310226,"), "line 2, record 80, position 4", "a day as ddMMyy", "310226"),
    (edit(b"1000.00,250.00,1250.00", b"1250.00,250.00,1000.00"), "line 2", "to come to the gross amount", "1000.00"),
    (edit(b",100.0000,0.0000,", b",0.0000,100.0000,"), "line 3", "the line's net amount", "1000.00"),
    (edit(b"1000.00,250.00", b'"1000,00",250.00'), "line 2", "18 fields", "19"),
    (edit(b",Oslo,", b',"Oslo",'), "line 1", "no quotes", "Oslo"),
    (edit(b"81,5067,2", b"85,5067,2"), "line 4", "a record of 30, 80, 81", "85"),
    (edit(b"81,5067,2", b"81,5068,2"), "line 4", "lines of document 5067", "5068"),
    (edit(b"80,5067,", b"80,,"), "line 2, record 80, position 2", "must be filled", "''"),
    (edit(b",F,", b",Faktura,"), "line 2, record 80, position 11", "one of F, K", "Faktura"),
    (edit(b"Oslo,,,14", b"Oslo,99,,14"), "line 1, record 30, position 8", "nothing", "99"),
    (edit(b"Kari Nordmann AS", b"K" * 51), "line 1, record 30, position 3", "at most 50 letters", "KKK"),
    (edit(b"Nordmann", "Nørdmann".encode()), "line 1", "letters in cp1252", "utf-8"),
    (edit(b"Nordmann", b"N\x81rdmann"), "line 1", "letters in cp1252", "81"),
    (edit(b"\r\n", b"\n"), "line 1", "CR LF", "LF"),
    (lambda content: content.removesuffix(b"\r\n"), "line 6", "CR LF", ""),
    (lambda content: b"".join(content.splitlines(keepends=True)[2:]), "line 1", "a document before its lines", "5067"),
    (lambda _content: b"", "line 1", "CR LF", ""),
]


@pytest.mark.parametrize(("change", "place", "expected", "found"), OTHERWISE, ids=range(len(OTHERWISE)))
def test_the_first_difference_is_pointed_at(
    change: Callable[[bytes], bytes], place: str, expected: str, found: str
) -> None:
    content = make_file(UNISTD)
    assert change(content) != content
    first = compare_with_sample(UNISTD, change(content)).differences[0]
    assert first.place.startswith(place)
    assert expected in first.expected
    assert found in first.found


def test_a_workbook_of_other_columns_is_told_and_the_likeliest_layout_is_taken() -> None:
    found = compare_with_sample(LAYOUTS["kunde"], make_file(LAYOUTS["bilag"]))
    assert found.differences[0].text == "heading 1: expected Kundenr, found Dato"
    changed = replace(
        LAYOUTS["bilag"], records=(replace(LAYOUTS["bilag"].records[0], fields=LAYOUTS["bilag"].records[0].fields[:9]),)
    )
    near = choose_layout(LAYOUTS.values(), make_file(changed), extension="xlsx")
    assert near is not None
    assert near.layout == "bilag"
    assert near.differences[0].text == "heading 10: expected KID, found no more columns"


def test_what_is_no_workbook_and_what_nobody_makes_are_told() -> None:
    assert compare_with_sample(LAYOUTS["bilag"], b"PK\x03\x04 nothing").differences[0].expected == "a workbook"
    assert choose_layout(LAYOUTS.values(), b"", extension="pdf") is None
    assert {layout.format for layout in LAYOUTS.values()} == set(Format)


def test_a_sample_with_other_decimals_is_told() -> None:
    content = make_file(LAYOUTS["csv"]).replace(b"1000,00", b"1000.00")
    first = compare_with_sample(LAYOUTS["csv"], content).differences[0]
    assert (first.expected, first.found) == ("a number with ',' before its decimals", "'1000.00'")
