"""Common parts of the tests of figures."""

from __future__ import annotations

import itertools

from dpss.figures.elements.layout import axis_texts
from dpss.figures.elements.marks import Page
from dpss.figures.registry import FIGURES

BY_SLUG = {figure.slug: figure for figure in FIGURES}


def assert_readable(page: Page, *, smallest: float = 8.0) -> None:
    """No text lies on another, is too small, leaves the paper, or touches its left edge."""
    texts = [*page.texts, *(text for panel in page.panels for text in axis_texts(panel))]
    for text in texts:
        assert text.size >= smallest, text.text
        assert text.box.left >= 4, text.text
        assert text.box.right <= page.width + 1, text.text
        assert text.box.top >= -1, text.text
        assert text.box.bottom <= page.height + 1, text.text
    for one, other in itertools.combinations(texts, 2):
        assert not one.overlaps(other), (one.text, other.text)
