"""Logarithms and exponentials of fixed-point numbers, against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.embedding.fixed import UNIT, exp_of_negative, log1p_fixed


@pytest.mark.slow
def test_logarithms_are_rounded_to_the_nearest_unit() -> None:
    """Of values from 0 to 10,000, ties aside."""
    log1p = log1p_fixed.resolve()
    values = np.concatenate([np.linspace(0, 10, 500), np.geomspace(1e-9, 1e4, 500)])
    found = np.array([log1p(x) for x in values])
    assert np.abs(found - np.log1p(values) * UNIT).max() < 0.5 + 1e-4
    assert UNIT == 2**14


@pytest.mark.slow
def test_exponentials_are_near() -> None:
    """Of values from 0 to 40, with a relative error below 1e-10; 0 beyond."""
    exp = exp_of_negative.resolve()
    values = np.linspace(0, 39.9, 1000)
    found = np.array([exp(x) for x in values])
    np.testing.assert_allclose(found, np.exp(-values), rtol=1e-10)
    assert exp(40.0) == 0.0
