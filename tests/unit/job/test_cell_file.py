"""The file ``cells.csv.gz``, through the command's own way and joined to obs with pandas."""

from __future__ import annotations

import gzip
import hashlib
import json
import pickle
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

from dpss.cli.config import make_run_settings
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.errors import ColumnError, CorruptMatrixError, FetchError, LimitError
from dpss.formats.annotation.cell_table import InMemoryTable
from dpss.formats.registry import open_matrices
from dpss.job.cell_file import CellFile
from dpss.job.cell_spool import SpooledRecords
from dpss.job.children.isolation import is_matrix
from dpss.job.report.outcomes import Status
from dpss.job.run import run
from dpss.stats.cell_records import HeldRecords
from dpss.stats.kernels import layout
from dpss.storage.content_type import content_type
from dpss.storage.local import LocalStore
from dpss.summary.cells import CELL_COLUMNS
from dpss.website.build import build_website
from tests.libraries import scanpy
from tests.summarise import source_of, summarise_matrix
from tests.unit.small import job_of

N_CELLS, N_GENES = 260, 90
R_FILES = Path(__file__).parents[1] / "formats" / "r_files"


def adata_of(seed: int = 0, n_cells: int = N_CELLS) -> anndata.AnnData:
    """Simulate cells of three kinds, with names that need quotes among the others."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.4, 2.0, (3, N_GENES))[rng.integers(0, 3, n_cells)]
    adata = anndata.AnnData(sp.csr_matrix(rng.poisson(rates).astype(np.float32)))
    adata.var_names = [f"MT-{i}" if i < 6 else f"g{i}" for i in range(N_GENES)]
    names = [f"CELL{i}-1" for i in rng.permutation(n_cells)]
    names[:4] = ["=1+2", 'a "b"', "a,b", "é ü"]
    adata.obs_names = names
    adata.obs["batch"] = rng.choice(["x", "y"], n_cells)
    return adata


def write_h5ad(adata: anndata.AnnData, folder: Path) -> None:
    adata.write_h5ad(folder / "m.h5ad")


def write_csc(adata: anndata.AnnData, folder: Path) -> None:
    other = adata.copy()
    other.X = sp.csc_matrix(other.X)
    other.write_h5ad(folder / "m.h5ad")


def write_zarr(adata: anndata.AnnData, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata.write_zarr(folder / "m.zarr")


def write_loom(adata: anndata.AnnData, folder: Path) -> None:
    with h5py.File(folder / "m.loom", "w") as file:
        file.attrs["LOOM_SPEC_VERSION"] = "3.0.0"
        file["matrix"] = adata.X.toarray().T
        file["col_attrs/CellID"] = np.array(adata.obs_names, dtype=object)
        file["row_attrs/Gene"] = np.array(adata.var_names, dtype=object)
        for name in ("layers", "row_graphs", "col_graphs"):
            file.create_group(name)


def write_mtx(adata: anndata.AnnData, folder: Path) -> None:
    (folder / "m").mkdir()
    with gzip.open(folder / "m" / "matrix.mtx.gz", "wb") as file:
        scipy.io.mmwrite(file, sp.coo_matrix(adata.X.T.astype(int)))
    lines = [f"{name}\n" for name in adata.obs_names]
    (folder / "m" / "barcodes.tsv.gz").write_bytes(gzip.compress("".join(lines).encode()))
    genes = [f"ID{i}\t{name}\tGene Expression\n" for i, name in enumerate(adata.var_names)]
    (folder / "m" / "features.tsv.gz").write_bytes(gzip.compress("".join(genes).encode()))


def write_csv(adata: anndata.AnnData, folder: Path) -> None:
    frame = pd.DataFrame(adata.X.toarray().astype(int).T, adata.var_names, adata.obs_names)
    frame.to_csv(folder / "m.csv.gz")


WRITERS = {
    "h5ad": write_h5ad,
    "csc": write_csc,
    "zarr": write_zarr,
    "loom": write_loom,
    "mtx": write_mtx,
    "csv, genes × cells": write_csv,
}


def publish(folder: Path, **settings: Any) -> tuple[dict[str, Any], Path]:
    """Run the job over a folder of one matrix; return its summary and its table of cells."""
    read = ReadSettings(threads=2, block_bytes=1 << 12, partition_bytes=1 << 13)
    stats = StatSettings(cells=True, **settings)
    job = job_of(folder, LocalStore(folder.parent / "out"), stats=stats)
    recognise = partial(is_matrix, settings=make_run_settings(input="in", output="out"))
    job = replace(job, catalog=replace(job.catalog, recognise=recognise))
    (outcome,) = run(replace(job, pipeline=replace(job.pipeline, read=read))).outcomes
    assert outcome.status is Status.PUBLISHED, outcome.reason
    found = folder.parent / "out" / outcome.folder
    return json.loads((found / "summary.json").read_text()), found / "cells.csv.gz"


def joined(obs: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Join a table of cells to obs as the documents tell."""
    return obs.join(pd.read_csv(path, index_col=0, dtype={"barcode": str}))


@pytest.mark.slow
@pytest.mark.parametrize("form", WRITERS)
def test_it_is_joined_to_obs(form: str, tmp_path: Path) -> None:
    """Of each format: every cell finds its line, with scanpy's numbers."""
    sc = scanpy()

    adata = adata_of()
    (tmp_path / "in").mkdir()
    WRITERS[form](adata, tmp_path / "in")
    summary, path = publish(tmp_path / "in")
    adata.var["mt"] = adata.var_names.str.startswith("MT-")
    oracle = sc.pp.calculate_qc_metrics(adata, qc_vars=["mt"], inplace=False, percent_top=None)[0]
    found = joined(adata.obs, path)
    assert found.index.tolist() == adata.obs_names.tolist()
    for column in ("n_genes_by_counts", "total_counts", "pct_counts_mt"):
        assert found[column].to_numpy() == pytest.approx(oracle[column].to_numpy(), rel=1e-6)
    assert not any("numbers the cells" in check["message"] for check in summary["checks"])
    entry = summary["files"]["cells.csv.gz"]
    assert entry["size_bytes"] == path.stat().st_size
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dgC_plain.rds", "seurat4.Robj", "sce.rds"])
def test_cells_of_r_are_joined_by_their_names(name: str, tmp_path: Path) -> None:
    """The names are those of the object, in its order."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes((R_FILES / name).read_bytes())
    summary, path = publish(tmp_path / "in")
    found = pd.read_csv(path, index_col=0)
    assert len(found) == summary["n_cells"]
    assert not any(str(each).isdigit() for each in found.index)
    assert found["total_counts"].sum() == summary["total_counts"]
    assert found.index.is_unique


@pytest.mark.slow
def test_clusters_and_places_are_those_of_the_embedding(tmp_path: Path) -> None:
    """The sizes of clusters are those of clusters.csv; the places are on the map."""
    (tmp_path / "in").mkdir()
    write_h5ad(adata_of(), tmp_path / "in")
    _, path = publish(tmp_path / "in", embedding=True)
    found = pd.read_csv(path, index_col=0)
    clusters = pd.read_csv(path.with_name("clusters.csv"), index_col=0)
    assert found["cluster"].value_counts().sort_index().tolist() == clusters["n_cells"].tolist()
    assert found[["umap_1", "umap_2"]].notna().all().all()


@pytest.mark.slow
def test_pages_lead_to_the_table(tmp_path: Path) -> None:
    """It is among the downloads of a matrix that has one, and is no text to a browser."""
    (tmp_path / "in").mkdir()
    write_h5ad(adata_of(), tmp_path / "in")
    _, path = publish(tmp_path / "in")
    build_website(LocalStore(tmp_path / "out"))
    project = path.relative_to(tmp_path / "out").parts[0]
    page = (tmp_path / "out" / project / "index.html").read_text()
    assert 'cells.csv.gz" download>' in page
    assert content_type(path.name) == "application/gzip"


@pytest.mark.slow
def test_only_kept_cells_have_a_line(tmp_path: Path) -> None:
    """In the order of the file; obs keeps the others, undefined."""
    adata = adata_of()
    (tmp_path / "in").mkdir()
    write_h5ad(adata, tmp_path / "in")
    least = int(np.median(adata.X.getnnz(axis=1)))
    summary, path = publish(tmp_path / "in", min_gene_count=least)
    kept = adata.X.getnnz(axis=1) >= least
    assert 0 < kept.sum() < N_CELLS
    lines = pd.read_csv(path, index_col=0, dtype={"barcode": str})
    assert lines.index.tolist() == adata.obs_names[kept].tolist()
    assert len(lines) == summary["n_cells_kept"]
    assert joined(adata.obs, path)["total_counts"].isna().to_numpy().tolist() == (~kept).tolist()


@pytest.mark.slow
def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    """Of any number of threads, cut in any way, at any time."""
    (tmp_path / "in").mkdir()
    write_h5ad(adata_of(), tmp_path / "in")
    _, path = publish(tmp_path / "in", embedding=True)
    first = path.read_bytes()
    assert first[4:8] == bytes(4)  # No time is in gzip's header.
    path.unlink()
    _, path = publish(tmp_path / "in", embedding=True)
    assert path.read_bytes() == first


@pytest.mark.slow
def test_a_published_table_that_is_gone_is_made_again(tmp_path: Path) -> None:
    """A run without --cells has none, and one with it is not current without the file."""
    (tmp_path / "in").mkdir()
    write_h5ad(adata_of(), tmp_path / "in")
    store = LocalStore(tmp_path / "out")

    def status(**settings: Any) -> Status:
        (outcome,) = run(job_of(tmp_path / "in", store, stats=StatSettings(**settings))).outcomes
        return outcome.status

    assert status() is Status.PUBLISHED
    assert not list((tmp_path / "out").rglob("cells.csv.gz"))
    assert status(cells=True) is Status.PUBLISHED
    assert status(cells=True) is Status.UNCHANGED
    (path,) = (tmp_path / "out").rglob("cells.csv.gz")
    path.unlink()
    assert status(cells=True) is Status.PUBLISHED
    assert path.exists()


class Broken:
    """A table of cells whose names end, go on too long, or can't be read."""

    def __init__(self, parts: Callable[[], Iterator[Any]]) -> None:
        self._parts = parts

    def columns(self) -> list[str]:
        return []

    def labels(self, column: str) -> Iterator[Any]:
        raise ColumnError(column)

    def names(self) -> Iterator[Any]:
        return self._parts()


def damaged() -> Iterator[Any]:
    yield np.array(["a", "b"], dtype=object)
    raise CorruptMatrixError("the heap is damaged")


def refused() -> Iterator[Any]:
    yield np.array(["a"], dtype=object)
    raise FetchError("the server breaks off")


def summarised(path: Path, n_cells: int = 5) -> tuple[CellFile, Any]:
    """Return a table of cells that are measured, and their summary."""
    adata = adata_of(n_cells=n_cells)
    adata.write_h5ad(path / "m.h5ad")
    (matrix,) = open_matrices(source_of(path / "m.h5ad"))
    file = CellFile(path / "0.csv.gz")
    summary = summarise_matrix(matrix)
    totals = np.asarray(adata.X.sum(axis=1)).ravel()
    measures = np.zeros((n_cells, layout.N_MEASURES))
    measures[:, layout.N_GENES_BY_COUNTS] = adata.X.getnnz(axis=1)
    measures[:, layout.TOTAL_COUNTS] = totals
    file.records.add(0, measures)
    return file, summary


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (None, "no names of cells are read of this format"),
        (InMemoryTable({}), "there are no names of cells"),
        (InMemoryTable({}, ["a", "b"]), "there are 2 names for 5 cells"),
        (InMemoryTable({}, list("abcdefg")), "more names than the 5 cells"),
        (Broken(damaged), "the heap is damaged"),
    ],
)
def test_cells_without_names_are_numbered(cells: Any, why: str, tmp_path: Path) -> None:
    """From 0, as AnnData numbers them; a check says so, and why."""
    file, summary = summarised(tmp_path)
    ((name, status, said),) = file.write(cells, summary)
    assert (name, status) == ("cell_names", "pass")
    assert why in said
    assert pd.read_csv(file.path)["barcode"].tolist() == [0, 1, 2, 3, 4]
    assert [*tmp_path.glob("*.records"), *tmp_path.glob("*.places")] == []


def test_a_server_that_breaks_off_is_no_lack_of_names(tmp_path: Path) -> None:
    """The matrix fails, and is tried again by the next run."""
    file, summary = summarised(tmp_path)
    with pytest.raises(FetchError, match="breaks off"):
        file.write(Broken(refused), summary)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    file, summary = summarised(tmp_path)

    def full(self: Any, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gzip.GzipFile, "write", full)
    with pytest.raises(LimitError, match="--scratch"):
        file.write(InMemoryTable({}, list("abcde")), summary)


def test_spooled_records_are_in_memory_elsewhere(tmp_path: Path) -> None:
    """What another process held is put to its place when it comes back."""
    spool = SpooledRecords(tmp_path / "spool")
    sent = pickle.loads(pickle.dumps(spool))
    assert isinstance(sent, HeldRecords)
    measures = np.arange(4.0 * layout.N_MEASURES).reshape(4, -1)
    sent.add(2, measures[2:])
    spool.add(0, measures[:2])
    spool.merge(sent)
    spool.merge(spool.begin())
    assert spool.read(0, 9)["total"].tolist() == measures[:, layout.TOTAL_COUNTS].tolist()
    assert spool.read(2, 1)["n_genes"].tolist() == [measures[2, 0]]


class Endless:
    """As many names as are asked for, none of them held."""

    def __init__(self, n_cells: int) -> None:
        self.n_cells = n_cells

    def names(self) -> Iterator[Any]:
        for start in range(0, self.n_cells, 1 << 14):
            stop = min(start + (1 << 14), self.n_cells)
            yield np.array([f"BARCODE-{i}" for i in range(start, stop)], dtype=object)


def peak_of_writing(folder: Path, n_cells: int) -> int:
    """Return the most memory that Python's objects take while the table is written."""
    folder.mkdir()
    file, summary = summarised(folder)
    summary = replace(summary, n_cells=n_cells)
    for start in range(0, n_cells, 1 << 14):
        file.records.add(start, np.ones((min(1 << 14, n_cells - start), layout.N_MEASURES)))
    tracemalloc.start()
    try:
        assert not file.write(Endless(n_cells), summary)  # type: ignore[arg-type]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_does_not_depend_on_the_cells(tmp_path: Path) -> None:
    """Names and records are read in pieces: 40,000 and 400,000 cells take the same."""
    small, large = (peak_of_writing(tmp_path / str(n), n) for n in (40_000, 400_000))
    assert large < 1.1 * small
    assert large < 24 << 20


def test_columns_are_documented() -> None:
    """In the order in which they are written."""
    text = (Path(__file__).parents[3] / "docs" / "reference" / "files.md").read_text("utf-8")
    start = text.index("## `cells.csv.gz`")
    places = [text.index(f"`{column}`", start) for column in CELL_COLUMNS]
    assert places == sorted(places)
