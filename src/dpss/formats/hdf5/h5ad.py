"""AnnData's h5ad: the current layout, and old ones with compound obs and var."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from dpss.errors import CorruptMatrixError, NoMatrixError, plural
from dpss.formats.annotation.data_frame import (
    Frame,
    note_others,
    read_frame,
    read_records,
    unknown_array,
)
from dpss.formats.annotation.dataset_facts import ElementsFacts
from dpss.formats.annotation.gene_table import Note, gene_table
from dpss.formats.annotation.modalities import holds_genes, note_left_out
from dpss.formats.annotation.strings import as_string
from dpss.formats.arrays.coordinates import ArrayCoordinates
from dpss.formats.arrays.sparse import SparseLayer
from dpss.formats.base import ANNDATA_ORIENTATION, Layer, Matrix
from dpss.formats.hdf5.data_frame import Hdf5Elements, cell_table, note_cells
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.strings import read_whole
from dpss.model import GeneTable
from dpss.storage.base import Blob

FORMAT = "h5ad"


def is_h5ad(file: Hdf5File) -> bool:
    """Return whether an HDF5 file has the layout of an AnnData object."""
    h5 = file.h5
    return h5.attrs.get("encoding-type") in ("anndata", b"anndata") or (
        # MuData has obs and var, too.
        "var" in h5 and ("obs" in h5 or "X" in h5) and not is_h5mu(file)
    )


def is_h5mu(file: Hdf5File) -> bool:
    """Return whether an HDF5 file holds a MuData object: several AnnData objects."""
    h5 = file.h5
    return as_string(h5.attrs.get("encoding-type", "")) == "MuData" or (
        isinstance(h5.get("mod"), h5py.Group) and "X" not in h5
    )


def open_h5mu(blob: Blob, file: Hdf5File) -> tuple[Matrix, ...]:
    """Open an h5mu file: a matrix for each modality that holds gene expression.

    Raises:
        NoMatrixError: No modality holds genes.
        CorruptMatrixError: The parts of the file contradict each other.
    """
    matrices = []
    with reading(file):
        modalities = file.h5["mod"]
        for name in modalities:
            if "var" not in modalities[name]:
                continue
            layers, own_notes = _layers(file, f"mod/{name}")
            if layers and holds_genes(name, layers[0].genes):
                matrices.append((name, layers, own_notes))
        others = sorted(set(modalities) - {name for name, *_ in matrices})
    if not matrices:
        raise NoMatrixError(
            f"{blob.url}: none of the modalities holds gene expression ({', '.join(others)})"
        )
    notes = note_left_out(others)
    named = len(matrices) > 1
    return tuple(
        Matrix(
            name if named else "",
            "h5mu",
            layers,
            (*notes, *own_notes),
            (ANNDATA_ORIENTATION,),
            cell_table(file, f"mod/{name}/obs"),
            _coordinates(file, f"mod/{name}/obsm"),
        )
        for name, layers, own_notes in matrices
    )


def open_h5ad(blob: Blob, file: Hdf5File) -> Matrix:
    """Open an h5ad file.

    Raises:
        NoMatrixError: There is no X, raw.X or layer in it.
        CorruptMatrixError: The parts of the file contradict each other.
    """
    with reading(file):
        layers, notes = _layers(file, "")
    if not layers:
        raise NoMatrixError(f"{blob.url}: there is no X, raw.X or layer in this h5ad file")
    cells = cell_table(file, "obs")
    coordinates = _coordinates(file, "obsm")
    facts = ElementsFacts(Hdf5Elements(file), "uns")
    return Matrix("", FORMAT, layers, notes, (ANNDATA_ORIENTATION,), cells, coordinates, facts)


def _coordinates(file: Hdf5File, path: str) -> ArrayCoordinates:
    return ArrayCoordinates(file, Hdf5Elements(file), path)


def _layers(file: Hdf5File, root: str) -> tuple[tuple[Layer, ...], tuple[Note, ...]]:
    """Return all layers below a group with AnnData's layout, and notes about others."""
    h5 = file.h5
    if "var" not in h5[root or "/"]:
        raise NoMatrixError(f"{file.blob.url}: there is no var, hence no gene names")
    var = _frame(file, f"{root}/var", f"{root}/uns")
    genes = gene_table(var.columns)
    found: list[Layer] = []
    notes = var.notes
    if f"{root}/X" in h5 and not _is_null(h5[f"{root}/X"]):
        found.append(_layer(file, "X", f"{root}/X", None, genes))
    for raw in (f"{root}/raw/", f"{root}/raw."):
        if f"{raw}X" in h5:
            raw_var = _frame(file, f"{raw}var", f"{raw}cat") if f"{raw}var" in h5 else var
            raw_genes = genes if raw_var is var else gene_table(raw_var.columns)
            found.append(_layer(file, "raw.X", f"{raw}X", _count_cells(found), raw_genes))
            notes += raw_var.notes if raw_var is not var else ()
            break
    layers = h5.get(f"{root}/layers")
    others = {}
    for name in layers if isinstance(layers, h5py.Group) else ():
        other = _other_encoding(layers[name])
        if other:
            others[name] = other
        else:
            found.append(_layer(file, name, f"{root}/layers/{name}", _count_cells(found), genes))
    n_cells = _count_cells(found)
    cell_notes = () if n_cells is None else note_cells(file, f"{root}/obs", n_cells, needed=False)
    return tuple(found), (*notes, *note_others(others), *cell_notes)


def _count_cells(layers: Sequence[Layer]) -> int | None:
    return layers[0].n_cells if layers else None


def _other_encoding(node: Any) -> str:
    """Return the encoding of an object that is not a matrix of numbers; else empty."""
    if isinstance(node, h5py.Dataset):
        if encoding := unknown_array(node.attrs):
            return encoding
        numbers = node.dtype.kind in "iufb" and node.ndim == 2
        return "" if numbers else f"{plural(node.ndim, 'axis')} of {node.dtype}"
    encoding = as_string(node.attrs.get("encoding-type", ""))
    return encoding if encoding not in ("", "csr_matrix", "csc_matrix") else ""


def _layer(file: Hdf5File, name: str, path: str, n_cells: int | None, genes: GeneTable) -> Layer:
    """Open a layer; check its genes and its cells."""
    node = file.h5[path]
    shape, encoding = _shape(file, node, path)
    if len(genes) != shape[1]:
        raise CorruptMatrixError(
            f"{file.blob.url}: {path} has {plural(shape[1], 'gene')}, "
            f"but its gene table {len(genes):,}"
        )
    if n_cells is not None and n_cells != shape[0]:
        raise CorruptMatrixError(
            f"{file.blob.url}: {path} has {plural(shape[0], 'cell')}, but another layer {n_cells:,}"
        )
    if encoding == "dense":
        from dpss.formats.hdf5.dense import dense_layer

        return dense_layer(file, name, path, genes)
    return SparseLayer(name, file, path, shape[0], genes, cell_major=encoding == "csr").check()


def _shape(file: Hdf5File, node: Any, path: str) -> tuple[tuple[int, int], str]:
    """Return (cells, genes) and ``csr``, ``csc`` or ``dense``."""
    url = file.blob.url
    if isinstance(node, h5py.Dataset):
        if node.ndim != 2:
            raise CorruptMatrixError(f"{url}: {path} has {plural(node.ndim, 'axis')} instead of 2")
        if encoding := unknown_array(node.attrs):
            raise CorruptMatrixError(f"{url}: {path} is encoded as {encoding!r}, which is not read")
        return (int(node.shape[0]), int(node.shape[1])), "dense"
    encoding = as_string(node.attrs.get("encoding-type", node.attrs.get("h5sparse_format", "")))
    kind = encoding.removesuffix("_matrix")
    shape = node.attrs.get("shape", node.attrs.get("h5sparse_shape"))
    if kind not in ("csr", "csc") or shape is None or np.size(shape) != 2:
        raise CorruptMatrixError(f"{url}: {path} is encoded as {encoding!r}, which is no matrix")
    n_cells, n_genes = (int(n) for n in np.ravel(shape))
    if n_cells < 0 or n_genes < 0:
        raise CorruptMatrixError(
            f"{url}: {path} claims {plural(n_cells, 'cell')} × {plural(n_genes, 'gene')}"
        )
    return (n_cells, n_genes), kind


def _is_null(node: Any) -> bool:
    """Return whether AnnData wrote ``X = None``."""
    return isinstance(node, h5py.Dataset) and (
        node.shape is None or as_string(node.attrs.get("encoding-type", "")) == "null"
    )


def _frame(file: Hdf5File, path: str, categories: str) -> Frame:
    """Return a data frame's columns of text, the index first under the name ``index``."""
    frame = file.h5[path]
    if not isinstance(frame, h5py.Dataset):
        return read_frame(Hdf5Elements(file), path)
    return read_records(Hdf5Elements(file), read_whole(file, frame), categories)
