"""The figure ``marker_genes``."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.figures.export import figure_files
from dpss.figures.marker_genes import MARKER_GENES
from tests.unit.figures.embedded import bare, embedded


@pytest.mark.slow
def test_the_figure_is_drawn_the_same_each_time() -> None:
    """It has its panels, and its files are the same bytes when it is drawn again."""
    summary = embedded()
    assert len(MARKER_GENES.draw(summary).axes) == 3
    files = figure_files(MARKER_GENES, summary)
    assert files.keys() == {"marker_genes.png", "marker_genes.svg", "marker_genes.narrow.svg"}
    assert figure_files(MARKER_GENES, summary) == files


@pytest.mark.slow
@pytest.mark.parametrize("width", [360.0, 538.6])
def test_bars_of_clusters_have_their_numbers(width: float) -> None:
    """What a bar's colour says is there as a number, too, left of the bar and on the paper."""
    summary = embedded()
    page = MARKER_GENES.layout(summary, width)
    assert summary.embedding is not None
    wanted = {str(k) for k in np.unique(summary.embedding.expression.clusters)}
    named = {text.text for text in page.texts if text.anchor == "end" and text.text.isdigit()}
    assert wanted <= named


def test_without_an_embedding_the_reason_is_told() -> None:
    """The figure is left out, for the reason that the embedding is."""
    summary = bare()
    assert MARKER_GENES.needs(summary) == "too few cells"
    assert MARKER_GENES.caption(summary)
    with pytest.raises(ValueError, match="too few cells"):
        MARKER_GENES.draw(summary)
