"""Scores of groups of cells, their neighbours and their graph."""

from __future__ import annotations

import networkx as nx
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from dpss.stats.embedding.graph import Graph, graph_of
from dpss.stats.embedding.neighbours import ScoreScale, search_all, squared_norms


def points_of(n: int, seed: int = 0, n_groups: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Scores of groups of cells, and the groups."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_groups, n)
    return rng.normal(size=(n_groups, 12))[groups] * 4 + rng.normal(size=(n, 12)), groups


def neighbours_of(points: np.ndarray, k: int = 15) -> tuple[np.ndarray, np.ndarray]:
    """All cells' neighbours among the others."""
    places = np.empty((len(points), k), np.int32)
    distances = np.empty_like(places)
    search_all(points, points, squared_norms(points), 0, places, distances)
    return places, distances


def graph(n: int = 300, seed: int = 0) -> tuple[Graph, np.ndarray, np.ndarray]:
    """The graph of some groups, their scores and the groups."""
    scores, groups = points_of(n, seed)
    places, distances = neighbours_of(ScoreScale.of(scores).apply(scores))
    return graph_of(places, np.sqrt(distances)), scores, groups


def cliques(n: int, size: int) -> Graph:
    """Some cliques in a ring, each with one weak edge to the next."""
    ring = nx.disjoint_union_all([nx.complete_graph(size)] * n)
    nx.set_edge_attributes(ring, 1.0, "weight")
    for k in range(n):
        ring.add_edge(k * size, ((k + 1) % n) * size + 1, weight=0.125)
    matrix = sp.csr_matrix(nx.to_scipy_sparse_array(ring))
    matrix.sort_indices()
    return Graph(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)


def modularity(graph: Graph, labels: NDArray[np.int32], resolution: float = 1.0) -> float:
    """Return the modularity of clusters of a graph.

    Args:
        graph: Neighbours with weights.
        labels: Cluster of each node, from 0, shape ``(n_nodes,)``.
        resolution: As for `dpss.stats.embedding.leiden.find_clusters`.
    """
    sources = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    total = float(graph.weights.sum())
    within = float(graph.weights[labels[sources] == labels[graph.targets]].sum())
    sums = np.bincount(labels[sources], graph.weights)
    return within / total - resolution * float(((sums / total) ** 2).sum())
