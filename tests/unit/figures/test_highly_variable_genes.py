"""The most variable genes are named, off all dots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.figures.elements.labels import most_hidden
from dpss.figures.elements.layout import NARROW, WIDE
from dpss.figures.elements.marks import Dots, Page
from tests.unit.figures.builder import build, simulate
from tests.unit.figures.drawn import BY_SLUG

FIGURE = BY_SLUG["highly_variable_genes"]


def assert_names_off_dots(page: Page) -> None:
    """No name lies on another or on an orange dot, or hides more than a few of the others."""
    (panel,) = page.panels
    names = [text for text in page.texts if text.halo]
    dots = [mark for mark in panel.marks if isinstance(mark, Dots)]
    n_others = sum(len(mark.x) for mark in dots if mark.colour != "orange")
    for n, name in enumerate(names):
        assert not any(name.overlaps(other) for other in names[:n])
        box, n_hidden = name.box, 0
        for mark in dots:
            x, y = panel.place(mark.x, mark.y)
            across = np.maximum(0, np.maximum(box.left - x, x - box.right))
            down = np.maximum(0, np.maximum(box.top - y, y - box.bottom))
            n_on = int(np.count_nonzero(np.hypot(across, down) < mark.radius))
            assert mark.colour != "orange" or n_on == 0, name.text
            n_hidden += n_on
        assert n_hidden <= most_hidden(n_others), name.text


@pytest.mark.parametrize(("width", "n_named"), [(WIDE, 20), (NARROW, 8)])
def test_the_most_variable_genes_are_named(width: float, n_named: int) -> None:
    """Three of four at least, the first one in any case; on phones of the first ones."""
    summary = build(simulate(400, 500))
    page = FIGURE.page(summary, width)
    shown = [text.text for text in page.texts if text.halo]
    best = summary.gene_labels(summary.top_variable())[:n_named]
    assert shown[0] == best[0]
    assert set(shown) <= set(best)
    assert len(set(shown)) == len(shown) >= 0.75 * n_named


@pytest.mark.slow
@given(st.integers(0, 10**6), st.sampled_from([2, 30, 400]), st.sampled_from([8, 60, 900, 6000]))
def test_names_are_off_the_dots(seed: int, n_cells: int, n_genes: int) -> None:
    """Of any matrix, on both papers."""
    summary = build(simulate(n_cells, n_genes, seed))
    if FIGURE.needs(summary) is None:
        for width in (WIDE, NARROW):
            assert_names_off_dots(FIGURE.page(summary, width))
