"""Cluster and place of each cell, from its neighbours in the sketch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled
from dpss.stats.embedding.components import Components
from dpss.stats.embedding.covariance import SparseCells
from dpss.stats.embedding.fixed import divide
from dpss.stats.embedding.neighbours import ScoreScale, SearchLists


@compiled
def vote_cells(
    neighbours: Any,
    distances: Any,
    labels: Any,
    places: Any,
    votes: Any,
    out_labels: Any,
    out_places: Any,
) -> None:
    """Give each cell the cluster of most neighbours, and a place among these.

    The nearest neighbour has two votes; of equal clusters the first wins.

    Args:
        neighbours: ``int64``, shape ``(n_cells, n_neighbours)``; -1 for none.
        distances: ``int32``, squared, shape ``(n_cells, n_neighbours)``.
        labels: ``int16``, shape ``(n_sketch,)``.
        places: ``float64``, shape ``(n_sketch, 2)``.
        votes: ``int32``, zeros, shape ``(n_clusters,)``; memory to work in.
        out_labels: ``int16``, shape ``(n_cells,)``; set; -1 for a cell without neighbours.
        out_places: ``float64``, shape ``(n_cells, 2)``; set.
    """
    n_neighbours = neighbours.shape[1]
    for cell in range(neighbours.shape[0]):
        for k in range(n_neighbours):
            if neighbours[cell, k] >= 0:
                votes[labels[neighbours[cell, k]]] += 2 if k == 0 else 1
        best = np.int64(-1)
        most = 0
        for k in range(n_neighbours):
            if neighbours[cell, k] >= 0:
                label = np.int64(labels[neighbours[cell, k]])
                if votes[label] > most or (votes[label] == most and label < best):
                    best, most = label, votes[label]
        x, y, total = 0.0, 0.0, 0.0
        for k in range(n_neighbours):
            neighbour = neighbours[cell, k]
            if neighbour >= 0:
                votes[labels[neighbour]] = 0
                if labels[neighbour] == best:
                    weight = divide(1.0, 1.0 + np.float64(distances[cell, k]))
                    x += weight * places[neighbour, 0]
                    y += weight * places[neighbour, 1]
                    total += weight
        out_labels[cell] = best
        out_places[cell, 0] = divide(x, total)
        out_places[cell, 1] = divide(y, total)


@dataclass(frozen=True)
class Assigned:
    """Clusters and places of some cells."""

    labels: NDArray[np.int16]
    """Shape ``(n_cells,)``."""
    places: NDArray[np.float64]
    """Shape ``(n_cells, 2)``."""
    scores: NDArray[np.float64]
    """Scores in fixed point, shape ``(n_cells, n_components)``."""


@dataclass(frozen=True)
class CellSketch:
    """The sketch with its clusters and places, from which other cells get theirs."""

    components: Components
    scale: ScoreScale
    lists: SearchLists
    cells: NDArray[np.int64]
    """Indices of its cells in the matrix, ascending, shape ``(n_sketch,)``."""
    scores: NDArray[np.float64]
    """Their scores in fixed point, shape ``(n_sketch, n_components)``."""
    labels: NDArray[np.int16]
    """Their clusters, shape ``(n_sketch,)``."""
    places: NDArray[np.float64]
    """Their places, shape ``(n_sketch, 2)``."""

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.labels.max(initial=-1)) + 1

    def assign(self, cells: SparseCells, start: int) -> Assigned:
        """Give cells their clusters and places; those of the sketch keep their own.

        Args:
            cells: Values of the variable genes.
            start: Index of the first cell in the matrix.
        """
        n = cells.n_cells
        scores = self.components.project(cells)
        neighbours, distances = self.lists.search(self.scale.apply(scores))
        labels, places = np.empty(n, dtype=np.int16), np.empty((n, 2))
        votes = np.zeros(self.n_clusters, dtype=np.int32)
        vote_cells(neighbours, distances, self.labels, self.places, votes, labels, places)
        first, last = np.searchsorted(self.cells, (start, start + n))
        own = self.cells[first:last] - start
        labels[own] = self.labels[first:last]
        places[own] = self.places[first:last]
        return Assigned(labels, places, scores)
