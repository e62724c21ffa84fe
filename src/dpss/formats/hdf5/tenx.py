"""Cell Ranger's h5: version 2 (one group per genome) and version 3 (``matrix``)."""

from __future__ import annotations

from collections.abc import Iterator

import h5py
import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError
from dpss.formats.annotation.feature_kinds import with_kinds
from dpss.formats.arrays.sparse import SparseLayer
from dpss.formats.base import Matrix, state_orientation
from dpss.formats.hdf5.data_frame import note_cells
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.strings import read_strings, read_whole
from dpss.model import GENE_EXPRESSION, Certainty, Decision, GeneTable
from dpss.storage.base import Blob

FORMAT = "10x h5"

_ORIENTATION = state_orientation("genes × cells", "Cell Ranger's columns are barcodes.")
_VECTORS = {"data", "indices", "indptr", "shape"}
_NAMES = {"barcodes", "features", "genes"}


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
        return tuple(_open_group(file, group, group if named else "") for group in groups)


def _groups(file: Hdf5File) -> Iterator[str]:
    """Yield the names of the groups that hold a matrix."""
    for name, node in file.h5.items():
        if isinstance(node, h5py.Group) and _is_matrix(set(node)):
            yield name


def _is_matrix(members: set[str]) -> bool:
    return members >= _VECTORS and not members.isdisjoint(_NAMES)


def _open_group(file: Hdf5File, group: str, name: str) -> Matrix:
    """Open a group; probes of one gene are added up."""
    node = file.h5[group]
    genes = _genes(file, node)
    decisions: tuple[Decision, ...] = (_ORIENTATION,)
    gene_of = None
    if (probes := _probed_genes(file, node, genes)) is not None:
        n_probes = len(genes)
        genes, gene_of = probes
        n_aside = _count_filtered_out(node)
        decisions = (_ORIENTATION, _decide_probes(n_probes, len(genes), n_aside))
    layer = _layer(file, group, genes, gene_of)
    notes = note_cells(file, f"{group}/barcodes", layer.n_cells)
    return Matrix(name=name, format=FORMAT, layers=(layer,), notes=notes, decisions=decisions)


def _count_filtered_out(node: h5py.Group) -> int:
    """Return the number of probes that Cell Ranger leaves out of its counts of genes."""
    kept = node["features"].get("filtered_probes")
    return 0 if kept is None else int(np.count_nonzero(~kept[()].astype(bool)))


def _decide_probes(n_probes: int, n_genes: int, n_aside: int) -> Decision:
    evidence = "The features have probe regions, and a gene id each."
    if n_aside:
        evidence += f" {n_aside:,} probes that Cell Ranger filters out are among them."
    return Decision(
        "probes",
        f"{n_probes:,} probes of {n_genes:,} features, added up",
        evidence,
        Certainty.STATED,
        changes_numbers=True,
    )


def _probed_genes(
    file: Hdf5File, node: h5py.Group, probes: GeneTable
) -> tuple[GeneTable, NDArray[np.int64]] | None:
    """Return the genes of a file of probes and the gene of each probe; ``None`` for others.

    A feature without a gene id, such as an antibody's, stays what it is.

    Cell Ranger's and Space Ranger's ``raw_probe_bc_matrix.h5`` counts probes: its features
    have a gene id and name each.
    """
    features = node.get("features")
    if not isinstance(features, h5py.Group) or not {"gene_id", "probe_region"} <= set(features):
        return None
    ids = read_strings(file, features["gene_id"])
    names = read_strings(file, features["gene_name"]) if "gene_name" in features else ids
    if not len(ids) == len(names) == len(probes):
        raise CorruptMatrixError(f"{file.blob.url}: its columns of probes differ in length")
    nameless = ids == ""
    ids, names = np.where(nameless, probes.ids, ids), np.where(nameless, probes.names, names)
    types = probes.feature_types
    if types is not None:
        other = types != GENE_EXPRESSION
        ids = np.where(other, probes.ids, ids)
        names = np.where(other, probes.names, names)
    _, first, gene_of = np.unique(ids.astype(str), return_index=True, return_inverse=True)
    order = np.argsort(first)  # genes in the order of their first probes
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    kept = first[order]
    table = GeneTable(ids[kept], names[kept], None if types is None else types[kept])
    return with_kinds(table), place[gene_of]


def _layer(
    file: Hdf5File, group: str, genes: GeneTable, gene_of: NDArray[np.int64] | None
) -> SparseLayer:
    """Open a group: its columns are cells, so that 10x's CSC is cell-major."""
    node = file.h5[group]
    shape = read_whole(file, node["shape"])
    if len(shape) != 2:
        raise CorruptMatrixError(f"{file.blob.url}: {group}/shape has {len(shape)} numbers")
    n_genes, n_cells = (int(n) for n in shape)
    n_features = len(genes) if gene_of is None else len(gene_of)
    if n_features != n_genes:
        raise CorruptMatrixError(
            f"{file.blob.url}: {group} has {n_genes:,} genes, but its gene table {n_features:,}"
        )
    return SparseLayer("X", file, group, n_cells, genes, cell_major=True, gene_of=gene_of).check()


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
