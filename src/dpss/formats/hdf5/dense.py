"""Dense cells × genes datasets in HDF5, in tiles or as streams."""

from __future__ import annotations

import h5py

from dpss.errors import LimitError
from dpss.formats.annotation.gene_table import NUMBERED_NOTE, check_feature_count, number_genes
from dpss.formats.arrays.tiles import BAND_BYTES, TiledLayer, check_declared
from dpss.formats.base import Layer, Matrix
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.streamed import StreamedLayer, can_stream
from dpss.formats.hdf5.tiled import Hdf5Tiles
from dpss.model import Certainty, Decision, GeneTable
from dpss.storage.base import Blob

_NAMES = ("X", "expression", "matrix", "counts", "data")
"""Names of a matrix's dataset in files without other metadata."""


_ORIENTATION = Decision(
    "orientation",
    "cells × genes",
    "Nothing in the file names rows or columns: rows are taken for cells.",
    Certainty.ASSUMED,
    changes_numbers=True,
)


def dense_layer(file: Hdf5File, name: str, path: str, genes: GeneTable) -> Layer:
    """Open a dense dataset of cells × genes.

    Raises:
        CorruptMatrixError: The shape does not fit the gene table or the stored bytes.
        LimitError: The chunks are too large, and can't be inflated piece by piece.
    """
    tiles = Hdf5Tiles(file, path)
    if tiles.chunk_shape and tiles.chunk_bytes > BAND_BYTES and can_stream(tiles):
        check_declared(tiles, len(genes), cell_axis=0)
        row_bytes = tiles.chunk_shape[1] * tiles.dtype.itemsize
        if row_bytes > BAND_BYTES:
            raise LimitError(
                f"{tiles.url}: a row of a chunk takes {row_bytes / 2**20:,.0f} MiB; the limit is "
                f"{BAND_BYTES >> 20} MiB: use smaller chunks"
            )
        return StreamedLayer(name, file, path, genes, tiles.shape[0])
    return TiledLayer(name, tiles, genes, cell_axis=0).check()


def is_plain(file: Hdf5File) -> bool:
    """Return whether an HDF5 file holds a matrix without names of genes."""
    return _plain_dataset(file) is not None


def open_plain(blob: Blob, file: Hdf5File) -> Matrix:
    """Open a plain dataset of cells × genes, such as X beside labels Y.

    Raises:
        CorruptMatrixError: The shape does not fit the stored bytes.
        LimitError: There are more features, or larger chunks, than can be read.
    """
    with reading(file):
        name = _plain_dataset(file) or "X"
        n_genes = int(file.dataset(name).shape[1])
        check_feature_count(n_genes, f"{blob.url}: {name}")
        genes = number_genes(n_genes)
        layer = dense_layer(file, "X", name, genes)
    return Matrix("", "HDF5", (layer,), (NUMBERED_NOTE,), (_ORIENTATION,))


def _plain_dataset(file: Hdf5File) -> str | None:
    """Return the name of the file's only matrix of numbers."""
    found = {
        name
        for name, node in file.h5.items()
        if isinstance(node, h5py.Dataset) and node.ndim == 2 and node.dtype.kind in "iuf"
    }
    return next((name for name in _NAMES if name in found), None)
