"""An archive through the whole job: each matrix in it is published, and nothing stays behind."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from dpss.composing import is_matrix
from dpss.outcomes import Status
from dpss.run import run
from dpss.settings import ReadSettings, StatSettings
from dpss.stores.local import LocalStore
from tests.unit.formats.packing import GEO_NAMES, geo_raw, table, tar, tar_gz
from tests.unit.small import job_of


@pytest.mark.parametrize("pack", [tar, tar_gz])
def test_each_matrix_of_an_archive_is_published(pack, tmp_path: Path, monkeypatch) -> None:
    """A sample each, under the archive's name and its own; what is no matrix is skipped."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    path = tmp_path / "in" / "GSE9_RAW.tar"
    path.parent.mkdir()
    path.write_bytes(pack(geo_raw()))
    assert is_matrix(path)
    job = job_of(path.parent, LocalStore(tmp_path / "out"))
    job = replace(job, catalog=replace(job.catalog, recognise=is_matrix))
    report = run(job)
    status = {outcome.matrix: outcome.status for outcome in report.outcomes}
    assert status.pop("GSE9_RAW.filelist.txt") is Status.SKIPPED
    assert status == {f"GSE9_RAW.{name}": Status.PUBLISHED for name in GEO_NAMES}
    for name in GEO_NAMES:
        summary = tmp_path / "out" / "GSE9_RAW" / f"GSE9_RAW.{name}" / "summary.json"
        assert json.loads(summary.read_text())["n_cells"] == 23
    assert list((tmp_path / "temporary").iterdir()) == []
    again = run(job)
    assert {outcome.status for outcome in again.outcomes} == {Status.UNCHANGED}


def test_orientation_and_memory_reach_the_readers(tmp_path: Path) -> None:
    """A table is read as it is said to be, whatever its names say."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "t.csv").write_bytes(table())
    job = job_of(
        tmp_path / "in",
        LocalStore(tmp_path / "out"),
        stats=StatSettings(orientation="cells-by-genes"),
    )
    job = replace(job, catalog=replace(job.catalog, recognise=is_matrix))
    (outcome,) = run(job).outcomes
    assert (outcome.n_cells, outcome.n_genes) == (17, 23)
    job = replace(job, pipeline=replace(job.pipeline, read=ReadSettings(memory_bytes=1000)))
    rds = Path(__file__).parent / "formats" / "r_files" / "dgC_plain.rds"
    (tmp_path / "in" / "x.rds").write_bytes(rds.read_bytes())
    reasons = {outcome.matrix: outcome.reason for outcome in run(job).outcomes}
    assert "--memory" in reasons["x"]
