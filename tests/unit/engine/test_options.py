"""One field of a settings record is enough for an option."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dpss.engine.options import all_options, find_faults, make_settings, setting
from dpss.engine.run_settings import RunSettings
from dpss.errors import SettingsError

ROOT = Path(__file__).parents[3]
FIELD = """
    toy_size: int = setting(
        3, group="job", kind=int, metavar="N", show_default=True, help="A toy.",
        check=lambda n: n < 10, wants="it must be less than 10",
    )
"""
PROGRAM = """
import sys
from click.testing import CliRunner
from dpss.cli import commands
from dpss.errors import SettingsError
from tools import reference

class Report:
    exit_code = 0

commands.perform = lambda settings, *rest: print("toy is", settings.toy_size) or Report()
for arguments, variables in [
    (["--help"], {}), ([], {}), (["--toy-size", "5"], {}), ([], {"DPSS_TOY_SIZE": "7"}),
    (["--toy-size", "11"], {}),
]:
    done = CliRunner().invoke(
        commands.run, ["--input", ".", "--output", "out", *arguments], env=variables
    )
    print(done.output, done.exception)
print(reference.settings_page(), reference.commands_page())
"""


@pytest.mark.slow
def test_one_field_makes_an_option(tmp_path: Path) -> None:
    """A toy option, one field more, is an option, a variable, a check and in the reference."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    path = tmp_path / "src" / "dpss" / "engine" / "run_settings.py"
    path.write_text(path.read_text() + FIELD)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'src'}:{tmp_path}"}
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True,
        check=True, cwd=tmp_path,
    ).stdout  # fmt: skip
    assert "--toy-size N" in output
    assert [line for line in output.splitlines() if line.startswith("toy is")] == [
        "toy is 3", "toy is 5", "toy is 7",
    ]  # fmt: skip
    assert "--toy-size (DPSS_TOY_SIZE) is 11; it must be less than 10" in output
    assert "| `--toy-size` | `DPSS_TOY_SIZE` | A toy. Default: `3`. | run |" in output


@dataclass(frozen=True, kw_only=True)
class _Settings:
    depth: int = setting(
        1, group="g", kind=int, help="Depth.", parse=int, check=bool, wants="it takes a number"
    )
    shape: str = setting("round", group="g", choices=("round", "square"), help="Shape.")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"depth": "deep"}, "--depth (DPSS_DEPTH) is deep; it takes a number"),
        ({"depth": "0"}, "--depth (DPSS_DEPTH) is 0; it takes a number"),
        ({"shape": "long"}, "--shape (DPSS_SHAPE) is long; there is: round, square"),
    ],
)
def test_a_bad_value_is_named_with_its_option_and_variable(
    given: dict[str, str], fault: str
) -> None:
    """One that can't be parsed, one that is out of bounds, one that is no choice."""
    try:
        assert find_faults(make_settings(_Settings, given)) == [fault]
    except SettingsError as error:
        assert str(error) == fault


def test_options_have_different_names() -> None:
    """No two fields of the records of a run claim one option or variable."""
    names = [option.name for _, option in all_options(RunSettings)]
    assert len(set(names)) == len(names) > 25
    assert all(option.help for _, option in all_options(RunSettings))
