"""Dense tables of text, genes × cells or cells × genes, streamed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, NoMatrixError, plural
from dpss.formats.annotation.cell_table import InMemoryTable
from dpss.formats.annotation.feature_kinds import CELL_ANNOTATION, set_types
from dpss.formats.annotation.gene_table import (
    NUMBERED_NOTE,
    Note,
    check_feature_count,
    gene_table,
    name_genes,
    number_genes,
)
from dpss.formats.annotation.strings import object_array
from dpss.formats.base import Matrix
from dpss.formats.options import GENES_BY_CELLS, OpenOptions
from dpss.formats.side_files import side_file_of
from dpss.formats.text.dialect import Dialect
from dpss.formats.text.layer import TextLayer
from dpss.formats.text.layout import (
    TableHead,
    count_lines,
    is_text,
    orient,
    read_lead,
    read_table_head,
)
from dpss.model import Certainty, Decision, GeneTable
from dpss.storage.archives import as_tree
from dpss.storage.base import Blob, Tree
from dpss.storage.compression import find_compression, peek_text
from dpss.storage.compression import open_text as open_text_stream
from dpss.storage.trees import SubTree

FORMAT = "text"

_SNIFF_BYTES = 1 << 12
_TABLE_BYTES = 1 << 28
"""Largest table of genes beside a matrix."""


def sniff(source: Blob | Tree) -> bool:
    """Return whether a source is text, or csv of the Matrix Service."""
    tree = as_tree(source)
    if isinstance(tree, Tree):
        return _members(tree) is not None
    return is_table(tree)


def is_table(blob: Blob) -> bool:
    """Return whether a file is text."""
    head = peek_text(blob, _SNIFF_BYTES)
    # A compressed file without content is opened, so that the error names the fault.
    return is_text(head) or (not head and find_compression(blob.read_range(0, 8)) is not None)


def service_folders(tree: Tree) -> list[str]:
    """Return the folders of a tree that hold csv of the Matrix Service."""
    folders = []
    for path in tree.blobs():
        folder, _, name = path.rpartition("/")
        if name.removesuffix(".gz") == "expression.csv" and sniff(SubTree(tree, folder)):
            folders.append(folder)
    return folders


def open_(source: Blob | Tree, options: OpenOptions) -> tuple[Matrix, ...]:
    """Open a dense table, or the table of the Matrix Service's csv.zip with its genes.

    Raises:
        MatrixError: As in `open_text`.
    """
    tree = as_tree(source)
    if isinstance(tree, Tree):
        return (open_matrix_service_csv(tree, options),)
    return (open_text(tree, options),)


def open_text(
    blob: Blob, options: OpenOptions, known_genes: Mapping[str, NDArray[np.object_]] | None = None
) -> Matrix:
    """Open a dense table of text, compressed or not.

    Args:
        blob: The file.
        options: Resources and overrides. With ``sample_only`` only the genes of the first lines are
            named, so that the matrix can be sampled, but not read.
        known_genes: A table of genes from another file: columns of text by name.

    Raises:
        NoMatrixError: The table does not hold counts.
        CorruptMatrixError: The file is damaged or its lines differ.
        UnknownFormatError: The file is not text.
        LimitError: A line is too long, or there are too many genes.
    """
    if what := side_file_of(blob.url):
        raise NoMatrixError(f"{blob.url}: {what}, not a matrix")
    head = read_table_head(blob)
    sample_only = options.sample_only and not head.complete
    orientation = orient(head, options.orientation)
    dialect, cell_major = head.dialect, orientation.value != GENES_BY_CELLS
    cells: InMemoryTable | None = None
    if cell_major:
        genes, notes = _genes_of_header(dialect, known_genes, blob.url)
        genes = set_types(genes, dict.fromkeys(dialect.cell_annotation, CELL_ANNOTATION))
    else:
        genes, notes = _genes_of_lines(blob, head, sample_only=sample_only)
        cells = None if dialect.names is None else InMemoryTable({}, dialect.names)
    n_cells = None if cell_major else dialect.n_columns
    layer = TextLayer(
        blob, dialect, n_cells, genes, cell_major, options.threads, sample_only=sample_only
    )
    decisions = (orientation, *_decisions(dialect, cells=cell_major))
    return Matrix("", FORMAT, (layer,), notes, decisions, cells)


def _decisions(dialect: Dialect, *, cells: bool) -> Iterator[Decision]:
    """Yield the decisions about a table's columns and numbers."""
    annotation = dialect.annotation
    if len(annotation) > 1:
        listed = ", ".join(map(repr, annotation[:6])) + (", …" if len(annotation) > 6 else "")
        yield Decision(
            "annotation",
            f"{len(annotation):,} of {plural(dialect.n_columns + len(annotation), 'column')}",
            f"Their titles, or what they hold, are no counts: {listed}.",
            Certainty.ASSUMED if dialect.doubtful else Certainty.TOLD_BY_CONTENT,
            changes_numbers=dialect.doubtful,
        )
    if dialect.decimal == ",":
        yield Decision(
            "decimal_sign",
            "comma",
            "Numbers have commas, none has a point, and the separator is another one.",
            Certainty.TOLD_BY_CONTENT,
        )
    for j, why in dialect.cell_annotation.items() if cells else ():
        name = dialect.names[j] if dialect.names else f"column {dialect.n_lead + j + 1}"
        yield Decision(
            "cell_annotation",
            name,
            f"The column {name!r} is left out: {why}.",
            Certainty.TOLD_BY_CONTENT,
        )


def _genes_of_lines(
    blob: Blob, head: TableHead, *, sample_only: bool
) -> tuple[GeneTable, tuple[Note, ...]]:
    """Return genes named by the columns before the data, and notes."""
    dialect = head.dialect
    if head.label is None:
        n_genes = head.n_lines if sample_only else count_lines(blob, dialect)
        check_feature_count(n_genes, blob.url)
        return number_genes(n_genes), (NUMBERED_NOTE,)
    columns = list(head.lead) if sample_only else read_lead(blob, dialect)
    titled = {"index": columns[head.label]}
    for j, column in enumerate(columns):
        if j != head.label and dialect.lead and dialect.lead[j]:
            titled[dialect.lead[j]] = column
        elif j != head.label:
            titled[f"column {j + 1}"] = column
    return name_genes(titled, len(columns[0]), blob.url)


def _genes_of_header(
    dialect: Dialect, known: Mapping[str, NDArray[np.object_]] | None, url: str
) -> tuple[GeneTable, tuple[Note, ...]]:
    """Return genes named by the header and a table of known genes, and notes."""
    check_feature_count(dialect.n_columns, url)
    if dialect.names is None:
        return number_genes(dialect.n_columns), (NUMBERED_NOTE,)
    for column in (known or {}).values():
        places = {value: i for i, value in enumerate(column)}
        if all(name in places for name in dialect.names):
            order = np.array([places[name] for name in dialect.names], dtype=np.int64)
            return gene_table({key: values[order] for key, values in (known or {}).items()}), ()
    return gene_table({"index": object_array(dialect.names)}), ()


def open_matrix_service_csv(tree: Tree, options: OpenOptions) -> Matrix:
    """Open ``expression.csv`` with the genes in ``genes.csv`` beside it.

    Raises:
        CorruptMatrixError: The files are damaged or contradict each other.
        LimitError: The table of genes is too large.
    """
    members = _members(tree)
    if members is None:
        raise CorruptMatrixError(f"{tree.url}: there is no expression.csv with a genes.csv")
    expression, genes = members
    # Names tell the orientation of the service's tables; the option is for other tables.
    return open_text(expression, replace(options, orientation=None), _read_table(genes))


def _members(tree: Tree) -> tuple[Blob, Blob] | None:
    """Return the tables of counts and of genes."""
    blobs = {path.removesuffix(".gz"): blob for path, blob in tree.blobs().items()}
    for path, blob in blobs.items():
        folder, slash, name = path.rpartition("/")
        if name == "expression.csv" and f"{folder}{slash}genes.csv" in blobs:
            return blob, blobs[f"{folder}{slash}genes.csv"]
    return None


def _read_table(blob: Blob) -> dict[str, NDArray[np.object_]]:
    """Read a small table with a header."""
    with open_text_stream(blob) as file:
        data = file.read(_TABLE_BYTES + 1)
    if len(data) > _TABLE_BYTES:
        raise LimitError(f"{blob.url}: a table of genes of more than {_TABLE_BYTES >> 20} MiB")
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8", "replace"))))
    except csv.Error as error:
        raise CorruptMatrixError(f"{blob.url}: can't be read as csv ({error})") from error
    header, lines = (rows[0], [row for row in rows[1:] if row]) if rows else ([], [])
    if any(len(row) != len(header) for row in lines):
        raise CorruptMatrixError(f"{blob.url}: its lines have different numbers of fields")
    return {
        title: np.array([row[j] for row in lines], dtype=object) for j, title in enumerate(header)
    }
