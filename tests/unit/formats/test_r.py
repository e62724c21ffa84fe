"""R's files, written by R itself (``r_files/make.R``) and held against the table it wrote."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dpss.errors import CorruptMatrixError, LimitError, NoMatrixError, UnknownFormatError
from dpss.formats.r import reader as r_objects
from dpss.storage.local import LocalFile
from tests.unit.formats.layers import dense, mutations, open_path, read_or_refuse

FILES = Path(__file__).parent / "r_files"
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


def test_more_memory_than_allowed_is_refused(tmp_path):
    """The need is known before anything is parsed, also of what expands without end."""
    blob = LocalFile(FILES / "dgC_gzip.rds")
    with pytest.raises(LimitError, match=r"needs more than the 0\.0 GiB of --memory"):
        r_objects.open_(blob, memory_bytes=4_000)
    assert r_objects.open_(blob, memory_bytes=40_000)
    bomb = tmp_path / "bomb.rds"
    bomb.write_bytes(gzip.compress(b"X\n\0\0\0\x03" + bytes(1 << 26)))
    with pytest.raises(LimitError):
        r_objects.open_(LocalFile(bomb), memory_bytes=1 << 24)


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


@pytest.mark.parametrize("name", ["dgC_plain.rds", "dgC_ascii.rds", "seurat4.Robj", "sce.rds"])
def test_damaged_files_are_read_or_refused(tmp_path, name):
    """Whatever is damaged: a result, or one of the program's own errors in one line."""
    good = (FILES / name).read_bytes()
    plain = gzip.decompress(good) if good[:2] == b"\x1f\x8b" else good
    bad = tmp_path / "bad.rds"
    for data in mutations(plain, seed=11, n=150):
        bad.write_bytes(data)
        read_or_refuse(bad)


def test_real_rds(real_data):
    """hca_bone_marrow_50.rds: the README's numbers, and 34 symbols that are there twice."""
    (matrix,) = open_path(real_data / "hca_bone_marrow_50.rds")
    (layer,) = matrix.layers
    assert (layer.n_cells, len(layer.genes), layer.n_values) == (50, 33_694, 42_437)
    assert len(layer.genes) - len(set(layer.genes.names)) == 34
    total = sum(
        block.data.sum()
        for share in layer.shares(1 << 20)
        for block in layer.cell_blocks(share, 1 << 18)
    )
    assert total == 154_941
