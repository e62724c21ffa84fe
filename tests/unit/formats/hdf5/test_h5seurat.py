"""h5Seurat files, written here as SeuratDisk lays them out: numpy's numbers."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import dpss
from dpss.errors import MatrixError
from tests.unit.formats.layers import dense, open_path

N_GENES, N_CELLS = 12, 30


def write_assay(file: h5py.File, name: str, x: np.ndarray, *, slot: str = "counts") -> None:
    """Write cells × features as an assay."""
    group = file.require_group(f"assays/{name}")
    if "features" not in group:
        group["features"] = [f"{name}-{i}".encode() for i in range(x.shape[1])]
    columns = sp.csr_matrix(x)
    node = group.create_group(slot)
    for part in ("data", "indices", "indptr"):
        node[part] = getattr(columns, part)
    node.attrs["dims"] = np.array(x.shape[::-1], dtype=np.int32)


def counts(seed: int, n: int = N_GENES) -> np.ndarray:
    """Return counts of cells × features."""
    return np.random.default_rng(seed).poisson(1.5, (N_CELLS, n)).astype(np.float64)


def new(path: Path) -> h5py.File:
    """Return an empty file with names of cells."""
    file = h5py.File(path, "w")
    file["cell.names"] = [f"cell{i}".encode() for i in range(N_CELLS)]
    return file


@pytest.mark.parametrize("seed", range(3))
def test_counts_and_data_are_layers(seed: int, tmp_path: Path) -> None:
    """An assay has its slots as layers, cells × genes."""
    x = counts(seed)
    with new(tmp_path / "a.h5Seurat") as file:
        write_assay(file, "RNA", x)
        write_assay(file, "RNA", np.log1p(x), slot="data")
    (matrix,) = open_path(tmp_path / "a.h5Seurat")
    assert [layer.name for layer in matrix.layers] == ["counts", "data"]
    assert np.array_equal(dense(matrix.layers[0]), x)
    assert np.allclose(dense(matrix.layers[1]), np.log1p(x))


def test_assays_are_matrices_and_antibodies_no_genes(tmp_path: Path) -> None:
    """Each assay is a matrix of its name; features of ADT and HTO have their type."""
    with new(tmp_path / "a.h5Seurat") as file:
        write_assay(file, "RNA", counts(1))
        write_assay(file, "ADT", counts(2, 4))
        write_assay(file, "HTO", counts(3, 3))
    found = {matrix.name: matrix.layers[0] for matrix in open_path(tmp_path / "a.h5Seurat")}
    assert sorted(found) == ["ADT", "HTO", "RNA"]
    assert found["RNA"].genes.is_gene.all()
    assert set(found["ADT"].genes.feature_types) == {"Antibody Capture"}
    assert set(found["HTO"].genes.feature_types) == {"Multiplexing Capture"}
    assert np.array_equal(dense(found["ADT"]), counts(2, 4))


def test_a_dense_slot_is_read(tmp_path: Path) -> None:
    """As R's matrix, whose columns HDF5 gives as rows."""
    with new(tmp_path / "a.h5Seurat") as file:
        write_assay(file, "RNA", counts(4))
        del file["assays/RNA/counts"]
        file["assays/RNA/counts"] = counts(4)
    (matrix,) = open_path(tmp_path / "a.h5Seurat")
    assert np.array_equal(dense(matrix.layers[0]), counts(4))


def test_what_contradicts_itself_is_refused(tmp_path: Path) -> None:
    """Dimensions that are not those of the names, and a file without values."""
    with new(tmp_path / "a.h5Seurat") as file:
        write_assay(file, "RNA", counts(5))
        file["assays/RNA/counts"].attrs["dims"] = np.array([7, 7])
    with pytest.raises(MatrixError, match="7 × 7 values for 12 features"):
        open_path(tmp_path / "a.h5Seurat")
    with new(tmp_path / "b.h5Seurat") as file:
        file.create_group("assays/RNA")
    with pytest.raises(MatrixError, match="none of its assays"):
        open_path(tmp_path / "b.h5Seurat")


def write_cells(file: h5py.File, levels: list[str], values: np.ndarray) -> None:
    """Write columns of cells: a factor of R, numbers, and a group that is no column."""
    cells = file.create_group("meta.data")
    cells["nCount_RNA"] = np.arange(N_CELLS, dtype=np.float64)
    cells["cell_type/levels"] = [level.encode() for level in levels]
    cells["cell_type/values"] = values
    cells.create_group("misc")["values"] = np.empty(0, "V4")


@given(st.lists(st.integers(0, 3), min_size=N_CELLS, max_size=N_CELLS), st.booleans())
def test_columns_of_cells_are_read(drawn: list[int], missing: bool) -> None:
    """Factors count from 1; NA, which R writes as the least integer, has no value."""
    levels = ["B", "T", "NK", "Mono"]
    values = np.array(drawn, dtype=np.int32) + 1
    if missing:
        values[::7] = np.iinfo(np.int32).min
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.h5Seurat"
        with new(path) as file:
            write_assay(file, "RNA", counts(6))
            write_cells(file, levels, values)
        (matrix,) = open_path(path)
        assert matrix.cells is not None
        assert matrix.cells.columns() == ["cell_type", "nCount_RNA"]
        found = np.concatenate(list(matrix.cells.labels("cell_type"))).tolist()
        names = np.concatenate(list(matrix.cells.names())).tolist()
    assert found == [None if value < 1 else levels[value - 1] for value in values]
    assert names == [f"cell{i}" for i in range(N_CELLS)]


@pytest.mark.parametrize("fault", ["too large", "short", "levels", "text"])
def test_a_damaged_factor_is_a_warning(fault: str, tmp_path: Path) -> None:
    """The matrix is summarised all the same; the warning names the column."""
    values = np.tile(np.arange(1, 4, dtype=np.int32), N_CELLS // 3)
    with new(tmp_path / "a.h5Seurat") as file:
        write_assay(file, "RNA", counts(7))
        write_cells(file, ["B", "T", "NK"], values)
        column = file["meta.data/cell_type"]
        if fault == "too large":
            column["values"][3] = 9
        elif fault == "levels":
            del column["levels"]
            column.create_group("levels")
        else:
            del column["values"]
            column["values"] = values[:-1] if fault == "short" else np.full(N_CELLS, b"B")
    summary = dpss.summarize(tmp_path / "a.h5Seurat", annotation="cell_type")
    assert summary.n_cells == N_CELLS
    (check,) = (each for each in summary.checks if each.name == "annotation")
    assert "cell_type" in check.message


@pytest.mark.parametrize(
    "fault", ["", "strings", "one axis", "other cells", "link", "loop", "none"]
)
def test_reductions_are_maps(fault: str, tmp_path: Path) -> None:
    """R's matrices have a row per axis; a broken one is a warning, and no other file is read."""
    path, other = tmp_path / "a.h5Seurat", tmp_path / "other"
    os.mkfifo(other)
    places = np.random.default_rng(0).normal(size=(2, N_CELLS))
    broken = {
        "": places,
        "strings": np.full((2, N_CELLS), b"x"),
        "one axis": places[:1],
        "other cells": places[:, :-1],
        "link": h5py.ExternalLink(str(other), "x"),
        "loop": h5py.SoftLink("/reductions/umap/cell.embeddings"),
    }
    with new(path) as file:
        write_assay(file, "RNA", counts(1))
        file["reductions/tsne/cell.embeddings"] = places + 1
        file.create_group("reductions/umap")
        if fault in broken:
            file["reductions/umap/cell.embeddings"] = broken[fault]
    (matrix,) = open_path(path)
    assert matrix.coordinates is not None
    if not fault:
        np.testing.assert_array_equal(
            np.concatenate([*matrix.coordinates.points("umap")]), places.T
        )
    found = dpss.summarize(path, embedding=True)
    assert found.annotation is not None
    assert found.annotation.map is not None
    assert found.annotation.map.name == ("tsne" if fault else "umap")
    said = [each.message for each in found.checks if each.name == "annotation"]
    assert bool([each for each in said if "umap" in each]) == bool(fault)
