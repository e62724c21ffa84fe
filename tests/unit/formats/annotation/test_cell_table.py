"""Columns of the cells in every format that has some, against what wrote them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from dpss.errors import ColumnError
from dpss.formats.annotation.cell_table import HeldTable, label, pick
from dpss.formats.base import CellTable
from dpss.formats.discovery import iter_matrices
from dpss.formats.options import OpenOptions
from dpss.storage.locations import open_source
from tests.conftest import ROOT


def table_of(path: Path) -> CellTable:
    """Open the only matrix of a file."""
    (matrix,) = iter_matrices(open_source(str(path)), OpenOptions())
    assert matrix.cells is not None  # type: ignore[union-attr]
    return matrix.cells  # type: ignore[union-attr]


def test_loom(tmp_path: Path) -> None:
    """Attributes of columns are columns: text, bytes of fixed size, numbers."""
    with h5py.File(tmp_path / "a.loom", "w") as file:
        file["matrix"] = np.ones((3, 4))
        file["row_attrs/Gene"] = np.array(["a", "b", "c"], dtype=h5py.string_dtype())
        file["col_attrs/CellID"] = np.array(["A", "B", "C", "D"], dtype=h5py.string_dtype())
        file["col_attrs/Tissue"] = np.array([b"x", b"y", b"x", b""])
        file["col_attrs/Plate"] = np.array([1, 2, 1, 3])
        file["col_attrs/Map"] = np.ones((4, 2))
    cells = table_of(tmp_path / "a.loom")
    assert cells.columns() == ["Plate", "Tissue"]
    assert np.concatenate(list(cells.labels("Tissue"))).tolist() == ["x", "y", "x", None]
    assert np.concatenate(list(cells.labels("Plate"))).tolist() == ["1", "2", "1", "3"]
    assert np.concatenate(list(cells.names())).tolist() == ["A", "B", "C", "D"]


def test_records_of_old_anndata(tmp_path: Path) -> None:
    """AnnData 0.6 wrote records, their categories in uns."""
    kind = [("index", "S2"), ("cluster", "i1"), ("n", "f4")]
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        file["X"] = np.ones((3, 2), dtype=np.float32)
        file["var"] = np.array([(b"a",), (b"b",)], dtype=[("index", "S2")])
        file["obs"] = np.array([(b"A", 1, 0.5), (b"B", -1, 2), (b"C", 0, np.nan)], dtype=kind)
        file["uns/cluster_categories"] = np.array([b"one", b"two"])
    cells = table_of(tmp_path / "a.h5ad")
    assert cells.columns() == ["cluster", "n"]
    assert np.concatenate(list(cells.labels("cluster"))).tolist() == ["two", None, "one"]
    assert np.concatenate(list(cells.labels("n"))).tolist() == ["0.5", "2", None]
    assert np.concatenate(list(cells.names())).tolist() == ["A", "B", "C"]


@pytest.mark.parametrize("name", ["seurat4.Robj", "seurat2.rds", "sce.rds"])
def test_objects_of_r_name_their_cells(name: str) -> None:
    """Names of cells are found; columns are as long as there are cells."""
    cells = table_of(ROOT / "tests" / "unit" / "formats" / "r_files" / name)
    n = len(np.concatenate(list(cells.names())))
    assert n > 0
    for column in cells.columns():
        assert len(np.concatenate(list(cells.labels(column)))) == n


def test_missing_values_and_damaged_codes() -> None:
    """What is empty, NaN or -1 is missing; a code without a category is damage."""
    assert label(np.array([b"a", b"", b"nan"])).tolist() == ["a", None, None]
    assert pick(np.array([0, -1], np.int8), label(np.array(["x"])), "c").tolist() == ["x", None]
    with pytest.raises(ColumnError, match="its codes are damaged"):
        list(pick(np.array([1]), label(np.array(["x"])), "c"))
    with pytest.raises(ColumnError, match="no names"):
        HeldTable({}).names()
