"""Quantiles of measures against numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.stats.histogram import Distribution, Tally
from dpss.summary.quantiles import PERCENTS, quantile_of, quantiles_of
from tests.examples import examples


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50))
@settings(max_examples=examples(60))
def test_quantiles_are_those_of_numpy(values: list[int]) -> None:
    """Of any observations, by their names."""
    tally = Tally()
    tally.add(np.array(values, dtype=np.float64))
    found = quantiles_of(tally.distribution())
    assert found is not None
    assert list(found) == [f"p{percent}" for percent in PERCENTS]
    np.testing.assert_allclose(list(found.values()), np.percentile(values, PERCENTS))


@pytest.mark.parametrize("found", [None, Distribution(np.empty(0), np.empty(0, dtype=np.int64))])
def test_without_observations_there_are_none(found: Distribution | None) -> None:
    """Of a measure that is unknown, or of no cells."""
    assert quantile_of(found, 50) is None
    assert quantiles_of(found) is None
