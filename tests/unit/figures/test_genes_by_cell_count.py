"""The dots are the numbers of cells."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.figures.elements.gene_rows import NOT_FOUND
from dpss.figures.elements.layout import NARROW, WIDE
from dpss.figures.elements.marks import Mark, Rectangles, Segments
from dpss.figures.genes_by_cell_count import detection_curve
from tests.unit.figures.builder import build, simulate
from tests.unit.figures.drawn import BY_SLUG, assert_readable


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


@pytest.mark.parametrize("slug", ["genes_by_cell_count", "highest_expr_genes"])
@pytest.mark.parametrize("n_found", [1, 12, 19, 20])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_genes_in_no_cell_are_named_and_have_no_marks(
    slug: str, n_found: int, width: float
) -> None:
    """Each of the 20 has its row; those without a count say so, in the caption, too."""
    counts = np.zeros((30, 25))
    counts[:, :n_found] = np.arange(30, 30 - n_found, -1) > np.arange(30)[:, None]
    figure, summary = BY_SLUG[slug], build(counts)
    page = figure.page(summary, width)
    assert len(page.panels[0].y.ticks) == 20
    assert sum(text.text == NOT_FOUND for text in page.texts) == 20 - n_found
    drawn = {round(float(y)) for mark in page.panels[0].marks for y in rows_of(mark)}
    assert drawn <= set(range(n_found))
    assert ("found in no cell" in figure.caption(summary)) is (n_found < 20)
    assert_readable(page)


def rows_of(mark: Mark) -> np.ndarray:
    """Return the places of a mark along the y axis."""
    if isinstance(mark, Rectangles):
        return (mark.bottom + mark.top) / 2
    return mark.y0 / 2 + mark.y1 / 2 if isinstance(mark, Segments) else mark.y
