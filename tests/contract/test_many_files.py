"""Large files: linear in time, small in memory; ten thousand invoices are measured by `make bench`."""

import pytest

from app.files.layouts import load_layouts
from tests.world.many_documents import measure_file, measure_file_megabytes

LAYOUTS = load_layouts()


@pytest.mark.parametrize("name", ["bilag", "unistd"])
def test_twice_as_many_invoices_take_about_twice_as_long(name: str) -> None:
    measure_file(LAYOUTS[name], 20)
    ratio = min(
        measure_file(LAYOUTS[name], 200).cpu_seconds / measure_file(LAYOUTS[name], 100).cpu_seconds for _ in range(3)
    )
    assert ratio < 3


@pytest.mark.parametrize("name", ["bilag", "kunde", "unistd"])
def test_another_hundred_invoices_need_little_more_memory(name: str) -> None:
    measure_file(LAYOUTS[name], 20)
    few, many = (measure_file_megabytes(LAYOUTS[name], count) for count in (100, 200))
    # Ten thousand may take a hundred megabytes: a hundred of them one.
    assert many - few < 1
