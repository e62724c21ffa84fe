"""The sum of a cell's highest counts, of any size and type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.stats.accumulator import FactTally, Features, GeneTallies
from dpss.stats.kernels import cells, layout
from dpss.stats.kernels.write_buffer import WriteBuffer

N_GENES = 1000


def tops(data: list[Any], dtype: Any) -> list[float]:
    """Return the sum of the highest counts of each of some cells."""
    features = Features(np.ones(N_GENES, bool), np.zeros(N_GENES, bool), np.arange(0))
    genes = GeneTallies(features)
    indptr = np.cumsum([0, *(len(each) for each in data)]).astype(np.int64)
    indices = np.concatenate([np.arange(len(each)) for each in data]).astype(np.int32)
    measures = np.empty((len(data), layout.N_MEASURES))
    cells.add_cells(
        indptr, indices, np.concatenate(data).astype(dtype), 0, 0.0, genes.table, genes.tails,
        genes.boxes, WriteBuffer.for_roles(genes.table[:, layout.ROLE]), measures,
        FactTally().counts,
    )  # fmt: skip
    return [float(top) for top in measures[:, layout.COUNTS_TOP]]


@pytest.mark.parametrize("dtype", ["i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("value", [1, 1 << 24, 1 << 30, (1 << 30) + 128, 1_500_000_000])
def test_many_large_counts_end(dtype: str, value: int) -> None:
    """The search for the lowest of them stays within the largest count."""
    few, many = np.full(51, 255), np.full(N_GENES, value)
    assert tops([many], dtype) == [50 * value]
    assert tops([few, many, few], dtype) == [50 * 255, 50 * value, 50 * 255]


@pytest.mark.parametrize("value", [1e-30, 2.0**-74, 2.0**-149])
def test_a_cell_of_tiny_values_has_no_total(value: float) -> None:
    """Its values are below what sums hold."""
    assert tops([np.full(60, value), np.full(60, 0.5)], "f4") == [
        pytest.approx(50 * value, abs=1e-20), 25,
    ]  # fmt: skip


@given(
    st.lists(
        st.lists(
            st.integers(1, (1 << 31) - 1) | st.integers(1, 300) | st.integers(1 << 24, 1 << 25),
            min_size=1,
            max_size=120,
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["i4", "i8", "u4", "f8", "f4"]),
)
def test_they_are_those_of_a_sort(counts: list[list[int]], dtype: str) -> None:
    """Of cells one after the other, each with counts of another size."""
    stored = [np.array(each).astype(dtype) for each in counts]
    expected = [float(np.sort(each.astype(np.float64))[-50:].sum()) for each in stored]
    assert tops(stored, dtype) == pytest.approx(expected, rel=1e-12)
