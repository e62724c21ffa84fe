"""Logarithms and exponentials of fixed-point numbers, against numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dpss.compute.jit import compiled
from dpss.stats.embedding.fixed import UNIT, exp_of_negative, log1p_fixed


@compiled
def _logarithms(values: Any, found: Any) -> None:
    for i in range(len(values)):
        found[i] = log1p_fixed(values[i])


@compiled
def _exponentials(values: Any, found: Any) -> None:
    for i in range(len(values)):
        found[i] = exp_of_negative(values[i])


@pytest.mark.slow
def test_logarithms_are_rounded_to_the_nearest_unit() -> None:
    """Of values from 0 to 10,000, ties aside."""
    values = np.concatenate([np.linspace(0, 10, 500), np.geomspace(1e-9, 1e4, 500)])
    found = np.empty(len(values))
    _logarithms(values, found)
    assert np.abs(found - np.log1p(values) * UNIT).max() < 0.5 + 1e-4
    assert UNIT == 2**14


@pytest.mark.slow
def test_exponentials_are_near() -> None:
    """Of values from 0 to 40, with a relative error below 1e-10; 0 beyond."""
    values = np.append(np.linspace(0, 39.9, 1000), 40.0)
    found = np.empty(len(values))
    _exponentials(values, found)
    np.testing.assert_allclose(found[:-1], np.exp(-values[:-1]), rtol=1e-10)
    assert found[-1] == 0.0
