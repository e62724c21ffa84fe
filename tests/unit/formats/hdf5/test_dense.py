"""Dense HDF5 in any chunking: the same cells, in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from dpss.errors import CorruptMatrixError, MatrixError, NoMatrixError, ReaderFaultError
from dpss.formats.annotation.gene_table import number_genes
from dpss.formats.hdf5 import streamed as streamed_hdf5
from dpss.formats.hdf5.dense import dense_layer
from dpss.formats.hdf5.file import Hdf5File
from dpss.formats.registry import open_matrices
from dpss.storage.local import LocalFile
from tests.summarise import summarise
from tests.unit.formats.hdf5.test_h5ad import gather

CELLS, GENES = 90, 50


def counts() -> np.ndarray:
    """Draw counts, most of them zero."""
    rng = np.random.default_rng(5)
    return rng.poisson(0.7, (CELLS, GENES)).astype("f4")


def write(path: Path, **layout: Any) -> Path:
    """Write a dense h5ad whose X is laid out as asked."""
    var = pd.DataFrame(index=[f"G{i}" for i in range(GENES)])
    anndata.AnnData(counts(), var=var).write_h5ad(path)
    with h5py.File(path, "r+") as h5:
        attributes = dict(h5["X"].attrs)
        del h5["X"]
        h5.create_dataset("X", data=counts(), **layout).attrs.update(attributes)
    return path


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"chunks": (CELLS, 1), "compression": "gzip"},
        {"chunks": (1, GENES), "compression": "gzip"},
        {"chunks": (7, 9), "compression": "lzf", "shuffle": True},
        {"chunks": (CELLS, GENES), "compression": "gzip"},
        {"chunks": (64, 64), "maxshape": (None, None), "compression": "gzip", "shuffle": True},
    ],
    ids=str,
)
def test_any_chunking_gives_the_same(layout: dict[str, Any], tmp_path: Path) -> None:
    """Contiguous, by rows, by columns, by tiles, as one chunk, with chunks beyond the shape."""
    (matrix,) = open_matrices(LocalFile(write(tmp_path / "x.h5ad", **layout)))
    for budget in (1 << 20, 500):
        np.testing.assert_array_equal(gather(matrix.layers[0], budget, budget), counts())


@pytest.mark.parametrize("chunks", [(CELLS, GENES), (40, GENES), (CELLS, 20), (40, 20)])
@pytest.mark.parametrize("compression", ["gzip", None])
def test_huge_chunks_are_inflated_piece_by_piece(
    chunks: tuple[int, int],
    compression: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With chunks counted as huge, cells come out of the stream as they are in the file."""
    monkeypatch.setattr("dpss.formats.hdf5.dense.BAND_BYTES", 1000)
    monkeypatch.setattr(streamed_hdf5, "_PIECE_BYTES", 100)
    path = write(tmp_path / "x.h5ad", chunks=chunks, compression=compression)
    layer = dense_layer(Hdf5File(LocalFile(path)), "X", "X", number_genes(GENES))
    if compression == "gzip":
        assert isinstance(layer, streamed_hdf5.StreamedLayer)
    for budget in (1 << 20, 1000, 1):
        np.testing.assert_array_equal(gather(layer, budget, budget), counts())


def test_a_huge_chunk_that_ends_early_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that ends before the chunk is full is an error, not fewer cells."""
    import zlib

    monkeypatch.setattr("dpss.formats.hdf5.dense.BAND_BYTES", 1000)
    path = write(tmp_path / "x.h5ad", chunks=(CELLS, GENES), compression="gzip")
    with h5py.File(path, "r+") as h5:
        h5["X"].id.write_direct_chunk((0, 0), zlib.compress(counts()[:30].tobytes()))
    with pytest.raises(CorruptMatrixError, match=r"chunk 0 of /X ends after 30 of its 90 rows"):
        summarise(path)


def test_plain_x_and_y_without_names(tmp_path: Path) -> None:
    """Benchmark files hold X and labels Y only: genes are numbered, and that is said."""
    path = tmp_path / "plain.h5"
    with h5py.File(path, "w") as h5:
        h5["X"] = counts()
        h5["Y"] = np.zeros(CELLS)
    summary = summarise(path)
    assert summary.genes.gene_name[:2].tolist() == ["gene 1", "gene 2"]
    assert summary.total_counts == counts().sum()
    assert any(check.name == "gene_names" and check.status == "warn" for check in summary.checks)


def _mudata(path: Path, *modalities: str) -> Path:
    with h5py.File(path, "w") as h5:
        h5.attrs["encoding-type"] = "MuData"
        for name in modalities:
            part = path.with_name(f"{name}.h5ad")
            var = pd.DataFrame(index=[f"{name}{i}" for i in range(GENES)])
            anndata.AnnData(counts(), var=var).write_h5ad(part)
            with h5py.File(part) as source:
                source.copy("/", h5.require_group("mod"), name)
    return path


def test_the_modality_with_genes_is_taken(tmp_path: Path) -> None:
    """Of an h5mu file the gene expression is summarised, the rest is named."""
    summary = summarise(_mudata(tmp_path / "x.h5mu", "rna", "prot"))
    assert (summary.matrix.format, summary.total_counts) == ("h5mu", counts().sum())
    assert any("prot" in check.message for check in summary.checks)


def test_without_genes_there_is_no_matrix(tmp_path: Path) -> None:
    """An h5mu file of proteins only is refused with that reason."""
    with pytest.raises(NoMatrixError, match="none of the modalities holds gene expression"):
        summarise(_mudata(tmp_path / "x.h5mu", "prot", "atac"))


@pytest.mark.parametrize("n_rows", [1 << 31, (1 << 31) + 77, 1 << 40])
def test_an_endless_matrix_of_no_columns_is_refused(tmp_path, n_rows):
    """Lines of nothing are not read one by one: a fuzzed file took more than 30 seconds."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("matrix", shape=(n_rows, 0), maxshape=(None, None), chunks=(100, 1),
                            dtype="i1")  # fmt: skip
    with pytest.raises(MatrixError, match="numbers: none"):
        open_matrices(LocalFile(path))


HOSTILE = {
    "cells of a chunk that holds nothing": ((400_000_000, 9), (400_000_000, 9), "claims"),
    "a few bytes for many cells": ((40_000_000, 9), (40_000_000, 9), "ends after"),
    "a chunk of many columns": ((9, 9), (9, 400_000_000), "a row of a chunk takes 381 MiB"),
    "columns without names": ((9, 5_000_000), (9, 5_000_000), "features|genes"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_chunk_is_refused_in_words(kind: str, tmp_path: Path) -> None:
    """A file of a few kilobytes that declares 3.6 × 10⁹ numbers costs no memory."""
    import tracemalloc
    import zlib

    shape, chunks, message = HOSTILE[kind]
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        x = file.create_dataset("X", shape, "i1", chunks=chunks, maxshape=(None, None),
                                compression="gzip")  # fmt: skip
        if kind != "cells of a chunk that holds nothing":
            x.id.write_direct_chunk((0, 0), zlib.compress(bytes(9_000_000)))
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(MatrixError, match=message) as caught:
            summarise(path)
        assert not isinstance(caught.value, ReaderFaultError)
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()
