"""Sparse matrices of scipy (npz) with tables beside them: as scipy reads them, or refused."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, LimitError, MatrixError, UnknownFormatError
from dpss.formats.discovery import iter_matrices
from dpss.formats.mtx.npz import read_npz
from dpss.formats.mtx.npz_layer import _read_entries
from dpss.summary.record import Summary
from tests.summarise import source_of, summarise_matrix

GENES = [f"ENSG{i:011d}" for i in range(12)]


def barcode(i: int) -> str:
    """Return the barcode of a cell."""
    return "".join("ACGT"[(i >> (2 * k)) & 3] for k in range(16))


def counts(n_cells: int = 30, seed: int = 0) -> sp.csr_matrix:
    """Return counts of cells × genes."""
    values = np.random.default_rng(seed).poisson(0.7, (n_cells, len(GENES)))
    return sp.csr_matrix(values)


def write(
    folder: Path, matrix: Any, n_cells: int, name: str = "counts.npz", **options: Any
) -> Path:
    """Write a matrix and its tables."""
    folder.mkdir(exist_ok=True)
    sp.save_npz(folder / "counts.npz", matrix, **options)
    (folder / "genes.tsv").write_text("".join(f"{gene}\n" for gene in GENES))
    (folder / "barcodes.tsv").write_text("".join(f"{barcode(i)}\n" for i in range(n_cells)))
    return folder


def read(path: Path) -> Summary:
    """Summarise the one matrix of a file or folder."""
    (matrix,) = iter_matrices(source_of(path))
    assert not hasattr(matrix, "error"), matrix
    return summarise_matrix(matrix)


def check(summary: Summary, matrix: sp.csr_matrix) -> None:
    """Compare a summary with the matrix, cells × genes, that it is of."""
    dense = matrix.toarray()
    assert summary.n_cells == len(dense)
    assert summary.genes.gene_id.tolist() == GENES
    assert summary.genes.total_counts.tolist() == dense.sum(0).tolist()
    assert summary.genes.n_cells_by_counts.tolist() == (dense > 0).sum(0).tolist()
    assert summary.n_nonzero == (dense > 0).sum()
    assert summary.median_counts_per_cell == np.median(dense.sum(1))


@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_layouts(layout: str, turned: bool, compressed: bool, alone: bool, tmp_path: Path) -> None:
    """All layouts in both orientations; a folder, or the file with its tables beside it."""
    matrix = counts()
    stored = (matrix.T if turned else matrix).asformat(layout)
    folder = write(tmp_path / "a", stored, 30, compressed=compressed)
    check(read(folder / "counts.npz" if alone else folder), matrix)


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint16", "int64", "uint64", "float32", "float64"]
)
@pytest.mark.parametrize("array", [sp.csr_matrix, sp.csr_array])
def test_types(dtype: str, array: Any, tmp_path: Path) -> None:
    """Values of any type, of scipy's matrices and arrays."""
    matrix = counts()
    if dtype == "bool":
        matrix.data[:] = 1
    folder = write(tmp_path / "a", array(matrix.astype(dtype)), 30)
    check(read(folder), matrix)


@pytest.mark.slow
@given(
    st.integers(0, 40), st.integers(0, 2**32 - 1), st.sampled_from(["csr", "csc", "coo"]),
    st.integers(1, 8), st.booleans(),
)  # fmt: skip
def test_any_cut_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    n_cells: int,
    seed: int,
    layout: str,
    n: int,
    turn: bool,
) -> None:
    """Entries come out as scipy stores them, whatever is read at a time; empty cells are kept."""
    matrix = counts(n_cells, seed)
    stored = (matrix.T if turn else matrix).asformat(layout)
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    sp.save_npz(path, stored)
    npz = read_npz(source_of(path))
    pieces = list(_read_entries(npz, n, "a.npz"))
    majors, minors, values = (
        np.concatenate([np.zeros(0, np.int64), *(each[k] for each in pieces)]) for k in range(3)
    )
    assert all(len(each[0]) <= n for each in pieces)
    pair = (minors, majors) if layout == "csc" else (majors, minors)
    again = sp.coo_matrix((values, pair), shape=stored.shape)
    assert (again.toarray() == stored.toarray()).all()


def test_entries_stored_twice_are_summed(tmp_path: Path) -> None:
    """As scipy's `sum_duplicates` has it."""
    matrix = counts().tocoo()
    twice = sp.coo_matrix(
        (np.tile(matrix.data, 2), (np.tile(matrix.row, 2), np.tile(matrix.col, 2))), matrix.shape
    )
    check(read(write(tmp_path / "a", twice, 30)), sp.csr_matrix(counts() * 2))


def test_in_a_zip_archive(tmp_path: Path) -> None:
    """A stored member is read in place."""
    folder = write(tmp_path / "a", counts(), 30)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    check(read(tmp_path / "a.zip"), counts())


def test_it_is_refused_without_names(tmp_path: Path) -> None:
    """The message says what to put beside it."""
    sp.save_npz(tmp_path / "counts.npz", counts())
    with pytest.raises(UnknownFormatError, match="names no genes; put tables of genes"):
        list(iter_matrices(source_of(tmp_path / "counts.npz")))


def test_tables_of_other_lengths_are_refused(tmp_path: Path) -> None:
    """Names are never taken from tables that do not fit; no number needs those of cells."""
    folder = write(tmp_path / "a", counts(), 29)
    summary = read(folder)
    check(summary, counts())
    assert ("cell_names", "warn") in [(each.name, each.status) for each in summary.checks]
    features = folder / "genes.tsv"
    features.write_text("".join(features.read_text().splitlines(keepends=True)[:-9]))
    with pytest.raises(MatrixError, match="tables do not fit"):
        list(iter_matrices(source_of(folder)))


def arrays(**changed: Any) -> dict[str, Any]:
    """Return the arrays of a matrix of 30 × 12, some of them changed."""
    matrix = counts()
    return {
        "indices": matrix.indices, "indptr": matrix.indptr, "format": np.array(b"csr"),
        "shape": np.array([30, 12]), "data": matrix.data,
    } | changed  # fmt: skip


def _with(array: Any, place: int, value: int) -> Any:
    array = array.copy()
    array[place] = value
    return array


class _Canary:
    """An object whose reading would leave a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (self.path, "w")


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"format": np.array(b"bsr")}, UnknownFormatError, "layout 'bsr'"),
        ({"shape": np.array([30, 12, 1])}, CorruptMatrixError, "not two sizes"),
        ({"shape": np.array([-30, 12])}, CorruptMatrixError, "not two sizes"),
        ({"shape": np.array([2**31, 12])}, LimitError, "at most"),
        ({"shape": np.array([31, 12])}, CorruptMatrixError, "do not fit"),
        ({"indices": _with(counts().indices, 0, 12)}, CorruptMatrixError, "lies outside"),
        ({"indices": _with(counts().indices, 0, -1)}, CorruptMatrixError, "lies outside"),
        ({"indptr": _with(counts().indptr, 3, 10**6)}, CorruptMatrixError, "decreases"),
        ({"indptr": _with(counts().indptr, 0, 1)}, CorruptMatrixError, "decreases"),
        ({"indptr": _with(counts().indptr, -1, counts().nnz - 1)}, CorruptMatrixError, "end with"),
        ({"data": counts().data[:-1]}, CorruptMatrixError, "do not fit"),
        ({"data": counts().data.astype(complex)}, CorruptMatrixError, "holds complex128"),
    ],
)
def test_damage_is_refused(changed: Any, error: Any, words: str, tmp_path: Path) -> None:
    """Each contradiction has its words."""
    folder = write(tmp_path / "a", counts(), 30)
    np.savez(folder / "counts.npz", **arrays(**changed))
    with pytest.raises(error, match=words):
        read(folder)


@pytest.mark.parametrize("layout", ["csr", "coo"])
@pytest.mark.parametrize("first", range(5))
def test_arrays_in_any_order(layout: str, first: int, tmp_path: Path) -> None:
    """Old versions of scipy wrote them in the order of a set; numpy writes them as given."""
    folder = write(tmp_path / "a", counts().asformat(layout), 30)
    with np.load(folder / "counts.npz") as old:
        members = {name: old[name] for name in [*old.files[first:], *old.files[:first]]}
    np.savez(folder / "counts.npz", **members)
    check(read(folder), counts())


@pytest.mark.parametrize("name", ["data", "shape", "X"])
def test_other_archives_of_numpy_are_named(name: str, tmp_path: Path) -> None:
    """An archive with an array of the same name is no sparse matrix."""
    np.savez(tmp_path / "counts.npz", **{name: counts().toarray(), "genes": np.arange(12)})
    with pytest.raises(UnknownFormatError, match="numpy archive"):
        list(iter_matrices(source_of(tmp_path / "counts.npz")))


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    """An array of objects is refused before it is read."""
    canary = tmp_path / "canary"
    folder = write(tmp_path / "a", counts(), 30)
    objects = np.empty(1, dtype=object)
    objects[0] = _Canary(str(canary))
    for name in ("data", "format", "shape", "indices"):
        np.savez(folder / "counts.npz", **arrays(**{name: objects}))
        with pytest.raises(MatrixError):
            read(folder)
    assert not canary.exists()
    pickle.loads(pickle.dumps(objects))[0].close()
    assert canary.exists()


def test_a_declared_size_takes_no_memory(tmp_path: Path) -> None:
    """A head that declares a terabyte is held against the stored bytes."""
    folder = write(tmp_path / "a", counts(), 30)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<i8", "fortran_order": False, "shape": (2**40,)}
    )
    with zipfile.ZipFile(folder / "counts.npz") as old:
        members = {name: old.read(name) for name in old.namelist()}
    members["data.npy"] = head.getvalue() + bytes(80)
    with zipfile.ZipFile(folder / "counts.npz", "w") as new:
        for name, data in members.items():
            new.writestr(name, data)
    with pytest.raises(CorruptMatrixError, match="its size does not fit"):
        read(folder)


@pytest.mark.parametrize(
    "head", [b"{'descr': '<i8', (", b"{", b"\xff\xfe", b"{'shape': (3,)}", b"7"]
)
def test_damaged_heads_of_arrays_are_refused(head: bytes, tmp_path: Path) -> None:
    """A head that is no Python literal, or lacks a field, is damage in words."""
    folder = write(tmp_path / "a", counts(), 30)
    with zipfile.ZipFile(folder / "counts.npz") as old:
        members = {name: old.read(name) for name in old.namelist()}
    data = members["data.npy"]
    members["data.npy"] = data[:10] + head.ljust(117) + b"\n" + data[128:]
    with zipfile.ZipFile(folder / "counts.npz", "w") as new:
        for name, each in members.items():
            new.writestr(name, each)
    with pytest.raises(CorruptMatrixError, match="no array of numpy"):
        read(folder)


@pytest.mark.parametrize("layout", ["bsr", "dia"])
@pytest.mark.parametrize("beside", [False, True])
def test_layouts_that_are_not_read_are_named(layout: str, beside: bool, tmp_path: Path) -> None:
    """The error says what to do, and not that tables are missing which are there."""
    sp.save_npz(tmp_path / "m.npz", counts().asformat(layout))
    if beside:
        (tmp_path / "genes.tsv").write_text("".join(f"g{i}\n" for i in range(12)))
        (tmp_path / "barcodes.tsv").write_text("".join(f"c{i}\n" for i in range(30)))
    with pytest.raises(UnknownFormatError, match=f"layout '{layout}'; save it as csr"):
        list(iter_matrices(source_of(tmp_path)))
