"""Files are what they were when a person read them, and the same bytes whoever makes them, and when."""

import hashlib
import io
import json
import os
import subprocess
import sys

import pytest

from app.domain.file_documents import to_json
from app.files.layouts import Format
from app.files.writing import write_file
from tests.world.file_readers import read_marked_headings
from tests.world.golden_files import FOLDER, LAYOUTS, FileCase, make_cases, place_of, render

CASES = make_cases()
_MAKE = """
import hashlib, io, json, sys
from app.domain.file_documents import from_json
from app.files.layouts import parse_layout
from app.files.writing import write_file
kept = json.load(sys.stdin)
documents = [from_json(one) for one in kept["documents"]]
for name, text in kept["layouts"].items():
    out = io.BytesIO()
    write_file(parse_layout(text, place=name), documents, out)
    print(name, hashlib.sha256(out.getvalue()).hexdigest())
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_as_it_was_when_a_person_read_it(case: FileCase) -> None:
    assert render(case) == place_of(case).read_text(encoding="utf-8")


def test_every_expectation_belongs_to_a_case_and_there_are_enough() -> None:
    assert set(FOLDER.iterdir()) == {place_of(case) for case in CASES}
    assert len(CASES) >= 20
    assert {name for case in CASES for name in case.layouts} == set(LAYOUTS)


def test_what_was_kept_of_a_file_makes_the_same_bytes_in_another_process_and_zone() -> None:
    """The clock, the zone, the order of sets and the names of temporary files leave no trace."""
    documents = [document for case in CASES for document in case.documents if case.choices is None]
    documents = [one for one in documents if "Łódź" not in one.customer.name]
    kept = {
        "documents": [to_json(one) for one in documents],
        "layouts": {name: layout.text for name, layout in LAYOUTS.items()},
    }
    environment = {**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    made = subprocess.run(
        [sys.executable, "-c", _MAKE],
        input=json.dumps(kept),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    here = {}
    for name, layout in LAYOUTS.items():
        out = io.BytesIO()
        write_file(layout, documents, out)
        here[name] = hashlib.sha256(out.getvalue()).hexdigest()
    assert dict(line.split() for line in made.stdout.splitlines()) == here


def test_a_file_of_no_documents_has_its_headings_alone() -> None:
    for layout in LAYOUTS.values():
        out = io.BytesIO()
        assert write_file(layout, [], out).documents == 0
        assert bool(out.getvalue()) is (layout.format is not Format.RECORDS)


def test_what_must_be_filled_is_marked_in_the_headings() -> None:
    for layout in (one for one in LAYOUTS.values() if one.format is Format.WORKBOOK):
        out = io.BytesIO()
        write_file(layout, [], out)
        marked = read_marked_headings(out.getvalue())
        assert marked == [one.name for one in layout.records[0].fields if one.mandatory]
        assert marked
