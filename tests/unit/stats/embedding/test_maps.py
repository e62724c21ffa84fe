"""Cells counted on a map."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.embedding.maps import N_BINS, MapAccumulator, MapFrame


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cells_are_in_the_bin_of_their_place(seed: int) -> None:
    """A bin's middle is within half a bin of its cells; the most frequent cluster is told."""
    rng = np.random.default_rng(seed)
    points, labels = rng.normal(size=(500, 2)), rng.integers(0, 3, 500).astype(np.int16)
    frame = MapFrame.of(points)
    bins = frame.bins(points)
    half = (np.array(frame.high) - np.array(frame.low)) / N_BINS / 2
    assert (np.abs(frame.middles(bins) - points) <= half * 1.001).all()
    counted = MapAccumulator(frame, 3)
    counted.add(bins[:200], labels[:200])
    other = MapAccumulator(frame, 3)
    other.add(bins[200:], labels[200:])
    counted.merge(other)
    found = counted.result(np.array([2, 0, 1]))
    assert found.counts.sum() == 500
    places, majority, totals = found.majority()
    for place, cluster, total in zip(places, majority, totals, strict=True):
        here = np.bincount(np.array([2, 0, 1])[labels[bins == place]], minlength=3)
        assert here.sum() == total
        assert here[cluster] == here.max()
