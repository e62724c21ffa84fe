"""Neighbours, their graph, its clusters and its layout, against other programs."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from dpss.stats.embedding.fixed import UNIT, hash_cells
from dpss.stats.embedding.graph import Graph, graph_of
from dpss.stats.embedding.layout import place_nodes
from dpss.stats.embedding.leiden import find_clusters, modularity, number_by_size
from dpss.stats.embedding.neighbours import ScoreScale, SearchLists, search_all, squared_norms


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


@pytest.mark.parametrize("n", [40, 300, 1000])
def test_neighbours_are_those_of_scikit_learn(n: int) -> None:
    """Exact distances of the rounded scores; no cell is its own neighbour."""
    scores, _ = points_of(n)
    points = ScoreScale.of(scores).apply(scores)
    places, distances = neighbours_of(points)
    expected, _ = NearestNeighbors(n_neighbors=16).fit(points.astype(float)).kneighbors()
    np.testing.assert_allclose(np.sqrt(distances), expected[:, :15], atol=1e-3)
    assert (places != np.arange(n)[:, None]).all()


def test_lists_find_nearly_all_neighbours() -> None:
    """The nearest lists hold most of the neighbours, and each cell finds itself."""
    scores, _ = points_of(3000)
    points = ScoreScale.of(scores).apply(scores)
    found, distances = SearchLists.of(points).search(points)
    assert (distances[:, 0] == 0).all()
    exact, _ = neighbours_of(points, 14)
    kept = [len(np.intersect1d(a, b)) / 14 for a, b in zip(found, exact, strict=True)]
    assert np.mean(kept) > 0.85


def test_longer_cells_than_the_sketch_has_are_shortened() -> None:
    """A cell far outside gives distances that fit into 32 bits."""
    scores, _ = points_of(100)
    scale = ScoreScale.of(scores)
    far = scale.apply(np.vstack([scores * 1e6, -scores * 1e6]))
    _, distances = SearchLists.of(scale.apply(scores)).search(far, 3)
    assert (distances > 0).all()


@pytest.mark.filterwarnings("ignore")
def test_graph_is_symmetric_and_near_umaps() -> None:
    """Weights agree with umap-learn's fuzzy simplicial set of the same neighbours."""
    from umap.umap_ import fuzzy_simplicial_set

    scores, _ = points_of(300)
    points = ScoreScale.of(scores).apply(scores)
    places, distances = neighbours_of(points)
    found = graph_of(places, np.sqrt(distances))
    matrix = sp.csr_matrix((found.weights, found.targets, found.begins))
    assert (matrix != matrix.T).nnz == 0
    # umap-learn counts the cell itself as its first neighbour.
    with_itself = np.column_stack([np.arange(300), places])
    gaps = np.column_stack([np.zeros(300), np.sqrt(distances)]).astype(np.float32)
    expected, *_ = fuzzy_simplicial_set(
        points.astype(np.float32), 16, np.random.RandomState(0), "euclidean",
        knn_indices=with_itself, knn_dists=gaps,
    )  # fmt: skip
    assert np.abs((matrix - sp.csr_matrix(expected)).toarray()).max() < 0.01


@pytest.mark.parametrize("size", [4, 6, 12])
def test_cliques_are_clusters(size: int) -> None:
    """Each clique of a ring of cliques becomes a cluster, numbered by size."""
    found = find_clusters(cliques(7, size))
    assert len(set(found.reshape(7, size)[:, 0])) == 7
    assert all(len(set(row)) == 1 for row in found.reshape(7, size))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("resolution", [0.3, 1.0, 2.5])
def test_modularity_is_not_below_louvains(seed: int, resolution: float) -> None:
    """The clusters are as good as networkx's; their modularity is networkx's own number."""
    found, _, _ = graph(400, seed)
    labels = find_clusters(found, resolution)
    matrix = sp.csr_array((found.weights, found.targets, found.begins))
    other = nx.from_scipy_sparse_array(matrix)
    parts = nx.community.louvain_communities(other, resolution=resolution, seed=0)
    ours = [set(np.flatnonzero(labels == k)) for k in range(labels.max() + 1)]
    quality = nx.community.modularity(other, ours, resolution=resolution)
    assert modularity(found, labels, resolution) == pytest.approx(quality, abs=1e-9)
    assert quality >= nx.community.modularity(other, parts, resolution=resolution) - 0.003
    assert all(nx.is_connected(other.subgraph(part)) for part in ours)


def test_groups_are_found_and_kept_together_on_the_map() -> None:
    """Groups far apart become clusters, and lie apart on the map."""
    found, scores, groups = graph(500)
    assert adjusted_rand_score(groups, number_by_size(find_clusters(found, 0.2))) > 0.95
    places = place_nodes(found, scores)
    nearest = NearestNeighbors(n_neighbors=10).fit(places).kneighbors(return_distance=False)
    assert (groups[nearest] == groups[:, None]).mean() > 0.97


def test_a_graph_without_edges_is_no_error() -> None:
    """Every node is a cluster of its own."""
    nothing = Graph(np.zeros(6, np.int64), np.empty(0, np.int32), np.empty(0))
    assert find_clusters(nothing).tolist() == [0, 1, 2, 3, 4]
    assert place_nodes(nothing, np.zeros((5, 1))).shape == (5, 2)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_clusters_are_numbered_by_size(labels: list[int]) -> None:
    """From 0 without gaps, the largest first, and no cluster is joined or cut."""
    given_labels = np.array(labels, dtype=np.int32)
    found = number_by_size(given_labels)
    sizes = np.bincount(found)
    assert (np.diff(sizes) <= 0).all()
    assert adjusted_rand_score(given_labels, found) == pytest.approx(1.0)


def test_hashes_do_not_meet() -> None:
    """The hash of a cell's index is one-to-one, and independent of what else is hashed."""
    hashes = hash_cells(np.arange(100_000))
    assert len(np.unique(hashes)) == 100_000
    np.testing.assert_array_equal(hash_cells(np.arange(500, 600)), hashes[500:600])
    assert UNIT == 2**14
