"""MatrixMarket with its tables: of Cell Ranger, HCA, GEO, or a file alone.

A matrix is recognised by its content. Names tell which tables may belong to it:
``GSM1_a_genes.tsv`` to ``GSM1_a_matrix.mtx``, and in a folder with one matrix any table of genes
and any of cells (`dpss.formats.mtx.roles`). Lengths tell which do, and whether the matrix is
genes × cells or cells × genes (`dpss.formats.mtx.orientation`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from dpss.errors import LimitError, NoMatrixError, UnknownFormatError, plural
from dpss.formats.annotation.feature_kinds import describe_splice_states, with_kinds
from dpss.formats.annotation.gene_table import Note, looks_like_ids, number_genes
from dpss.formats.arrays.probes import sum_probes
from dpss.formats.base import Matrix
from dpss.formats.file_names import name_matrices
from dpss.formats.mtx.cells import TextTable
from dpss.formats.mtx.header import is_matrix_market, read_header
from dpss.formats.mtx.layer import MtxLayer
from dpss.formats.mtx.npz import is_sparse_npz, read_npz
from dpss.formats.mtx.npz_layer import NpzLayer
from dpss.formats.mtx.order import guess_order
from dpss.formats.mtx.orientation import decide_orientation, orient
from dpss.formats.mtx.roles import Table, Tables, find_tables
from dpss.formats.mtx.tables import read_gene_table
from dpss.formats.options import DEFAULT_OPTIONS, OpenOptions
from dpss.formats.other_formats import NPZ
from dpss.model import GeneTable
from dpss.storage.archives import as_tree
from dpss.storage.base import Blob, Tree
from dpss.storage.local import list_beside
from dpss.storage.names import is_clutter

FORMAT = "mtx"
NPZ_FORMAT = "npz"
_MAX_UNNAMED_GENES = 1 << 24


def is_entries(blob: Blob) -> bool:
    """Return whether a file is a list of entries: MatrixMarket, or scipy's npz."""
    return is_matrix_market(blob) or is_sparse_npz(blob)


def sniff(source: Blob | Tree) -> bool:
    """Return whether a file, folder or zip archive is or holds a list of entries."""
    tree = _as_tree(source)
    if isinstance(tree, Tree):
        return any(is_entries(blob) for blob in _list_blobs(tree).values())
    return is_entries(tree)


def open_(source: Blob | Tree, options: OpenOptions = DEFAULT_OPTIONS) -> tuple[Matrix, ...]:
    """Open all MatrixMarket files of a folder or zip archive, or a single one.

    Args:
        source: A folder, archive or file; the tables of a local file are beside it.
        options: Resources for opening.

    Raises:
        NoMatrixError: There is no such file.
        CorruptMatrixError: A file is damaged, or matrix and tables contradict each other.
        LimitError: A matrix is larger than can be counted.
    """
    tree = _as_tree(source)
    if isinstance(tree, Tree):
        blobs = _list_blobs(tree)
        matrices = {path: blob for path, blob in blobs.items() if is_entries(blob)}
    else:
        matrices = {tree.name: tree} if is_entries(tree) else {}
        blobs = list_beside(tree)
    if not matrices:
        raise NoMatrixError(f"{source.url}: there is no MatrixMarket file in it")
    names = name_matrices(list(matrices))
    return tuple(
        _open_one(blob, names[path], find_tables(path, matrices, blobs), options)
        for path, blob in matrices.items()
    )


def open_member(tree: Tree, path: str, others: Collection[str], options: OpenOptions) -> Matrix:
    """Open one MatrixMarket file of a folder or archive, with its tables.

    Args:
        tree: The folder or archive.
        path: Path of the file in it.
        others: The paths of all MatrixMarket files in it, this one included.
        options: Resources for opening.

    Raises:
        MatrixError: As in `open_`.
    """
    blobs = _list_blobs(tree)
    matrices = {other: blobs[other] for other in others}
    tables = find_tables(path, matrices, blobs)
    matrix = _open_one(blobs[path], "", tables, options)
    return sum_probes(matrix, blobs[path].url)


def _as_tree(source: Blob | Tree) -> Blob | Tree:
    """Return a zip archive as a tree, an npz and any other source as it is."""
    return source if isinstance(source, Blob) and is_sparse_npz(source) else as_tree(source)


def _list_blobs(tree: Tree) -> dict[str, Blob]:
    return {path: blob for path, blob in tree.blobs().items() if not is_clutter(path)}


def _open_one(blob: Blob, name: str, tables: Tables, options: OpenOptions) -> Matrix:
    """Open one matrix: read its header, find its orientation, read its genes."""
    npz = read_npz(blob) if is_sparse_npz(blob) else None
    header = npz.header if npz else read_header(blob)
    found = orient(blob, header, tables)
    notes = list(found.notes)
    n_genes = (header.n_rows, header.n_columns)[1 - found.cell_axis]
    if found.genes is None and npz:
        raise UnknownFormatError(f"{blob.url}: {NPZ}; not read")
    if found.genes is None:
        genes = _number_genes(blob, n_genes, notes)
    else:
        genes = _add_names(read_gene_table(found.genes.blob, n_genes), found.other_genes)
    if states := describe_splice_states(genes):
        notes.append(("splice_states", "warn", states))
    axis = found.cell_axis
    layer = MtxLayer(
        blob=blob,
        header=header,
        genes=genes,
        cell_axis=axis,
        order=npz.guess_order(axis) if npz else guess_order(blob, header, axis),
        threads=options.threads,
    )
    if npz:
        layer = NpzLayer(**vars(layer), npz=npz)
    decision = decide_orientation(found, header)
    cells = TextTable(found.cells.blob, layer.n_cells) if found.cells else None
    return Matrix(name, NPZ_FORMAT if npz else FORMAT, (layer,), tuple(notes), (decision,), cells)


def _add_names(genes: GeneTable, others: Sequence[Table]) -> GeneTable:
    """Add names of a second table, as kb's ``genes.names.txt``, to ids."""
    if (genes.names != genes.ids).any() or not looks_like_ids(genes.ids):
        return genes
    for table in others:
        named = read_gene_table(table.blob, len(genes)).names
        if not looks_like_ids(named):
            return with_kinds(replace(genes, names=np.where(named == "", genes.ids, named)))
    return genes


def _number_genes(blob: Blob, n_genes: int, notes: list[Note]) -> GeneTable:
    """Return numbered genes, and add a note."""
    if n_genes > _MAX_UNNAMED_GENES:
        raise LimitError(f"{blob.url}: declares {plural(n_genes, 'gene')} and has no table of them")
    notes.append(("gene_names", "warn", "There is no table of genes: they are numbered from 1."))
    return number_genes(n_genes)
