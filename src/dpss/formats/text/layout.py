"""Head of a dense table: its axes, the number of lines, and their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.errors import NoMatrixError, UnknownFormatError
from dpss.formats.annotation.axis_names import AxisKind, are_lists, are_measures, find_kind
from dpss.formats.annotation.gene_table import check_feature_count
from dpss.formats.annotation.strings import object_array
from dpss.formats.options import CELLS_BY_GENES, GENES_BY_CELLS, Orientation
from dpss.formats.other_formats import (
    describe_bytes,
    describe_markup,
    describe_name,
    unknown_format,
)
from dpss.formats.text.bounds import LineBounds
from dpss.formats.text.dialect import Dialect, find_dialect, split_line
from dpss.formats.text.stream import TextReader, skip
from dpss.model import Certainty, Decision
from dpss.storage.base import Blob
from dpss.storage.compression import open_text

_HEAD_BYTES = 1 << 21
_MOST_HEAD_BYTES = 1 << 28
_SCAN_BYTES = 1 << 20
_N_NAMES = 5_000
_NAME_BYTES = 1 << 7
"""Bytes of a line in which the columns before the data are searched first."""
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13})
_NEEDED_LINES = 4
_STAR_BEGINS = "N_unmapped"


def is_text(head: bytes) -> bool:
    """Return whether a file's first bytes, decompressed, may be those of a text table."""
    return bool(head.strip()) and head.translate(None, _CONTROL) == head


@dataclass(frozen=True)
class TableHead:
    """Facts read from the beginning of a table."""

    dialect: Dialect
    label: int | None
    """Column before the data that names the lines; ``None`` without one."""
    line_kind: AxisKind
    column_kind: AxisKind
    lead: tuple[NDArray[np.object_], ...] = ()
    """The columns before the data, of the first lines."""
    n_lines: int = 0
    """Number of those lines."""
    complete: bool = False
    """Whether the head is the whole file."""


def read_table_head(blob: Blob) -> TableHead:
    """Read the beginning of a table, and return its layout, axes and names.

    Raises:
        UnknownFormatError: The file is not text.
        NoMatrixError: The table does not hold counts.
        CorruptMatrixError: The file is damaged, or its lines differ.
    """
    data, complete = _read_first_bytes(blob)
    first = data[:1024]
    if not is_text(data[:_HEAD_BYTES]):
        raise UnknownFormatError(f"{blob.url}: {unknown_format(first, blob.url)}")
    if other := describe_bytes(first) or describe_name(blob.url) or describe_markup(first):
        raise NoMatrixError(f"{blob.url}: {other}")
    dialect = find_dialect(data, complete, blob.url)
    titles = [title for title in (*dialect.lead, *(dialect.names or ())) if title]
    shown = ", ".join(map(repr, titles[:6])) + (", …" if len(titles) > 6 else "")
    if dialect.names is not None and are_measures(dialect.names):
        raise NoMatrixError(f"{blob.url}: a table of {shown}, not a count matrix")
    lines = list(_lead_fields(data[dialect.begin :], dialect))
    if are_lists(list(zip(*lines, strict=False))):
        raise NoMatrixError(
            f"{blob.url}: a list of entries ({shown or 'without titles'}), whose names come again "
            "and again, not a table with a line for each gene or cell"
        )
    if dialect.names is None and dialect.n_columns == 3 and lines[:1] == [[_STAR_BEGINS]]:
        raise NoMatrixError(
            f"{blob.url}: what STAR counts for one sample, in three ways (ReadsPerGene.out.tab), "
            "not a matrix"
        )
    label, line_kind = _find_label(lines, dialect)
    corner = "" if dialect.lead == () or label is not None else dialect.lead[0]
    column_kind = find_kind(dialect.names or (), corner)
    lead = tuple(
        object_array([fields[j] if j < len(fields) else "" for fields in lines])
        for j in range(dialect.n_lead)
    )
    return TableHead(dialect, label, line_kind, column_kind, lead, len(lines), complete)


def axes_of(blob: Blob) -> tuple[AxisKind, AxisKind]:
    """Return the kinds of names of a table's lines and columns.

    Raises:
        MatrixError: As in `read_table_head`.
    """
    head = read_table_head(blob)
    return head.line_kind, head.column_kind


def _read_first_bytes(blob: Blob) -> tuple[bytes, bool]:
    """Return some lines of a file, and whether they are the whole file.

    Raises:
        LimitError: A line is too long or has too many fields.
    """
    head = bytearray()
    n_lines = 0
    bounds = LineBounds(blob.url)
    with open_text(blob) as file:
        while len(head) < _HEAD_BYTES or (n_lines < _NEEDED_LINES and len(head) < _MOST_HEAD_BYTES):
            part = file.read(_HEAD_BYTES)
            if not part:
                return bytes(head), True
            bounds.add(part)
            head += part
            n_lines += part.count(b"\n")
    return bytes(head), False


def _lead_fields(text: bytes, dialect: Dialect) -> Iterator[list[str]]:
    """Yield the fields before the data in each whole line."""
    begin = n = 0
    while n < _N_NAMES and (end := text.find(b"\n", begin)) >= 0:
        if text[begin:end].strip():
            yield lead_fields(text, begin, end, dialect)
            n += 1
        begin = end + 1


def lead_fields(text: bytes, begin: int, end: int, dialect: Dialect) -> list[str]:
    """Return the fields before the data in one line."""
    width = _NAME_BYTES
    while True:
        stop = min(end, begin + width)
        line = text[begin:stop].decode("utf-8", "replace")
        fields = split_line(line, chr(dialect.separator), dialect.n_lead)
        if stop == end or len(fields) > dialect.n_lead:
            return fields[: dialect.n_lead]
        width *= 8


_LABEL_ORDER = {AxisKind.LIKE_GENES: 1, AxisKind.UNKNOWN: 2}
"""Rank of a column that may name the lines; 0 for names of genes or cells."""


def _find_label(lines: list[list[str]], dialect: Dialect) -> tuple[int | None, AxisKind]:
    """Return the column that names the lines, and the kind of its names."""
    labels = []
    for j in range(dialect.n_lead):
        title = dialect.lead[j] if dialect.lead else ""
        names = [fields[j] for fields in lines if j < len(fields)]
        kind = find_kind(names, title)
        numbers = all(name.isdigit() for name in names)
        labels.append((_LABEL_ORDER.get(kind, 0), numbers, j, kind))
    if not labels:
        return None, AxisKind.UNKNOWN
    _, _, label, kind = min(labels, key=lambda entry: entry[:3])
    return label, kind


def orient(head: TableHead, wanted: Orientation | None) -> Decision:
    """Return the decision on the orientation; its value is an `Orientation`."""
    option = "--orientation"
    if wanted is not None:
        return Decision(
            "orientation", wanted, f"{option} states it.", Certainty.STATED, option, True
        )
    lines, columns = head.line_kind, head.column_kind
    found, certainty, believed = GENES_BY_CELLS, Certainty.ASSUMED, "lines were taken for genes"
    if lines is not columns:
        by_lines = _GENE_EVIDENCE.index(lines) > _GENE_EVIDENCE.index(columns)
        found = GENES_BY_CELLS if by_lines else CELLS_BY_GENES
        believed = f"{'lines' if by_lines else 'columns'} were taken for genes"
        if {lines, columns} != {AxisKind.LIKE_GENES, AxisKind.UNKNOWN}:
            certainty = Certainty.TOLD_BY_CONTENT
    if lines is columns:
        told = f"The names of lines and of columns are {_describe(lines)}"
    else:
        told = f"The names of lines are {_describe(lines)}, those of columns {_describe(columns)}"
    evidence = f"{told}; {believed}." if certainty is Certainty.ASSUMED else f"{told}."
    return Decision("orientation", found, evidence, certainty, option, changes_numbers=True)


_GENE_EVIDENCE = (AxisKind.CELLS, AxisKind.UNKNOWN, AxisKind.LIKE_GENES, AxisKind.GENES)
"""Kinds of names; the last is the strongest evidence for an axis of genes."""


def _describe(kind: AxisKind) -> str:
    return {
        AxisKind.GENES: "those of genes",
        AxisKind.CELLS: "those of cells",
        AxisKind.LIKE_GENES: "of a form that genes have, and others, too",
        AxisKind.UNKNOWN: "of no known kind",
    }[kind]


def count_lines(blob: Blob, dialect: Dialect) -> int:
    """Return the number of lines of data that are not blank."""
    n = 0
    for text in _read_pieces(blob, dialect):
        n += text.count(b"\n")
        if b"\n\n" in text or b"\n\r" in text or text[:1] in b"\r\n":
            n -= sum(not line.strip() for line in text.splitlines())
    return n


def read_lead(blob: Blob, dialect: Dialect) -> list[NDArray[np.object_]]:
    """Return all fields of the columns before the data.

    Raises:
        LimitError: There are more lines than a matrix has genes.
    """
    columns: list[list[str]] = [[] for _ in range(dialect.n_lead)]
    for text in _read_pieces(blob, dialect):
        begin = 0
        while (end := text.find(b"\n", begin)) >= 0:
            if text[begin : begin + 1] not in b"\r\n":
                fields = lead_fields(text, begin, end, dialect)
                for j, column in enumerate(columns):
                    column.append(fields[j] if j < len(fields) else "")
            begin = end + 1
        check_feature_count(len(columns[0]), blob.url)
    return [object_array(column) for column in columns]


def _read_pieces(blob: Blob, dialect: Dialect) -> Iterator[bytes]:
    """Yield the lines of data in large pieces."""
    with open_text(blob) as file:
        skip(file, dialect.begin)
        reader = TextReader(file, blob.url, _SCAN_BYTES)
        while text := reader.read():
            yield text
