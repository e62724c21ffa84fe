"""The tables beside a MatrixMarket file: which they are, how long, what they say.

Names only tell which table may belong to which matrix; lengths tell whether it does,
and content whether it has a header.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError
from dpss.formats.gene_columns import gene_table, looks_like_ids
from dpss.model import GeneTable
from dpss.stores import Blob
from dpss.stores.streams import open_decompressed

COMPRESSION = re.compile(r"\.(gz|bgz|bz2|xz|zst)$")
_EXTENSION = re.compile(r"\.(tsv|csv|txt|tab|mtx)$")
_ROLES = {
    "genes": ("features", "feature", "genes", "gene", "peaks", "rows", "rownames", "var"),
    "cells": ("cells", "cell", "barcodes", "barcode", "cols", "colnames", "columns", "obs"),
}
_WORD = re.compile(r"[a-z]+")
_MAX_LINE_BYTES = 1 << 16
_MAX_TABLE_BYTES = 1 << 28
_PIECE_BYTES = 1 << 18
_USELESS = re.compile(r"start|end|isgene|species|strand|length|sequence")


def find_role(path: str) -> tuple[str, str, str] | None:
    """Tell what a table may be by its name.

    Returns:
        ``genes`` or ``cells``, the name before the word that says so, and the name
        after it; ``None`` where no word does.
    """
    stem = _EXTENSION.sub("", COMPRESSION.sub("", path.rpartition("/")[2].lower()))
    for match in reversed(list(_WORD.finditer(stem))):
        for role, words in _ROLES.items():
            if match.group() in words:
                return role, stem[: match.start()], stem[match.end() :]
    return None


def count_lines(blob: Blob, most: int) -> int:
    """Count the lines of a table, without blank ones at its end; stop beyond ``most``.

    Raises:
        CorruptMatrixError: It is damaged.
    """
    n_ended = n_lines = 0
    with open_decompressed(blob) as file:
        while n_lines <= most and (piece := file.read(_PIECE_BYTES)):
            content = piece.rstrip(b"\r\n")
            if content:
                n_lines = n_ended + content.count(b"\n") + 1
            n_ended += piece.count(b"\n")
    return n_lines


def read_gene_table(blob: Blob, n_genes: int) -> GeneTable:
    """Read a table with one line per gene, and one more where it has a header.

    Raises:
        CorruptMatrixError: It is damaged, or has another number of lines.
        LimitError: It is larger than 256 MiB.
    """
    with open_decompressed(blob) as file:
        rows = list(_split_lines(_read_lines(file, blob.url, n_genes + 1)))
    header = None
    if len(rows) == n_genes + 1:
        header, rows = rows[0], rows[1:]
    if len(rows) != n_genes:
        raise CorruptMatrixError(
            f"{blob.url}: has {len(rows):,} lines for a matrix of {n_genes:,} genes"
        )
    if not rows:
        empty = np.zeros(0, dtype=object)
        return GeneTable(ids=empty, names=empty)
    width = len(rows[0])
    names = _name_columns(header, rows[0])
    seen: dict[str, str] = {}
    columns = {}
    for k, name in enumerate(names[:width]):
        if not _USELESS.search(name):
            # Chromosomes and types are few: one string for all that are equal.
            cells = (row[k] if k < len(row) else "" for row in rows)
            columns[name] = np.array([seen.setdefault(c, c) for c in cells], dtype=object)
    return gene_table(_drop_row_numbers(_swap_if_needed(columns)))


def _read_lines(file: BinaryIO, url: str, most: int) -> Iterator[str]:
    """Yield the lines of a table, at most one beyond ``most``, blank ones at the end left out."""
    n_bytes = n_lines = n_blank = 0
    while line := file.readline(_MAX_LINE_BYTES):
        n_bytes += len(line)
        if len(line) == _MAX_LINE_BYTES:
            raise CorruptMatrixError(f"{url}: a line is longer than 64 KiB")
        if n_bytes > _MAX_TABLE_BYTES:
            raise LimitError(f"{url}: is larger than {_MAX_TABLE_BYTES >> 20} MiB")
        text = line.rstrip(b"\r\n").decode("utf-8", "replace")
        if not text:
            n_blank += 1
            continue
        for _ in range(n_blank if n_blank + n_lines <= most else 0):
            yield ""
        n_lines += n_blank + 1
        n_blank = 0
        yield text.removeprefix("\ufeff") if n_lines == 1 else text
        if n_lines > most:
            return


def _split_lines(lines: Iterable[str]) -> Iterator[list[str]]:
    """Split lines into fields at the first line's separator."""
    separator = None
    for line in lines:
        if separator is None:
            separator = next((c for c in "\t,;" if c in line), "\t")
        if '"' in line:
            yield next(csv.reader([line], delimiter=separator), [""])
        else:
            yield line.split(separator)


def _name_columns(header: list[str] | None, row: list[str]) -> list[str]:
    """Return a name for each column, by the header or by where each tool puts what."""
    width = len(row)
    if header is not None:
        # R's write.table names one column less than there are; pandas leaves "".
        shift = ["index"] if len(header) == width - 1 else []
        return [*shift, *(name.strip().lower() or "index" for name in header)]
    names = ["gene_id", "gene_name", "feature_types"] + [f"column{k}" for k in range(3, width)]
    if width == 1:
        names[0] = "index"
    elif width >= 9 and row[2] == "Gene Expression":
        names[4] = "chromosome"  # HCA Matrix Service: features.tsv.gz
    elif width == 6 and (row[4] + row[5]).isdigit():
        names[3] = "chromosome"  # Cell Ranger ARC: features.tsv.gz
    return names


def _swap_if_needed(columns: dict[str, NDArray[np.object_]]) -> dict[str, NDArray[np.object_]]:
    """Put ids where ids belong if a table without header has them second."""
    ids, names = columns.get("gene_id"), columns.get("gene_name")
    if ids is not None and names is not None and looks_like_ids(names) and not looks_like_ids(ids):
        return {**columns, "gene_id": names, "gene_name": ids}
    return columns


def _drop_row_numbers(
    columns: Mapping[str, NDArray[np.object_]],
) -> Mapping[str, NDArray[np.object_]]:
    """Leave out a first column that only counts the rows."""
    first, *others = columns
    column = columns[first]
    if not others or column[0] not in ("0", "1") or len(column) < 2:
        return columns
    counted = [str(k) for k in range(int(column[0]), int(column[0]) + len(column))]
    if column.tolist() != counted:
        return columns
    if first == "gene_id":  # names by place: they move up by one
        moved = ["gene_id", "gene_name", "feature_types"]
        return dict(zip(moved, (columns[name] for name in others), strict=False))
    return {name: columns[name] for name in others}
