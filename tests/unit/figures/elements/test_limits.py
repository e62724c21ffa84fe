"""Suggested limits as lines, with numpy's number of cells beyond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dpss.figures.elements.limits import limits_of
from dpss.figures.scatter_genes_vs_counts import genes_vs_counts
from dpss.figures.scatter_mito_vs_count import mt_vs_counts
from dpss.summary.limits import BOOK, SCATER
from dpss.summary.record import Threshold
from tests.unit.figures.builder import build, simulate, three_deviations


def test_limits_are_lines_that_count_the_cells_beyond() -> None:
    """Each lies where the summary suggests it and says how many cells numpy counts there."""
    counts = simulate(2000, 200)
    counts[:30] *= simulate(30, 1) > 1e9  # cells without counts
    counts[:30, 5] = 1
    totals = counts.sum(axis=1)
    summary = build(counts)
    (guide,) = (
        guide
        for guide in genes_vs_counts(summary).specification.guides
        if guide.along == "x" and guide.kind == "limit"
    )
    assert guide.at == pytest.approx(np.expm1(three_deviations(np.log1p(totals))[0]))
    n = np.count_nonzero(totals < guide.at)
    assert n >= 30
    assert guide.text.startswith(f"{n} cells (1.")


def test_the_side_says_where_the_cells_beyond_lie() -> None:
    """Cells are above an upper limit; limits beyond the axis are left out."""
    summary = replace(
        build(simulate(600, 100)),
        thresholds=(
            Threshold("pct_counts_mt", 3.0, "at most", SCATER, 590),
            Threshold("pct_counts_mt", 99.0, "at most", "no source", 600),
        ),
    )
    guides = mt_vs_counts(summary).specification.guides
    texts = [guide.text for guide in guides if guide.along == "y" and guide.kind == "limit"]
    assert texts == ["10 cells (1.7\u202f%) above 3.0\u202f%"]


def test_limits_of_one_side_are_ascending_and_leave_out_the_book() -> None:
    """Each limit once, lowest first; of the book's only the table tells."""
    at_most = [
        Threshold("pct_counts_mt", limit, "at most", source, 1)
        for limit, source in ((20.0, "fixed"), (6.0, SCATER), (5.0, f"{BOOK}: 3 MADs"))
    ]
    other = Threshold("total_counts", 9.0, "at least", SCATER, 1)
    together = Threshold("all together", None, None, "all of the above", 1)
    summary = replace(build(simulate(30, 20)), thresholds=(*at_most, other, together))
    assert [t.limit for t in limits_of(summary, "pct_counts_mt", "at most")] == [6.0, 20.0]
    assert limits_of(summary, "total_counts", "at most") == ()
