"""Tables beside a MatrixMarket file: their lengths, lines and columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, plural
from dpss.formats.annotation.gene_table import gene_table, looks_like_ids
from dpss.model import GeneTable
from dpss.storage.base import Blob
from dpss.storage.compression import open_decompressed

_MAX_LINE_BYTES = 1 << 16
_MAX_TABLE_BYTES = 1 << 26
_PIECE_BYTES = 1 << 18
_BOUNDS = ("region_from", "region_to")
_USELESS = re.compile(r"start|end|isgene|species|strand|length|sequence")


def split_head(data: bytes, most: int) -> list[list[str]]:
    """Return the fields of at most ``most`` lines at the beginning of a table.

    A last line without an end is left out, unless it is the only one.
    """
    lines = data.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    whole = lines if data.endswith(b"\n") or len(lines) < 2 else lines[:-1]
    return list(_split_lines(line for line in whole[:most] if line))


def count_lines(blob: Blob, most: int) -> int:
    """Return the number of lines, without blank ones at the end; stop beyond ``most``.

    Raises:
        CorruptMatrixError: The bytes are damaged.
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
        CorruptMatrixError: The table is damaged, or has another number of lines.
        LimitError: The table is larger than 64 MiB.
    """
    n_lines = count_lines(blob, n_genes + 1)
    if n_lines not in (n_genes, n_genes + 1):
        most = "more than " if n_lines > n_genes else ""
        raise CorruptMatrixError(
            f"{blob.url}: has {most}{plural(min(n_lines, n_genes + 1), 'line')} "
            f"for {plural(n_genes, 'gene')}"
        )
    if n_genes == 0:
        empty = np.zeros(0, dtype=object)
        return GeneTable(ids=empty, names=empty)
    with closing(read_rows(blob)) as rows:
        header = next(rows) if n_lines > n_genes else None
        columns = _collect_columns(header, rows)
    return gene_table(_drop_row_numbers(_swap_ids(_name_regions(columns))))


def read_rows(blob: Blob) -> Generator[list[str], None, None]:
    """Yield the fields of each line of a table, a line of titles included.

    Raises:
        CorruptMatrixError: The bytes are damaged.
        LimitError: The table is larger than 64 MiB.
    """
    with open_decompressed(blob) as file:
        yield from _split_lines(_read_lines(file, blob.url))


def _collect_columns(
    header: list[str] | None, rows: Iterator[list[str]]
) -> dict[str, NDArray[np.object_]]:
    """Return the columns that may hold names, types or chromosomes of genes."""
    first = next(rows)
    named = list(enumerate(_name_columns(header, first)[: len(first)]))
    useful = [(k, name) for k, name in named if not _USELESS.search(name)]
    values: dict[str, list[str]] = {name: [] for _, name in useful}
    seen: dict[str, str] = {}
    for row in chain([first], rows):
        for k, name in useful:
            value = row[k] if k < len(row) else ""
            # Chromosomes and types are few: equal strings are one object.
            values[name].append(seen.setdefault(value, value))
    return {name: np.array(column, dtype=object) for name, column in values.items()}


def _read_lines(file: BinaryIO, url: str) -> Iterator[str]:
    """Yield the lines of a table without blank ones at its end."""
    n_bytes = n_blank = 0
    is_first = True
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
        yield from [""] * n_blank
        n_blank = 0
        yield text.removeprefix("\ufeff") if is_first else text
        is_first = False


def _split_lines(lines: Iterable[str]) -> Iterator[list[str]]:
    """Split lines into fields at the first line's separator."""
    separator = None
    for line in lines:
        if separator is None:
            separator = next((c for c in "\t,;" if c in line), "\t")
        yield _split_quoted(line, separator) if '"' in line else line.split(separator)


def _split_quoted(line: str, separator: str) -> list[str]:
    """Split a line by the rules of csv; at each separator if it violates them."""
    try:
        return next(csv.reader([line], delimiter=separator), [""])
    except csv.Error:
        return line.split(separator)


def _name_columns(header: list[str] | None, row: list[str]) -> list[str]:
    """Return a name for each column, by the header or by the order of known tools."""
    width = len(row)
    if header is not None:
        # R's write.table names one column less; pandas writes an empty name.
        shift = ["index"] if len(header) == width - 1 else []
        return [*shift, *(name.strip().lower() or "index" for name in header)]
    names = ["gene_id", "gene_name", "feature_types"] + [f"column{k}" for k in range(3, width)]
    if width == 1:
        names[0] = "index"
    elif width > 2 and (row[1] + row[2]).isdigit():
        names[:3] = ["index", *_BOUNDS]  # STAR: SJ.out.tab, and bed
    elif width >= 9 and row[2] == "Gene Expression":
        names[4] = "chromosome"  # HCA Matrix Service: features.tsv.gz
    elif width == 6 and (row[4] + row[5]).isdigit():
        names[3] = "chromosome"  # Cell Ranger ARC: features.tsv.gz
    return names


def _name_regions(columns: dict[str, NDArray[np.object_]]) -> dict[str, NDArray[np.object_]]:
    """Name regions of a genome by sequence and bounds; genes keep their names.

    Names of sequences repeat, those of genes do not.
    """
    if _BOUNDS[0] not in columns:
        return columns
    firsts, lasts = (columns.pop(name) for name in _BOUNDS)
    names = columns["index"]
    if len(names) > 1 and 2 * len(set(names)) > len(names):
        return columns
    parts = zip(names, firsts, lasts, strict=True)
    regions = [f"{name}:{first}-{last}" for name, first, last in parts]
    return {"index": np.array(regions, dtype=object)}


def _swap_ids(columns: dict[str, NDArray[np.object_]]) -> dict[str, NDArray[np.object_]]:
    """Exchange the columns of ids and names if the second one holds the ids."""
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
    if first == "gene_id":  # named by position: the others move up by one
        moved = ["gene_id", "gene_name", "feature_types"]
        return dict(zip(moved, (columns[name] for name in others), strict=False))
    return {name: columns[name] for name in others}
