"""Tests that read all the code are run by a second process, while the others run in the first.

They are a third of what runs before every commit, start nothing and print nothing. What they say comes back as the
reports that pytest makes of any test: the way of pytest-xdist, without starting and collecting twice.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import pytest
from _pytest.runner import runtestprotocol

_SECOND = pytest.StashKey["SecondProcess"]()


@dataclass(slots=True)
class SecondProcess:
    """The process that runs them, and where it writes a line for each."""

    process: int
    file: IO[str]
    ids: frozenset[str]
    told: dict[str, list[dict[str, Any]]] | None = None

    def wait(self) -> dict[str, list[dict[str, Any]]]:
        """The reports of each test, as data; a test without is one that the process did not live to see."""
        if self.told is None:
            os.waitpid(self.process, 0)
            self.file.seek(0)
            whole = (line for line in self.file if line.endswith("\n"))
            self.told = {one["id"]: one["reports"] for one in map(json.loads, whole)}
        return self.told


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They come last: so long the other process has."""
    items.sort(key=_reads_code)


def _reads_code(item: pytest.Item) -> bool:
    return hasattr(getattr(item, "module", None), "read_house")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Begin with them, where there are others to run meanwhile and nobody looks at tests one by one."""
    config, readers = session.config, [item for item in session.items if _reads_code(item)]
    option = config.option
    is_looked_at = option.collectonly or option.usepdb or option.capture == "no" or option.setupshow or option.maxfail
    if readers and len(readers) < len(session.items) and not is_looked_at and not hasattr(config, "workerinput"):
        config.stash[_SECOND] = _begin(readers, config)


def _begin(items: Sequence[pytest.Item], config: pytest.Config) -> SecondProcess:
    file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - it lives as long as the run
    process = os.fork()
    if process == 0:
        try:
            _run(items, config, file)
        finally:
            os._exit(0)
    return SecondProcess(process, file, frozenset(item.nodeid for item in items))


def _run(items: Sequence[pytest.Item], config: pytest.Config, file: IO[str]) -> None:
    # What is printed belongs to the first process, which reads it from the same file.
    config.pluginmanager.unregister(name="capturemanager")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for item, following in zip(items, [*items[1:], None], strict=True):
        reports = runtestprotocol(item, log=False, nextitem=following)
        told = [config.hook.pytest_report_to_serializable(config=config, report=report) for report in reports]
        file.write(json.dumps({"id": item.nodeid, "reports": told}) + "\n")
        file.flush()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Tell what the other process has seen; what it did not see is run here."""
    second = item.config.stash.get(_SECOND, None)
    if second is None or item.nodeid not in second.ids:
        return None
    told = second.wait().get(item.nodeid)
    if told is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for data in told:
        report = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
