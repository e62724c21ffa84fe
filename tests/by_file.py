"""A plugin of pytest for `python -m unittest`: it tells of each file of tests when it is through.

A line of JSON per file goes to the file descriptor DPSS_BY_FILE: its name, and the names of its
tests by their outcome.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict

import pytest

_outcomes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _tell(file: str) -> None:
    line = json.dumps({"file": file, "outcomes": _outcomes.pop(file, {})}) + "\n"
    os.write(int(os.environ["DPSS_BY_FILE"]), line.encode())


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that can't be read has an error; one that is skipped whole has a skip."""
    file = _file_of(report.nodeid)
    if file.endswith(".py") and report.outcome != "passed":
        outcome = "error" if report.outcome == "failed" else "skipped"
        _outcomes[file][outcome].append("(the whole file)")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Files without a test to run are through."""
    left = {_file_of(item.nodeid) for item in session.items}
    for file in sorted(set(_outcomes) - left):
        _tell(file)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test's outcome: of its call, or of what went wrong around it."""
    name = report.nodeid.partition("::")[2]
    if report.when == "call" or report.outcome != "passed":
        _outcomes[_file_of(report.nodeid)][report.outcome].append(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None):
    """Tell of a file after its last test."""
    done = yield
    file = _file_of(item.nodeid)
    if nextitem is None or _file_of(nextitem.nodeid) != file:
        _tell(file)
    return done
