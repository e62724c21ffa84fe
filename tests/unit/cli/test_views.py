"""The commands that publish nothing, and their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.cli.commands import commands
from dpss.cli.entry import execute
from tests.unit.cli.test_comparison import publish


@pytest.mark.parametrize(
    ("n_cells", "more", "code"),
    [(900, [], 0), (900, ["--exit-code"], 0), (901, [], 0), (901, ["--exit-code"], 3)],
)
def test_the_exit_code_of_a_comparison(
    n_cells: int, more: list[str], code: int, tmp_path: Path
) -> None:
    """3 if anything differs and that was asked for; else 0."""
    publish(tmp_path / "old", n_cells=900)
    publish(tmp_path / "new", n_cells=n_cells)
    given = ["compare", str(tmp_path / "old"), str(tmp_path / "new"), *more]
    assert execute(commands, "dpss", given) == code


def test_faults_have_the_codes_of_all_commands(tmp_path: Path) -> None:
    """1 for a file that is no summary, 2 for one that is not there."""
    (tmp_path / "summary.json").write_text("{}")
    bad, none = str(tmp_path / "summary.json"), str(tmp_path / "none")
    assert execute(commands, "dpss", ["compare", bad, bad]) == 1
    assert execute(commands, "dpss", ["compare", none, bad]) == 2
    assert execute(commands, "dpss", ["inspect", none]) == 1
