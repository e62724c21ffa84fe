"""What ``dpss inspect`` prints of a good file, a broken one and none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dpss.cli.inspection import print_inspections
from dpss.formats.options import OpenOptions
from tests.unit.small import counts, write_h5ad_csr


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Return a matrix, a damaged one and one that is not there."""
    write_h5ad_csr(tmp_path / "good.h5ad", counts())
    (tmp_path / "bad.h5ad").write_bytes((tmp_path / "good.h5ad").read_bytes()[:900])
    return [str(tmp_path / name) for name in ("good.h5ad", "bad.h5ad", "none.h5ad")]


def test_each_file_is_told_of_and_failures_counted(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One bad file stops no other; the errors go to stderr."""
    asked: list[None] = []
    means = OpenOptions(sample_only=True)
    n_failed = print_inspections(files, means, None, lambda: asked.append(None), as_json=False)
    told = capsys.readouterr()
    assert (n_failed, len(asked)) == (2, 3)
    assert "30 cells × 25 features; layers: X: counts" in told.out
    assert "bad.h5ad" in told.err
    assert "none.h5ad" in told.err


def test_json_is_one_document_of_all(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each file has its entry, the bad ones with their error."""
    print_inspections(files, OpenOptions(sample_only=True), None, lambda: None, as_json=True)
    told = capsys.readouterr()
    good, bad, none = json.loads(told.out)
    assert (good["n_cells"], good["n_features"]) == (30, 25)
    assert all(entry["error"] for entry in (bad, none))
    assert told.err == ""
