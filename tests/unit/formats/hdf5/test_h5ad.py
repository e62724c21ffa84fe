"""h5ad in all its layouts: the same blocks whichever it is, and what is wrong is named."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, MatrixError, NoCountsError, NoMatrixError
from dpss.formats.base import Layer
from dpss.formats.registry import open_matrices
from dpss.stats.values.kinds import ValueKind
from dpss.storage.local import LocalFile
from tests.summarise import summarise
from tests.unit.formats.layers import open_path


def counts(n_cells: int = 60, n_genes: int = 40, seed: int = 0) -> sp.csr_matrix:
    """Draw counts with an empty cell and an empty gene."""
    rng = np.random.default_rng(seed)
    dense = rng.poisson(rng.lognormal(0, 1, n_genes), (n_cells, n_genes)) * (
        rng.random((n_cells, n_genes)) < 0.4
    )
    dense[n_cells // 2] = 0
    dense[:, n_genes // 2] = 0
    return sp.csr_matrix(dense.astype(np.float32))


def adata(x: Any, **parts: Any) -> anndata.AnnData:
    """Make an AnnData object with gene names."""
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(parts.pop("n_genes", x.shape[1]))])
    return anndata.AnnData(x, var=var, **parts)


def write(path: Path, data: anndata.AnnData, **options: Any) -> Path:
    """Write an h5ad file."""
    data.write_h5ad(path, **options)
    return path


def gather(layer: Layer, partition_bytes: int, block_bytes: int) -> np.ndarray:
    """Put a matrix together again from all blocks of all partitions, each entry once."""
    whole = np.zeros((layer.n_cells, len(layer.genes)))
    seen = np.zeros(layer.n_cells, dtype=int)
    for partition in layer.partitions(partition_bytes):
        if layer.cell_major:
            for block in layer.cell_blocks(partition, block_bytes):
                cells = np.repeat(np.arange(block.n_cells) + block.start, np.diff(block.indptr))
                np.add.at(whole, (cells, block.indices), block.data)
                seen[block.start : block.start + block.n_cells] += 1
        else:
            for entries in layer.entry_blocks(partition, block_bytes):
                np.add.at(whole, (entries.cells, entries.genes), entries.data)
    if layer.cell_major:
        assert (seen == 1).all()
    return whole


LAYOUTS: dict[str, Callable[[sp.csr_matrix], Any]] = {
    "csr": lambda x: x,
    "csc": sp.csc_matrix,
    "dense": lambda x: x.toarray(),
    "csr int64": lambda x: x.astype(np.int64),
    "csc uint16": lambda x: sp.csc_matrix(x.astype(np.uint16)),
    "dense float64": lambda x: x.toarray().astype(np.float64),
}


@pytest.mark.slow
@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_layouts_give_the_same(layout: str, compression: str | None, tmp_path: Path) -> None:
    """CSR, CSC and dense, however compressed, are the same matrix to the last bit."""
    x = counts()
    path = write(tmp_path / "x.h5ad", adata(LAYOUTS[layout](x)), compression=compression)
    (matrix,) = open_matrices(LocalFile(path))
    layer = pickle.loads(pickle.dumps(matrix.layers[0]))
    for partition_bytes, block_bytes in ((1 << 20, 1 << 20), (1000, 300), (1, 1)):
        np.testing.assert_array_equal(gather(layer, partition_bytes, block_bytes), x.toarray())
    expected = summarise(write(tmp_path / "y.h5ad", adata(x)))
    found = summarise(path)
    for name in ("mean_pct_of_cell_counts", "dispersions_norm", "total_counts"):
        assert (
            getattr(found.genes, name).tobytes()
            == getattr(expected.genes, name).astype(getattr(found.genes, name).dtype).tobytes()
        )
    assert found.median_counts_per_cell == expected.median_counts_per_cell


@pytest.mark.slow
@given(st.integers(1, 30), st.integers(1, 20), st.integers(0, 1000), st.integers(1, 400))
@settings(deadline=None, max_examples=40)
def test_blocks_cover_each_cell_once(
    n_cells: int, n_genes: int, seed: int, block_bytes: int
) -> None:
    """Whatever the budget, blocks are disjoint, complete and the same when asked twice."""
    import tempfile

    x = counts(n_cells, n_genes, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "x.h5ad", adata(x), compression="gzip")
        (matrix,) = open_matrices(LocalFile(path))
        layer = matrix.layers[0]
        first = gather(layer, 2 * block_bytes, block_bytes)
        np.testing.assert_array_equal(first, x.toarray())
        np.testing.assert_array_equal(gather(layer, 2 * block_bytes, block_bytes), first)


def test_the_old_layout_with_compound_tables(tmp_path: Path) -> None:
    """Before 0.7 AnnData kept obs and var as arrays of records, and raw as raw.X and raw.var."""
    x = counts(5, 4)
    path = tmp_path / "old.h5ad"
    with h5py.File(path, "w") as h5:
        h5["X"] = np.log1p(x.toarray())
        raw = h5.create_group("raw.X")
        raw.attrs["h5sparse_format"], raw.attrs["h5sparse_shape"] = b"csr", x.shape
        for name in ("data", "indices", "indptr"):
            raw[name] = getattr(x, name)
        h5["obs"] = np.array([(b"c",)] * 5, dtype=[("index", "S3")])
        names = [(f"ENSG0000000000{i}".encode(), f"G{i}".encode()) for i in range(4)]
        table = np.array(names, dtype=[("index", "S15"), ("gene_symbols", "S3")])
        h5["var"] = table
        h5["raw.var"] = table
    summary = summarise(path)
    assert summary.matrix.layer == "raw.X"
    assert summary.genes.gene_name.tolist() == ["G0", "G1", "G2", "G3"]
    assert summary.genes.gene_id[1] == "ENSG00000000001"
    assert summary.genes.total_counts.tolist() == x.sum(axis=0).A1.astype(int).tolist()


def test_layers_are_looked_at_in_the_promised_order(tmp_path: Path) -> None:
    """counts before raw_counts before raw.X before X, the first of whole numbers."""
    x = counts()
    data = adata(x * 1.5)
    data.layers["counts"] = x * 0.3
    data.layers["raw_counts"] = x * 2
    data.raw = adata(x * 3)
    path = write(tmp_path / "x.h5ad", data)
    assert summarise(path).matrix.layer == "raw_counts"
    assert summarise(path, layer="raw.X").total_counts == 3 * x.sum()
    assert summarise(path, layer="layers/counts").values is ValueKind.EXPECTED_COUNTS
    with pytest.raises(NoMatrixError, match=r"no layer 'spliced'; the layers are: X, raw\.X"):
        summarise(path, layer="spliced")


def test_a_fraction_far_behind_unmasks_a_layer(tmp_path: Path) -> None:
    """A layer that looks whole where it is sampled but is not, is not taken for counts."""
    x = counts(3000, 400)
    late = x.copy()
    late.data[len(late.data) * 9 // 10] += 0.5
    data = adata(x)
    data.layers["counts"] = late
    path = write(tmp_path / "x.h5ad", data)
    summary = summarise(path)
    assert (summary.matrix.layer, summary.values) == ("X", ValueKind.COUNTS)


def test_log_normalised_values_are_exponentiated(tmp_path: Path) -> None:
    """Without counts, log1p of normalised values is undone and said."""
    x = counts()
    totals = np.maximum(x.sum(axis=1).A1, 1)
    normal = sp.csr_matrix(x.multiply(1e4 / totals[:, None]))
    path = write(tmp_path / "x.h5ad", adata(normal.log1p()))
    summary = summarise(path)
    assert summary.values is ValueKind.LOG_NORMALISED
    np.testing.assert_allclose(summary.total_counts, normal.sum(), rtol=1e-5)
    assert summarise(write(tmp_path / "n.h5ad", adata(normal))).values is ValueKind.NORMALISED


def test_scaled_values_are_no_counts(tmp_path: Path) -> None:
    """With nothing but negative values there is nothing to summarise."""
    data = adata(counts().toarray() - 1)
    data.raw = adata(counts() * -1)
    path = write(tmp_path / "x.h5ad", data)
    with pytest.raises(NoCountsError, match=r"scaled .*layers: X: scaled; raw.X: scaled"):
        summarise(path)


@pytest.mark.slow
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_values_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    """NaN, infinity and numbers beyond all counts, wherever they stand."""
    for place in (0, 0.5, 0.9):
        x = counts(3000, 400)
        x.data[int(len(x.data) * place)] = value
        for layout in (x, sp.csc_matrix(x), x.toarray()):
            path = write(tmp_path / "x.h5ad", adata(layout))
            with pytest.raises(CorruptMatrixError, match=r"NaN or infinite|values of .* and more"):
                summarise(path)


def _without_x(h5: h5py.File) -> None:
    del h5["X"]


def _short_genes(h5: h5py.File) -> None:
    del h5["var/_index"]
    h5["var/_index"] = np.array([b"a"] * 3)


def _outside(h5: h5py.File) -> None:
    h5["X/indices"][5] = 40


def _negative_index(h5: h5py.File) -> None:
    h5["X/indices"][5] = -1


def _decreasing(h5: h5py.File) -> None:
    h5["X/indptr"][3] = 0


def _beyond(h5: h5py.File) -> None:
    h5["X/indptr"][3] = 2**31 - 1


def _unequal(h5: h5py.File) -> None:
    indices = h5["X/indices"][:-1]
    del h5["X/indices"]
    h5["X/indices"] = indices


def _odd_encoding(h5: h5py.File) -> None:
    h5["X"].attrs["encoding-type"] = "coo_matrix"


def _huge_shape(h5: h5py.File) -> None:
    h5["X"].attrs["shape"] = (2**60, 40)


FAULTS = {
    _without_x: "no X, raw.X or layer",
    _short_genes: "40 genes, but its gene table 3",
    _outside: "outside its 60 cells × 40 genes",
    _negative_index: "outside its 60 cells × 40 genes",
    _decreasing: "indptr decreases",
    _beyond: "indptr decreases or leaves",
    _unequal: "values but",
    _odd_encoding: "encoded as 'coo_matrix'",
    _huge_shape: "1,152,921,504,606,846,976 cells",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("layout", [sp.csr_matrix, sp.csc_matrix])
def test_what_is_wrong_is_said(
    fault: Callable[[h5py.File], None], layout: Callable[[Any], Any], tmp_path: Path
) -> None:
    """Each contradiction becomes one line that names the file's part and the numbers."""
    x = counts()
    path = write(tmp_path / "bad.h5ad", adata(layout(x)))
    with h5py.File(path, "r+") as h5:
        fault(h5)
    message = FAULTS[fault]
    if layout is sp.csc_matrix and fault in (_outside,):
        return
    with pytest.raises(MatrixError, match=message) as caught:
        summarise(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n_bytes", [0, 512])
def test_a_heap_that_would_lead_hdf5_round_in_circles(tmp_path: Path, n_bytes: int) -> None:
    """A text attribute whose heap claims an object of size zero is refused before HDF5 hangs.

    Found by mutating valid files: the library would never return, nor could a signal end it. A
    user block may stand before the file.
    """
    path = write(tmp_path / "x.h5ad", adata(counts()))
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL\x01")
    # The free space after the heap's last object: an index of 0, then its size.
    at = heap + 16
    while int.from_bytes(data[at : at + 2], "little"):
        at += 16 + -(-int.from_bytes(data[at + 8 : at + 16], "little") // 8) * 8
    data[at + 8 : at + 16] = bytes(8)
    path.write_bytes(b"MuData".ljust(n_bytes, b"\0")[:n_bytes] + data)
    with pytest.raises(CorruptMatrixError, match=r"strings at .* are damaged"):
        summarise(path)


def test_a_text_of_a_huge_fixed_size_is_no_fact(tmp_path: Path) -> None:
    """A file of some kilobytes may declare a text of a gigabyte that was never written."""
    path = write(tmp_path / "x.h5ad", adata(counts()))
    with h5py.File(path, "r+") as file:
        file.require_group("uns")
        file["uns"].create_dataset("title", shape=(), dtype=f"S{1 << 30}")
        file["uns/schema_version"] = np.bytes_("5.2.0")
    (matrix,) = open_path(path)
    assert matrix.facts is not None
    assert matrix.facts.text("schema_version") == "5.2.0"
    assert matrix.facts.text("title") is None
