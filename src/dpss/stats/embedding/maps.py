"""Maps of cells: numbers of each cluster's cells in the bins of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.stats.histogram import KeyCounts

N_BINS = 320
"""Bins of each axis."""
_MARGIN = 0.02
MEASURE_UNITS = (1, 16, 1 << 16)
"""Fixed-point units of the measures: genes detected, total counts, mitochondrial percentage."""


@dataclass(frozen=True)
class MapFrame:
    """The range of a map."""

    low: tuple[float, float]
    high: tuple[float, float]

    @classmethod
    def of(cls, points: NDArray[np.float64]) -> MapFrame:
        """Return a frame around points, shape ``(n_points, 2)``, with a margin."""
        low, high = points.min(axis=0), points.max(axis=0)
        margin = np.maximum((high - low) * _MARGIN, 1e-6)
        return cls(tuple((low - margin).tolist()), tuple((high + margin).tolist()))

    def bins(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the bin of each point, ``x * N_BINS + y``; those outside are at the edge."""
        low, high = np.array(self.low), np.array(self.high)
        places = ((points - low) * (N_BINS / (high - low))).astype(np.int64)
        x, y = np.clip(places, 0, N_BINS - 1).T
        return np.asarray(x * N_BINS + y)

    def middles(self, bins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the middles of bins, shape ``(n_bins, 2)``."""
        low, high = np.array(self.low), np.array(self.high)
        return np.asarray(
            low + (np.column_stack(np.divmod(bins, N_BINS)) + 0.5) * (high - low) / N_BINS
        )


@dataclass(frozen=True)
class CellMap:
    """Cells on a map; only bins with cells are kept, once for each cluster in them."""

    frame: MapFrame
    bins: NDArray[np.int64]
    """Bin, ascending, shape ``(n_entries,)``: see `MapFrame.bins`."""
    clusters: NDArray[np.int64]
    """Cluster, ascending within a bin, shape ``(n_entries,)``."""
    counts: NDArray[np.int64]
    """Cells of the cluster in the bin, shape ``(n_entries,)``."""

    def majority(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return each bin, its most frequent cluster and its number of cells."""
        bins, first = np.unique(self.bins, return_index=True)
        totals = np.add.reduceat(self.counts, first) if len(first) else self.counts
        order = np.lexsort((self.clusters, -self.counts, self.bins))
        return bins, self.clusters[order[first]], totals


class MapAccumulator:
    """Cells per bin and cluster, mergeable."""

    def __init__(self, frame: MapFrame, n_clusters: int) -> None:
        """Make an empty map."""
        self.frame = frame
        self._n_clusters = n_clusters
        self._counts = KeyCounts()

    def add(self, bins: NDArray[np.int64], labels: NDArray[np.int16]) -> None:
        """Add cells by their bins and clusters, each of shape ``(n_cells,)``."""
        self._counts.add(bins * self._n_clusters + labels)

    def merge(self, other: MapAccumulator) -> None:
        """Add all cells of another map of the same frame."""
        self._counts.merge(other._counts)

    def result(self, numbers: NDArray[np.int64]) -> CellMap:
        """Return the map.

        Args:
            numbers: New number of each cluster, shape ``(n_clusters,)``.
        """
        keys, counts = self._counts.contents()
        bins, clusters = np.divmod(keys, self._n_clusters)
        clusters = numbers[clusters]
        order = np.lexsort((clusters, bins))
        return CellMap(self.frame, bins[order], clusters[order], counts[order])
