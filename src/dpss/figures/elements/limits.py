"""Suggested limits that plots of cells show, and how many cells lie beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.summary.limits import BOOK

if TYPE_CHECKING:
    from dpss.summary.record import Summary, Threshold


def limits_of(summary: Summary, measure: str, side: str) -> tuple[Threshold, ...]:
    """Return the suggested limits of a measure, ascending.

    These are the limits of tutorials and scater's deviations. Those of the best-practice book are
    in the table of thresholds only, as lines close to each other are hard to read.

    Args:
        summary: With its thresholds.
        measure: Name of the measure, such as ``total_counts``.
        side: Side that is kept: ``at least`` or ``at most``.
    """
    found = {
        each.limit: each
        for each in summary.thresholds
        if each.measure == measure and each.side == side and not each.source.startswith(BOOK)
        if each.limit is not None
    }
    return tuple(each for _, each in sorted(found.items()))
