"""Boxes and diamonds against numpy."""

from __future__ import annotations

import numpy as np

from dpss.figures.elements.marks import Dots, Rectangles
from tests.unit.figures.builder import build, simulate
from tests.unit.figures.drawn import BY_SLUG


def test_boxes_span_the_middle_half_and_diamonds_are_means() -> None:
    """Boxes are numpy's quartiles of a cell's shares, diamonds their means."""
    counts = simulate(300, 80)
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    best = np.argsort(-shares.mean(axis=0))[:20]
    marks = BY_SLUG["highest_expr_genes"].page(build(counts)).panels[0].marks
    (boxes,) = (mark for mark in marks if isinstance(mark, Rectangles))
    (diamonds,) = (mark for mark in marks if isinstance(mark, Dots) and mark.diamond)
    expected = np.quantile(shares[:, best], [0.25, 0.75], axis=0)
    np.testing.assert_allclose([boxes.left, boxes.right], expected)
    np.testing.assert_allclose(diamonds.x, shares[:, best].mean(axis=0))
