"""Components of integers against a singular value decomposition."""

from __future__ import annotations

import random

import numpy as np

from dpss.stats.embedding.components import LOADING_UNIT, find_components
from dpss.stats.embedding.fixed import UNIT
from tests.laws.test_embedding_laws import (
    N_CELLS,
    covariances,
    cut_and_merged,
    genes,
    matrix,
)


def test_components_are_those_of_a_decomposition() -> None:
    """Variances, loadings and scores of random cells agree with numpy's."""
    found = cut_and_merged(covariances, random.Random(1))
    components = find_components(found, 6)
    counts = matrix().toarray().astype(np.float64) * (genes().kinds > 0)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    values = np.log1p(counts / totals * 1e4)[:, np.flatnonzero(genes().slots >= 0)]
    centred = values - values.mean(axis=0)
    _, expected, rows = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(components.variances, expected[:6] ** 2 / (N_CELLS - 1), rtol=1e-3)
    cosines = np.abs((components.loadings.T / LOADING_UNIT * rows[:6]).sum(axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-4)
    scores = components.project(found.sketch_cells) / (UNIT * LOADING_UNIT)
    np.testing.assert_allclose(
        np.abs(scores), np.abs(centred[found.sketch] @ rows[:6].T), atol=0.02
    )
