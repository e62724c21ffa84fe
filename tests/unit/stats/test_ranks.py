"""Ranks start at 1, ties go by gene order, the undefined have none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dpss.stats.ranks import rank_descending, top

VALUES = st.lists(st.one_of(st.just(np.nan), st.integers(-3, 3).map(float)), max_size=30)


@given(VALUES)
def test_ranks_are_pandas_ranks(values: list[float]) -> None:
    """pandas with method="first" agrees."""
    expected = pd.Series(values, dtype=float).rank(ascending=False, method="first")
    found = rank_descending(np.array(values, dtype=float))
    assert found.tolist() == [0 if np.isnan(rank) else int(rank) for rank in expected]


@given(VALUES, st.integers(0, 10))
def test_top_lists_the_best(values: list[float], n: int) -> None:
    """The first n ranks in order, without those that have none."""
    ranks = rank_descending(np.array(values, dtype=float))
    assert ranks[top(ranks, n)].tolist() == list(range(1, 1 + min(n, int((ranks > 0).sum()))))
