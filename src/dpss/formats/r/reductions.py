"""Coordinates of cells in R's objects: reductions and reducedDims."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.formats.r.values import (
    attributes_of,
    columns_of,
    items_of,
    numbers_of,
    strings_of,
    type_of,
)

_EMBEDDINGS = "cell.embeddings"


def find_reductions(obj: Any) -> dict[str, NDArray[Any]]:
    """Return the coordinates of an object's cells, ``(n_cells, n_axes)``, by name.

    An object that is no matrix of numbers gives an empty array, which raises an error when it is
    read.

    Args:
        obj: A Seurat object of version 2 to 5, or a SingleCellExperiment.
    """
    return {name: _matrix_of(_embeddings_of(each)) for name, each in _reductions(obj) if name}


def reduction_cells(obj: Any) -> dict[str, list[str]]:
    """Return the names of the cells of each reduction; empty without names.

    Args:
        obj: As in `find_reductions`.
    """
    found = {}
    for name, each in _reductions(obj):
        sides = attributes_of(_embeddings_of(each)).get("dimnames")
        named = items_of(sides)
        found[name] = strings_of(named[0][1]) if len(named) == 2 else []
    return found


def _reductions(obj: Any) -> list[tuple[str, Any]]:
    """Return the reductions of an object by name."""
    slots = attributes_of(obj)
    listed = items_of(slots.get("reductions", slots.get("dr")))
    if not listed and "int_colData" in slots:
        listed = columns_of(dict(columns_of(slots["int_colData"])).get("reducedDims"))
    return listed


def _embeddings_of(reduction: Any) -> Any:
    """Return the matrix of a reduction; the reduction itself if it has none."""
    return attributes_of(reduction).get(_EMBEDDINGS, reduction)


def _matrix_of(obj: Any) -> NDArray[Any]:
    """Return a matrix, shape ``(n_cells, n_axes)``; R stores it column by column."""
    if type_of(obj) not in ("INT", "REAL"):
        return np.empty(0)
    flat, size = numbers_of(obj), numbers_of(attributes_of(obj).get("dim"))
    if flat is None or size is None or len(size) != 2:
        return np.empty(0)
    n_cells, n_axes = (int(n) for n in size)
    if min(n_cells, n_axes) < 0 or n_cells * n_axes != len(flat):
        return np.empty(0)
    return flat.reshape(n_axes, n_cells).T
