"""The knee plot goes through every cell."""

from __future__ import annotations

import numpy as np

from dpss.figures.knee import ranked
from tests.unit.figures.builder import build, simulate


def test_knee_goes_through_every_cell() -> None:
    """Each cell's rank and total lies on the curve, the many no less than the few."""
    totals = np.sort(simulate(200, 50).sum(axis=1))[::-1]
    ranks, heights = ranked(build(simulate(200, 50)).counts_per_cell)
    at = np.arange(1, (totals > 0).sum() + 1)
    np.testing.assert_allclose(np.interp(at, ranks, heights), totals[totals > 0])
