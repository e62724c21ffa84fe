"""The figure ``umap_clusters``."""

from __future__ import annotations

import pytest

from dpss.figures.export import figure_files
from dpss.figures.umap_clusters import UMAP_CLUSTERS
from tests.unit.figures.embedded import bare, embedded


@pytest.mark.slow
def test_the_figure_is_drawn_the_same_each_time() -> None:
    """It has its panels, and its files are the same bytes when it is drawn again."""
    summary = embedded()
    assert len(UMAP_CLUSTERS.draw(summary).axes) == 2
    files = figure_files(UMAP_CLUSTERS, summary)
    assert files.keys() == {"umap_clusters.png", "umap_clusters.svg", "umap_clusters.narrow.svg"}
    assert figure_files(UMAP_CLUSTERS, summary) == files


def test_without_an_embedding_the_reason_is_told() -> None:
    """The figure is left out, for the reason that the embedding is."""
    summary = bare()
    assert UMAP_CLUSTERS.needs(summary) == "too few cells"
    assert UMAP_CLUSTERS.caption(summary)
    with pytest.raises(ValueError, match="too few cells"):
        UMAP_CLUSTERS.draw(summary)
