"""The simulated portal: quick, the same each time, and never taken for real."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pytest

from dpss.demo.cells import Tissue, simulate
from dpss.demo.files import write_h5ad_csc
from dpss.demo.portal import MARK, PROJECTS, DemoCatalog, write_matrices
from dpss.engine.settings import StatSettings
from dpss.job.run import run
from tests.memory_store import MemoryStore
from tests.summarise import summarise
from tests.unit.small import job_of

SMALL = Tissue(("neuron", "astrocyte"), 120, 400, 900, 0.1)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's matrices."""
    folder = tmp_path_factory.mktemp("demo")
    write_matrices(folder, 1)
    return folder


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(portal: Path, tmp_path: Path) -> None:
    """And another seed others."""
    write_matrices(tmp_path / "again", 1)
    write_matrices(tmp_path / "other", 2)
    files = [path.relative_to(portal) for path in portal.rglob("*") if path.is_file()]
    assert len(files) > 8
    for file in files:
        assert (portal / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
        if file.suffix == ".h5ad":
            assert (portal / file).read_bytes() != (tmp_path / "other" / file).read_bytes()


@pytest.mark.slow
def test_what_is_there_is_not_written_again(portal: Path) -> None:
    """A second demo leaves the matrices as they are, so that the job finds them unchanged."""
    times = {path: path.stat().st_mtime_ns for path in portal.rglob("*")}
    write_matrices(portal, 1)
    assert {path: path.stat().st_mtime_ns for path in portal.rglob("*")} == times


@pytest.mark.slow
def test_every_matrix_is_summarised_and_said_to_be_simulated(portal: Path) -> None:
    """All formats are read; titles and ``summary.json`` say what the data are."""
    store = MemoryStore()
    stats = StatSettings(embedding=False)
    job = job_of(portal, store, catalog=DemoCatalog(portal), stats=stats)
    object.__setattr__(job.pipeline, "demo", True)
    report = run(job)
    assert report.exit_code == 0, report
    assert len(report.published) == sum(len(about.matrices) for about in PROJECTS.values())
    formats = set()
    for folder in report.published:
        document = json.loads(store.read(f"{folder}/summary.json"))
        assert document["simulated"] is True
        assert "simulated" in document["project"]["title"]
        assert document["values"] == "counts"
        assert document["median_pct_counts_mt"] > 0
        formats.add(document["matrix"]["format"])
    assert formats >= {"h5ad", "10x h5", "mtx"}
    assert json.loads((portal / MARK).read_text())["simulated"] is True


def test_it_looks_like_single_cell_data() -> None:
    """Heavy-tailed genes, many zeros, more variance than Poisson's, markers that stand out."""
    drawn = simulate(SMALL, 1)
    matrix = drawn.matrix
    totals = np.sort(matrix.sum(axis=0))[::-1]
    assert totals[:20].sum() > 0.3 * totals.sum()
    assert 0.3 < (matrix == 0).mean() < 0.95
    mean, variance = matrix.mean(axis=0), matrix.var(axis=0)
    often = mean > 1
    assert np.median(variance[often] / mean[often]) > 1.5
    assert len(set(drawn.symbols)) == len(drawn.symbols) == matrix.shape[1]


@pytest.mark.slow
def test_the_most_variable_genes_are_the_markers(tmp_path: Path) -> None:
    """The figure shows something: what tells the simulated kinds of cells apart."""
    from dpss.demo.genes import MARKERS

    (_, _, tissue), *_ = PROJECTS["heart"].matrices
    write_h5ad_csc(tmp_path / "a.h5ad", simulate(tissue, 1))
    summary = summarise(tmp_path / "a.h5ad", layer="counts")
    best = summary.gene_labels(summary.top_variable())
    markers = {name for kind in tissue.kinds for name in MARKERS[kind].split()}
    assert len(markers & set(best)) >= 10


def test_other_programs_read_the_files(tmp_path: Path) -> None:
    """anndata reads our h5ad as it reads its own."""
    drawn = simulate(SMALL, 1)
    write_h5ad_csc(tmp_path / "a.h5ad", drawn)
    adata = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert (adata.layers["counts"].toarray() == drawn.matrix).all()
    assert list(adata.var_names) == drawn.symbols
