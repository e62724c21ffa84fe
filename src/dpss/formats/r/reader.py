"""R's files: matrices, SingleCellExperiment, Seurat 2 to 5.

rdata parses them; it runs no code of R. It is the one format that is held in memory, so that the
need of memory is estimated from the decompressed size first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, MatrixError, NoMatrixError
from dpss.formats.annotation.axis_names import AxisKind, find_kind
from dpss.formats.annotation.cell_table import InMemoryTable
from dpss.formats.annotation.gene_table import Note, check_feature_count, name_genes
from dpss.formats.annotation.strings import object_array
from dpss.formats.arrays.coordinates import InMemoryCoordinates
from dpss.formats.arrays.memory import Compressed, InMemoryLayer
from dpss.formats.base import Matrix
from dpss.formats.options import DEFAULT_OPTIONS, OpenOptions
from dpss.formats.r.containers import FoundMatrix, find_matrices
from dpss.formats.r.objects import FEW_OBJECTS, NEED_PER_OBJECT, RDATA, parse_objects
from dpss.formats.r.rules import SkippedObject
from dpss.model import Certainty, Decision
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import open_decompressed, peek

log = logging.getLogger(__name__)

FORMAT = "R"
_NEED_PER_BYTE = 4.5
"""Bytes of memory per decompressed byte: the bytes, rdata's copy of them, arrays in two byte
orders. Measured: 4.2 for a matrix of 12 million values.
"""
_NEED_PER_STRING = 600
"""Memory per string beyond that: rdata makes three objects of each. Measured: 530."""
_STRINGS = (b"\x00\x04\x00\x09", b"\x00\x00\x80\x09", b"262153\n")
"""First bytes of strings: of ASCII, of UTF-8, and of ASCII in R's format of text."""
_PIECE_BYTES = 1 << 20
_QUICK_SECONDS = 1.5
_BYTES_PER_SECOND = 1.5e8
_SECONDS_PER_STRING = 1.2e-5
"""Parsing 160 MB of doubles took 0.56 s of processor time, 200,000 strings 2.3 s (rdata 1.1);
inflating is taken to be as long as parsing."""
_RDS = (b"X\n\0\0\0\x02", b"X\n\0\0\0\x03", b"A\n2\n", b"A\n3\n")
_MAX_NAMED = 10
"""Objects that a message names."""


def sniff(source: Blob | Tree) -> bool:
    """Return whether a file's decompressed bytes begin as R's files do."""
    return isinstance(source, Blob) and peek(source, 8).startswith((*RDATA, *_RDS))


def open_(source: Blob | Tree, options: OpenOptions = DEFAULT_OPTIONS) -> tuple[Matrix, ...]:
    """Open an R file; the whole file is held in memory.

    Args:
        source: The file.
        options: Memory limit; a slow sample is logged.

    Raises:
        LimitError: The file would need more memory.
        CorruptMatrixError: The file is damaged, or its parts contradict each other.
        NoMatrixError: There is no matrix among its objects.
        UnknownFormatError: rdata, which an extra brings, is not installed.
    """
    if not isinstance(source, Blob):
        raise NoMatrixError(f"{source.url}: not a file of R")
    data, n_strings, most_objects = _read(source, options.memory_bytes)
    seconds = len(data) / _BYTES_PER_SECOND + n_strings * _SECONDS_PER_STRING
    if options.sample_only and seconds > _QUICK_SECONDS:
        log.warning(
            "%s: R's files have no index and are read whole, also for a look: %s MiB unpacked and "
            "%s names take about %.0f s",
            *(source.url, f"{len(data) >> 20:,}", f"{n_strings:,}", seconds),
        )
    things = list(_find(parse_objects(data, source.url, most_objects), source.url))
    del data
    found = [each for each in things if isinstance(each, FoundMatrix)]
    skipped = [each for each in things if isinstance(each, SkippedObject)]
    for each in skipped:
        log.info("%s: left out, %s", source.url, _describe(each))
    if not found:
        why = f": {_list_skipped(skipped)}" if skipped else ""
        raise NoMatrixError(
            f"{source.url}: there is no matrix among the objects of this R file{why}"
        )
    named = len(found) > 1
    decisions = _decide_skipped(skipped)
    return tuple(
        _open_one(each, each.name if named else "", source.url, decisions) for each in found
    )


def _describe(skipped: SkippedObject) -> str:
    return f"{skipped.name or 'the object'} ({skipped.reason})"


def _list_skipped(skipped: Sequence[SkippedObject]) -> str:
    """Return the first skipped objects with reasons, and the number of others."""
    more = len(skipped) - _MAX_NAMED
    rest = f"; and {more:,} more" if more > 0 else ""
    return "; ".join(_describe(each) for each in skipped[:_MAX_NAMED]) + rest


def _decide_skipped(skipped: Sequence[SkippedObject]) -> tuple[Decision, ...]:
    """Return a decision about the skipped objects, if there are any."""
    if not skipped:
        return ()
    evidence = f"Left out: {_list_skipped(skipped)}."
    n = f"{len(skipped):,} left out"
    return (Decision("objects", n, evidence, Certainty.TOLD_BY_CONTENT),)


def _read(blob: Blob, memory_bytes: int) -> tuple[bytes, int, int]:
    """Decompress a file within the memory limit for its objects.

    Returns:
        The file, the number of strings in it, and the number of objects that there is memory for.
    """
    parts: list[bytes] = []
    need = 0.0
    n_strings = 0
    with open_decompressed(blob) as file:
        while part := file.read(_PIECE_BYTES):
            parts.append(part)
            n_more = sum(part.count(mark) for mark in _STRINGS)
            n_strings += n_more
            need += _NEED_PER_BYTE * len(part) + _NEED_PER_STRING * n_more
            if need > memory_bytes:
                raise LimitError(
                    f"{blob.url}: R files are read whole, and this one needs more than the "
                    f"{memory_bytes / 2**30:.1f} GiB of --memory; convert it to h5ad, "
                    "or allow more"
                )
    n_others = max(FEW_OBJECTS, int((memory_bytes - need) // NEED_PER_OBJECT))
    return b"".join(parts), n_strings, n_strings + n_others


def _find(top: Any, url: str) -> Iterator[FoundMatrix | SkippedObject]:
    try:
        yield from find_matrices(top, url)
    except MatrixError:
        raise
    except Exception as error:
        # Objects parsed from damaged bytes may have any shape.
        raise CorruptMatrixError(f"{url}: R's objects contradict themselves ({error})") from error


def _open_one(found: FoundMatrix, name: str, url: str, decisions: tuple[Decision, ...]) -> Matrix:
    """Return the matrix of the layers found under one name in the file."""
    layers: list[InMemoryLayer] = []
    notes: dict[str, Note] = {}
    orientation: list[Decision] = []
    for layer_name, matrix in found.layers.items():
        where = f"{url}: {found.name or layer_name}"
        check_feature_count(matrix.n_genes, where)
        # The object's own names are what R shows, whatever the matrix in it says.
        own = found.gene_names if len(found.gene_names) == matrix.n_genes else []
        rows = own or matrix.gene_names
        columns = dict(found.gene_columns)
        if len(rows) == matrix.n_genes:
            columns = {"index": object_array(rows), **columns}
        columns = {key: column for key, column in columns.items() if len(column) == matrix.n_genes}
        genes, more = name_genes(columns, matrix.n_genes, where)
        notes |= {note[0]: note for note in (*more, *matrix.notes)}
        orientation.append(_decide_orientation(found, rows, matrix.cell_names))
        layers.append(
            InMemoryLayer(
                name=layer_name,
                cut=matrix.cut,
                n_cells=matrix.n_cells,
                genes=genes,
                cell_major=matrix.cell_major,
                n_values=_count(matrix.values),
                value_bytes=8,
            )
        )
    # All layers have the same axes: the layer whose names tell least decides how sure they are.
    least = sorted(orientation, key=lambda each: each.certainty is not Certainty.ASSUMED)[:1]
    cells = _cell_table(found, layers[0].n_cells)
    coordinates = _coordinates(found, cells.cell_names)
    decisions = (*least, *decisions)
    return Matrix(name, FORMAT, tuple(layers), tuple(notes.values()), decisions, cells, coordinates)


def _cell_table(found: FoundMatrix, n_cells: int) -> InMemoryTable:
    """Return the table of the matrix's cells.

    Their values are found by name if the matrix names its cells. Otherwise columns with as many
    values as there are cells are taken in their order.
    """
    listed = (*(matrix.cell_names for matrix in found.layers.values()), found.own_cells)
    names = next((each for each in listed if len(each) == n_cells > 0), None)
    if names is None or not found.cell_names or names == found.cell_names:
        columns = {title: c for title, c in found.cell_columns.items() if len(c) == n_cells}
        if names is None and len(found.cell_names) == n_cells:
            names = found.cell_names
        return InMemoryTable(columns, names)
    order = _order(found.cell_names, names)
    if order is None:
        return InMemoryTable({}, names)
    columns = {
        title: column[order]
        for title, column in found.cell_columns.items()
        if len(column) == len(found.cell_names)
    }
    return InMemoryTable(columns, names)


def _coordinates(
    found: FoundMatrix, cell_names: Sequence[str] | None
) -> InMemoryCoordinates | None:
    """Return the coordinates of the matrix's cells, by name where both have names."""
    arrays = {}
    for name, values in found.coordinates.items():
        listed = found.coordinate_cells.get(name, [])
        order = None
        if cell_names and len(listed) == len(values):
            order = _order(listed, cell_names)
        arrays[name] = values if order is None else values[order]
    return InMemoryCoordinates(arrays) if arrays else None


def _order(listed: Sequence[str], names: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the index of each name in a list; ``None`` if not unique or missing."""
    indices = {name: i for i, name in enumerate(listed)}
    if len(indices) < len(listed) or any(name not in indices for name in names):
        return None
    return np.array([indices[name] for name in names], dtype=np.int64)


def _count(values: Any) -> int:
    return len(values.data) if isinstance(values, Compressed) else int(values.size)


def _decide_orientation(
    found: FoundMatrix, rows: Sequence[str], columns: Sequence[str]
) -> Decision:
    """Return the orientation, genes in rows, with the evidence of names."""
    kinds = [
        AxisKind.GENES if kind is AxisKind.LIKE_GENES else kind
        for kind in (find_kind(rows), find_kind(columns))
    ]
    certainty = Certainty.TOLD_BY_CONTENT
    if AxisKind.CELLS is kinds[0] or (kinds[0] is AxisKind.UNKNOWN and AxisKind.GENES is kinds[1]):
        evidence = "The rows are named like cells, but are taken for genes, as R has them."
        certainty = Certainty.ASSUMED
    elif AxisKind.GENES is kinds[0] or AxisKind.CELLS is kinds[1]:
        evidence = "The names of rows and columns are those of genes and cells."
    elif found.gene_names:
        evidence, certainty = "The object's class keeps genes in rows.", Certainty.STATED
    else:
        evidence = "No names tell genes from cells: rows are taken for genes, as R has them."
        certainty = Certainty.ASSUMED
    return Decision("orientation", "genes × cells", evidence, certainty, changes_numbers=True)
