"""Values to which a constant was added are refused: counts of 0 are not 0 any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import NoCountsError
from dpss.stats.values.kinds import ValueKind
from dpss.stats.values.shift import ShiftTraits, shift_traits_of
from tests.summarise import summarise
from tests.unit.stats.values.test_kinds import counts, write
from tests.unit.stats.values.test_roots import write_table


def per_million(x: np.ndarray) -> np.ndarray:
    return x / x.sum(axis=1, keepdims=True) * 1e6


TRANSFORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log2(cpm + 2)": lambda x: np.log2(per_million(x) + 2),
    "log(cpm + 5)": lambda x: np.log(per_million(x) + 5),
    "Freeman-Tukey": lambda x: np.sqrt(x) + np.sqrt(x + 1),
    "variance stabilised": lambda x: np.log2(x / 2 + np.sqrt(x**2 / 4 + 0.7)) + 6.3,
}


@pytest.mark.parametrize("form", ["h5ad", "csv"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_it_is_refused_by_name(name: str, form: str, tmp_path: Path) -> None:
    """It was published, with every count of 0 as 1 and more."""
    x = TRANSFORMS[name](counts(n_cells=30) * (np.random.default_rng(1).random((30, 40)) < 0.5))
    path = write(tmp_path / "m.h5ad", x) if form == "h5ad" else write_table(tmp_path / "m.csv", x)
    with pytest.raises(NoCountsError, match=r"no value of 0, .* a constant was added"):
        summarise(path)


def test_fractions_without_zeros_are_no_shift(tmp_path: Path) -> None:
    """The estimates of bulk samples may be above 0 everywhere; none of them comes often."""
    x = np.random.default_rng(3).gamma(3, 30, (25, 40))
    assert summarise(write(tmp_path / "m.h5ad", x)).values is ValueKind.EXPECTED_COUNTS


def test_counts_of_at_least_one_are_counts(tmp_path: Path) -> None:
    """Nothing tells that a whole number was added to whole numbers."""
    x = counts(n_cells=30) + 1
    assert summarise(write(tmp_path / "m.h5ad", x)).values is ValueKind.COUNTS


@given(st.lists(st.lists(st.sampled_from([0.0, 1.5, 2.5, 3.0]), max_size=20), max_size=5))
def test_parts_join(parts: list[list[float]]) -> None:
    """However values are cut, the smallest is counted once."""
    whole = shift_traits_of(np.array([value for part in parts for value in part]))
    joined = sum((shift_traits_of(np.array(part)) for part in parts), ShiftTraits(n_places=0))
    assert (joined.n_values, joined.smallest, joined.n_smallest) == (
        whole.n_values, whole.smallest, whole.n_smallest,
    )  # fmt: skip
