"""R's files, written by R itself (``r_files/make.R``) and held against the table it wrote."""

from __future__ import annotations

import gzip
import logging
import pickle
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, LimitError, NoMatrixError, UnknownFormatError, plural
from dpss.formats.options import OpenOptions
from dpss.formats.r import reader as r_objects
from dpss.formats.r.matrices import RMatrix
from dpss.formats.r.objects import parse_objects
from dpss.formats.r.rules import why_no_counts
from dpss.storage.local import LocalFile
from tests.unit.formats.layers import dense, mutations, open_path, read_or_refuse

FILES = Path(__file__).parents[1] / "r_files"
TRUTH = pd.read_csv(FILES / "truth.tsv", sep="\t", index_col=0)
COUNTS = TRUTH.to_numpy().T.astype(float)


@pytest.mark.parametrize(
    "name",
    [
        "dgC_gzip.rds", "dgC_bzip2.rds", "dgC_xz.rds", "dgC_plain.rds", "dgC_ascii.rds",
        "dgC_version2.rds", "dgT.rds", "dgT_twice.rds", "dgR.rds", "matrix.rds",
        "data_frame.rds", "one.RData",
    ],
)  # fmt: skip
def test_one_matrix(tmp_path, name):
    """Whatever the class, the compression and the file's name: R's counts and R's names."""
    path = tmp_path / "whatever"
    path.write_bytes((FILES / name).read_bytes())
    (matrix,) = open_path(path)
    (layer,) = matrix.layers
    assert (matrix.name, layer.name, matrix.notes) == ("", "X", ())
    assert list(layer.genes.names) == list(TRUTH.index)
    assert np.array_equal(dense(layer), COUNTS)
    assert np.array_equal(dense(pickle.loads(pickle.dumps(layer))), COUNTS)
    assert layer.cell_major == (name != "dgR.rds")


def test_patterns_count_one(tmp_path):
    """A pattern matrix has ones."""
    assert np.array_equal(dense(open_path(FILES / "ngC.rds")[0].layers[0]), COUNTS > 0)


def test_single_cell_experiment():
    """Assays become layers; ids are the object's row names, names its Symbol column."""
    (matrix,) = open_path(FILES / "sce.rds")
    counts, logs = matrix.layers
    assert (counts.name, logs.name) == ("counts", "X")
    assert np.array_equal(dense(counts), COUNTS)
    assert np.allclose(dense(logs), np.log1p(COUNTS))
    assert list(counts.genes.ids) == [f"ENSG{i:011}" for i in range(1, 21)]
    assert list(counts.genes.names) == list(TRUTH.index)


@pytest.mark.parametrize("name", ["seurat2.rds", "seurat4.Robj", "seurat5.rds"])
def test_seurat_objects(name):
    """Versions 2 to 5: counts, and what Seurat calls data under the name X."""
    (matrix,) = open_path(FILES / name)
    counts, logs = matrix.layers
    assert (counts.name, logs.name) == ("raw" if name == "seurat2.rds" else "counts", "X")
    assert list(counts.genes.names) == list(TRUTH.index)
    assert np.array_equal(dense(counts), COUNTS)
    assert np.allclose(dense(logs), np.log1p(COUNTS))


def test_several_assays_are_several_matrices():
    """Assays have genes of their own, and so are matrices of their own."""
    rna, adt = open_path(FILES / "seurat4_two_assays.rds")
    assert (rna.name, adt.name) == ("RNA", "ADT")
    assert np.array_equal(dense(adt.layers[0]), COUNTS[:, :5])


def test_layers_of_seurat_5_that_are_split_by_sample():
    """Each sample has its own cells and its own choice of the genes."""
    a, b = open_path(FILES / "seurat5_split.rds")
    assert (a.name, b.name) == ("RNA.a", "RNA.b")
    assert np.array_equal(dense(a.layers[0]), COUNTS[:3])
    assert np.array_equal(dense(b.layers[0]), COUNTS[3:, ::2])
    assert list(b.layers[0].genes.names) == list(TRUTH.index[::2])


def test_lists_are_looked_into():
    """Matrices in lists in lists; functions and environments are left alone."""
    found = open_path(FILES / "list.rds")
    assert [matrix.name for matrix in found] == ["a", "b.c"]
    for matrix in found:
        assert np.array_equal(dense(matrix.layers[0]), COUNTS)


def test_what_is_no_count_matrix_is_refused():
    """Tables about cells, and symmetric matrices."""
    with pytest.raises(NoMatrixError, match="no matrix among the objects"):
        open_path(FILES / "no_matrix.rds")
    with pytest.raises(UnknownFormatError, match="symmetric or triangular"):
        open_path(FILES / "symmetric.rds")


BESIDE = {
    "markers": "statistics, by the titles of its columns",
    "numbers": "a table with negative or missing values",
    "nn.idx": "a table without names of genes or cells",
    "snn": "a graph or distances: rows and columns have the same names",
    "distances": "dsCMatrix, a symmetric or triangular matrix, no counts",
    "pca": "a reduction or neighbours: cells × numbered dimensions",
    "meta": "statistics, by the titles of its columns",
}


def test_what_stands_beside_counts_is_left_out_logged_and_named(caplog):
    """Results of tests, neighbours, graphs, reductions and tables about cells in a list."""
    caplog.set_level(logging.INFO, logger="dpss.formats.r.reader")
    (matrix,) = open_path(FILES / "beside.rds")
    assert np.array_equal(dense(matrix.layers[0]), COUNTS)
    said = next(each for each in matrix.decisions if each.topic == "objects")
    assert said.value == f"{len(BESIDE)} left out"
    for name, why in BESIDE.items():
        assert f"{name} ({why})" in said.evidence
        assert f"left out, {name} ({why})" in caplog.text
    with pytest.raises(NoMatrixError, match=r"markers \(statistics.*pca \(a reduction"):
        open_path(FILES / "only_beside.rds")


@pytest.mark.parametrize("name", ["markers.rds", "markers.RData"])
def test_statistics_that_were_saved_by_themselves(name):
    """A data frame of results is no matrix in a file of its own, either, nor beside one."""
    if name.endswith("rds"):
        with pytest.raises(NoMatrixError, match="statistics, by the titles"):
            open_path(FILES / name)
    else:
        (matrix,) = open_path(FILES / name)
        assert np.array_equal(dense(matrix.layers[0]), COUNTS)


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_in_lists(seed):
    """Counts with names are taken, in any shape; statistics and reductions never."""
    rng = np.random.default_rng(seed)
    n_cells, n_genes = (int(n) for n in rng.integers(5, 60, 2))
    genes, cells = [f"ENSG{i:011}" for i in range(n_genes)], [f"cell{i}" for i in range(n_cells)]

    def why(values, rows, columns, **how):
        found = RMatrix(len(columns) or values.shape[0], len(rows), values, rows, columns)
        return why_no_counts(found, **{"is_frame": False, "nested": True, **how})

    counts = rng.poisson(rng.uniform(0.1, 9), (n_cells, n_genes))
    for is_frame in (False, True):
        assert why(counts, genes, cells, is_frame=is_frame) == ""
    titles = ["p_val", "padj", "log2FoldChange", "avg_log2FC", "pct.1", "FDR", "nCount_RNA"]
    some = [f"column{i}" for i in range(3)]
    some[int(rng.integers(3))] = str(rng.choice(titles))
    for nested in (False, True):
        assert why(rng.random((3, n_genes)), genes, some, nested=nested)
        axes = [f"{rng.choice(['PC_', 'UMAP_', 'V', 'tSNE'])}{1}"]
        axes += [axes[0][:-1] + str(i) for i in range(2, int(rng.integers(3, 50)))]
        assert why(rng.normal(size=(len(axes), n_cells)), cells, axes, nested=nested)


@pytest.mark.parametrize("name", ["sce_hdf5.rds", "hdf5_matrix.rds"])
def test_values_in_another_file_are_refused_with_the_reason(name):
    """HDF5Array's objects have an address instead of values."""
    with pytest.raises(NoMatrixError, match="its values are in an HDF5 file beside it"):
        open_path(FILES / name)


def test_an_assay_in_another_file_is_named_where_others_are_read():
    """Of two assays only the one with values in the file is a layer, and it is said so."""
    (matrix,) = open_path(FILES / "sce_hdf5_mixed.rds")
    assert [layer.name for layer in matrix.layers] == ["X"]
    assert np.allclose(dense(matrix.layers[0]), np.log1p(COUNTS))
    assert any("counts (DelayedMatrix: " in each.evidence for each in matrix.decisions)


@pytest.mark.parametrize("name", ["dgC_gzip.rds", "sce.rds", "seurat4.Robj", "seurat5.rds"])
def test_sums_are_those_of_r(name):
    """R's own rowSums and colSums, and how many values are not zero."""
    table = dense(open_path(FILES / name)[0].layers[0])
    sums = pd.read_csv(FILES / "sums.csv")
    assert np.array_equal(np.concatenate([table.sum(axis=0), table.sum(axis=1)]), sums["sum"])
    nonzero = np.concatenate([(table > 0).sum(axis=0), (table > 0).sum(axis=1)])
    assert np.array_equal(nonzero, sums["nonzero"])


@pytest.mark.slow
def test_more_memory_than_allowed_is_refused(tmp_path):
    """The need is known before anything is parsed, also of what expands without end."""
    blob = LocalFile(FILES / "dgC_gzip.rds")
    with pytest.raises(LimitError, match=r"needs more than the 0\.0 GiB of --memory"):
        r_objects.open_(blob, OpenOptions(memory_bytes=4_000))
    assert r_objects.open_(blob, OpenOptions(memory_bytes=40_000))
    bomb = tmp_path / "bomb.rds"
    bomb.write_bytes(gzip.compress(b"X\n\0\0\0\x03" + bytes(1 << 26)))
    with pytest.raises(LimitError):
        r_objects.open_(LocalFile(bomb), OpenOptions(memory_bytes=1 << 24))


def test_a_length_that_is_not_there(tmp_path):
    """A vector that claims two thousand million numbers is damaged, not allocated."""
    data = bytearray((FILES / "dgC_plain.rds").read_bytes())
    at = data.index(struct.pack(">II", 13, 9))  # INTSXP of 9 pointers
    data[at : at + 8] = struct.pack(">II", 13, 0x7FFFFFFF)
    path = tmp_path / "a.rds"
    path.write_bytes(data)
    with pytest.raises(CorruptMatrixError):
        open_path(path)


def test_a_sequence_that_fills_memory(tmp_path):
    """``1:n`` is stored by its ends: a few bytes that claim any length are refused."""

    def pair(head: bytes, tail: bytes) -> bytes:
        return struct.pack(">I", 2) + head + tail

    def symbol(name: bytes) -> bytes:
        return struct.pack(">III", 1, 0x40009, len(name)) + name

    number = struct.pack(">II", 13, 1) + struct.pack(">I", 13)
    null = struct.pack(">I", 254)
    info = pair(symbol(b"compact_intseq"), pair(symbol(b"base"), pair(number, null)))
    state = struct.pack(">II3d", 14, 3, 1e12, 1, 1)
    data = b"X\n" + struct.pack(">III", 3, 0x40202, 0x30500) + struct.pack(">I", 5) + b"UTF-8"
    path = tmp_path / "a.rds"
    path.write_bytes(data + struct.pack(">I", 238) + info + state + null)
    with pytest.raises(CorruptMatrixError, match="a sequence of 1,000,000,000,000 numbers"):
        open_path(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dgC_plain.rds", "dgC_ascii.rds", "seurat4.Robj", "sce.rds"])
def test_damaged_files_are_read_or_refused(tmp_path, name):
    """Whatever is damaged: a result, or one of the program's own errors in one line."""
    good = (FILES / name).read_bytes()
    plain = gzip.decompress(good) if good[:2] == b"\x1f\x8b" else good
    bad = tmp_path / "bad.rds"
    for data in mutations(plain, seed=11, n=150):
        bad.write_bytes(data)
        read_or_refuse(bad)


@pytest.mark.slow
def test_real_rds(real_data):
    """hca_bone_marrow_50.rds: the README's numbers, and 34 symbols that are there twice."""
    (matrix,) = open_path(real_data / "hca_bone_marrow_50.rds")
    (layer,) = matrix.layers
    assert (layer.n_cells, len(layer.genes), layer.n_values) == (50, 33_694, 42_437)
    assert len(layer.genes) - len(set(layer.genes.names)) == 34
    total = sum(
        block.data.sum()
        for partition in layer.partitions(1 << 20)
        for block in layer.cell_blocks(partition, 1 << 18)
    )
    assert total == 154_941


HEAD = b"X\n" + struct.pack(">iii", 2, 0x30000, 0x20300)
TINY = {
    "NULL": struct.pack(">i", 254),
    "numeric(0)": struct.pack(">ii", 14, 0),
    "NA": struct.pack(">iii", 13, 1, -(1 << 31)),
    "list()": struct.pack(">ii", 19, 0),
    "S4": struct.pack(">i", 25),
    "symbol": struct.pack(">iii", 1, 0x40009, 0),
    "nested list": struct.pack(">iii", 19, 1, 254),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", TINY)
def test_very_many_tiny_objects_are_refused(kind: str, tmp_path: Path) -> None:
    """A file of some kB whose objects would take ten times the memory is refused in words."""
    n = 250_000
    path = tmp_path / "many.rds"
    path.write_bytes(gzip.compress(HEAD + struct.pack(">ii", 19, n) + TINY[kind] * n, 1))
    with pytest.raises(LimitError, match=r"more than [\d,]+ objects?|needs more than"):
        r_objects.open_(LocalFile(path), OpenOptions(memory_bytes=32 << 20))


@pytest.mark.slow
def test_text_of_r_is_counted_too(tmp_path: Path) -> None:
    """As above, in R's format of text."""
    n = 125_000
    text = b"A\n2\n196608\n131840\n19\n%d\n" % n + b"254\n" * n
    (tmp_path / "many.rds").write_bytes(gzip.compress(text))
    with pytest.raises(LimitError, match="objects"):
        r_objects.open_(LocalFile(tmp_path / "many.rds"), OpenOptions(memory_bytes=16 << 20))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from(sorted(TINY)), max_size=200), st.integers(0, 300))
def test_objects_are_counted_exactly(kinds: list[str], most: int) -> None:
    """With room for so many objects, a list is parsed; with one less it is refused."""
    data = HEAD + struct.pack(">ii", 19, len(kinds)) + b"".join(TINY[kind] for kind in kinds)
    # A symbol has a string in it, a nested list a NULL.
    n = 1 + sum(2 if kind in ("symbol", "nested list") else 1 for kind in kinds)
    if most < n:
        with pytest.raises(LimitError, match=f"more than {plural(most, 'object')}"):
            parse_objects(data, "a.rds", most)
    else:
        assert len(parse_objects(data, "a.rds", most).value) == len(kinds)


@pytest.mark.slow
@pytest.mark.parametrize(("n_names", "n_values"), [(200_000, 10), (10, 30_000_000), (10, 10)])
def test_a_look_at_a_large_file_says_why_it_takes_long(
    n_names: int, n_values: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """R's files have no index: many names or values are read whole, and the log says so first."""
    name = struct.pack(">ii", 0x40009, 4) + b"ENSG"
    parts = [struct.pack(">ii", 16, n_names) + name * n_names]
    parts += [struct.pack(">ii", 14, n_values) + bytes(8 * n_values)]
    path = tmp_path / "large.rds"
    path.write_bytes(gzip.compress(HEAD + struct.pack(">ii", 19, 2) + b"".join(parts), 1))
    caplog.set_level(logging.WARNING, logger="dpss.formats.r.reader")
    for sample_only in (False, True):
        with pytest.raises(NoMatrixError):
            r_objects.open_(LocalFile(path), OpenOptions(sample_only=sample_only))
    said = [each.getMessage() for each in caplog.records if "read whole" in each.getMessage()]
    assert len(said) == (max(n_names, n_values) > 10)
