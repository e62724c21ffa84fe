"""The figure ``marker_genes``."""

from __future__ import annotations

import dataclasses

import pytest

from dpss.figures.export import figure_files
from dpss.figures.marker_genes import MARKER_GENES
from tests.unit.figures.embedded import embedded


@pytest.mark.slow
def test_the_figure_is_drawn_the_same_each_time() -> None:
    """It has its panels, and its files are the same bytes when it is drawn again."""
    summary = embedded()
    assert len(MARKER_GENES.draw(summary).axes) == 3
    files = figure_files(MARKER_GENES, summary)
    assert files.keys() == {"marker_genes.png", "marker_genes.svg", "marker_genes.narrow.svg"}
    assert figure_files(MARKER_GENES, summary) == files


def test_without_an_embedding_the_reason_is_told() -> None:
    """The figure is left out, for the reason that the embedding is."""
    bare = dataclasses.replace(embedded(), embedding=None, no_embedding_reason="too few cells")
    assert MARKER_GENES.needs(bare) == "too few cells"
    assert MARKER_GENES.caption(bare)
    with pytest.raises(ValueError, match="too few cells"):
        MARKER_GENES.draw(bare)
