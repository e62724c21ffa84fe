"""Memory for the sums of the latest cells."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.kernels.write_buffer import WriteBuffer


@pytest.mark.parametrize("n_features", [1, 3, 33_000])
def test_no_row_lies_in_two_cache_lines(n_features: int) -> None:
    """The recent sums begin at a multiple of 64 bytes."""
    rows = WriteBuffer.for_roles(np.zeros(n_features, dtype=np.int64)).rows
    assert rows.shape == (n_features, 4)
    assert rows.ctypes.data % 64 == 0
    assert rows.flags.c_contiguous
    assert not rows.any()
