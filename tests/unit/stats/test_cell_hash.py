"""Hashes of cells."""

from __future__ import annotations

import numpy as np

from dpss.stats.cell_hash import hash_cells


def test_hashes_do_not_meet() -> None:
    """The hash of a cell's index is one-to-one, and independent of what else is hashed."""
    hashes = hash_cells(np.arange(100_000))
    assert len(np.unique(hashes)) == 100_000
    np.testing.assert_array_equal(hash_cells(np.arange(500, 600)), hashes[500:600])
