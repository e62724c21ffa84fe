"""Tables of barcodes: separators, titles, compression, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from dpss.engine.barcode_tables import (
    BarcodeTableFile,
    open_barcode_table,
    read_barcode_values,
)
from dpss.errors import NoStrataError, SettingsError

NAMES = np.array(["A-1", "B-1", "C-1", "D-1"], dtype=object)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("barcode,sample\nA-1,x\nB-1,y\nC-1,\n", "sample"),
        ("A-1,x\nB-1,y\nC-1,\n", "t"),
        ("\ufeffA-1\tx\r\nB-1\ty\r\nC-1\t\r\n\r\n", "t"),
        ('cell_id;group\n"A-1";"x"\nB-1;y\nC-1;\nA-1;x\n', "group"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_tables_of_any_style(tmp_path: Path, text: str, title: str, *, packed: bool) -> None:
    """Comma, semicolon or tab, with or without titles, byte order mark, quotes, gzip."""
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    values = read_barcode_values(open_barcode_table(str(path)))
    places = values.indices_of(NAMES)
    assert values.title == title
    assert places[3] == -1
    assert values.labels[values.codes[places[:3]]].tolist() == ["x", "y", None]
    assert values.n == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A-1,x\nA-1,y\n", "gives 1 of its barcodes more than one value"),
        ("A-1\nB-1\n", "is not barcode,value"),
        ("barcode,sample\n", "has no line barcode,value"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, why: str) -> None:
    """Two values of a barcode, one column, no line: each in words, before anything begins."""
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(SettingsError, match=why):
        open_barcode_table(str(path))
    with pytest.raises(NoStrataError, match=why):
        read_barcode_values(BarcodeTableFile(str(path), ""))


def test_a_table_that_is_not_there_is_a_wrong_option(tmp_path: Path) -> None:
    """It is told before anything begins."""
    with pytest.raises(ValueError, match="can't be read"):
        open_barcode_table(str(tmp_path / "none.csv"))
