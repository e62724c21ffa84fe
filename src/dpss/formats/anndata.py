"""Matrices in memory, such as an AnnData object, read through their attributes.

Neither anndata nor scipy is imported: an object with ``indptr``, ``indices`` and ``data`` is
treated as compressed sparse, others as dense. No matrix is copied whole; a view is cut block by
block.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from dpss.errors import MatrixError, NoMatrixError, SettingsError, UnknownFormatError, plural
from dpss.formats.annotation.cell_table import InMemoryTable
from dpss.formats.annotation.dataset_facts import InMemoryFacts
from dpss.formats.annotation.gene_table import gene_table
from dpss.formats.annotation.modalities import holds_genes
from dpss.formats.arrays.coordinates import InMemoryCoordinates
from dpss.formats.arrays.memory import InMemoryLayer, cut_compressed, is_sparse, layout_of
from dpss.formats.arrays.probes import sum_probes
from dpss.formats.base import ANNDATA_ORIENTATION, Matrix
from dpss.model import Certainty, Decision, GeneTable

log = logging.getLogger(__name__)

FORMAT = "AnnData"
BARE = "matrix in memory"
_ROWS_ARE_CELLS = Decision(
    "orientation",
    "cells × genes",
    "A bare matrix names neither; its rows are taken as cells.",
    Certainty.ASSUMED,
    changes_numbers=True,
)


def is_anndata(source: object) -> bool:
    """Return whether an object has the attributes of AnnData."""
    return all(hasattr(source, name) for name in ("X", "obs", "var", "layers", "n_obs"))


def modalities_of(source: Any, wanted: str | None = None) -> dict[str, Any] | None:
    """Return the AnnData objects of a MuData object by name; ``None`` for others.

    Args:
        source: The object.
        wanted: Name of the modality to return; ``None`` for all that hold genes. The log names the
            others.

    Raises:
        MatrixError: No modality has this name.
        NoMatrixError: No modality holds genes.
    """
    found = getattr(source, "mod", None)
    if not isinstance(found, Mapping):
        return None
    if wanted is None:
        kept = {name: part for name, part in found.items() if holds_genes(name, genes_of(part.var))}
        others = ", ".join(name for name in found if name not in kept)
        if not kept:
            raise NoMatrixError(
                f"{type(source).__name__}: none of the modalities holds gene expression ({others})"
            )
        if others:
            log.warning("left out, as they hold no genes: %s", others)
        return kept
    if wanted not in found:
        names = ", ".join(map(repr, found))
        raise MatrixError(f"{type(source).__name__}: holds {plural(len(found), 'matrix')}: {names}")
    return {wanted: found[wanted]}


def open_object(source: Any) -> Matrix:
    """Open an object in memory: AnnData, a sparse or dense matrix, or a data frame.

    The rows of a bare matrix are assumed to be cells; a data frame has names of both. Without names
    genes and cells are numbered from 0.

    Raises:
        SettingsError: The object is none of these; the message names those.
        NoMatrixError: An AnnData object has no X, raw.X or layer.
        UnknownFormatError: A matrix has a type that can't be read.
    """
    if is_anndata(source):
        return open_anndata(source)
    frame = hasattr(source, "to_numpy") and hasattr(source, "columns")
    matrix = source.to_numpy() if frame else source
    if hasattr(matrix, "tocsr") and not is_sparse(matrix):
        matrix = matrix.tocsr()
    if not (is_sparse(matrix) or isinstance(matrix, np.ndarray)) or len(matrix.shape) != 2:
        raise SettingsError(f"source: {_instead_of(source)}")
    names = (source.index, source.columns) if frame else map(np.arange, matrix.shape)
    opened = open_anndata(_bare(matrix, *names))
    return replace(opened, format=BARE, decisions=(_ROWS_ARE_CELLS,))


def _bare(matrix: Any, cells: Any, genes: Any) -> SimpleNamespace:
    """Return a matrix with names as an object with the attributes of AnnData."""
    import pandas as pd

    index = [pd.Index(np.asarray(names).astype(str)) for names in (cells, genes)]
    obs, var = (pd.DataFrame(index=each) for each in index)
    return SimpleNamespace(
        X=matrix, obs=obs, var=var, layers={}, obs_names=obs.index, n_obs=len(obs),
        shape=matrix.shape,
    )  # fmt: skip


def _instead_of(source: Any) -> str:
    """Return the message for an object that can't be read."""
    kind = type(source).__name__
    if isinstance(source, (list, tuple, set)):
        return f"a {kind} of {len(source)} is no matrix; give a list of paths or objects"
    return (
        f"an object of type {kind} can't be read; give a path or address, an AnnData object, a "
        "data frame, or a sparse or dense matrix with cells in its rows"
    )


def open_anndata(adata: Any) -> Matrix:
    """Open an AnnData object; a view or a backed one is cut block by block.

    Raises:
        NoMatrixError: The object has no X, raw.X or layer.
        UnknownFormatError: A matrix has a type that can't be read.
    """
    found: list[InMemoryLayer] = []
    whole = not (getattr(adata, "is_view", False) or getattr(adata, "isbacked", False))
    genes = genes_of(adata.var)
    if getattr(adata, "raw", None) is not None:
        raw = adata.raw
        found.append(_layer("raw.X", raw, lambda part: part.X, genes_of(raw.var), whole=whole))
    found += [
        _layer(name, adata, _layer_getter(name), genes, whole=whole)
        for name in list(adata.layers.keys())
    ]
    if _has_x(adata):
        found.insert(0, _layer("X", adata, lambda part: part.X, genes, whole=whole))
    if not found:
        raise NoMatrixError("the AnnData object has no X, raw.X or layer")
    columns = {str(name): adata.obs[name] for name in adata.obs.columns}
    cells = InMemoryTable(columns, np.asarray(adata.obs_names))
    arrays = {str(key): value for key, value in _obsm(adata) if isinstance(value, np.ndarray)}
    coordinates = InMemoryCoordinates(arrays) if arrays else None
    facts = InMemoryFacts(getattr(adata, "uns", {}))
    matrix = Matrix("", FORMAT, tuple(found), (), (ANNDATA_ORIENTATION,), cells, coordinates, facts)
    return sum_probes(matrix, "the AnnData object")


def genes_of(var: Any) -> GeneTable:
    """Return the gene table of a data frame of genes, its index included."""
    columns = {"index": np.asarray(var.index, dtype=str).astype(object)}
    for name in var.columns:
        values = np.asarray(var[name])
        if values.dtype.kind in "OUS":
            columns[str(name)] = values.astype(str).astype(object)
    return gene_table(columns)


def _obsm(adata: Any) -> list[tuple[Any, Any]]:
    found = getattr(adata, "obsm", None)
    return [] if found is None else list(found.items())


def _has_x(adata: Any) -> bool:
    if getattr(adata, "is_view", False):
        return adata[:0].X is not None
    return adata.X is not None


def _layer_getter(name: str) -> Callable[[Any], Any]:
    return lambda part: part.layers[name]


def _layer(
    name: str, parent: Any, get: Callable[[Any], Any], genes: GeneTable, *, whole: bool
) -> InMemoryLayer:
    """Open a layer: the array itself, or parts of an object that is a view or backed."""
    n_cells = int(parent.shape[0])
    if whole:
        matrix = get(parent)
        _check_kind(name, matrix)
        gene_major = layout_of(matrix) == "csc"
        sparse = is_sparse(matrix)
        cut = _cutter(matrix)
    else:
        matrix = get(parent[:1])
        _check_kind(name, matrix)
        gene_major, sparse = False, False

        def cut(part: range) -> Any:
            return _computed(get(parent[part.start : part.stop]))

    return InMemoryLayer(
        name=name,
        cut=cut,
        n_cells=n_cells,
        genes=genes,
        cell_major=not gene_major,
        n_values=int(matrix.nnz) if sparse else None,
        value_bytes=int(matrix.dtype.itemsize),
    )


def _cutter(matrix: Any) -> Callable[[range], Any]:
    """Return a function that cuts consecutive cells (or genes) without copying values."""
    if not is_sparse(matrix):
        return lambda part: _computed(matrix[part.start : part.stop])

    return partial(cut_compressed, matrix)


def _computed(part: Any) -> Any:
    """Return a part of a matrix in memory; a lazy one, such as Dask's, is computed."""
    return part.compute() if hasattr(part, "compute") and hasattr(part, "dask") else part


def _check_kind(name: str, matrix: Any) -> None:
    """Check that a matrix has a type that can be read.

    Raises:
        UnknownFormatError: It has another type.
    """
    dense = hasattr(matrix, "__array__") or hasattr(matrix, "__getitem__")
    kind = getattr(getattr(matrix, "dtype", None), "kind", "O")
    if not (is_sparse(matrix) or dense) or cast("str", kind) not in "iufb":
        raise UnknownFormatError(
            f"{name} is a {type(matrix).__name__} of {getattr(matrix, 'dtype', 'unknown type')}; "
            "this program reads scipy's CSR and CSC and dense arrays of numbers"
        )
