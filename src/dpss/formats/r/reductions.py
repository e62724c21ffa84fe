"""Coordinates of cells in R's objects: Seurat's reductions, SingleCellExperiment's reducedDims."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.formats.r.values import attributes_of, items_of, kind_of, numbers_of, strings_of

_EMBEDDINGS = "cell.embeddings"


def find_reductions(thing: Any) -> dict[str, NDArray[Any]]:
    """Return the coordinates of the cells of an object by name, as far as it has any.

    What is no matrix of numbers is an empty array: it is refused when it is asked for.

    Args:
        thing: A Seurat object of version 2 to 5, or a SingleCellExperiment.
    """
    return {name: _matrix_of(_embeddings_of(each)) for name, each in _reductions(thing) if name}


def names_of_places(thing: Any) -> dict[str, list[str]]:
    """Return the names of the cells of each reduction, in its order; empty without names.

    Args:
        thing: As `find_reductions` takes it.
    """
    found = {}
    for name, each in _reductions(thing):
        sides = attributes_of(_embeddings_of(each)).get("dimnames")
        named = items_of(sides)
        found[name] = strings_of(named[0][1]) if len(named) == 2 else []
    return found


def _reductions(thing: Any) -> list[tuple[str, Any]]:
    """Return the reductions of an object by name."""
    slots = attributes_of(thing)
    listed = items_of(slots.get("reductions", slots.get("dr")))
    if not listed and "int_colData" in slots:
        columns = dict(_listed(slots["int_colData"]))
        listed = _listed(columns["reducedDims"]) if "reducedDims" in columns else []
    return listed


def _listed(frame: Any) -> list[tuple[str, Any]]:
    """Return the columns of a DataFrame by name."""
    return items_of(attributes_of(frame).get("listData"))


def _embeddings_of(reduction: Any) -> Any:
    """Return the matrix of a reduction, which may be one itself."""
    return attributes_of(reduction).get(_EMBEDDINGS, reduction)


def _matrix_of(thing: Any) -> NDArray[Any]:
    """Return a matrix of shape ``(n_cells, n_axes)``: R goes down the columns."""
    if kind_of(thing) not in ("INT", "REAL"):
        return np.empty(0)
    flat, size = numbers_of(thing), numbers_of(attributes_of(thing).get("dim"))
    if flat is None or size is None or len(size) != 2:
        return np.empty(0)
    n_cells, n_axes = (int(n) for n in size)
    if min(n_cells, n_axes) < 0 or n_cells * n_axes != len(flat):
        return np.empty(0)
    return flat.reshape(n_axes, n_cells).T
