"""Cell Ranger's h5: version 2 (one group per genome) and version 3 (``matrix``)."""

from __future__ import annotations

from collections.abc import Iterator

import h5py

from dpss.errors import CorruptMatrixError
from dpss.formats import Matrix
from dpss.formats.feature_kinds import with_kinds
from dpss.formats.hdf5 import Hdf5File, reading
from dpss.formats.hdf5_strings import read_strings, read_whole
from dpss.formats.sparse_hdf5 import SparseLayer
from dpss.model import GeneTable
from dpss.stores import Blob

FORMAT = "10x h5"

_VECTORS = {"data", "indices", "indptr", "shape", "barcodes"}


def is_tenx_h5(file: Hdf5File) -> bool:
    """Return whether an HDF5 file is laid out as Cell Ranger does it."""
    return next(_groups(file), None) is not None


def open_tenx_h5(blob: Blob, file: Hdf5File) -> tuple[Matrix, ...]:
    """Open a Cell Ranger h5 file: one matrix, or one per genome in version 2.

    Raises:
        CorruptMatrixError: Its parts contradict each other.
    """
    with reading(file):
        groups = tuple(_groups(file))
        named = len(groups) > 1
        return tuple(
            Matrix(name=group if named else "", format=FORMAT, layers=(_layer(file, group),))
            for group in groups
        )


def _groups(file: Hdf5File) -> Iterator[str]:
    """Yield the names of the groups that hold a matrix."""
    for name, node in file.h5.items():
        if isinstance(node, h5py.Group) and set(node) >= _VECTORS:
            yield name


def _layer(file: Hdf5File, group: str) -> SparseLayer:
    """Open a group: its columns are cells, so that 10x's CSC is cell-major."""
    node = file.h5[group]
    shape = read_whole(file, node["shape"])
    if len(shape) != 2:
        raise CorruptMatrixError(f"{file.blob.url}: {group}/shape has {len(shape)} numbers")
    genes = _genes(file, node)
    n_genes, n_cells = (int(n) for n in shape)
    if len(genes) != n_genes:
        raise CorruptMatrixError(
            f"{file.blob.url}: {group} has {n_genes:,} genes, but its gene table {len(genes):,}"
        )
    n_barcodes = node["barcodes"].shape[0]
    if n_barcodes != n_cells:
        raise CorruptMatrixError(
            f"{file.blob.url}: {group} has {n_cells:,} cells, but {n_barcodes:,} barcodes"
        )
    return SparseLayer("X", file, group, n_cells, genes, cell_major=True).check()


def _genes(file: Hdf5File, node: h5py.Group) -> GeneTable:
    if "features" in node:
        features = node["features"]
        kinds = features.get("feature_type")
        return with_kinds(
            GeneTable(
                ids=read_strings(file, features["id"]),
                names=read_strings(file, features["name"]),
                feature_types=None if kinds is None else read_strings(file, kinds),
            )
        )
    return with_kinds(
        GeneTable(
            ids=read_strings(file, node["genes"]), names=read_strings(file, node["gene_names"])
        )
    )
