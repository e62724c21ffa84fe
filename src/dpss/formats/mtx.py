"""MatrixMarket with its tables: Cell Ranger, HCA Matrix Service, GEO, a file alone.

A matrix is recognised by its content. Names only tell which tables may belong to it:
``GSM1_a_genes.tsv`` to ``GSM1_a_matrix.mtx``, and in a folder with one matrix any
table of genes and any of cells. Lengths tell whether they do, and whether the matrix
is genes × cells or cells × genes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from dpss.errors import CorruptMatrixError, LimitError, NoMatrixError
from dpss.formats import Matrix
from dpss.formats.mtx_header import MtxHeader, is_matrix_market, read_header
from dpss.formats.mtx_layer import DEFAULT_CHUNK_BYTES, MtxLayer
from dpss.formats.mtx_order import is_sorted_by
from dpss.formats.mtx_tables import COMPRESSION, count_lines, find_role, read_gene_table
from dpss.model import GeneTable
from dpss.stores import Blob, Tree
from dpss.stores.archives import ZipTree, is_zip
from dpss.stores.local import LocalFile
from dpss.stores.members import is_clutter

FORMAT = "mtx"
DEFAULT_THREADS = 2
_MAX_UNNAMED_GENES = 1 << 24

Note = tuple[str, str, str]


def sniff(source: Blob | Tree) -> bool:
    """Tell whether a file, folder or zip archive holds a MatrixMarket file."""
    tree = _as_tree(source)
    if isinstance(tree, Tree):
        return any(is_matrix_market(blob) for blob in _list_blobs(tree).values())
    return is_matrix_market(tree)


def open_(
    source: Blob | Tree,
    threads: int = DEFAULT_THREADS,
    chunk_bytes: int = DEFAULT_CHUNK_BYTES,
) -> tuple[Matrix, ...]:
    """Open all MatrixMarket files of a folder or zip archive, or a single one.

    Args:
        source: A file alone has its tables beside it, if it is a local one.
        threads: Threads that inflate and parse.
        chunk_bytes: Text that is parsed at a time.

    Raises:
        NoMatrixError: There is none.
        CorruptMatrixError: A file is damaged, or matrix and tables contradict each other.
        LimitError: A matrix is larger than can be counted.
    """
    tree = _as_tree(source)
    if isinstance(tree, Tree):
        blobs = _list_blobs(tree)
        matrices = {path: blob for path, blob in blobs.items() if is_matrix_market(blob)}
    else:
        matrices = {tree.name: tree} if is_matrix_market(tree) else {}
        blobs = _list_beside(tree)
    if not matrices:
        raise NoMatrixError(f"{source.url}: there is no MatrixMarket file in it")
    names = name_matrices(list(matrices))
    return tuple(
        _open_one(blob, names[path], _find_tables(path, matrices, blobs), threads, chunk_bytes)
        for path, blob in matrices.items()
    )


def open_member(
    tree: Tree, path: str, others: Collection[str], threads: int = DEFAULT_THREADS
) -> Matrix:
    """Open one MatrixMarket file of a folder or archive, with its tables; it has no name.

    Args:
        tree: The folder or archive.
        path: Where the file is in it.
        others: The paths of all MatrixMarket files in it, this one included.
        threads: Threads that inflate and parse.

    Raises:
        MatrixError: As `open_` says.
    """
    blobs = _list_blobs(tree)
    matrices = {other: blobs[other] for other in others}
    tables = _find_tables(path, matrices, blobs)
    return _open_one(blobs[path], "", tables, threads, DEFAULT_CHUNK_BYTES)


def _as_tree(source: Blob | Tree) -> Blob | Tree:
    """Return a zip archive as a tree, anything else as it is."""
    if isinstance(source, Tree) or not is_zip(source):
        return source
    return ZipTree(source)


def _list_beside(blob: Blob) -> dict[str, Blob]:
    """List the files of a local file's folder, without those below."""
    if not isinstance(blob, LocalFile):
        return {}
    return {p.name: LocalFile(p) for p in sorted(blob.path.parent.iterdir()) if p.is_file()}


def _list_blobs(tree: Tree) -> dict[str, Blob]:
    return {path: blob for path, blob in tree.blobs().items() if not is_clutter(path)}


@dataclass(frozen=True)
class _Table:
    """A table that may belong to a matrix."""

    blob: Blob
    sure: bool
    """Whether its name alone says that it does, so that it has to fit."""
    order: tuple[bool, int, bool, bool, str]
    """What puts the likeliest table first."""


_Tables = Mapping[str, Sequence[_Table]]
"""The tables of ``genes`` and of ``cells``, the likeliest first."""


def _find_tables(path: str, matrices: Mapping[str, Blob], blobs: Mapping[str, Blob]) -> _Tables:
    """Find the tables in the matrix's folder whose names fit it."""
    folder = path.rpartition("/")[0]
    full = COMPRESSION.sub("", path.rpartition("/")[2].lower())
    stem = full.removesuffix(".txt").removesuffix(".mtx")
    alone = sum(other.rpartition("/")[0] == folder for other in matrices) == 1
    beside = {p: b for p, b in blobs.items() if p.rpartition("/")[0] == folder}
    roles = {p: find_role(p) for p in beside if p not in matrices}
    n_of_kind = Counter(role[0] for role in roles.values() if role)
    found: dict[str, list[_Table]] = {"genes": [], "cells": []}
    for other, role in roles.items():
        if role is None:
            continue
        kind, prefix, rest = role
        bare = prefix.rstrip("._- ")
        fits = stem.startswith(prefix) or bare in (stem, full)
        if fits or alone or n_of_kind[kind] == 1:
            # Best: its prefix is the longest that fits, and nothing follows the role;
            # then features.tsv (which has types) before genes.tsv, by the alphabet.
            order = (not fits, -len(bare), bool(rest), "barcode" in other.lower(), other)
            found[kind].append(_Table(beside[other], fits and not rest, order))
    return {kind: sorted(tables, key=lambda table: table.order) for kind, tables in found.items()}


def name_matrices(paths: list[str]) -> dict[str, str]:
    """Name each matrix by what its path has and the others' have not."""
    if len(paths) < 2:
        return dict.fromkeys(paths, "")
    parts = {path: [*PurePosixPath(path).parts[:-1], label_of(path)] for path in paths}
    shared = set.intersection(*(set(names) for names in parts.values()))
    labels = {p: "_".join(n for n in names if n and n not in shared) for p, names in parts.items()}
    if len(set(labels.values())) < len(paths) or not all(labels.values()):
        # Not told apart by that: the whole path.
        return {path: COMPRESSION.sub("", path).replace("/", "_") for path in paths}
    return labels


def label_of(path: str) -> str:
    """Return a file's name without ``matrix``, ``.mtx`` and the like at its end."""
    name = COMPRESSION.sub("", path.rpartition("/")[2])
    name = name.removesuffix(".txt").removesuffix(".mtx")
    for word in ("matrix", "counts", "Matrix"):
        if name.rstrip("._- ").endswith(word):
            return name.rstrip("._- ").removesuffix(word).rstrip("._- ")
    return name


def _open_one(blob: Blob, name: str, tables: _Tables, threads: int, chunk_bytes: int) -> Matrix:
    """Open one matrix: read its head, find its orientation, read its genes."""
    header = read_header(blob)
    notes: list[Note] = []
    cell_axis, gene_blob = _orient(blob, header, tables, notes)
    n_genes = (header.n_columns, header.n_rows)[cell_axis]
    if gene_blob is None:
        genes = _number_genes(blob, n_genes, notes)
    else:
        genes = read_gene_table(gene_blob, n_genes)
    layer = MtxLayer(
        blob=blob,
        header=header,
        genes=genes,
        cell_axis=cell_axis,
        cell_major=is_sorted_by(blob, header, cell_axis),
        threads=threads,
        chunk_bytes=chunk_bytes,
    )
    return Matrix(name=name, format=FORMAT, layers=(layer,), notes=tuple(notes))


def _orient(
    blob: Blob, header: MtxHeader, tables: _Tables, notes: list[Note]
) -> tuple[int, Blob | None]:
    """Tell by the lengths of the tables which index counts the cells.

    Returns:
        0 or 1, and the table of genes that fits, if there is one.
    """
    sides = (header.n_rows, header.n_columns)
    lengths = {kind: _measure(found, sides) for kind, found in tables.items()}
    best: tuple[int, int, Blob | None] | None = None
    for cell_axis in (1, 0):
        genes = _best_fit(lengths["genes"], sides[1 - cell_axis])
        cells = _best_fit(lengths["cells"], sides[cell_axis])
        if _is_missed(lengths["genes"], genes) or _is_missed(lengths["cells"], cells):
            continue
        # Each table that fits tells; best is one as long as its axis, without a header.
        score = sum(2 - fit[1] for fit in (genes, cells) if fit is not None)
        if best is None or score > best[0]:
            best = (score, cell_axis, genes[0] if genes else None)
    if best is None:
        raise CorruptMatrixError(_explain_misfit(blob, header, lengths))
    if best[0] == 0:
        sentence = "No tables tell genes from cells: rows are taken for genes."
        notes.append(("orientation", "warn", sentence))
    elif header.n_rows == header.n_columns:
        sentence = "The matrix is square: its rows are taken for genes."
        notes.append(("orientation", "warn", sentence))
    return best[1], best[2]


_Lengths = list[tuple[_Table, int]]


def _measure(tables: Sequence[_Table], sides: tuple[int, int]) -> _Lengths:
    """Count the tables' lines.

    A table without any says nothing: the service writes empty barcodes for plates.
    """
    lengths = [(table, count_lines(table.blob, max(sides) + 1)) for table in tables]
    return [(table, n) for table, n in lengths if n or 0 in sides]


def _best_fit(lengths: _Lengths, side: int) -> tuple[Blob, int] | None:
    """Return the first table that fits an axis, and whether it needs a header to (0 or 1)."""
    return next(((table.blob, n - side) for table, n in lengths if n - side in (0, 1)), None)


def _is_missed(lengths: _Lengths, fit: tuple[Blob, int] | None) -> bool:
    """Return whether none fits although one has to."""
    return fit is None and any(table.sure for table, _ in lengths)


def _explain_misfit(blob: Blob, header: MtxHeader, lengths: Mapping[str, _Lengths]) -> str:
    most = max(header.n_rows, header.n_columns) + 1
    said = " and ".join(
        f"{table.blob.name} has {'more than ' if n > most else ''}{min(n, most):,}"
        for table, n in (*lengths["genes"][:1], *lengths["cells"][:1])
    )
    return (
        f"{blob.url}: is {header.n_rows:,} × {header.n_columns:,}, but its tables do not fit: "
        f"{said} lines"
    )


def _number_genes(blob: Blob, n_genes: int, notes: list[Note]) -> GeneTable:
    """Make up names for the genes of a matrix without a table of them."""
    if n_genes > _MAX_UNNAMED_GENES:
        raise LimitError(f"{blob.url}: declares {n_genes:,} genes and has no table of them")
    notes.append(("gene names", "warn", "There is no table of genes: they are numbered from 1."))
    names = np.array([f"gene {k}" for k in range(1, n_genes + 1)], dtype=object)
    return GeneTable(ids=names, names=names)
