"""Labels of cells: which column has them, and their codes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.engine.cell_labels import MAX_TYPES, rank_columns, rank_coordinates, read_labels
from dpss.errors import ColumnError
from dpss.formats.annotation.cell_table import InMemoryTable


@given(st.lists(st.sampled_from(["a", "b", "$x_{1}$", "<b>", None]), min_size=1))
def test_codes_give_the_values_back(values: list[str | None]) -> None:
    """Codes and names are the column, names by frequency; missing is -1."""
    table = InMemoryTable({"cell_type": np.array([*values, None], dtype=object)[:-1]})
    if not any(values):
        with pytest.raises(ColumnError, match="missing"):
            read_labels(table, "cell_type", len(values))
        return
    found = read_labels(table, "cell_type", len(values))
    assert [found.names[code] if code >= 0 else None for code in found.codes] == values
    sizes = pd.Series(values).value_counts()[list(found.names)].tolist()
    assert sizes == sorted(sizes, reverse=True)


def test_other_lengths_and_barcodes_are_refused() -> None:
    """A column of another length, or of one value per cell, is no annotation."""
    names = np.array([f"cell{k}" for k in range(MAX_TYPES + 1)], dtype=object)
    with pytest.raises(ColumnError, match="distinct"):
        read_labels(InMemoryTable({"x": names}), "x", len(names))
    with pytest.raises(ColumnError, match="for 4 cells"):
        read_labels(InMemoryTable({"x": names[:3]}), "x", 4)


def test_the_schemas_names_come_first() -> None:
    """CELLxGENE's name, then names like it, then clusters; measures never."""
    columns = ["leiden", "louvain", "celltype_score", "seurat_clusters", "Cell_Type", "n_counts"]
    assert rank_columns(columns) == ["Cell_Type", "seurat_clusters", "louvain", "leiden"]
    assert rank_coordinates(["X_pca", "spatial"]) == ([], [])
