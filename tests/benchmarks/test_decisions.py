"""The commands that measure a decision again are those that the decisions name."""

from __future__ import annotations

import re

from benchmarks.decisions import COMMANDS
from tests.conftest import ROOT

NAMED = re.compile(r"benchmarks\.decisions ([\w-]+)")


def test_each_decision_names_its_command() -> None:
    """Each command stands in the decision that it measures, and no decision names another."""
    named = {
        (int(page.name[:4]), name)
        for page in (ROOT / "docs" / "adr").glob("*.md")
        for name in NAMED.findall(page.read_text())
    }
    assert named == {(each.decision, each.name) for each in COMMANDS}
