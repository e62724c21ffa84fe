"""Neighbours against those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.embedding.neighbours import ScoreScale, SearchLists
from tests.unit.stats.embedding.simulated import neighbours_of, points_of


@pytest.mark.slow
@pytest.mark.parametrize("n", [40, 300, 1000])
def test_neighbours_are_those_of_scikit_learn(n: int) -> None:
    """Exact distances of the rounded scores; no cell is its own neighbour."""
    from sklearn.neighbors import NearestNeighbors

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
