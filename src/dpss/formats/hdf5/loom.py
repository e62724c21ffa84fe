"""Loom 2 and 3: genes × cells in HDF5, with attributes of genes and cells."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, NeedsWholeError, NoMatrixError, plural
from dpss.formats.annotation.cell_table import ElementsTable
from dpss.formats.annotation.gene_table import check_feature_count, name_genes
from dpss.formats.annotation.strings import as_strings
from dpss.formats.arrays.coordinates import AttributeCoordinates
from dpss.formats.arrays.tiles import TiledLayer
from dpss.formats.base import Matrix, state_orientation
from dpss.formats.hdf5.data_frame import Hdf5Elements, note_cells
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.strings import read_whole
from dpss.formats.hdf5.tiled import Hdf5Tiles
from dpss.model import GeneTable
from dpss.storage.base import Blob
from dpss.storage.offset import is_local

FORMAT = "loom"

_CELL_NAMES = ("CellID", "obs_names", "cell_names", "Cell", "barcode")
_MAX_NAME_BYTES = 1 << 12
"""Longest fixed-size name in bytes; longer texts are not names."""
_NEAR_BYTES = 1 << 24
"""A smaller dataset, in bytes, is kept once it has been read, whether local or remote."""


def is_loom(file: Hdf5File) -> bool:
    """Return whether an HDF5 file is laid out as loom."""
    h5 = file.h5
    return isinstance(h5.get("matrix"), h5py.Dataset) and ("row_attrs" in h5 or "col_attrs" in h5)


def open_loom(blob: Blob, file: Hdf5File) -> Matrix:
    """Open a loom file: its main matrix is named ``X``, its layers keep their names.

    Raises:
        NoMatrixError: ``matrix`` is not a matrix of numbers.
        CorruptMatrixError: The file contradicts itself.
        LimitError: There are more features, or larger chunks, than can be read.
    """
    with reading(file):
        shape = file.dataset("matrix").shape
        if shape is None or len(shape) != 2:
            raise NoMatrixError(f"{blob.url}: matrix has the shape {shape} instead of two axes")
        n_genes, n_cells = (int(n) for n in shape)
        where = f"{blob.url}: row_attrs"
        check_feature_count(n_genes, where)
        columns = _columns(file, n_genes, where)
        genes, notes = name_genes(columns, n_genes, where)
        notes += note_cells(file, "col_attrs/CellID", n_cells)
        layers = [_layer(file, "X", "matrix", genes, n_cells)]
        others = file.h5.get("layers")
        for name, node in others.items() if isinstance(others, h5py.Group) else ():
            if isinstance(node, h5py.Dataset) and node.ndim == 2:
                layers.append(_layer(file, name, f"layers/{name}", genes, n_cells))
        attributes = file.h5.get("col_attrs")
        listed = set(attributes) if isinstance(attributes, h5py.Group) else set()
    orientation = state_orientation(
        "genes × cells", "Loom defines rows as genes and columns as cells."
    )
    named = next((name for name in _CELL_NAMES if name in listed), None)
    elements = Hdf5Elements(file)
    cells = ElementsTable(elements, "col_attrs", named) if listed else None
    coordinates = AttributeCoordinates(file, elements, "col_attrs") if listed else None
    return Matrix("", FORMAT, tuple(layers), notes, (orientation,), cells, coordinates)


def _layer(file: Hdf5File, name: str, path: str, genes: GeneTable, n_cells: int) -> TiledLayer:
    tiles = Hdf5Tiles(file, path)
    if tiles.shape[1] != n_cells:
        raise CorruptMatrixError(
            f"{tiles.url} has {plural(tiles.shape[1], 'cell')}, but the main matrix {n_cells:,}"
        )
    layer = TiledLayer(name, tiles, genes, cell_axis=1).check()
    scattered = layer.cell_major and tiles.tile_shape[0] < tiles.shape[0]
    if scattered and not is_local(file.blob) and tiles.stored_bytes > _NEAR_BYTES:
        raise NeedsWholeError(
            f"{tiles.url}: the tiles of some cells lie all over it, so it can't be read from afar"
        )
    return layer


def _columns(file: Hdf5File, n: int, where: str) -> dict[str, NDArray[np.object_]]:
    """Return the attributes of genes that are text, else ids that are numbers.

    Attributes with two axes (embeddings) are left out; a compound attribute gives a column for each
    field.
    """
    attributes = file.h5.get("row_attrs")
    if not isinstance(attributes, h5py.Group):
        return {}
    text: dict[str, NDArray[np.object_]] = {}
    numbers: dict[str, NDArray[np.object_]] = {}
    for name, node in attributes.items():
        if not isinstance(node, h5py.Dataset) or node.ndim != 1:
            continue
        if node.shape[0] != n:
            raise CorruptMatrixError(
                f"{where}/{name} has {plural(node.shape[0], 'entry')} for {plural(n, 'gene')}"
            )
        for column, values in _fields(file, name, node).items():
            if values.dtype.kind in "SUO":
                text[column] = as_strings(values)
            elif values.dtype.kind in "iu" and column.lower() in ("gene", "accession", "id"):
                numbers[column] = as_strings(values)
    return text or numbers


def _fields(file: Hdf5File, name: str, node: h5py.Dataset) -> dict[str, NDArray[Any]]:
    """Return the values of an attribute by name, or of each of its fields."""
    if node.dtype.itemsize > _MAX_NAME_BYTES:
        return {}
    if node.dtype.names is None:
        return {name: read_whole(file, node)} if node.dtype.kind in "SUOiu" else {}
    table = read_whole(file, node)
    return {field: table[field] for field in node.dtype.names if table[field].ndim == 1}
