"""h5Seurat: a Seurat object in HDF5, as the R package SeuratDisk writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import h5py
import numpy as np

from dpss.errors import CorruptMatrixError, NoMatrixError, plural
from dpss.formats.annotation.cell_table import TableBesideNames
from dpss.formats.annotation.gene_table import gene_table
from dpss.formats.arrays.coordinates import AxisMajorCoordinates
from dpss.formats.arrays.sparse import SparseLayer
from dpss.formats.arrays.tiles import TiledLayer
from dpss.formats.base import Matrix, state_orientation
from dpss.formats.hdf5.data_frame import Hdf5Elements, note_cells
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.strings import read_strings
from dpss.formats.hdf5.tiled import Hdf5Tiles
from dpss.model import GENE_EXPRESSION, GeneTable
from dpss.storage.base import Blob

FORMAT = "h5Seurat"
_ORIENTATION = state_orientation("genes × cells", "Seurat keeps features in rows.")

_SLOTS = ("counts", "data")
"""Slots of an assay that hold values of all features; ``scale.data`` is scaled."""
_VECTORS = {"data", "indices", "indptr"}
_OTHER_ASSAYS = (
    (re.compile(r"adt|antibody.*|protein.*|cite.*", re.I), "Antibody Capture"),
    (re.compile(r"hto|multiplex.*|hash.*|cmo", re.I), "Multiplexing Capture"),
    (re.compile(r"atac|peaks?|chromatin|activity", re.I), "Peaks"),
    (re.compile(r"chromvar|motifs?", re.I), "Motif"),
)
"""Names of assays whose features are not genes, as usual in Seurat and Signac."""


def is_h5seurat(file: Hdf5File) -> bool:
    """Return whether an HDF5 file is laid out as h5Seurat."""
    h5 = file.h5
    assays = h5.get("assays")
    if not isinstance(assays, h5py.Group):
        return False
    members = (assays[name] for name in assays)
    return "cell.names" in h5 or any(isinstance(m, h5py.Group) and "features" in m for m in members)


def open_h5seurat(blob: Blob, file: Hdf5File) -> tuple[Matrix, ...]:
    """Open an h5Seurat file: a matrix for each assay that has values.

    Raises:
        NoMatrixError: No assay has values.
        CorruptMatrixError: The file contradicts itself.
    """
    with reading(file):
        assays = file.h5["assays"]
        found = []
        for name in assays:
            layers = tuple(_layers(file, name))
            if layers:
                notes = note_cells(file, "cell.names", layers[0].n_cells)
                found.append((name, layers, notes))
    if not found:
        raise NoMatrixError(f"{blob.url}: none of its assays has counts or data")
    single = len(found) == 1
    elements = Hdf5Elements(file)
    cells = TableBesideNames(elements, "meta.data", None, "cell.names")
    coordinates = AxisMajorCoordinates(file, elements, "reductions", "cell.embeddings")
    return tuple(
        Matrix("" if single else name, FORMAT, layers, notes, (_ORIENTATION,), cells, coordinates)
        for name, layers, notes in found
    )


def _layers(file: Hdf5File, assay: str) -> Iterator[SparseLayer | TiledLayer]:
    """Yield the slots of an assay, compressed by cell or dense by cell."""
    group = file.h5["assays"][assay]
    if not isinstance(group, h5py.Group) or "features" not in group:
        return
    genes = _genes(file, group, assay)
    n_cells: int | None = None
    for slot in _SLOTS:
        path = f"assays/{assay}/{slot}"
        node = group.get(slot)
        if isinstance(node, h5py.Group) and set(node) >= _VECTORS:
            n_features, n = _size(node, len(genes))
        elif isinstance(node, h5py.Dataset) and node.shape[1:] == (len(genes),):
            n, n_features = (int(each) for each in node.shape)  # HDF5 gives R's columns as rows
        else:
            continue
        n_cells = n if n_cells is None else n_cells
        if (n_features, n) != (len(genes), n_cells):
            raise CorruptMatrixError(
                f"{file.blob.url}: {path} has {n_features:,} × {plural(n, 'value')} for "
                f"{plural(len(genes), 'feature')} and {plural(n_cells, 'cell')}"
            )
        if isinstance(node, h5py.Group):
            yield SparseLayer(slot, file, path, n, genes, cell_major=True).check()
        else:
            yield TiledLayer(slot, Hdf5Tiles(file, path), genes, cell_axis=0).check()


def _size(node: h5py.Group, n_features: int) -> tuple[int, int]:
    """Return the numbers of features and cells of a sparse slot."""
    dims = node.attrs.get("dims")
    if dims is None or np.size(dims) != 2:
        return n_features, len(node["indptr"]) - 1
    return int(dims[0]), int(dims[1])


def _genes(file: Hdf5File, group: h5py.Group, assay: str) -> GeneTable:
    """Return the features of an assay, with a feature type if they are not genes."""
    table = gene_table({"index": read_strings(file, group["features"])})
    kind = next((kind for form, kind in _OTHER_ASSAYS if form.fullmatch(assay)), GENE_EXPRESSION)
    if kind == GENE_EXPRESSION:
        return table
    types = np.full(len(table), kind, dtype=object)
    return GeneTable(table.ids, table.names, types, table.chromosomes)
