"""The Nextflow module: its script runs, and its files agree with each other.

Nextflow itself is not here. Groovy, where it is installed, parses the module and evaluates the
script of a task, which bash and the program then run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

from dpss._version import __version__
from tests.conftest import ROOT
from tests.integrations.test_snakemake import prepare

MODULE = ROOT / "integrations" / "nextflow" / "dpss" / "summarize"
MAIN = (MODULE / "main.nf").read_text()


def evaluate(block: str, **task: Any) -> subprocess.CompletedProcess[str]:
    """Evaluate a block of the module for a task; skip without Groovy."""
    groovy, java = shutil.which("groovy"), shutil.which("java")
    if groovy is None or java is None:
        pytest.skip("groovy is not installed (Debian's package of this name)")
    home = Path(java).resolve().parent.parent
    return subprocess.run(
        [groovy, str(Path(__file__).with_name("process.groovy")), str(MODULE / "main.nf"), block,
         json.dumps({"meta": {"id": "run1"}, "args": "", "cpus": 1} | task)],
        env={**os.environ, "JAVA_HOME": str(home)}, capture_output=True, text=True, check=False,
        timeout=600,
    )  # fmt: skip


def script_of(block: str, **task: Any) -> str:
    """Return the script of a task as the module makes it; skip without Groovy."""
    done = evaluate(block, **task)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_script(text: str, folder: Path) -> None:
    """Run a task's script as Nextflow does, with the program of this checkout."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ue", "-o", "pipefail", "-c", text], cwd=folder,
        env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def check_outputs(folder: Path) -> None:
    """Check that each declared output is there, and the versions."""
    for pattern in re.findall(r'path\("\$\{prefix\}/?([^"]*)"\)', MAIN):
        assert list((folder / "run1").glob(pattern)) if pattern else (folder / "run1").is_dir()
    versions = yaml.safe_load((folder / "versions.yml").read_text())
    assert versions == {"DPSS_SUMMARIZE": {"dpss": __version__}}


@pytest.mark.slow
def test_the_script_of_a_task_runs(tmp_path: Path) -> None:
    """Samples have names although their files have one name; a failed policy is no error."""
    prepare(tmp_path)
    for number, name in enumerate(("S01", "S02"), 1):
        folder = tmp_path / "matrices" / str(number)
        folder.mkdir(parents=True)
        (tmp_path / f"{name}.h5ad").rename(folder / "a.h5ad")
    (tmp_path / "strict.toml").write_text("[n_cells]\nfail_below = 1000\n")
    samples = [{"id": "A", "expected_cells": 900, "chemistry": "10x 3' v3"}, {"id": "B"}]
    matrices = ["matrices/1/a.h5ad", "matrices/2/a.h5ad"]
    args = "--no-embedding --policy strict.toml"
    run_script(script_of("script", samples=samples, matrices=matrices, args=args), tmp_path)
    check_outputs(tmp_path)
    rows = json.loads((tmp_path / "run1/multiqc/matrices_mqc.json").read_bytes())["data"]
    assert set(rows) == {"A", "B"}
    assert (rows["A"]["n_cells_expected"], rows["A"]["chemistry"]) == (900, "10x 3' v3")
    assert rows["A"]["policy"] == "fail"


@pytest.mark.slow
def test_one_sample_and_the_stub(tmp_path: Path) -> None:
    """A task of one sample has no list; a stub makes every output."""
    prepare(tmp_path)
    one = script_of("script", samples={"id": "A"}, matrices="S01.h5ad")
    assert "'A\tS01.h5ad\t\t\t'" in one
    run_script(script_of("stub", samples=[], matrices=[]), tmp_path)
    check_outputs(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("block", "name"),
    [
        *(("script", f"a{end}") for end in ("$(touch PWNED)", "`touch PWNED`", "\ntouch PWNED")),
        *(("script", name) for name in ("a;touch PWNED", "-x", "../up", "")),
        *(("stub", name) for name in ("a$(touch PWNED)", "run 1", "*")),
    ],
)
def test_an_id_is_no_command(block: str, name: str, tmp_path: Path) -> None:
    """The id of a run is a word of the script: one with other characters fails the task."""
    task = {"meta": {"id": name}, "samples": {"id": "A"}, "matrices": "S01.h5ad"}
    done = evaluate(block, **task)
    if done.returncode == 0:
        prepare(tmp_path)
        run_script(done.stdout, tmp_path)
        assert not (tmp_path / "PWNED").exists()
    assert "has other characters than letters, digits" in done.stderr


@pytest.mark.slow
def test_what_a_sample_says_is_a_field(tmp_path: Path) -> None:
    """Quotation marks, tabs, line feeds and the shell's characters do not break the sheet."""
    prepare(tmp_path)
    said = '"5 prime"\tv2\n$(touch PWNED) `touch PWNED` \\ %s it\'s'
    samples = [{"id": "A", "chemistry": said, "group": '"'}, {"id": "B", "chemistry": "v3"}]
    text = script_of("script", samples=samples, matrices=["S01.h5ad", "S02.h5ad"],
                     args="--no-embedding", meta={"id": "run.1+a-b"})  # fmt: skip
    run_script(text, tmp_path)
    rows = json.loads((tmp_path / "run.1+a-b/multiqc/matrices_mqc.json").read_bytes())["data"]
    assert unescape(rows["A"]["chemistry"]) == " ".join(said.split())
    assert (unescape(rows["A"]["group"]), rows["B"]["chemistry"]) == ('"', "v3")
    assert not (tmp_path / "PWNED").exists()


def test_the_files_of_the_module_agree() -> None:
    """`meta.yml` names the channels of `main.nf`; versions are those of the program."""
    meta = yaml.safe_load((MODULE / "meta.yml").read_text())
    assert list(meta["output"]) == re.findall(r"emit: (\w+)", MAIN)
    keys = [key for entry in meta["input"][0] for key in entry]
    assert keys == re.findall(r"(?:val|path)\((\w+)", re.findall(r"input:\n\s+tuple (.*)", MAIN)[0])
    assert f"data-portal-summary-stats:{__version__}" in MAIN
    environment = yaml.safe_load((MODULE / "environment.yml").read_text())
    assert {"pip": [f"data-portal-summary-stats=={__version__}"]} in environment["dependencies"]
    tests = (MODULE / "tests" / "main.nf.test").read_text()
    assert re.findall(r'process "(\w+)"', tests) == re.findall(r"process (\w+)", MAIN)
