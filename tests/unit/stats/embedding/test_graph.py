"""The graph of neighbours against umap-learn."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from dpss.stats.embedding.graph import graph_of
from dpss.stats.embedding.neighbours import ScoreScale
from tests.unit.stats.embedding.simulated import neighbours_of, points_of


@pytest.mark.slow
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
