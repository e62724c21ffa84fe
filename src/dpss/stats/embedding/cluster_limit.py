"""A limit of the number of clusters: the smallest ones join others."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from dpss.stats.embedding.graph import Graph
from dpss.stats.embedding.leiden import number_by_size


def limit_clusters(
    graph: Graph, labels: NDArray[np.int32], resolution: float, most: int
) -> NDArray[np.int32]:
    """Join clusters until there are at most ``most``, and number them by size.

    In each step the smallest cluster joins the one with which the modularity is largest; a cluster
    without an edge to another one joins the next smallest.

    Args:
        graph: Neighbours with weights.
        labels: Cluster of each node, from 0 without gaps, shape ``(n_nodes,)``.
        resolution: Resolution of the modularity.
        most: Most clusters, 1 at least.

    Returns:
        Cluster of each node, the largest first, shape ``(n_nodes,)``.
    """
    n = int(labels.max(initial=-1)) + 1
    if n <= most:
        return labels
    sizes = np.bincount(labels, minlength=n).tolist()
    links, strengths = _connections(graph, labels, n)
    penalty = resolution / float(sum(strengths))
    parents = list(range(n))
    # A cluster that has grown is in the heap again; its older entries are outdated.
    heap = [(sizes[k], -k) for k in range(n)]
    heapq.heapify(heap)
    for _ in range(n - most):
        smallest = _pop_smallest(heap, sizes)
        if links[smallest]:
            chosen = max(
                links[smallest],
                key=lambda k: (
                    links[smallest][k] - penalty * strengths[smallest] * strengths[k],
                    -k,
                ),
            )
        else:
            chosen = _pop_smallest(heap, sizes)
        parents[smallest] = chosen
        sizes[chosen] += sizes[smallest]
        sizes[smallest] = 0
        strengths[chosen] += strengths[smallest]
        for other, weight in links.pop(smallest).items():
            del links[other][smallest]
            if other != chosen:
                links[chosen][other] = links[other][chosen] = links[chosen].get(other, 0.0) + weight
        heapq.heappush(heap, (sizes[chosen], -chosen))
    for k in range(n):
        while parents[k] != parents[parents[k]]:
            parents[k] = parents[parents[k]]
    return number_by_size(np.array(parents, dtype=np.int32)[labels])


def _pop_smallest(heap: list[tuple[int, int]], sizes: list[int]) -> int:
    """Remove the smallest cluster from the heap and return it; of equal ones the last."""
    while True:
        size, negative = heapq.heappop(heap)
        if sizes[-negative] == size:
            return -negative


def _connections(
    graph: Graph, labels: NDArray[np.int32], n: int
) -> tuple[dict[int, dict[int, float]], list[float]]:
    """Return the weights between clusters, and the sum of each cluster's weights."""
    sources = np.repeat(labels, np.diff(graph.indptr)).astype(np.int64)
    targets = labels[graph.targets]
    strengths = np.bincount(sources, graph.weights, n).tolist()
    keys, inverse = np.unique(sources * n + targets, return_inverse=True)
    links: dict[int, dict[int, float]] = {k: {} for k in range(n)}
    for key, weight in zip(
        keys.tolist(), np.bincount(inverse, graph.weights).tolist(), strict=True
    ):
        source, target = divmod(key, n)
        if source != target:
            links[source][target] = weight
    return links, strengths
