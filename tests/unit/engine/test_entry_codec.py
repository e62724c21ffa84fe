"""The loops that pack entries, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.engine.entry_codec import ESCAPE, pack_entries, unpack_entries


@pytest.mark.parametrize("n_values", [1, 511, 512, 513, 3_000])
def test_packed_bytes_are_those_of_numpy(n_values: int) -> None:
    """Steps, values and runs, at the edges of what is looked at together."""
    rng = np.random.default_rng(n_values)
    cells = np.cumsum(rng.integers(-1, 300, n_values)).astype(np.int32)
    genes = np.sort(rng.integers(0, 9, n_values)).astype(np.int32)
    data = rng.choice([0.0, 1.0, 254.0, 255.0, 0.5, -3.0], n_values)
    steps, small = np.zeros((2, n_values), np.uint8)
    far, runs = np.zeros(n_values, np.int32), np.zeros((n_values, 2), np.int32)
    others = np.zeros(n_values)
    n_far, n_others, n_runs = pack_entries(cells, genes, data, steps, small, far, others, runs)
    distances = np.diff(cells, prepend=[cells[0] - 1_000])
    is_far = (distances < 0) | (distances >= ESCAPE)
    is_other = (data % 1 != 0) | (data < 0) | (data >= ESCAPE)
    np.testing.assert_array_equal(steps, np.where(is_far, ESCAPE, distances))
    np.testing.assert_array_equal(small, np.where(is_other, ESCAPE, data))
    np.testing.assert_array_equal(far[:n_far], cells[is_far])
    np.testing.assert_array_equal(others[:n_others], data[is_other])
    names, counts = np.unique(genes, return_counts=True)
    np.testing.assert_array_equal(runs[:n_runs], np.column_stack((names, counts)))
    found = np.empty((2, n_values), np.int32)
    values = np.empty(n_values)
    unpack_entries(steps, small, far[:n_far], others[:n_others], runs[:n_runs], *found, values)
    np.testing.assert_array_equal(found, [cells, genes])
    np.testing.assert_array_equal(values, data)
