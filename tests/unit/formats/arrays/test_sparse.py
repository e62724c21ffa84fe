"""Sparse matrices: what they claim is held against what they store."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pytest
import scipy.sparse as sp
import zarr
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError
from dpss.formats.arrays import sparse
from dpss.formats.arrays.vectors import MAX_RATIO, SMALL_BYTES, is_too_little
from dpss.formats.registry import open_matrices
from dpss.storage.local import LocalFile, LocalFolder

MANY = 1 << 40


def write_hdf5(path: Path, n_values: int, dtype: str = "<f4") -> Path:
    """Write an h5ad whose values are declared, and not stored: HDF5 reads them as zeros."""
    with h5py.File(path, "w") as h5:
        group = h5.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = np.array([2, 3])
        group.create_dataset("data", (n_values,), dtype, chunks=(1 << 16,), compression="gzip")
        group.create_dataset("indices", (n_values,), "<i4", chunks=(1 << 16,), compression="gzip")
        group["indptr"] = np.array([0, 1, n_values])
        for name, n in (("obs", 2), ("var", 3)):
            h5.create_dataset(f"{name}/_index", data=[f"{name}{i}" for i in range(n)])
            h5[name].attrs.update({"_index": "_index", "column-order": np.array([], "S1")})
            h5[name].attrs["encoding-type"] = "dataframe"
    return path


def write_zarr(path: Path, n_values: int, zarr_format: int) -> Path:
    """Write the same as zarr: a chunk that is missing is its fill value."""
    settings = anndata.settings.override(zarr_write_format=zarr_format, auto_shard_zarr_v3=False)
    with settings, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        anndata.AnnData(sp.csr_matrix(np.eye(2, 3, dtype=np.float32))).write_zarr(path)
    group = zarr.open_group(path / "X", mode="r+")
    for name, dtype in (("data", "float32"), ("indices", "int32")):
        group.create_array(
            name, shape=(n_values,), dtype=dtype, chunks=(1 << 16,), fill_value=0, overwrite=True
        )
    group.create_array("indptr", data=np.array([0, 1, n_values]), overwrite=True)
    return path


WRITERS: dict[str, Callable[[Path, int], Path]] = {
    "h5ad": write_hdf5,
    "h5ad, whole numbers": lambda path, n: write_hdf5(path, n, "<i8"),
    "zarr 2": lambda path, n: write_zarr(path, n, 2),
    "zarr 3": lambda path, n: write_zarr(path, n, 3),
}


@pytest.mark.parametrize(
    ("n_values", "form"),
    [
        pytest.param(n, form, marks=pytest.mark.slow if n != MANY and "zarr" in form else ())
        for n in (1 << 33, MANY, (1 << 50) + 1)
        for form in WRITERS
    ],
)
def test_values_that_are_claimed_and_not_stored_are_refused(
    form: str, n_values: int, tmp_path: Path
) -> None:
    """To read them as zeros would take hours: at once it is said how many there are."""
    path = WRITERS[form](tmp_path / ("m.h5ad" if form.startswith("h5ad") else "m.zarr"), n_values)
    source = LocalFile(path) if path.is_file() else LocalFolder(path)
    with pytest.raises(
        CorruptMatrixError, match=rf"claims {n_values:,} values, but stores \d+ bytes of them"
    ):
        open_matrices(source)[0].layers[0].partitions(1 << 24)


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 60))
def test_what_a_codec_can_reach_is_believed(stored: int, decoded: int) -> None:
    """Small arrays, those whose bytes are not known, and any ratio up to the largest."""
    found = is_too_little(stored, decoded)
    assert found == (decoded > SMALL_BYTES and decoded > stored * MAX_RATIO)
    assert not is_too_little(None, decoded)
    assert not is_too_little(stored, stored * MAX_RATIO)


@pytest.mark.parametrize("dtype", ["<i4", pytest.param("<i8", marks=pytest.mark.slow)])
def test_cells_without_values_are_read_in_parts(dtype: str, tmp_path: Path) -> None:
    """Pointers count for the size of a partition: those of ten million cells are never held."""
    n_cells, path = 10_000_000, tmp_path / "m.h5ad"
    with h5py.File(path, "w") as h5:
        group = h5.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = np.array([n_cells, 3])
        group["data"], group["indices"] = np.array([2.0, 5.0]), np.array([0, 2])
        chunks = {"chunks": (1 << 16,), "compression": "gzip"}
        indptr = group.create_dataset("indptr", (n_cells + 1,), dtype, **chunks)
        indptr[n_cells - 1 :] = [1, 2]
        h5.create_dataset("obs/_index", (n_cells,), "S1", **chunks)
        h5["var/_index"] = [f"gene{i}" for i in range(3)]
        for name in ("obs", "var"):
            h5[name].attrs.update({"_index": "_index", "column-order": np.array([], "S1")})
            h5[name].attrs["encoding-type"] = "dataframe"
    (layer,) = open_matrices(LocalFile(path))[0].layers
    partitions = layer.partitions(1 << 21)
    assert max(map(len, partitions)) <= 1 << 18
    tracemalloc.start()
    blocks = [each for part in partitions for each in layer.cell_blocks(part, 1 << 18)]
    held = sum(each.indptr.nbytes for each in blocks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(each.n_cells for each in blocks) == n_cells
    assert [each.data.tolist() for each in blocks if len(each.data)] == [[2.0, 5.0]]
    assert peak < held + (12 << 20)


def check_entries(counts: sp.csc_matrix, folder: Path, block_bytes: int) -> None:
    """Compare each entry that is read of a gene-major h5ad with scipy's, in its order."""
    anndata.AnnData(counts).write_h5ad(folder / "genes.h5ad")
    (matrix,) = open_matrices(LocalFile(folder / "genes.h5ad"))
    (layer,) = matrix.layers
    found = [
        np.array([block.cells, block.genes, block.data])  # The next block overwrites its arrays.
        for part in layer.partitions(1 << 14)
        for block in layer.entry_blocks(part, block_bytes)
    ]
    genes = np.repeat(np.arange(counts.shape[1]), np.diff(counts.indptr))
    expected = np.array([counts.indices, genes, counts.data])
    np.testing.assert_array_equal(np.concatenate(found, axis=1), expected)


@pytest.mark.parametrize("density", [0.01, 0.3, 1.0])
def test_genes_of_many_and_of_few_cells(density: float, tmp_path: Path) -> None:
    """Blocks of one long gene, of several and of parts of one, and genes without counts."""
    rng = np.random.default_rng(1)
    dense = rng.integers(1, 1_000, (1_500, 40)) * (rng.random((1_500, 40)) < density)
    dense[:, [0, 7, 8, 39]] = 0
    counts = sp.csc_matrix(dense.astype(np.float32))
    for block_bytes in (1 << 10, 1 << 14, 1 << 20):
        check_entries(counts, tmp_path, block_bytes)


@given(st.lists(st.integers(0, 9), min_size=1), st.integers(0, 99), st.integers(0, 9))
def test_the_index_of_each_value(lengths: list[int], first: int, long: int) -> None:
    """The same for runs that count as long and as short."""
    indptr = np.cumsum([0, *lengths])
    expected = np.repeat(np.arange(first, first + len(lengths)), lengths)
    memory = np.full(len(expected) + 3, -1, dtype=np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse, "_LONG_RUN", long)
        found = sparse._major_indices(first, indptr, memory)
    assert found.dtype == np.int32
    assert found.tolist() == expected.tolist()
