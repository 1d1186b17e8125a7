"""What is shown of settings holds no password, in whatever form an address has it; and the data folder is private."""

import stat
from pathlib import Path

import pytest

from app.settings import Settings, list_settings, mask_url

FORMS = [
    "postgresql://recman:S3cr3t@db.example/recman",
    "postgresql+asyncpg://recman:S3cr3t@/recman?host=/run/x",
    "postgres://:S3cr3t@db.example/recman",
    # Not encoded, as people write them.
    "postgresql://recman:S3cr3t@S3cr3t:S3cr3t/S3cr3t?S3cr3t#S3cr3t@db.example:5432/recman?sslmode=require",
    "postgresql://recman:[S3cr3t]@db.example/recman",
    "postgresql://recman:%57S3cr3t%40@db.example/recman?sslpassword=S3cr3t",
    "postgresql://db.example/recman?user=recman&password=S3cr3t&sslmode=require",
    "postgresql://db.example/recman?PASSWORD=S3cr3t",
    "host=db.example user=recman password=S3cr3t dbname=recman",
    "host=db.example password = 'S3cr3t \\' S3cr3t' dbname=recman",
    "recman:S3cr3t@db.example/recman",
]


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_password_is_shown(form: str) -> None:
    assert "S3cr3t" not in mask_url(form)
    assert "recman" in mask_url(form)
    settings = Settings(database_url=form, database_direct_url=form, public_url=form)
    assert not [row for row in list_settings(settings) if "S3cr3t" in row.value]


@pytest.mark.parametrize(
    "plain",
    ["http://127.0.0.1:8000", "https://app.unimicro.no/", "{base}#/sales/invoices/{id}", "Europe/Oslo", ".data"],
)
def test_what_holds_none_is_shown_as_it_is(plain: str) -> None:
    assert mask_url(plain) == plain


def test_the_data_folder_is_nobody_else_s(tmp_path: Path) -> None:
    folder = Settings(data_dir=tmp_path / "deep" / ".data").private_data_dir
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
