"""The graph of neighbours, weighted by the similarity of two cells of the sketch.

Source: L. McInnes, J. Healy, J. Melville, "UMAP: uniform manifold approximation and projection
for dimension reduction", arXiv:1802.03426, sections 3.1 and 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled
from dpss.stats.embedding.fixed import divide, exp_of_negative

WEIGHT_UNIT = 1 << 20
"""Weights are multiples of 1 / this, so that their sums are exact."""


@dataclass(frozen=True)
class Graph:
    """A symmetric graph with weights, without loops."""

    indptr: NDArray[np.int64]
    """Start of each node's neighbours, shape ``(n_nodes + 1,)``."""
    targets: NDArray[np.int32]
    """Neighbours, ascending within a node, shape ``(n_edges,)``."""
    weights: NDArray[np.float64]
    """Above 0 and at most 1, shape ``(n_edges,)``."""

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1


@compiled
def weigh_neighbours(distances: Any, target: float, weights: Any) -> None:
    """Compute the membership strengths of each node's neighbours.

    They fall from 1 at the nearest neighbour that differs, at a rate that gives their sum.

    Args:
        distances: ``float64``, ascending, shape ``(n_nodes, n_neighbours)``.
        target: Wanted sum of a node's strengths.
        weights: ``float64``, shape ``(n_nodes, n_neighbours)``; set.
    """
    n_neighbours = distances.shape[1]
    for i in range(distances.shape[0]):
        nearest = 0.0
        mean = 0.0
        for k in range(n_neighbours):
            mean += distances[i, k]
            if nearest == 0.0:
                nearest = distances[i, k]
        low, high, rate = 0.0, -1.0, 1.0
        for _ in range(64):
            total = 0.0
            for k in range(n_neighbours):
                excess = max(distances[i, k] - nearest, 0.0)
                total += exp_of_negative(divide(excess, rate))
            if abs(total - target) < 1e-5:
                break
            if total > target:
                high = rate
                rate = 0.5 * (low + high)
            else:
                low = rate
                rate = 0.5 * (low + high) if high >= 0.0 else 2.0 * rate
        rate = max(rate, 1e-3 * mean / n_neighbours if n_neighbours > 0 else 0.0)
        for k in range(n_neighbours):
            excess = max(distances[i, k] - nearest, 0.0)
            weights[i, k] = exp_of_negative(divide(excess, rate)) if excess > 0.0 else 1.0


def graph_of(neighbours: NDArray[np.int32], distances: NDArray[np.float64]) -> Graph:
    """Return the graph of neighbours, with weights a + b - a b of two strengths.

    Args:
        neighbours: Neighbours of each node, shape ``(n_nodes, n_neighbours)``.
        distances: Ascending, shape ``(n_nodes, n_neighbours)``.
    """
    n_nodes, n_neighbours = neighbours.shape
    strengths = np.empty(neighbours.shape)
    weigh_neighbours(
        np.ascontiguousarray(distances, dtype=np.float64),
        float(np.log2(n_neighbours + 1)),
        strengths,
    )
    nodes = np.repeat(np.arange(n_nodes, dtype=np.int64), n_neighbours)
    others, strength = neighbours.ravel().astype(np.int64), strengths.ravel()
    keys = np.concatenate([nodes * n_nodes + others, others * n_nodes + nodes])
    values = np.concatenate([strength, strength])
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    mutual = np.diff(np.concatenate([first, [len(keys)]])) > 1
    weights = values[first]
    back = values[first[mutual] + 1]
    weights[mutual] += back - weights[mutual] * back
    weights = np.rint(weights * WEIGHT_UNIT) / WEIGHT_UNIT
    keys, weights = keys[first][weights > 0], weights[weights > 0]
    indptr = np.searchsorted(keys, np.arange(n_nodes + 1) * n_nodes)
    return Graph(indptr.astype(np.int64), (keys % n_nodes).astype(np.int32), weights)
