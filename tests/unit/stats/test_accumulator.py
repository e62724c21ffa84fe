"""Accumulators of cells and genes, as they are sent from one process to another."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dpss.stats.accumulator import Features, GeneTallies
from dpss.stats.kernels import layout


def tallies(boxes: NDArray[Any]) -> GeneTallies:
    """Return sums with these histograms, one for each of their rows."""
    n_genes = len(boxes) + 2
    none = np.zeros(n_genes, dtype=bool)
    found = GeneTallies(Features(~none, none, np.arange(len(boxes))))
    found.table[:, : layout.ROLE] = np.arange(n_genes)[:, None]
    found.boxes[:] = boxes
    return found


def check(boxes: NDArray[Any]) -> bytes:
    """Send sums; those that arrive are the same, and grow as the others do. Return the bytes."""
    sums = tallies(boxes)
    data = pickle.dumps(sums)
    copy = pickle.loads(data)
    for _ in range(2):
        for name in ("table", "tails", "boxes"):
            mine, theirs = getattr(sums, name), getattr(copy, name)
            assert theirs.dtype == mine.dtype
            assert theirs.tolist() == mine.tolist()
        copy.merge(tallies(boxes))
        sums.merge(tallies(boxes))
    return data


@given(
    st.integers(0, 3),
    st.dictionaries(st.integers(0, 3 * layout.N_BOX_BINS - 1), st.integers(1, 2**30)),
)
def test_sums_are_pickled_with_their_histograms(n_boxes: int, counts: dict[int, int]) -> None:
    """Any counts in any bins, the first and the last among them."""
    boxes = np.zeros((n_boxes, layout.N_BOX_BINS), dtype=np.int32)
    for place, count in counts.items():
        if place < boxes.size:
            boxes.reshape(-1)[place] = count
    check(boxes)


@pytest.mark.parametrize("n_bins", [0, 1, 200])
def test_empty_bins_are_not_sent(n_bins: int) -> None:
    """A result has a tenth of the bytes of its histograms, most of whose bins are empty."""
    boxes = np.zeros((128, layout.N_BOX_BINS), dtype=np.int32)
    boxes[:, 1000 : 1000 + n_bins] = 7
    assert len(check(boxes)) < boxes.nbytes / 10


def test_full_histograms_are_pickled() -> None:
    """Every bin has counts."""
    check(np.arange(1, 2 * layout.N_BOX_BINS + 1, dtype=np.int32).reshape(2, -1))
