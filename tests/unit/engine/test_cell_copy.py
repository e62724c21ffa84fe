"""The copy of a matrix by cell, of sources that have it by gene."""

from __future__ import annotations

import errno
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import dpss
from dpss.engine import cell_copy
from dpss.engine.cell_copy import CellCopy, CopiedLayer
from dpss.errors import CorruptMatrixError
from dpss.model import EntryBlock, GeneTable, check_cell_block
from dpss.storage.scratch import Room, Scratch, temporary_room
from tests.unit.engine.test_embedding import adata_of, counts_of
from tests.unit.job.test_cell_file import write_loom


def table(n: int) -> GeneTable:
    """Genes of some names."""
    names = np.array([f"GENE{i}" for i in range(n)], dtype=object)
    return GeneTable(names, names)


def copied(room: Room, matrix: sp.coo_matrix, blocks: list[np.ndarray]) -> CopiedLayer:
    """Copy the entries of a matrix, some at a time."""
    copy = CellCopy(room, *matrix.shape, matrix.nnz)
    for some in blocks:
        copy.add(EntryBlock(matrix.row[some], matrix.col[some], matrix.data[some]))
    copy.close()
    return copy.layer("X", table(matrix.shape[1]))


def read(layer: CopiedLayer, block_bytes: int) -> sp.csr_matrix:
    """Read all cells; blocks are whole, consecutive and valid."""
    rows, stop = [sp.csr_matrix((0, len(layer.genes)))], 0
    for part in layer.partitions(1 << 20):
        assert part.start == stop
        for block in layer.cell_blocks(part, block_bytes):
            check_cell_block(block, part.stop)
            assert block.start == stop
            shape = (block.n_cells, len(layer.genes))
            rows.append(sp.csr_matrix((block.data, block.indices, block.indptr), shape))
            assert rows[-1].has_canonical_format
            stop += block.n_cells
        assert stop == part.stop
    assert stop == layer.n_cells
    return sp.vstack(rows).tocsr()


@pytest.mark.slow
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 63, 64, 65, 300, 900]),
    st.sampled_from([1, 50, 1 << 20]),
    st.sampled_from(["counts", "fractions", "large", "both"]),
)
@settings(deadline=None)
def test_every_value_comes_back_by_cell(seed: int, n_cells: int, held: int, kind: str) -> None:
    """Whatever the order and the pieces, and however few values are sorted at a time."""
    rng = np.random.default_rng(seed)
    dense = rng.poisson(0.3, (n_cells, 7)) * rng.integers(0, 2, (n_cells, 1))
    values = dense.astype(np.float64)
    if kind in ("fractions", "both"):
        values[::2] *= 0.3
    if kind in ("large", "both"):
        values[:: 3 if kind == "both" else 1] *= 70_000
    matrix = sp.coo_matrix(values)
    order = rng.permutation(matrix.nnz)
    blocks = np.array_split(order, 3)
    with pytest.MonkeyPatch.context() as patch, temporary_room() as room:
        patch.setattr(cell_copy, "HELD_VALUES", held)
        layer = copied(room, matrix, blocks)
        for block_bytes in (1, 200, 1 << 20):
            np.testing.assert_array_equal(read(layer, block_bytes).toarray(), values)
        assert layer.n_values == matrix.nnz
        assert held > 1 or len(layer.cuts) >= -(-n_cells // 64) - (dense == 0).all(1).sum()


@pytest.mark.parametrize("n_cells", [2_000, 20_000])
def test_what_is_sorted_at_a_time_does_not_grow(n_cells: int) -> None:
    """Cells with most of the values stand together, and no part has more values than allowed."""
    n_values = np.where(np.arange(n_cells) < n_cells // 10, 9, 1)
    cells = np.repeat(np.arange(n_cells), n_values)
    genes = np.arange(len(cells)) % 9
    matrix = sp.coo_matrix((np.ones(len(cells)), (cells, genes)), (n_cells, 9))
    with pytest.MonkeyPatch.context() as patch, temporary_room() as room:
        patch.setattr(cell_copy, "HELD_VALUES", 1_000)
        layer = copied(room, matrix, [np.arange(matrix.nnz)])
        held = [n_values[part.start : part.stop].sum() for part in layer.partitions(1)]
        assert max(held) <= 1_000
        assert len(list(room.path.iterdir())) <= 240


def test_entries_are_those_of_the_cells() -> None:
    """A place comes once, zeros do not come."""
    matrix = sp.coo_matrix(np.array([[1, 0, 2], [0, 0, 0], [0, 5, 0]]))
    with temporary_room() as room:
        layer = copied(room, matrix, [np.arange(3)])
        (block,) = layer.entry_blocks(layer.cuts[0], 1 << 20)
    assert list(zip(block.cells, block.genes, block.data, strict=True)) == [
        (0, 0, 1), (0, 2, 2), (2, 1, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(("cell", "gene"), [(-1, 0), (5, 0), (0, 4)])
def test_a_place_outside_is_an_error(cell: int, gene: int) -> None:
    """A file that changed meanwhile is damaged, and writes nothing elsewhere."""
    with temporary_room() as room:
        copy = CellCopy(room, 5, 4, 10)
        with pytest.raises(CorruptMatrixError, match="other cells or genes"):
            copy.add(EntryBlock(np.array([cell]), np.array([gene]), np.array([1.0])))
        copy.close()


def write_csc(adata: anndata.AnnData, path: Path) -> Path:
    other = adata.copy()
    other.X = sp.csc_matrix(other.X)
    other.write_h5ad(path / "m.h5ad")
    return path / "m.h5ad"


def write_looms(adata: anndata.AnnData, path: Path) -> Path:
    write_loom(adata, path)
    return path / "m.loom"


def write_csv(adata: anndata.AnnData, path: Path) -> Path:
    frame = pd.DataFrame(adata.X.toarray().astype(int).T, adata.var_names, adata.obs_names)
    frame.to_csv(path / "m.csv")
    return path / "m.csv"


def write_mtx(adata: anndata.AnnData, path: Path, order: str) -> Path:
    """Write a folder of an mtx, genes × cells, sorted by gene, not to the end, or not at all."""
    matrix = sp.csr_matrix(adata.X.T.astype(int)).tocoo()
    if order != "genes":
        some = np.random.default_rng(0).permutation(matrix.nnz)
        if order == "late":
            some = np.append(np.arange(matrix.nnz - 2), [matrix.nnz - 1, matrix.nnz - 2])
        matrix = sp.coo_matrix(
            (matrix.data[some], (matrix.row[some], matrix.col[some])), matrix.shape
        )
    with gzip.open(path / "matrix.mtx.gz", "wb") as file:
        scipy.io.mmwrite(file, matrix)
    (path / "barcodes.tsv").write_text("".join(f"{name}\n" for name in adata.obs_names))
    (path / "genes.tsv").write_text("".join(f"{name}\t{name}\n" for name in adata.var_names))
    return path


WRITERS = {
    "csc": write_csc,
    "loom": write_looms,
    "csv": write_csv,
    "mtx by gene": lambda adata, path: write_mtx(adata, path, "genes"),
    "mtx by gene at first": lambda adata, path: write_mtx(adata, path, "late"),
    "mtx without an order": lambda adata, path: write_mtx(adata, path, "none"),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", WRITERS)
def test_the_embedding_is_that_of_the_cells(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clusters, places and markers are to the last bit those of the same matrix as CSR."""
    monkeypatch.setattr(cell_copy, "HELD_VALUES", 20_000)
    adata = adata_of(counts_of(7, 300)[0])
    path = WRITERS[form](adata, tmp_path)
    found, expected = dpss.summarize(path).embedding, dpss.summarize(adata).embedding
    assert found is not None
    assert expected is not None
    np.testing.assert_array_equal(found.cells.labels, expected.cells.labels)
    np.testing.assert_array_equal(found.cells.places, expected.cells.places)
    assert found.markers == expected.markers
    assert len(found.markers) > 10


def summarise_in(room: Any, adata: anndata.AnnData, path: Path, **more: Any) -> dpss.Summary:
    """Summarise a CSC file with another scratch space."""
    from dpss.compute.thread_executor import ThreadExecutor
    from dpss.engine.progress import NullProgress
    from dpss.engine.settings import ReadSettings, StatSettings
    from dpss.engine.summarizer import summarize_matrix
    from dpss.formats.registry import open_matrices
    from dpss.storage.local import LocalFile
    from dpss.summary.builder import Identity
    from dpss.summary.record import MatrixInfo, Provenance

    write_csc(adata, path)
    (matrix,) = open_matrices(LocalFile(path / "m.h5ad"))
    info = MatrixInfo("", "test", matrix.format, "X", "test")
    return summarize_matrix(
        matrix, lambda *_: Identity("t", "t", info, Provenance("0", {})), StatSettings(**more),
        ReadSettings(), ThreadExecutor(2), NullProgress(), open_room=room,
    )  # fmt: skip


def test_too_little_scratch_space_is_a_reason(tmp_path: Path) -> None:
    """The matrix is summarised, and the reason says what to do."""
    with Scratch(10_000, tmp_path) as scratch:
        found = summarise_in(scratch.room, adata_of(counts_of(7, 300)[0]), tmp_path)
        assert scratch.used_bytes == 0
    assert found.embedding is None
    assert "--scratch-limit" in found.no_embedding_reason
    assert found.n_cells == 300


def test_a_full_disk_is_a_reason(tmp_path: Path) -> None:
    """Whenever it is that the disk becomes full."""

    @contextmanager
    def full() -> Iterator[Room]:
        with temporary_room() as room:
            yield replace(room, space=_Full())  # type: ignore[arg-type]

    found = summarise_in(full, adata_of(counts_of(7, 300)[0]), tmp_path)
    assert "the disk of --scratch" in found.no_embedding_reason


class _Full:
    def reserve(self, n_bytes: int, url: str, **more: bool) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def release(self) -> None:
        """Release nothing: none is reserved."""


@pytest.mark.parametrize("embedding", [True, False])
def test_few_cells_are_not_copied(tmp_path: Path, embedding: bool) -> None:
    """Below 200 cells, or with --no-embedding, there is only the copy for the second pass."""
    rooms = []

    @contextmanager
    def counted() -> Iterator[Room]:
        with temporary_room() as room:
            rooms.append(room)
            yield room

    n_cells = 150 if embedding else 300
    adata = adata_of(counts_of(7, n_cells)[0])
    found = summarise_in(counted, adata, tmp_path, embedding=embedding)
    assert len(rooms) == 1
    assert ("fewer than 200" in found.no_embedding_reason) == embedding
