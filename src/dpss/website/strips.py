"""Strips that compare the cells of several matrices, drawn from quantiles.

A strip has a line from the 5 % to the 95 % quantile, a bar over the middle half and a mark at
the median. All strips of a measure share one axis.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dpss.stats.outliers import find_outliers
from dpss.summary.peers import peer_sets

WIDTH = 120.0
"""Width of a strip, in pixels."""
_EDGE = 3.0
PERCENTILES = ("p5", "p25", "p50", "p75", "p95")
"""Names of the quantiles of a strip, from left to right."""
MEASURES = {
    "median_genes_per_cell": ("n_genes_by_counts", True),
    "median_counts_per_cell": ("total_counts", True),
    "median_pct_counts_mt": ("pct_counts_mt", False),
}
"""Name in ``quantiles`` by that of the median, and whether its axis is logarithmic."""


@dataclass(frozen=True)
class Strip:
    """A strip: positions on the axis of a measure, in pixels from its left end."""

    low: float
    """5 % quantile."""
    begin: float
    """25 % quantile."""
    middle: float
    """Median."""
    end: float
    """75 % quantile."""
    high: float
    """95 % quantile."""
    odd: bool
    """Whether the median is an outlier among those of all matrices."""


Quantiles = Mapping[str, Mapping[str, float] | None]
"""Quantiles of each measure of cells, as in ``summary.json``."""


def draw_strips(
    matrices: Sequence[Quantiles], groups: Sequence[str] = ()
) -> list[dict[str, Strip]]:
    """Return the strips of each matrix by the name of the median that they belong to.

    A matrix without quantiles of a measure has no strip of it.

    Args:
        matrices: Quantiles of each matrix.
        groups: Name of the group that each is compared with, empty for all of them; none: all.
    """
    strips: list[dict[str, Strip]] = [{} for _ in matrices]
    sets = list(peer_sets(groups or [""] * len(matrices)))
    for name, (measure, logarithmic) in MEASURES.items():
        known = {i: quantiles for i, each in enumerate(matrices) if (quantiles := each[measure])}
        if not known:
            continue
        ends = [quantiles[end] for quantiles in known.values() for end in ("p5", "p95")]
        medians = {i: quantiles["p50"] for i, quantiles in known.items()}
        odd = {
            i
            for peers in sets
            for i in find_outliers(
                {i: medians[i] for i in peers.members if i in medians}, logarithmic=logarithmic
            )
            if i in peers.judged
        }
        for i, quantiles in known.items():
            low, begin, middle, end, high = (
                _place(quantiles[q], min(ends), max(ends), logarithmic=logarithmic)
                for q in PERCENTILES
            )
            strips[i][name] = Strip(low, begin, middle, end, high, i in odd)
    return strips


def _place(value: float, low: float, high: float, *, logarithmic: bool) -> float:
    begin, end, at = (_scale(each, logarithmic=logarithmic) for each in (low, high, value))
    share = (at - begin) / (end - begin) if end > begin else 0.5
    return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)


def _scale(value: float, *, logarithmic: bool) -> float:
    return math.log10(1 + value) if logarithmic else value
