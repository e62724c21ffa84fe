"""Cell Ranger's h5: version 2 (one group per genome) and version 3 (``matrix``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import h5py
import numpy as np

from dpss.errors import CorruptMatrixError, plural
from dpss.formats.annotation.cell_table import BarcodeTable
from dpss.formats.annotation.feature_kinds import with_kinds
from dpss.formats.annotation.probes import mark_probes
from dpss.formats.arrays.sparse import SparseLayer
from dpss.formats.base import Matrix, state_orientation
from dpss.formats.hdf5.data_frame import Hdf5Elements, note_cells
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.strings import read_strings, read_whole
from dpss.model import GeneTable
from dpss.storage.base import Blob

FORMAT = "10x h5"

_ORIENTATION = state_orientation("genes × cells", "Cell Ranger's columns are barcodes.")
_VECTORS = {"data", "indices", "indptr", "shape"}
_NAMES = {"barcodes", "features", "genes"}


def is_tenx_h5(file: Hdf5File) -> bool:
    """Return whether an HDF5 file has the layout of Cell Ranger."""
    return next(_groups(file), None) is not None


def open_tenx_h5(blob: Blob, file: Hdf5File) -> tuple[Matrix, ...]:
    """Open a Cell Ranger h5 file: one matrix, or one per genome in version 2.

    Raises:
        CorruptMatrixError: The parts of the file contradict each other.
    """
    with reading(file):
        groups = tuple(_groups(file))
        named = len(groups) > 1
        return tuple(_open_group(file, group, group if named else "") for group in groups)


def _groups(file: Hdf5File) -> Iterator[str]:
    """Yield the names of the groups that hold a matrix."""
    for name, node in file.h5.items():
        if isinstance(node, h5py.Group) and _is_matrix(set(node)):
            yield name


def _is_matrix(members: set[str]) -> bool:
    return members >= _VECTORS and not members.isdisjoint(_NAMES)


def _open_group(file: Hdf5File, group: str, name: str) -> Matrix:
    node = file.h5[group]
    genes = _genes(file, node)
    if genes.probes and (n := _count_filtered_out(node)):
        more = f" {n:,} probes that Cell Ranger filters out are among them."
        evidence = replace(genes.probes, sentence=genes.probes.sentence + more)
        genes = replace(genes, probes=evidence)
    layer = _layer(file, group, genes)
    notes = note_cells(file, f"{group}/barcodes", layer.n_cells)
    return Matrix(
        name=name,
        format=FORMAT,
        layers=(layer,),
        notes=notes,
        decisions=(_ORIENTATION,),
        cells=BarcodeTable(Hdf5Elements(file), group, "barcodes"),
    )


def _count_filtered_out(node: h5py.Group) -> int:
    """Return the number of probes that Cell Ranger leaves out of its counts of genes."""
    kept = node["features"].get("filtered_probes")
    return 0 if kept is None else int(np.count_nonzero(~kept[()].astype(bool)))


def _layer(file: Hdf5File, group: str, genes: GeneTable) -> SparseLayer:
    """Open the matrix of a group: as columns are cells, CSC is cell-major."""
    node = file.h5[group]
    shape = read_whole(file, node["shape"])
    if len(shape) != 2:
        raise CorruptMatrixError(
            f"{file.blob.url}: {group}/shape has {plural(len(shape), 'number')}"
        )
    n_genes, n_cells = (int(n) for n in shape)
    if len(genes) != n_genes:
        raise CorruptMatrixError(
            f"{file.blob.url}: {group} has {plural(n_genes, 'gene')}, "
            f"but its gene table {len(genes):,}"
        )
    return SparseLayer("X", file, group, n_cells, genes, cell_major=True).check()


def _genes(file: Hdf5File, node: h5py.Group) -> GeneTable:
    """Return the features: genes, or probes with the ids of their genes."""
    if "features" in node:
        features = node["features"]
        kinds = features.get("feature_type")
        genes = GeneTable(
            ids=read_strings(file, features["id"]),
            names=read_strings(file, features["name"]),
            feature_types=None if kinds is None else read_strings(file, kinds),
        )
        columns = {
            title: read_strings(file, features[title])
            for title in ("gene_id", "gene_name", "probe_region")
            if title in features
        }
        if any(len(column) != len(genes) for column in columns.values()):
            raise CorruptMatrixError(f"{file.blob.url}: its columns of features differ in length")
        if "gene_name" in columns:
            named = (columns["gene_name"] != "") & genes.is_gene
            genes = replace(genes, names=np.where(named, columns["gene_name"], genes.names))
        return with_kinds(mark_probes(genes, columns))
    return with_kinds(
        GeneTable(
            ids=read_strings(file, node["genes"]), names=read_strings(file, node["gene_names"])
        )
    )
