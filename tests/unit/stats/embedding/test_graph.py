"""The graph of neighbours against umap-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from dpss.stats.embedding.graph import graph_of
from dpss.stats.embedding.neighbours import ScoreScale
from tests.libraries import umaps_graph
from tests.unit.stats.embedding.simulated import neighbours_of, points_of


@pytest.mark.slow
def test_graph_is_symmetric_and_near_umaps(tmp_path: Path) -> None:
    """Weights agree with umap-learn's fuzzy simplicial set of the same neighbours."""
    scores, _ = points_of(300)
    points = ScoreScale.of(scores).apply(scores)
    places, distances = neighbours_of(points)
    found = graph_of(places, np.sqrt(distances))
    matrix = sp.csr_matrix((found.weights, found.targets, found.indptr))
    assert (matrix != matrix.T).nnz == 0
    # umap-learn counts the cell itself as its first neighbour.
    with_itself = np.column_stack([np.arange(300), places])
    gaps = np.column_stack([np.zeros(300), np.sqrt(distances)])
    expected = umaps_graph(points, with_itself, gaps, tmp_path)
    assert np.abs((matrix - expected).toarray()).max() < 0.01
