"""Tallies of cells: percentages, and cells that are not kept."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.cell_tallies import CellTallies, percentages
from dpss.stats.kernels import layout


@pytest.mark.parametrize(
    ("part", "total", "percent"), [(1, 4, 25), (0, 4, 0), (0, 0, 0), (3, 3, 100)]
)
def test_percentages(part: float, total: float, percent: float) -> None:
    """A cell without counts has 0 %."""
    assert percentages(np.array([part], float), np.array([total], float)).tolist() == [percent]


def test_cells_that_are_not_kept() -> None:
    """They are counted, and are in no distribution and no sample."""
    measures = np.ones((5, layout.N_MEASURES))
    measures[:2, layout.N_GENES_BY_COUNTS] = -1
    tallies = CellTallies((True, False, False))
    tallies.add(0, measures)
    found = tallies.result()
    assert (found.n_cells, found.n_cells_kept, found.total_counts.n) == (5, 3, 3)
    assert len(found.sample.total_counts) == 3
    assert found.sample.pct_counts_mt is not None
    assert found.sample.pct_counts_ribo is None
