"""The commands that measure a decision again are those that the decisions name."""

from __future__ import annotations

import re
import sys
from importlib import import_module

import pytest

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


@pytest.mark.parametrize("module", ["decisions", "parts", "run"])
def test_each_program_describes_itself(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--help`` of a program with options ends well."""
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    program = import_module(f"benchmarks.{module}")
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out
