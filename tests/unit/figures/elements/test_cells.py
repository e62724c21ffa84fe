"""All cells are drawn, as dots or in bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dpss.figures.elements.cells import FEW, TOGETHER
from dpss.figures.scatter_genes_vs_counts import genes_vs_counts
from dpss.figures.scatter_mito_vs_count import mt_vs_counts
from tests.examples import examples
from tests.unit.figures.builder import build, simulate


@pytest.mark.slow
@pytest.mark.parametrize("n_cells", [3, 90, 600, 20_000])
def test_every_cell_is_in_a_bin_or_a_dot(n_cells: int) -> None:
    """Bins and dots add up to the cells; a bin holds some, and no dot lies in one."""
    summary = build(simulate(n_cells, 40))
    empty = int(summary.counts_per_cell.counts[summary.counts_per_cell.values == 0].sum())
    for plot in (genes_vs_counts(summary), mt_vs_counts(summary)):
        picture = plot.picture
        assert picture.n.sum() + len(picture.dot_x) == n_cells - empty - plot.n_beyond
        assert plot.n_beyond <= 0.001 * n_cells
        assert plot.n_hidden == empty
        assert (picture.n >= TOGETHER).all()
        for i in range(len(picture.n) if n_cells > FEW else 0):
            across = (picture.dot_x > picture.left[i]) & (picture.dot_x < picture.right[i])
            up = (picture.dot_y > picture.bottom[i]) & (picture.dot_y < picture.top[i])
            assert not (across & up).any()


@pytest.mark.parametrize("n_cells", [90, 2000])
def test_cells_alone_are_dots_in_their_own_place(n_cells: int) -> None:
    """Each dot is within the width of a fine bin of a cell, and none stands for another."""
    counts = simulate(n_cells, 200)
    picture = genes_vs_counts(build(counts)).picture
    cells = np.column_stack([counts.sum(axis=1), (counts > 0).sum(axis=1)])
    dots = np.column_stack([picture.dot_x, picture.dot_y])
    assert len(dots) > 20
    for dot in dots:
        assert (np.abs(np.log2(cells / dot)) <= 1 / 22).all(axis=1).any()
    if n_cells <= FEW:
        np.testing.assert_allclose(np.sort(dots, axis=0), np.sort(cells, axis=0))


@given(n_cells=st.integers(TOGETHER, FEW), n_genes=st.integers(1, 9), count=st.integers(1, 500))
@settings(max_examples=examples(25), deadline=None)
@example(n_cells=12, n_genes=1, count=1)
@example(n_cells=FEW, n_genes=3, count=40)
def test_the_bin_of_alike_cells_is_around_them(n_cells: int, n_genes: int, count: int) -> None:
    """Few cells that are all the same: one square, and they are in its middle."""
    counts = np.zeros((n_cells, 20))
    counts[:, :n_genes] = count
    plot = genes_vs_counts(build(counts))
    picture, what = plot.picture, plot.specification
    assert picture.n.tolist() == [n_cells]
    for axis, low, high, at in (
        (what.x, picture.left, picture.right, n_genes * count),
        (what.y, picture.bottom, picture.top, n_genes),
    ):
        ends = axis.fractions(np.array([low[0], high[0]]))
        assert ends[0] < ends[1]
        assert ends.mean() == pytest.approx(float(axis.fractions(at)), abs=1e-9)
