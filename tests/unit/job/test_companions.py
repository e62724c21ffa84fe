"""A sample's folder, from the matrix to the page."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from dpss.cli.commands import commands
from dpss.cli.entry import execute
from dpss.demo.cells import Counts
from dpss.website.schemas import schema
from tests.unit.small import write_tenx_h5


def write_sample(folder: Path, seed: int, depth: float = 40.0, mito: float = 1.0) -> None:
    """Write what Cell Ranger leaves of one sample: 60 cells among 300 barcodes."""
    rng = np.random.default_rng(seed)
    weights = np.where(np.arange(40) < 5, mito, 1.0)
    cells = rng.poisson(depth * weights, (60, 40))
    empty = rng.poisson(0.05 * weights, (240, 40))
    names = ["MT-ND1", "MT-ND2", "MT-CO1", "MT-CO2", "MT-CYB", *(f"G{i}" for i in range(35))]
    ids = [f"ENSG{i:011d}" for i in range(40)]
    outs = folder / "outs"
    outs.mkdir(parents=True)
    for name, matrix in (("raw", np.vstack([cells, empty])), ("filtered", cells)):
        barcodes = [f"C{i}-1" for i in range(len(matrix))]
        drawn = Counts(matrix.astype(np.int32), names, ids, barcodes)
        write_tenx_h5(outs / f"{name}_feature_bc_matrix.h5", drawn)
    (outs / "metrics_summary.csv").write_text(
        'Estimated Number of Cells,Mean Reads per Cell,Sequencing Saturation\n60,"51,000",71.5%\n'
    )


@pytest.mark.slow
def test_samples_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One matrix each, by its name; the bad ones are marked, and the pipeline's numbers shown."""
    changes = {4: {"depth": 2.0}, 6: {"mito": 8.0}}
    for number in range(1, 9):
        write_sample(tmp_path / "run" / f"S{number:02d}", number, **changes.get(number, {}))
    output = tmp_path / "out"
    command = ["run", "--input", str(tmp_path / "run"), "--output", str(output), "--no-embedding"]
    assert execute(commands, "dpss", command) == 0
    shown = capsys.readouterr().out
    assert "8 published, 0 unchanged, 0 skipped, 0 failed" in shown
    (report,) = (output / "runs").glob("2*.json")
    matrices = json.loads(report.read_text())["matrices"]
    assert {each["matrix"] for each in matrices} == {f"S{n:02d}" for n in range(1, 9)}
    assert {each["matrix"] for each in matrices if each["apart"]} == {"S04", "S06"}
    document = json.loads((output / "run/S01/summary.json").read_text())
    jsonschema.validate(document, schema("summary"))
    assert document["n_cells"] == 60
    pipeline = document["pipeline"]
    assert pipeline["metrics"] == {
        "estimated_cells": 60.0,
        "sequencing_saturation": 71.5,
        "mean_reads_per_cell": 51000.0,
    }
    assert pipeline["unfiltered"]["n_barcodes"] == 300
    assert 99 < pipeline["unfiltered"]["pct_counts_in_cells"] < 100
    page = (output / "run/index.html").read_text()
    assert page.count("Cell Ranger’s own numbers") == 8
    assert "Sequencing saturation" in (output / "run/S01/report.html").read_text()
    # A second run compares new ones with those that are unchanged.
    write_sample(tmp_path / "run/S09", 9, depth=2.0)
    assert execute(commands, "dpss", command) == 0
    shown = capsys.readouterr().out
    assert "1 published, 8 unchanged" in shown
    assert "run/S09: " in shown


@pytest.mark.slow
def test_damaged_files_beside_a_matrix_are_warnings(tmp_path: Path) -> None:
    """The matrix is published; a check names the file that can't be read."""
    write_sample(tmp_path / "S01", 1)
    (tmp_path / "S01/outs/metrics_summary.csv").write_bytes(b"\xff\xfe")
    (tmp_path / "S01/outs/raw_feature_bc_matrix.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    output = tmp_path / "out"
    command = ["summarize", str(tmp_path / "S01"), "--output", str(output), "--no-embedding"]
    assert execute(commands, "dpss", command) == 0
    document = json.loads((output / "S01/summary.json").read_text())
    faults = [each for each in document["checks"] if each["name"] == "pipeline_files"]
    assert [each["status"] for each in faults] == ["warn", "warn"]
    assert "metrics_summary.csv can't be read" in faults[0]["message"]
    assert "raw_feature_bc_matrix.h5 can't be read" in faults[1]["message"]
    assert document["pipeline"]["unfiltered"] is None
