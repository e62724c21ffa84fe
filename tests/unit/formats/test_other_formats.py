"""Well-known files that are not read are refused by name; text in UTF-16 with a mark is read."""

from __future__ import annotations

import gzip
import io
import pickle
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.errors import MatrixError
from dpss.formats.discovery import iter_matrices
from tests.summarise import source_of, summarise_matrix


def frame(seed: int = 0) -> pd.DataFrame:
    """Return counts of 12 genes × 9 cells."""
    x = np.random.default_rng(seed).poisson(2, (12, 9))
    cells = ["".join("ACGT"[(i >> (2 * k)) & 3] for k in range(16)) for i in range(9)]
    return pd.DataFrame(x, index=[f"ENSG{i:011d}" for i in range(12)], columns=cells)


def numpy_archive() -> bytes:
    """Return what scipy's `save_npz` writes."""
    out = io.BytesIO()
    sp.save_npz(out, sp.csr_matrix(frame().to_numpy()))
    return out.getvalue()


def array() -> bytes:
    """Return what numpy's `save` writes."""
    out = io.BytesIO()
    np.save(out, frame().to_numpy())
    return out.getvalue()


def workbook() -> bytes:
    """Return the first members of an xlsx file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


def database(folder: Path) -> bytes:
    """Return a SQLite file."""
    connection = sqlite3.connect(folder / "x.db")
    connection.execute("create table t (a)")
    connection.commit()
    connection.close()
    return (folder / "x.db").read_bytes()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (numpy_archive, "names no genes; put tables of genes"),
        (array, "a numpy array"),
        (workbook, "an Office document"),
        (lambda: pickle.dumps(frame()), "a pickle of Python"),
        (lambda: b"PAR1" + bytes(range(200)), "a damaged Parquet table"),
        (lambda: b"ARROW1\0\0" + bytes(range(200)), "a damaged Feather table"),
        (lambda: gzip.compress(b"BAM\1" + bytes(200)), "BAM"),
        (lambda: b"@r1\nACGT\n+\nIIII\n" * 9, "FASTQ"),
        (lambda: frame().to_csv().encode("utf-16-le"), "UTF-16 without a byte order mark"),
    ],
)
def test_it_is_named_and_says_what_to_give(make, words: str, tmp_path: Path) -> None:
    """The error says what the file is."""
    path = tmp_path / "matrix.bin"
    path.write_bytes(make())
    with pytest.raises(MatrixError, match=words):
        list(iter_matrices(source_of(path)))


def test_a_database_is_named(tmp_path: Path) -> None:
    """SQLite files are told by their first bytes."""
    (tmp_path / "d").mkdir()
    path = tmp_path / "d" / "matrix"
    path.write_bytes(database(tmp_path))
    with pytest.raises(MatrixError, match="a SQLite database"):
        list(iter_matrices(source_of(path)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("separator", ["\t", ","])
def test_text_with_a_byte_order_mark_is_read(
    encoding: str, packed: bool, separator: str, tmp_path: Path
) -> None:
    """The numbers are pandas', whatever the encoding is."""
    data = frame().to_csv(sep=separator).encode(encoding)
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    (matrix,) = iter_matrices(source_of(path))
    summary = summarise_matrix(matrix)
    assert summary.genes.total_counts.tolist() == frame().sum(axis=1).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_damaged_wide_text_is_refused(seed: int, tmp_path: Path) -> None:
    """Text that is cut within a character, or has half of one, is refused or read as it is."""
    rng = np.random.default_rng(seed)
    data = bytearray(frame().to_csv().encode("utf-16"))
    place = int(rng.integers(2, len(data)))
    data[place : place + 1] = b""
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(data))
    with pytest.raises(MatrixError):
        for matrix in iter_matrices(source_of(path)):
            summarise_matrix(matrix)
