"""The Snakemake wrapper makes the command of its rule; Snakemake runs its example."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from dpss._version import __version__
from dpss.cli.commands import commands
from tests.conftest import ROOT
from tests.unit.small import counts, write_h5ad_csr

FOLDER = ROOT / "integrations" / "snakemake"


class Files(list[str]):
    """Files of a rule, some of them with names, as Snakemake has them."""

    def __init__(self, *files: str, **named: str) -> None:
        super().__init__([*files, *named.values()])
        self.get = named.get


def rule(*files: str, output: str = "qc", log: str = "", **more: Any) -> SimpleNamespace:
    """Return what Snakemake gives to a script as ``snakemake``."""
    return SimpleNamespace(
        input=Files(*files, **more.pop("named", {})),
        output=Files(output),
        log=[log] if log else [],
        threads=more.pop("threads", 1),
        params=more,
    )


@pytest.fixture(scope="module")
def wrapper() -> dict[str, Callable[..., Any]]:
    """The functions of the wrapper, which runs nothing without a rule."""
    return runpy.run_path(str(FOLDER / "wrapper.py"))


def test_the_command_of_a_rule(wrapper: dict[str, Callable[..., Any]]) -> None:
    """Matrices, or a sheet beside the files that it names; options are split as by a shell."""
    found = wrapper["command_of"](
        rule("a.h5ad", "S 1/outs", threads=3, extra="--policy 'my p.toml'")
    )
    assert found == ["dpss", "summarize", "--output=qc", "--threads", "3", "--policy", "my p.toml",
                     "--", "a.h5ad", "S 1/outs"]  # fmt: skip
    sheet = rule("a.h5ad", "b.h5ad", named={"samplesheet": "s.csv"})
    found = wrapper["command_of"](sheet)
    assert found[2:] == ["--samplesheet=s.csv", "--output=qc", "--threads", "1"]
    for arguments in (found[2:], [*found[3:], "--", "a.h5ad"]):
        commands.commands["summarize"].make_context("summarize", list(arguments))
    with pytest.raises(ValueError, match="give matrices"):
        wrapper["command_of"](rule())


@pytest.mark.parametrize("name", ["-x.h5ad", "--output", "--help", "-", "a.h5ad"])
@pytest.mark.parametrize("kind", ["matrix", "sheet", "output"])
def test_a_file_is_no_option(wrapper: dict[str, Callable[..., Any]], kind: str, name: str) -> None:
    """Whatever its name begins with, as the program itself parses the command."""
    made = {"matrix": rule(name, extra="--log-level error"), "output": rule("m", output=name),
            "sheet": rule(named={"samplesheet": name})}[kind]  # fmt: skip
    arguments = wrapper["command_of"](made)[2:]
    parameters = commands.commands["summarize"].make_context("summarize", arguments).params
    found = {"matrix": parameters["matrices"], "sheet": (parameters["samplesheet"],),
             "output": (parameters["output"],)}  # fmt: skip
    assert found[kind] == (name,)


def test_a_sheet_in_a_list(wrapper: dict[str, Callable[..., Any]]) -> None:
    """A list of one sheet is that sheet, and of two is refused."""
    one = rule("a.h5ad", "s.csv")
    one.input.get = {"samplesheet": ["s.csv"]}.get
    assert wrapper["command_of"](one)[2:] == [
        "--samplesheet=s.csv",
        "--output=qc",
        "--threads",
        "1",
    ]
    two = rule("s.csv", "t.csv")
    two.input.get = {"samplesheet": ["s.csv", "t.csv"]}.get
    with pytest.raises(ValueError, match="several files; give one"):
        wrapper["command_of"](two)


@pytest.mark.parametrize(
    ("code", "strict", "failed"),
    [(0, False, False), (1, False, True), (2, True, True), (3, False, False), (3, True, True)],
)
def test_a_failed_policy_fails_the_rule_on_demand(
    wrapper: dict[str, Callable[..., Any]], code: int, strict: bool, failed: bool
) -> None:
    """Snakemake removes the output of a rule that failed, and with it the reasons."""
    assert wrapper["is_failure"](code, rule("a", fail_on_policy=strict)) is failed


def prepare(folder: Path) -> None:
    """Write two samples and their sheet."""
    for seed, name in enumerate(("S01", "S02")):
        write_h5ad_csr(folder / f"{name}.h5ad", counts(seed))
    (folder / "samples.csv").write_text("sample,path\nS01,S01.h5ad\nS02,S02.h5ad\n")
    # The program of this checkout, under its name.
    program = folder / "bin" / "dpss"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT / "src"} exec {sys.executable} -m dpss "$@"\n')
    program.chmod(0o755)


def check(folder: Path) -> None:
    """Check what the example makes: a project of two samples, two projects, the logs."""
    sheet = {path.parent.name for path in (folder / "by_sheet" / "samples").glob("*/summary.json")}
    files = {path.parent.name for path in (folder / "by_file").glob("*/summary.json")}
    assert sheet == files == {"S01", "S02"}
    rows = json.loads((folder / "by_sheet/multiqc/general_mqc.json").read_bytes())["data"]
    assert set(rows) == {"S01", "S02"}
    assert "2 published" in (folder / "logs/by_sheet.log").read_text()


@pytest.mark.slow
def test_the_wrapper_runs_its_rule(
    wrapper: dict[str, Callable[..., Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both rules of the example, with the program; a failure is an error of the rule."""
    prepare(tmp_path)
    (tmp_path / "logs").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    extra = "--policy default --no-embedding"
    wrapper["main"](rule(named={"samplesheet": "samples.csv"}, output="by_sheet",
                         log="logs/by_sheet.log", extra=extra))  # fmt: skip
    wrapper["main"](rule("S01.h5ad", "S02.h5ad", output="by_file", log="logs/by_file.log"))
    check(tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        wrapper["main"](rule("nope.h5ad", log="logs/none.log"))
    assert "nope.h5ad" in (tmp_path / "logs/none.log").read_text()


@pytest.mark.slow
def test_the_engine_runs_the_example(tmp_path: Path) -> None:
    """With Snakemake, where `SNAKEMAKE` or the path has it: `make integrations` sets it."""
    program = os.environ.get("SNAKEMAKE") or shutil.which("snakemake")
    if program is None:
        pytest.skip("snakemake is not installed; `make integrations` runs it")
    prepare(tmp_path)
    shutil.copy(FOLDER / "test" / "Snakefile", tmp_path)
    done = subprocess.run(
        [program, "--cores", "2", "--config", f"wrapper=file://{FOLDER}"],
        cwd=tmp_path, env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    check(tmp_path)


def test_what_the_files_say_is_so() -> None:
    """The version that is installed is this one; `meta.yaml` names what the wrapper takes."""
    environment = yaml.safe_load((FOLDER / "environment.yaml").read_text())
    (pip,) = [each["pip"] for each in environment["dependencies"] if isinstance(each, dict)]
    assert pip == [f"data-portal-summary-stats =={__version__}"]
    meta = yaml.safe_load((FOLDER / "meta.yaml").read_text())
    assert {key for each in meta["params"] for key in each} == {"extra", "fail_on_policy"}
    text = (FOLDER / "wrapper.py").read_text()
    assert all(f'params.get("{name}"' in text for name in ("extra", "fail_on_policy"))
