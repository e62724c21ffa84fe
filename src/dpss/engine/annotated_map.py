"""The authors' map of the cells, in bins by type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpss.engine.cell_labels import CellLabels
from dpss.errors import ColumnError, plural
from dpss.formats.base import CellCoordinates
from dpss.stats.embedding.maps import MapAccumulator, MapFrame
from dpss.summary.annotation import AnnotatedMap

_FAR = 1e30


def read_map(
    coordinates: CellCoordinates, name: str, labels: CellLabels, kept: NDArray[np.bool_]
) -> AnnotatedMap:
    """Read coordinates twice: for their range, and into bins.

    Raises:
        ColumnError: The coordinates are of another number of cells, or not finite.
    """
    n, n_finite = 0, 0
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for part in coordinates.points(name):
        n += len(part)
        if n > len(kept):
            raise ColumnError(f"it has places for more than {plural(len(kept), 'cell')}")
        usable = part[_is_finite(part) & kept[n - len(part) : n]]
        if len(usable):
            n_finite += len(usable)
            low, high = np.minimum(low, usable.min(axis=0)), np.maximum(high, usable.max(axis=0))
    if n != len(kept):
        raise ColumnError(f"it has places for {n:,} of {plural(len(kept), 'cell')}")
    if not n_finite:
        raise ColumnError("none of its places is a finite number")
    n_labels = len(labels.names) + 1
    binned = MapAccumulator(MapFrame.of(np.stack([low, high])), n_labels)
    start = 0
    for part in coordinates.points(name):
        here = slice(start, start + len(part))
        usable_cells = _is_finite(part) & kept[here]
        codes = labels.codes[here][usable_cells]
        codes = np.where(codes < 0, n_labels - 1, codes).astype(np.int16)
        binned.add(binned.frame.bins(part[usable_cells]), codes)
        start += len(part)
    cells = binned.result(np.arange(n_labels))
    return AnnotatedMap(name, coordinates.n_axes(name), cells, int(kept.sum()) - n_finite)


def _is_finite(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points are finite and not too large to be drawn."""
    return np.asarray((np.abs(points) < _FAR).all(axis=1))
