"""Limits against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.figures.scatter_genes_vs_counts import genes_vs_counts
from tests.unit.figures.builder import build, simulate


def test_limits_are_three_deviations_and_count_the_cells_beyond() -> None:
    """Lines lie where numpy puts them and say how many cells numpy counts there."""
    counts = simulate(2000, 200)
    counts[:30] *= simulate(30, 1) > 1e9  # cells without counts
    counts[:30, 5] = 1
    totals = counts.sum(axis=1)
    logs = np.log1p(totals)
    spread = 1.4826 * np.median(np.abs(logs - np.median(logs)))
    limit = np.expm1(np.median(logs) - 3 * spread)
    (guide,) = (
        guide
        for guide in genes_vs_counts(build(counts)).specification.guides
        if guide.along == "x" and guide.kind == "limit"
    )
    assert guide.at == pytest.approx(limit)
    n = np.count_nonzero(totals < limit)
    assert n >= 30
    assert guide.text.startswith(f"{n} cells (1.")
