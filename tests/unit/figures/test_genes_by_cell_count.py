"""The dots are the numbers of cells."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.figures.genes_by_cell_count import detection_curve
from tests.unit.figures.builder import build, simulate
from tests.unit.figures.drawn import BY_SLUG


def test_cell_counts_lie_where_the_matrix_says() -> None:
    """The bars are the largest percentages of cells per gene, best first; the curve, all genes."""
    counts = simulate(300, 80)
    page = BY_SLUG["genes_by_cell_count"].page(build(counts))
    found = (counts > 0).sum(axis=0)
    bars = page.panels[0].marks[1]
    np.testing.assert_allclose(bars.right, 100 * np.sort(found)[::-1][:20] / 300)  # type: ignore[union-attr]
    x, y = detection_curve(build(counts))
    for share in (0.5, 10, 33.3, 50, 99):
        expected = np.count_nonzero(found >= share / 100 * 300)
        assert np.interp(share, x, y, right=0) == pytest.approx(expected, abs=1)
