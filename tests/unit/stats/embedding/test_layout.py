"""Places on the map."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.embedding.graph import Graph
from dpss.stats.embedding.layout import place_nodes
from dpss.stats.embedding.leiden import find_clusters, number_by_size
from tests.unit.stats.embedding.simulated import graph


@pytest.mark.slow
def test_groups_are_found_and_kept_together_on_the_map() -> None:
    """Groups far apart become clusters, and lie apart on the map."""
    from sklearn.metrics import adjusted_rand_score
    from sklearn.neighbors import NearestNeighbors

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
