"""Entries stored twice: added up in every format, as scipy adds them up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import LimitError
from dpss.formats.anndata import open_anndata
from dpss.formats.arrays import sparse as sparse_hdf5
from dpss.formats.arrays.gathered import GatheredLayer
from dpss.formats.arrays.repeats import distinct_runs
from dpss.formats.base import Layer
from dpss.formats.mtx.order import Order
from tests.examples import examples
from tests.summarise import summarise
from tests.unit.formats.layers import dense, open_path

pytestmark = pytest.mark.filterwarnings(
    "ignore:Consolidated metadata", "ignore:Writing zarr v2 data"
)

N_CELLS, N_GENES = 23, 17
FORMATS = ("csr h5ad", "csc h5ad", "csr zarr", "csc zarr", "10x h5", "memory csr", "memory csc")


def with_repeats(seed: int, n_entries: int = 400) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Return a matrix with entries stored twice in any order, and what it stands for."""
    rng = np.random.default_rng(seed)
    cells = np.sort(rng.integers(0, N_CELLS, n_entries))
    cells[cells == 3] = 4
    indptr = np.searchsorted(cells, np.arange(N_CELLS + 1))
    genes = rng.integers(0, N_GENES, n_entries)
    data = rng.integers(1, 60, n_entries).astype(np.float32)
    stored = sp.csr_matrix((data, genes, indptr), shape=(N_CELLS, N_GENES))
    summed = stored.copy()
    summed.sum_duplicates()
    return stored, summed


def flipped(stored: sp.csr_matrix) -> sp.csc_matrix:
    """Return the same entries gene by gene, none added up, in no order of cells."""
    cells = np.repeat(np.arange(stored.shape[0]), np.diff(stored.indptr))
    order = np.argsort(stored.indices[::-1], kind="stable")
    genes = stored.indices[::-1][order]
    indptr = np.searchsorted(genes, np.arange(stored.shape[1] + 1))
    parts = stored.data[::-1][order], cells[::-1][order], indptr
    return sp.csc_matrix(parts, shape=stored.shape)


def names(n: int) -> pd.DataFrame:
    """Return a table of so many names."""
    return pd.DataFrame(index=[f"GENE{i}" for i in range(n)])


def open_as(kind: str, stored: sp.csr_matrix, folder: Path) -> Layer:
    """Write a matrix, repeats and all, and open it."""
    matrix = flipped(stored) if "csc" in kind else stored
    adata = anndata.AnnData(matrix, obs=names(stored.shape[0]), var=names(stored.shape[1]))
    if kind.startswith("memory"):
        return open_anndata(adata).layers[0]
    if kind.endswith("h5ad"):
        adata.write_h5ad(folder / "m.h5ad")
        path = folder / "m.h5ad"
    elif kind.endswith("zarr"):
        with anndata.settings.override(zarr_write_format=3, auto_shard_zarr_v3=False):
            adata.write_zarr(folder / "m.zarr")
        path = folder / "m.zarr"
    else:
        path = folder / "m.h5"
        write_tenx(path, stored)
    return open_path(path)[0].layers[0]


def write_tenx(path: Path, stored: sp.csr_matrix) -> None:
    """Write an h5 file as Cell Ranger does."""
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(stored, name)
        group["shape"] = stored.shape[::-1]
        group["barcodes"] = np.array([f"B{i}" for i in range(stored.shape[0])], dtype="S")
        genes = np.array([f"GENE{i}" for i in range(stored.shape[1])], dtype="S")
        for name in ("id", "name"):
            group[f"features/{name}"] = genes


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", FORMATS)
def test_repeats_are_added_up(kind: str, seed: int, tmp_path: Path) -> None:
    """Every reader gives what scipy's ``sum_duplicates`` gives, each entry once."""
    stored, summed = with_repeats(seed)
    assert stored.nnz > summed.nnz
    layer = open_as(kind, stored, tmp_path)
    assert np.array_equal(dense(layer), summed.toarray())
    assert np.array_equal(dense(layer, 1 << 20, 1 << 20), summed.toarray())


@pytest.mark.parametrize("kind", FORMATS[:5])
def test_a_summary_counts_each_place_once(kind: str, tmp_path: Path) -> None:
    """Cells per gene never exceed the cells, and agree with MatrixMarket's reader."""
    stored, summed = with_repeats(7, 2000)
    open_as(kind, stored, tmp_path)
    (path,) = tmp_path.iterdir()
    summary = summarise(path)
    scipy.io.mmwrite(tmp_path / "matrix.mtx", stored.T.tocoo())
    assert summary.n_nonzero == summed.nnz
    assert summary.total_counts == summed.sum()
    assert np.array_equal(summary.genes.n_cells_by_counts, (summed.toarray() > 0).sum(axis=0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS[:5])
def test_a_cell_with_more_entries_than_genes_is_added_up_in_pieces(
    kind: str, tmp_path: Path
) -> None:
    """What a few bytes claim costs no memory: such a cell is never held whole."""
    rng = np.random.default_rng(3)
    lengths = np.array([2, 5000, 0, 9])
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    genes, data = rng.integers(0, 9, indptr[-1]), np.ones(indptr[-1], dtype=np.float32)
    stored = sp.csr_matrix((data, genes, indptr), shape=(4, 9))
    summed = stored.copy()
    summed.sum_duplicates()
    layer = open_as(kind, stored, tmp_path)
    assert np.array_equal(dense(layer), summed.toarray())
    for partition in layer.partitions(1 << 12):
        assert all(len(block.data) <= 128 for block in layer.entry_blocks(partition, 1 << 8))


@pytest.mark.parametrize("ascending", [True, False])
def test_large_genes_come_in_pieces(
    ascending: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gene too large to be held comes in pieces, or added up where its cells don't ascend."""
    monkeypatch.setattr(sparse_hdf5, "_HELD_VALUES", 100)
    rng = np.random.default_rng(4)
    counts = rng.poisson(3.0, (500, 5)).astype(np.float32)
    matrix = sp.csc_matrix(counts)
    if not ascending:
        for begin, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
            order = rng.permutation(end - begin) + begin
            matrix.indices[begin:end] = matrix.indices[order]
            matrix.data[begin:end] = matrix.data[order]
    anndata.AnnData(matrix, obs=names(500), var=names(5)).write_h5ad(tmp_path / "m.h5ad")
    assert np.array_equal(dense(open_path(tmp_path / "m.h5ad")[0].layers[0]), counts)


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.lists(st.integers(-1, 6), max_size=12), min_size=1, max_size=6))
def test_any_runs(runs: list[list[int]]) -> None:
    """Any runs, with indices outside as well, are as if each place were added up by hand."""
    indptr = np.cumsum([0, *map(len, runs)])
    minor = np.array([i for run in runs for i in run], dtype=np.int32)
    data = np.arange(1, len(minor) + 1, dtype=np.int32)
    got = distinct_runs((indptr, minor, data), 6)
    inside = (minor >= 0) & (minor < 6)
    major = np.repeat(np.arange(len(runs)), np.diff(indptr))
    expected = sp.coo_matrix((data[inside], (major[inside], minor[inside])), (len(runs), 6))
    kept = (got[1] >= 0) & (got[1] < 6)
    places = np.repeat(np.arange(len(runs)), np.diff(got[0]))[kept] * 6 + got[1][kept]
    assert len(set(places.tolist())) == len(places)
    found = np.bincount(places, weights=got[2][kept], minlength=len(runs) * 6)
    assert np.array_equal(found.reshape(-1, 6), expected.toarray())
    assert int((~kept).sum()) > 0 or bool(inside.all())


@pytest.mark.parametrize("seed", range(4))
def test_probes_are_added_up_by_gene(seed: int, tmp_path: Path) -> None:
    """A file of probes gives, per gene and cell, pandas' sum over the gene's probes."""
    rng = np.random.default_rng(seed)
    n_probes = 40
    gene = rng.integers(0, N_GENES, n_probes)
    x = sp.random(N_CELLS, n_probes, 0.4, "csr", random_state=rng)
    x.data = np.ceil(x.data * 9)
    path = tmp_path / "raw_probe_bc_matrix.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(x, name).astype(np.int32)
        group["shape"] = np.array([n_probes, N_CELLS], dtype=np.int32)
        group["barcodes"] = np.array([f"C{i}".encode() for i in range(N_CELLS)])
        features = group.create_group("features")
        ids = [f"ENSG{g:011d}" for g in gene]
        features["id"] = np.array([f"{i}|G|{k:07x}".encode() for k, i in enumerate(ids)])
        features["name"] = features["id"][()]
        features["gene_id"] = np.array([i.encode() for i in ids])
        features["gene_name"] = np.array([f"NAME{g}".encode() for g in gene])
        features["probe_region"] = np.array([b"spliced"] * n_probes)
        features["feature_type"] = np.array([b"Gene Expression"] * n_probes)
    (matrix,) = open_path(path)
    (layer,) = matrix.layers
    summed = pd.DataFrame(x.toarray().T, index=ids).groupby(level=0, sort=False).sum()
    assert layer.genes.ids.tolist() == summed.index.tolist()
    assert np.array_equal(dense(layer), summed.to_numpy().T)
    assert "probes" in [each.topic for each in matrix.decisions]


def test_antibodies_among_probes_stay_antibodies(tmp_path: Path) -> None:
    """Features of another type are neither added up nor counted as genes."""
    path = tmp_path / "raw_probe_bc_matrix.h5"
    x = sp.csr_matrix(np.arange(1, 13).reshape(3, 4))
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(x, name).astype(np.int32)
        group["shape"] = np.array([4, 3], dtype=np.int32)
        group["barcodes"] = np.array([b"a", b"b", b"c"])
        features = group.create_group("features")
        features["id"] = np.array([b"E1|A|0", b"E1|A|1", b"CD3", b"CD4"])
        features["name"] = features["id"][()]
        features["gene_id"] = np.array([b"E1", b"E1", b"", b""])
        features["gene_name"] = np.array([b"A", b"A", b"", b""])
        features["probe_region"] = np.array([b"spliced", b"spliced", b"", b""])
        features["filtered_probes"] = np.array([True, False, True, True])
        features["feature_type"] = np.array([b"Gene Expression"] * 2 + [b"Antibody Capture"] * 2)
    (matrix,) = open_path(path)
    (layer,) = matrix.layers
    assert layer.genes.ids.tolist() == ["E1", "CD3", "CD4"]
    assert layer.genes.is_gene.tolist() == [True, False, False]
    assert np.array_equal(dense(layer), [[3, 3, 4], [11, 7, 8], [19, 11, 12]])
    (told,) = [each for each in matrix.decisions if each.topic == "probes"]
    assert "1 probes that Cell Ranger filters out" in told.evidence


def write_mtx(path: Path, stored: sp.csr_matrix, order: str, seed: int = 0) -> None:
    """Write genes × cells, repeats and all, in some order; ``late`` breaks the order of genes."""
    entries = stored.tocoo()
    cells, genes, values = entries.row, entries.col, entries.data.astype(int)
    by_gene = np.lexsort((cells, genes))
    chosen = {
        "cells": np.lexsort((genes, cells)),
        "genes": by_gene,
        "none": np.random.default_rng(seed).permutation(len(cells)),
        "late": np.concatenate([by_gene[1:], by_gene[:1]]),
    }[order]
    lines = [f"{genes[k] + 1} {cells[k] + 1} {values[k]}\n" for k in chosen]
    head = "%%MatrixMarket matrix coordinate integer general\n"
    head += f"{stored.shape[1]} {stored.shape[0]} {len(lines)}\n"
    path.write_text(head + "".join(lines))


def check_sums(path: Path, summed: sp.csr_matrix) -> None:
    """Compare a file's summary with the matrix that it stands for."""
    summary, table = summarise(path), summed.toarray()
    assert summary.n_nonzero == (table > 0).sum()
    assert summary.total_counts == table.sum()
    assert np.array_equal(summary.genes.n_cells_by_counts, (table > 0).sum(axis=0))
    assert summary.median_genes_per_cell == np.median((table > 0).sum(axis=1))
    assert summary.median_counts_per_cell == np.median(table.sum(axis=1))


@pytest.mark.slow
@given(
    order=st.sampled_from(["cells", "genes", "none", "late"]),
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 390),
)
@settings(deadline=None, max_examples=40)
def test_matrix_market_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, order: str, seed: int, n: int
) -> None:
    """Sorted by cell, by gene, not at all, or not to the end: each place counts once."""
    stored, summed = with_repeats(seed, n + 1)
    path = tmp_path_factory.mktemp("mtx") / "matrix.mtx"
    write_mtx(path, stored, order, seed)
    check_sums(path, summed)


@pytest.mark.parametrize("order", ["genes", "none", "late"])
def test_the_order_may_break_after_what_is_looked_at(order: str, tmp_path: Path) -> None:
    """A repeat behind the first 256 KiB is found out; numbers are those of scipy."""
    rng = np.random.default_rng(5)
    distinct = sp.random(900, 60, 0.8, format="csr", random_state=5)
    distinct.data = rng.integers(1, 9, distinct.nnz).astype(float)
    last = sp.csr_matrix(([7.0], ([899], [59])), shape=distinct.shape)
    stored = sp.coo_matrix(
        (
            np.concatenate([distinct.data, last.data]),
            (
                np.concatenate([distinct.tocoo().row, [899]]),
                np.concatenate([distinct.tocoo().col, [59]]),
            ),
        ),
        distinct.shape,
    )
    write_mtx(tmp_path / "matrix.mtx", stored, order)
    assert (tmp_path / "matrix.mtx").stat().st_size > 1 << 18
    check_sums(tmp_path / "matrix.mtx", sp.csr_matrix(distinct + last))


@pytest.mark.slow
@given(held=st.integers(30, 400), seed=st.integers(0, 99), block_bytes=st.integers(1, 4000))
@settings(deadline=None, max_examples=40)
def test_any_range_of_cells_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, held: int, seed: int, block_bytes: int
) -> None:
    """However many entries are held at a time; a block of more than was asked for is one cell."""
    stored, summed = with_repeats(seed, 200)
    path = tmp_path_factory.mktemp("mtx") / "matrix.mtx"
    write_mtx(path, stored, "none", seed)
    layer = open_path(path)[0].layers[0]
    gathered = GatheredLayer(replace(layer, order=Order.NONE), str(path), held)
    assert np.array_equal(dense(gathered), summed.toarray())
    blocks = list(gathered.cell_blocks(range(N_CELLS), block_bytes))
    assert sum(block.n_cells for block in blocks) == N_CELLS
    assert all(
        len(b.data) * 12 <= block_bytes or np.count_nonzero(np.diff(b.indptr)) == 1 for b in blocks
    )


def test_too_many_readings_are_refused(tmp_path: Path) -> None:
    """The error says what to do."""
    stored, _ = with_repeats(1, 390)
    write_mtx(tmp_path / "m.mtx", stored, "none")
    layer = open_path(tmp_path / "m.mtx")[0].layers[0]
    gathered = GatheredLayer(replace(layer, order=Order.NONE), "m.mtx", 2)
    with pytest.raises(LimitError, match=r"390 entries stand in no order.*sort them by cell"):
        list(gathered.cell_blocks(range(N_CELLS), 1 << 20))
