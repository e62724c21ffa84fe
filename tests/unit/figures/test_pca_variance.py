"""The figure ``pca_variance``."""

from __future__ import annotations

import pytest

from dpss.figures.export import figure_files
from dpss.figures.pca_variance import PCA_VARIANCE
from tests.unit.figures.embedded import bare, embedded


@pytest.mark.slow
def test_the_figure_is_drawn_the_same_each_time() -> None:
    """It has its panels, and its files are the same bytes when it is drawn again."""
    summary = embedded()
    assert len(PCA_VARIANCE.draw(summary).axes) == 2
    files = figure_files(PCA_VARIANCE, summary)
    assert files.keys() == {"pca_variance.png", "pca_variance.svg", "pca_variance.narrow.svg"}
    assert figure_files(PCA_VARIANCE, summary) == files


def test_without_an_embedding_the_reason_is_told() -> None:
    """The figure is left out, for the reason that the embedding is."""
    summary = bare()
    assert PCA_VARIANCE.needs(summary) == "too few cells"
    assert PCA_VARIANCE.caption(summary)
    with pytest.raises(ValueError, match="too few cells"):
        PCA_VARIANCE.draw(summary)
