"""Ten thousand invoices as a file: CPU seconds, and the most memory a process of its own ever had."""

import json
import subprocess
import sys
from dataclasses import dataclass

from app.domain.file_documents import to_json
from tests.world.many_documents import make_many_documents

# Nothing of the tests is loaded: their world alone takes more memory than the file.
_RUN = """
import json, re, sys, tempfile, time
from dataclasses import replace
from app.domain.file_documents import from_json, to_json
from app.files.examine import examine
from app.files.layouts import load_layout
from app.files.writing import write_file

layout, model = load_layout(sys.argv[1]), json.load(sys.stdin)

def documents():
    for place in range(int(sys.argv[2])):
        one = from_json(model)
        number, customer = str(5000 + place), str(100000 + place // 5)
        claim = replace(one.entries[0], customer_number=customer, invoice_number=number)
        yield replace(
            one, number=number, transfer_id=number, customer=replace(one.customer, number=customer),
            entries=(claim, *one.entries[1:]),
        )

started = time.process_time()
assert examine(layout, documents(), accepted=[layout.name]).is_fit
with tempfile.TemporaryFile() as out:
    write_file(layout, documents(), out)
# The kernel's own figure of this program: what `resource` tells holds the memory of whoever started it.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]
print(json.dumps([time.process_time() - started, int(peak) / 1024]))
"""


@dataclass(frozen=True, slots=True)
class FileFigures:
    """What a file of one layout took."""

    name: str
    cpu_seconds: float
    megabytes: float


def measure_files(names: tuple[str, ...], count: int) -> list[FileFigures]:
    """Each layout's file of so many invoices, read from what is kept of them, each in a process of its own."""
    return [FileFigures(name, *_measure(name, count)) for name in names]


def _measure(name: str, count: int) -> tuple[float, float]:
    model = json.dumps(to_json(next(make_many_documents(1))))
    done = subprocess.run(
        [sys.executable, "-c", _RUN, name, str(count)], input=model, capture_output=True, text=True, check=True
    )
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes
