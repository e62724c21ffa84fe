"""Colours, dots and numbers of maps of cells."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.figures.elements.cell_maps import (
    CLUSTER_COLOURS,
    cluster_marks,
    colour_of,
    dot_radius,
    embedding_of,
    map_panel,
    place_numbers,
)
from dpss.figures.elements.layout import NARROW, WIDE
from dpss.figures.elements.marks import PaperArea
from dpss.figures.elements.palette import DARK, LIGHT
from dpss.figures.registry import EMBEDDING_FIGURES
from dpss.stats.embedding.maps import N_BINS, CellMap, MapFrame
from tests.examples import examples
from tests.unit.figures.drawn import assert_readable
from tests.unit.figures.embedded import bare, embedded


def map_of(places: np.ndarray, labels: np.ndarray) -> CellMap:
    """Return the map of cells at places, shape ``(n_cells, 2)``, with their clusters."""
    frame = MapFrame.of(places)
    keys, counts = np.unique(frame.bins(places) * 100 + labels, return_counts=True)
    return CellMap(frame, keys // 100, keys % 100, counts)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_neighbouring_clusters_have_unlike_colours() -> None:
    """Colours are used again only beyond their number."""
    assert len(set(CLUSTER_COLOURS)) == len(CLUSTER_COLOURS)
    assert colour_of(len(CLUSTER_COLOURS)) == colour_of(0) != colour_of(1)


@pytest.mark.parametrize("colour", CLUSTER_COLOURS)
def test_colours_are_seen_on_light_and_on_dark_ground(colour: str) -> None:
    """Each has a contrast of 2:1 or more on both."""
    for ground in (LIGHT.background, DARK.background):
        low, high = sorted((luminance(colour), luminance(ground)))
        assert (high + 0.05) / (low + 0.05) >= 2


@pytest.mark.parametrize("n_bins", [0, 1, 3_000, 100_000])
def test_dots_become_smaller_where_there_are_more(n_bins: int) -> None:
    """They never vanish."""
    assert 0 < dot_radius(n_bins, 330.0) <= dot_radius(1, 330.0)


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 400))
def test_every_bin_is_a_dot(seed: int, n_clusters: int, n_cells: int) -> None:
    """Each bin with cells is drawn once, in the colour of one of its clusters."""
    rng = np.random.default_rng(seed)
    cells = map_of(rng.normal(size=(n_cells, 2)), rng.integers(0, n_clusters, n_cells))
    marks = cluster_marks(cells, 200.0)
    assert sum(len(mark.x) for mark in marks) == len(np.unique(cells.bins)) <= N_BINS**2


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.floats(0, 3))
def test_numbers_do_not_lie_on_each_other(seed: int, n_clusters: int, apart: float) -> None:
    """Each cluster has its number within the map, and a line to it where it had to give way."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_clusters), 20)
    middles = rng.normal(size=(n_clusters, 2)) * apart
    cells = map_of(middles[labels] + rng.normal(size=(len(labels), 2)), labels)
    box = PaperArea(20.0, 30.0, 330.0, 330.0)
    numbers = [str(k) for k in range(n_clusters)]
    lines, texts = place_numbers(cells, numbers, map_panel(cells, box, ()))
    assert [text.text for text in texts] == [str(k) for k in range(n_clusters)]
    assert len(lines) <= n_clusters
    for text in texts:
        assert box.left <= text.box.left
        assert text.box.right <= box.right
    for one, other in itertools.combinations(texts, 2):
        assert not one.overlaps(other)


@pytest.mark.slow
@pytest.mark.parametrize("paper", [WIDE, NARROW])
@pytest.mark.parametrize("figure", EMBEDDING_FIGURES, ids=lambda figure: figure.slug)
def test_texts_of_an_embedding_can_be_read(figure, paper: float) -> None:
    """On wide paper and on a phone's, none lies on another or leaves the paper."""
    assert_readable(figure.page(embedded(), paper))


@pytest.mark.slow
def test_without_an_embedding_the_reason_is_the_error() -> None:
    """It is the summary's."""
    summary = bare()
    with pytest.raises(ValueError, match="too few cells"):
        embedding_of(summary)
