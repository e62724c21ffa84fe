"""At most so many clusters, against networkx and by laws."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.stats.embedding.cluster_limit import limit_clusters
from dpss.stats.embedding.graph import Graph
from dpss.stats.embedding.leiden import find_clusters, number_by_size
from tests.unit.stats.embedding.simulated import cliques, graph, modularity


def graph_of_edges(n: int, edges: list[tuple[int, int]]) -> Graph:
    """A graph of nodes and edges of weight 1."""
    whole = nx.empty_graph(n)
    whole.add_edges_from(edges)
    matrix = sp.csr_matrix(nx.to_scipy_sparse_array(whole, dtype=float))
    matrix.sort_indices()
    return Graph(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)


def test_few_clusters_stay_as_they_are() -> None:
    """Where there are no more than wanted, nothing is joined or numbered anew."""
    labels = np.array([1, 1, 0, 0, 0, 2], dtype=np.int32)
    found = limit_clusters(graph_of_edges(6, [(0, 1), (2, 3)]), labels, 1.0, 3)
    assert found.tolist() == labels.tolist()


@pytest.mark.parametrize("most", [6, 3, 2, 1])
def test_cliques_join_a_neighbour_in_their_ring(most: int) -> None:
    """No clique is cut, and those that are joined lie beside each other."""
    ring = cliques(7, 5)
    found = limit_clusters(ring, find_clusters(ring), 1.0, most).reshape(7, 5)
    assert all(len(set(row)) == 1 for row in found)
    assert set(found[:, 0]) == set(range(most))
    changes = sum(found[k, 0] != found[k - 1, 0] for k in range(7))
    assert changes == (most if most > 1 else 0)


def test_the_smallest_joins_what_changes_the_modularity_for_the_best() -> None:
    """Of each choice that the smallest cluster has, the first join is the best."""
    whole, _, _ = graph(400, 3)
    labels = find_clusters(whole, 3.0)
    n = int(labels.max()) + 1
    assert n > 5
    joined = limit_clusters(whole, labels, 3.0, n - 1)
    others = [np.where(labels == n - 1, k, labels) for k in range(n - 1)]
    best = max(modularity(whole, number_by_size(other), 3.0) for other in others)
    assert modularity(whole, joined, 3.0) == pytest.approx(best, abs=1e-12)


def test_clusters_without_edges_join_the_next_smallest() -> None:
    """Cells that no other one is near stay no clusters of their own for ever."""
    labels = np.array([0, 0, 0, 1, 1, 2, 3], dtype=np.int32)
    found = limit_clusters(graph_of_edges(7, [(0, 1), (1, 2), (3, 4)]), labels, 1.0, 2)
    assert found.tolist() == [1, 1, 1, 0, 0, 0, 0]


@given(
    st.integers(2, 14).flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(0, n - 1), min_size=n, max_size=n),
            st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1),
            st.integers(1, n),
        )
    )
)
@settings(deadline=None)
def test_clusters_are_joined_never_cut(
    given_: tuple[list[int], list[tuple[int, int]], int],
) -> None:
    """At most as many as wanted, numbered by size; who was together stays together."""
    raw, edges, most = given_
    edges = [(a, b) for a, b in edges if a != b] or [(0, 1)]
    labels = number_by_size(np.array(raw, dtype=np.int32))
    found = limit_clusters(graph_of_edges(len(raw), edges), labels, 1.0, most)
    assert len(set(found.tolist())) == min(most, int(labels.max()) + 1)
    assert (np.diff(np.bincount(found)) <= 0).all()
    assert len(set(zip(labels.tolist(), found.tolist(), strict=True))) == labels.max() + 1
