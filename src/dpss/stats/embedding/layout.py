"""Places of the sketch's cells on a map of two dimensions: the layout of UMAP.

Source: L. McInnes, J. Healy, J. Melville, "UMAP: uniform manifold approximation and projection
for dimension reduction", arXiv:1802.03426, section 4.2. The similarity of two places at a
distance d is 1 / (1 + 1.2 d^2): the exponent 1 needs no power. One thread, in a fixed order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled
from dpss.stats.embedding.fixed import divide
from dpss.stats.embedding.graph import Graph

_STEEPNESS = 1.2
_LIMIT = 4.0
_NEGATIVES = 5.0
_NEAR = 0.001
_WIDTH = 10.0
_SEED = 42
_FEW = 10_000
"""Nodes up to which there are twice as many epochs."""


@compiled
def move_places(
    places: Any, sources: Any, targets: Any, periods: Any, due: Any, due_negative: Any, epochs: int
) -> None:
    """Move places towards those of neighbours and away from random ones.

    Args:
        places: ``float64``, shape ``(n_nodes, 2)``; changed.
        sources: ``int32``, shape ``(n_edges,)``.
        targets: ``int32``, shape ``(n_edges,)``.
        periods: ``float64``, shape ``(n_edges,)``: epochs between two moves of an edge.
        due: ``float64``, shape ``(n_edges,)``: the periods; memory to work in.
        due_negative: ``float64``, shape ``(n_edges,)``: the periods over the number of random
            places per move; memory to work in.
        epochs: Number of epochs.
    """
    n_nodes = np.uint64(places.shape[0])
    state = np.uint64(_SEED)
    for epoch in range(epochs):
        rate = 1.0 - epoch / epochs if epochs > 0 else 0.0
        for edge in range(len(sources)):
            if due[edge] > epoch:
                continue
            i, j = sources[edge], targets[edge]
            dx = places[i, 0] - places[j, 0]
            dy = places[i, 1] - places[j, 1]
            square = dx * dx + dy * dy
            pull = divide(-2.0 * _STEEPNESS, 1.0 + _STEEPNESS * square)
            x = min(_LIMIT, max(-_LIMIT, pull * dx)) * rate
            y = min(_LIMIT, max(-_LIMIT, pull * dy)) * rate
            places[i, 0] += x
            places[i, 1] += y
            places[j, 0] -= x
            places[j, 1] -= y
            due[edge] += periods[edge]
            between = periods[edge] * (1.0 / _NEGATIVES)
            while due_negative[edge] <= epoch:
                due_negative[edge] += between
                # xorshift64: G. Marsaglia, Journal of Statistical Software 8 (2003) 14
                state ^= state << np.uint64(13)
                state ^= state >> np.uint64(7)
                state ^= state << np.uint64(17)
                k = ((state >> np.uint64(32)) * n_nodes) >> np.uint64(32)
                if k == np.uint64(i):
                    continue
                dx = places[i, 0] - places[k, 0]
                dy = places[i, 1] - places[k, 1]
                square = dx * dx + dy * dy
                push = divide(2.0, (_NEAR + square) * (1.0 + _STEEPNESS * square))
                places[i, 0] += min(_LIMIT, max(-_LIMIT, push * dx)) * rate
                places[i, 1] += min(_LIMIT, max(-_LIMIT, push * dy)) * rate


def place_nodes(graph: Graph, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place the nodes of a graph.

    Args:
        graph: Neighbours with weights.
        scores: Component scores of the nodes, shape ``(n_nodes, n_components)``; the places start
            at the first two.

    Returns:
        Shape ``(n_nodes, 2)``.
    """
    start = first_two(scores)
    start -= start.min(axis=0)
    widest = float(start.max())
    places = start * (_WIDTH / widest) if widest > 0 else start
    if len(graph.weights) == 0:
        return places
    epochs = 200 if graph.n_nodes <= _FEW else 100
    sources = np.repeat(np.arange(graph.n_nodes, dtype=np.int32), np.diff(graph.indptr))
    largest = float(graph.weights.max())
    used = graph.weights >= largest / epochs
    periods = largest / graph.weights[used]
    move_places(
        places, sources[used], graph.targets[used], periods, periods.copy(),
        periods / _NEGATIVES, epochs,
    )  # fmt: skip
    return places


def first_two(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores on the first two components, zeros where there is no second."""
    out = np.zeros((len(scores), 2))
    out[:, : min(2, scores.shape[1])] = scores[:, :2]
    return out
