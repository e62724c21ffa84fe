"""Numbers of cells that each suggested limit, and all together, would keep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpss.stats.cell_sample import CellSample
from dpss.stats.cell_tallies import CellSums
from dpss.stats.outliers import LimitSide, count_beyond
from dpss.summary.limits import Limit, measures_of
from dpss.summary.record import Threshold

ALL_TOGETHER = "all together"


def count_kept(cells: CellSums, limits: Sequence[Limit]) -> tuple[Threshold, ...]:
    """Return the cells that each limit would keep, and last those within all.

    The number for a limit is exact while the distribution of its measure is exact. The number for
    all limits is exact while all cells are in the sample, else an estimate from the sample.
    """
    if not limits:
        return ()
    n, measures = cells.n_cells_kept, measures_of(cells)
    found = []
    for limit in limits:
        measure = measures.get(limit.measure)
        beyond = count_beyond(measure, limit.value, limit.side) if measure is not None else 0
        if measure is not None and measure.n < n and not cells.sample.is_complete:
            beyond = round(beyond * n / measure.n)
        found.append(
            Threshold(limit.measure, limit.value, str(limit.side), limit.source, n - beyond)
        )
    together = min(_count_together(cells.sample, limits), *(each.n_cells_kept for each in found))
    all_limits = Threshold(ALL_TOGETHER, None, None, "all of the above", together)
    return (*found, all_limits)


def _count_together(sample: CellSample, limits: Sequence[Limit]) -> int:
    kept = np.ones(len(sample.total_counts), dtype=bool)
    for limit in limits:
        values: NDArray[np.float64] | None = getattr(sample, limit.measure)
        if values is None:
            continue
        # An undefined measure (NaN) is beyond no limit.
        beyond = values < limit.value if limit.side is LimitSide.AT_LEAST else values > limit.value
        kept &= ~beyond
    if sample.is_complete or not len(kept):
        return int(np.count_nonzero(kept))
    return round(float(np.mean(kept)) * sample.n_cells)
