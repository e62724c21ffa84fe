"""Tables of cells beside a MatrixMarket file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpss.formats.mtx.cells import TextTable
from dpss.formats.mtx.reader import open_
from dpss.storage.local import LocalFile


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("A-1\nB-1\nC-1\n", []),
        ("cellkey,donor,plate\nA-1,x,1\nB-1,y,2\nC-1,,1\n", ["donor", "plate"]),
        ("donor\tplate\nA-1\tx\t1\nB-1\ty\t2\nC-1\t\t1\n", ["donor", "plate"]),
    ],
)
def test_barcodes_and_titled_columns(tmp_path: Path, text: str, columns: list[str]) -> None:
    """One more line than cells is a line of titles; R's write.table gives the names none."""
    (tmp_path / "cells.csv").write_text(text)
    table = TextTable(LocalFile(tmp_path / "cells.csv"), 3)
    assert table.columns() == columns
    assert np.concatenate(list(table.names())).tolist() == ["A-1", "B-1", "C-1"]
    if columns:
        assert np.concatenate(list(table.labels("donor"))).tolist() == ["x", "y", None]


def test_a_matrix_without_such_a_table_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.mtx").write_text(
        "%%MatrixMarket matrix coordinate integer general\n2 3 1\n1 1 5\n"
    )
    (matrix,) = open_(LocalFile(tmp_path / "a.mtx"))
    assert matrix.cells is None
