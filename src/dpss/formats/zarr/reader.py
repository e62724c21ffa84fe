"""Zarr in a folder or zip, in AnnData's or the HCA's layout."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, FetchError, MatrixError, NoMatrixError, plural
from dpss.formats.annotation.cell_names import note_cell_names, note_unreadable_cells
from dpss.formats.annotation.cell_table import BarcodeTable, ElementsTable
from dpss.formats.annotation.data_frame import (
    Frame,
    find_index,
    frame_length,
    note_others,
    read_frame,
    read_records,
    unknown_array,
)
from dpss.formats.annotation.dataset_facts import ElementsFacts
from dpss.formats.annotation.gene_table import (
    MAX_FEATURES,
    Note,
    check_feature_count,
    gene_table,
    name_genes,
)
from dpss.formats.annotation.strings import as_strings
from dpss.formats.arrays.coordinates import ArrayCoordinates
from dpss.formats.arrays.sparse import SparseLayer
from dpss.formats.arrays.tiles import TiledLayer
from dpss.formats.base import ANNDATA_ORIENTATION, Layer, Matrix, state_orientation
from dpss.formats.zarr.data_frame import ZarrElements
from dpss.formats.zarr.group import METADATA, ZarrTree
from dpss.formats.zarr.mudata import open_modalities
from dpss.model import GeneTable
from dpss.storage.archives import as_tree
from dpss.storage.base import Blob, Tree

FORMAT = "zarr"

_HCA_ORIENTATION = state_orientation(
    "cells × genes", "The HCA Matrix Service's expression has a row for each cell_id."
)
Columns = dict[str, NDArray[np.object_]]


def sniff(source: Blob | Tree) -> bool:
    """Return whether a folder or zip archive holds a zarr hierarchy."""
    tree = as_tree(source)
    return isinstance(tree, Tree) and bool(roots(tree))


def open_(source: Blob | Tree) -> tuple[Matrix, ...]:
    """Open all zarr hierarchies of a folder or zip archive.

    Raises:
        NoMatrixError: There is no matrix in any of them.
        CorruptMatrixError: A hierarchy is damaged or contradicts itself.
        UnknownFormatError: A hierarchy uses an unsupported codec.
        LimitError: A hierarchy has more genes, or larger chunks, than can be read.
    """
    tree = as_tree(source)
    if not isinstance(tree, Tree) or not (found_roots := roots(tree)):
        raise NoMatrixError(f"{source.url}: there is no zarr hierarchy in it")
    found, refused = [], None
    for root in found_roots:
        name = PurePosixPath(root).name.removesuffix(".zarr") if len(found_roots) > 1 else ""
        try:
            found += open_modalities(tree, root, name, _open_one)
        except NoMatrixError as error:
            refused = error
    if refused is not None and not found:
        raise refused
    return tuple(found)


def roots(tree: Tree) -> list[str]:
    """Return the folders that are the root of a hierarchy."""
    folders = {
        folder
        for folder, _, name in (path.rpartition("/") for path in tree.blobs())
        if name in METADATA
    }
    return sorted(
        folder
        for folder in folders
        if not folder
        or not ({"", *(str(parent) for parent in PurePosixPath(folder).parents)} & folders)
    )


def _open_one(tree: ZarrTree, name: str) -> Matrix:
    if {"expression", "gene_id"} <= set(tree.children("")):
        layers, notes = _open_hca(tree)
        orientation = _HCA_ORIENTATION
    elif "var" in tree:
        layers, notes = _layers(tree)
        orientation = ANNDATA_ORIENTATION
    else:
        raise NoMatrixError(f"{tree.url}: a zarr hierarchy without X and var or an expression")
    if not layers:
        raise NoMatrixError(f"{tree.url}: there is no X, raw.X or layer in this zarr hierarchy")
    cells, coordinates = _cell_table(tree), _coordinates(tree)
    facts = ElementsFacts(ZarrElements(tree), "uns")
    return Matrix(name, FORMAT, layers, notes, (orientation,), cells, coordinates, facts)


def _coordinates(tree: ZarrTree) -> ArrayCoordinates:
    """Return the coordinates in ``obsm``."""
    return ArrayCoordinates(tree, ZarrElements(tree), "obsm")


def _cell_table(tree: ZarrTree) -> ElementsTable | None:
    elements = ZarrElements(tree)
    if "cell_id" in tree and "obs" not in tree:
        return BarcodeTable(elements, "", "cell_id")
    if "obs" not in tree or tree.is_array("obs"):
        return None
    try:
        return ElementsTable(elements, "obs", find_index(elements, "obs"))
    except CorruptMatrixError:
        return None


def _open_hca(tree: ZarrTree) -> tuple[tuple[Layer, ...], tuple[Note, ...]]:
    """Open the HCA Matrix Service's layout: dense cells × genes, and arrays of names."""
    expression = tree.array("expression")
    if len(expression.shape) != 2:
        raise NoMatrixError(f"{tree.url}: expression has the shape {expression.shape}")
    n_cells, n_genes = expression.shape
    check_feature_count(n_genes, tree.url)
    columns: Columns = {}
    for child in tree.children(""):
        if child == "gene_id" or child.startswith("gene_metadata"):
            columns |= _hca_columns(tree, child, n_genes)
    genes, notes = name_genes(columns, n_genes, tree.url)
    layer = TiledLayer("X", expression, genes, cell_axis=0).check()
    return (layer,), (*notes, *_note_on_cells(tree, "cell_id", n_cells))


def _note_on_cells(tree: ZarrTree, path: str, n_cells: int) -> tuple[Note, ...]:
    """Return notes about the names of the cells."""
    if path not in tree:
        return ()
    try:
        if tree.is_array(path):
            shape = tree.array(path).shape
            return note_cell_names(path, shape[0] if len(shape) == 1 else None, n_cells)
        return note_cell_names(path, frame_length(ZarrElements(tree), path), n_cells)
    except FetchError:
        raise
    except MatrixError as error:
        return note_unreadable_cells(path, error, tree.url)


def _hca_columns(tree: ZarrTree, name: str, n_genes: int) -> Columns:
    """Return the columns of a table of genes, with titles from the array ``..._name``."""
    array = tree.array(name)
    if array.dtype.kind not in "SUO":
        return {}
    values = array.read_all(MAX_FEATURES * 16)
    if values.shape[:1] != (n_genes,):
        # The array has a row per column of the table.
        values = values.T
    if values.shape[:1] != (n_genes,) or values.ndim > 2:
        return {}
    if values.ndim == 1:
        return {name: as_strings(values)}
    titles = [f"{name} {j + 1}" for j in range(values.shape[1])]
    if f"{name}_name" in tree:
        named = as_strings(tree.array(f"{name}_name").read_all(1 << 10).ravel())
        titles = list(named) if len(named) == len(titles) else titles
    return {title: as_strings(values[:, j]) for j, title in enumerate(titles)}


def _layers(tree: ZarrTree) -> tuple[tuple[Layer, ...], tuple[Note, ...]]:
    """Return the layers of an AnnData hierarchy, and notes about others."""
    var = _frame(tree, "var", "uns")
    genes = gene_table(var.columns)
    found: list[Layer] = []
    notes = var.notes
    if "X" in tree and not _is_null(tree, "X"):
        found.append(_layer(tree, "X", "X", genes))
    for raw in ("raw/", "raw."):
        if f"{raw}X" in tree:
            raw_var = _frame(tree, f"{raw}var", f"{raw}cat") if f"{raw}var" in tree else var
            raw_genes = genes if raw_var is var else gene_table(raw_var.columns)
            found.append(_layer(tree, "raw.X", f"{raw}X", raw_genes))
            notes += raw_var.notes if raw_var is not var else ()
            break
    others = {}
    for name in tree.children("layers") if "layers" in tree else ():
        other = _other_encoding(tree, f"layers/{name}")
        if other:
            others[name] = other
        else:
            found.append(_layer(tree, name, f"layers/{name}", genes))
    n_cells = {layer.n_cells for layer in found}
    if len(n_cells) > 1:
        listed = ", ".join(f"{layer.name} {layer.n_cells:,}" for layer in found)
        raise CorruptMatrixError(f"{tree.url}: its layers have other numbers of cells: {listed}")
    cell_notes = _note_on_cells(tree, "obs", n_cells.pop() or 0) if found else ()
    return tuple(found), (*notes, *note_others(others), *cell_notes)


def _frame(tree: ZarrTree, path: str, categories: str) -> Frame:
    """Return a data frame's columns of text, the index first under the name ``index``."""
    if not tree.is_array(path):
        return read_frame(ZarrElements(tree), path)
    array = tree.array(path)
    if array.dtype.names is None or len(array.shape) != 1:
        raise CorruptMatrixError(f"{tree.url}: {path} is no table of genes")
    frame = read_records(ZarrElements(tree), array.read_all(MAX_FEATURES), categories)
    if not frame.columns:
        raise CorruptMatrixError(f"{tree.url}: {path} has no column of text, hence no names")
    return frame


def _other_encoding(tree: ZarrTree, path: str) -> str:
    """Return the encoding of an object that is not a matrix of numbers; else empty."""
    if not tree.is_array(path):
        encoding = str(tree.attributes(path).get("encoding-type", ""))
        return encoding if encoding not in ("", "csr_matrix", "csc_matrix") else ""
    if encoding := unknown_array(tree.attributes(path)):
        return encoding
    array = tree.array(path)
    numbers = array.dtype.kind in "iufb" and len(array.shape) == 2
    return "" if numbers else f"{plural(len(array.shape), 'axis')} of {array.dtype}"


def _layer(tree: ZarrTree, name: str, path: str, genes: GeneTable) -> Layer:
    """Open a layer, dense or sparse, and check it against the genes."""
    where = f"{tree.url}: {path}"
    if tree.is_array(path):
        array = tree.array(path)
        if len(array.shape) != 2:
            raise CorruptMatrixError(f"{where} has {plural(len(array.shape), 'axis')} instead of 2")
        if encoding := unknown_array(tree.attributes(path)):
            raise CorruptMatrixError(f"{where} is encoded as {encoding!r}, which is not read")
        _check_genes(genes, array.shape[1], where)
        return TiledLayer(name, array, genes, cell_axis=0).check()
    attributes = tree.attributes(path)
    encoding = str(attributes.get("encoding-type", attributes.get("h5sparse_format", "")))
    shape = attributes.get("shape", attributes.get("h5sparse_shape"))
    kind = encoding.removesuffix("_matrix")
    if kind not in ("csr", "csc") or not _is_shape(shape):
        raise CorruptMatrixError(f"{where} is encoded as {encoding!r}, which is no matrix")
    n_cells, n_genes = shape
    _check_genes(genes, n_genes, where)
    for vector in ("data", "indices", "indptr"):
        array = tree.array(f"{path}/{vector}")
        if len(array.shape) != 1 or array.dtype.kind not in "iufb":
            raise CorruptMatrixError(f"{where}/{vector} is no vector of numbers")
    return SparseLayer(name, tree, path, n_cells, genes, cell_major=kind == "csr").check()


def _is_shape(shape: object) -> TypeGuard[list[int]]:
    return (
        isinstance(shape, list)
        and len(shape) == 2
        and all(isinstance(n, int) and 0 <= n < 1 << 62 for n in shape)
    )


def _check_genes(genes: GeneTable, n_genes: int, where: str) -> None:
    if len(genes) != n_genes:
        raise CorruptMatrixError(
            f"{where} has {plural(n_genes, 'gene')}, but its gene table {len(genes):,}"
        )


def _is_null(tree: ZarrTree, path: str) -> bool:
    """Return whether AnnData wrote ``X = None``."""
    return tree.attributes(path).get("encoding-type") == "null"
