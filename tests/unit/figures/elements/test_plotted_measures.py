"""Axes of plots of cells: which cells they show, and which limits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dpss.figures.elements.plotted_measures import counts_measure
from dpss.figures.elements.specification import Scale
from dpss.figures.scatter_genes_vs_counts import genes_vs_counts
from dpss.figures.scatter_mito_vs_count import mt_vs_counts
from dpss.stats.histogram import Distribution
from tests.unit.figures.builder import build, simulate


def dying(n_dying: int, part: float) -> np.ndarray:
    """Return counts of 1,000 cells, some of which have this part in mitochondrial genes."""
    counts = simulate(1000, 200)
    rest = counts[:n_dying, 5:].sum(axis=1)
    counts[:n_dying, 0] += np.round(rest * part / (1 - part))
    return counts


def test_one_cell_does_not_set_the_axis_of_shares() -> None:
    """It ends with the other cells, and the one beyond is counted."""
    calm, one = (mt_vs_counts(build(dying(n, 0.97))) for n in (0, 1))
    assert one.specification.y.high == pytest.approx(calm.specification.y.high, rel=0.2)
    assert (calm.n_beyond, one.n_beyond) == (0, 1)


@pytest.mark.parametrize("part", [0.5, 0.8, 0.97])
def test_many_cells_set_the_axis_of_shares(part: float) -> None:
    """3 % of the cells that are dying are what the figure is for: all are shown."""
    plot = mt_vs_counts(build(dying(30, part)))
    assert plot.n_beyond == 0
    assert plot.specification.y.high > 100 * part


def test_a_limit_that_cells_lie_beyond_is_shown() -> None:
    """One cell at 40 % is no reason for a longer axis; the limit of 20 % it lies beyond is."""
    plot = mt_vs_counts(build(dying(1, 0.4)))
    assert any(g.at == 20 and g.text.startswith("1 cell ") for g in plot.specification.guides)


def test_both_plots_have_the_same_axis_of_counts() -> None:
    """It is made once."""
    summary = build(simulate(600, 200))
    assert counts_measure(summary, "counts").scale is Scale.LOG
    assert genes_vs_counts(summary).specification.x == mt_vs_counts(summary).specification.x
    assert counts_measure(summary, "counts").axis() == mt_vs_counts(summary).specification.x


def test_a_value_has_its_unit() -> None:
    """One count, and many counts."""
    side = counts_measure(build(simulate(30, 40)), "counts")
    assert [side.describe(value) for value in (1.0, 2500.0)] == ["1 count", "2,500 counts"]


def test_shares_that_are_all_zero_have_an_axis() -> None:
    """It is never of no length."""
    summary = build(simulate(50, 60))
    nothing = Distribution(np.zeros(1), np.array([50]))
    axis = mt_vs_counts(dataclasses.replace(summary, pct_counts_mt=nothing)).specification.y
    assert axis.high >= 1
