"""A migration that an installation may have run is never edited: it would be called current and lack what is new."""

import hashlib

from tests.world.house.source import ROOT

# What a file was when it landed. Whoever has to change one of these writes another migration instead.
LANDED = {
    "0001_tables.py": "55acf7b71c3195cdd7bfca8c4134d72f9617662558cbb9ee0a43c9c5bacd5b16",
    "0002_known_hints.py": "ae4bd52a223b5b09f3cf16ca4497052a6c7cb57a847a04aab37ee3cd5b23c4b4",
    "0003_invoiced_names.py": "9775135c8cda075c06017b8d21d54042ee38fe5d15fedeecc58aeeeed2f08e15",
}


def test_migrations_stay_as_they_landed() -> None:
    files = [path for path in (ROOT / "migrations" / "versions").glob("*.py") if path.name != "__init__.py"]
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == LANDED
