"""Suggested limits: the cells that each keeps, and all of them together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpss.summary.tables import summary_document
from dpss.website.measures import thresholds
from tests.summarise import summarise
from tests.unit.summary.checks.test_cells import counts, dying, write


@pytest.mark.slow
def test_limits_keep_what_numpy_keeps(tmp_path: Path) -> None:
    """Each limit alone, and all of them together, on the same cells."""
    x = dying(0.1)
    summary = summarise(write(tmp_path / "x.h5ad", x))
    totals, genes = x.sum(axis=1), (x > 0).sum(axis=1)
    cells = {
        "total_counts": totals,
        "n_genes_by_counts": genes,
        "pct_counts_mt": 100 * x[:, :10].sum(axis=1) / totals,
        "pct_counts_in_top_50_genes": 100 * np.sort(x, axis=1)[:, -50:].sum(axis=1) / totals,
        "complexity": np.log10(genes) / np.log10(totals),
    }
    kept = np.ones(len(x), dtype=bool)
    *single, together = summary.thresholds
    assert len({each.measure for each in single}) == len(cells)
    for each in single:
        values = cells[each.measure]
        within = values >= each.limit if each.side == "at least" else values <= each.limit
        assert each.n_cells_kept == np.count_nonzero(within), each
        kept &= within
    assert together.measure == "all together"
    assert together.n_cells_kept == np.count_nonzero(kept) < min(t.n_cells_kept for t in single)
    rows = thresholds(summary_document(summary, []))
    assert [row["n_kept"] for row in rows] == [each.n_cells_kept for each in summary.thresholds]
    assert len(counts()) == summary.n_cells
