"""Clusters of graphs against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from dpss.stats.embedding.leiden import find_clusters, number_by_size
from tests.unit.stats.embedding.simulated import cliques, graph, modularity


@pytest.mark.parametrize("size", [4, 6, 12])
def test_cliques_are_clusters(size: int) -> None:
    """Each clique of a ring of cliques becomes a cluster, numbered by size."""
    found = find_clusters(cliques(7, size))
    assert len(set(found.reshape(7, size)[:, 0])) == 7
    assert all(len(set(row)) == 1 for row in found.reshape(7, size))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("resolution", [0.3, 1.0, 2.5])
def test_modularity_is_not_below_louvains(seed: int, resolution: float) -> None:
    """The clusters are as good as networkx's; their modularity is networkx's own number."""
    found, _, _ = graph(400, seed)
    labels = find_clusters(found, resolution)
    matrix = sp.csr_array((found.weights, found.targets, found.indptr))
    other = nx.from_scipy_sparse_array(matrix)
    parts = nx.community.louvain_communities(other, resolution=resolution, seed=0)
    ours = [set(np.flatnonzero(labels == k)) for k in range(labels.max() + 1)]
    quality = nx.community.modularity(other, ours, resolution=resolution)
    assert modularity(found, labels, resolution) == pytest.approx(quality, abs=1e-9)
    assert quality >= nx.community.modularity(other, parts, resolution=resolution) - 0.003
    assert all(nx.is_connected(other.subgraph(part)) for part in ours)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_clusters_are_numbered_by_size(labels: list[int]) -> None:
    """From 0 without gaps, the largest first, and no cluster is joined or cut."""
    given_labels = np.array(labels, dtype=np.int32)
    found = number_by_size(given_labels)
    sizes = np.bincount(found)
    assert (np.diff(sizes) <= 0).all()
    pairs = set(zip(labels, found.tolist(), strict=True))
    assert len(pairs) == len(set(labels)) == len(sizes)
