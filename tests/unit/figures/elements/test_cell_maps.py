"""Colours and dots of maps of cells."""

from __future__ import annotations

import pytest

from dpss.figures.elements.cell_maps import CLUSTER_COLOURS, colour_of, dot_size


def test_neighbouring_clusters_have_unlike_colours() -> None:
    """Colours are used again only beyond their number."""
    assert len(set(CLUSTER_COLOURS)) == len(CLUSTER_COLOURS)
    assert colour_of(len(CLUSTER_COLOURS)) == colour_of(0) != colour_of(1)


@pytest.mark.parametrize("n_bins", [1, 3_000, 100_000])
def test_dots_become_smaller_where_there_are_more(n_bins: int) -> None:
    """They never vanish."""
    assert 0 < dot_size(n_bins, 5.0) <= dot_size(1, 5.0)
