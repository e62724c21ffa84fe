"""Medians that stand apart from those of other matrices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.summary.peers import find_apart


def run_of(n: int, **changed: dict[str, float | None]) -> dict[str, dict[str, float | None]]:
    """Return the numbers of a run of similar samples, but for some."""
    usual: dict[str, dict[str, float | None]] = {
        f"S{i:02d}": {
            "median_genes_per_cell": 1000.0 + 10 * (i % 7),
            "median_counts_per_cell": 3000.0 + 50 * (i % 5),
            "median_pct_counts_mt": 5.0 + 0.1 * (i % 6),
        }
        for i in range(n)
    }
    return {name: row | changed.get(name, {}) for name, row in usual.items()}


@pytest.mark.parametrize("n", [4, 24, 200])
@given(st.integers(0, 3))
def test_bad_samples_are_named_and_no_other(n: int, which: int) -> None:
    """A twentieth of the depth, or eight times the mitochondrial share."""
    bad = f"S{which:02d}"
    (found,) = find_apart(run_of(n, **{bad: {"median_counts_per_cell": 150.0}})).items()
    assert found[0] == bad
    assert "Counts per cell are apart: 150, " in found[1][0]
    if n > 4:
        (found,) = find_apart(run_of(n, **{bad: {"median_pct_counts_mt": 40.0}})).items()
        assert found[0] == bad
        assert f"times the median of all {n}" in found[1][0]
    assert find_apart(run_of(n)) == {}


def test_what_is_not_measured_is_not_compared() -> None:
    """No mitochondrial genes; fewer than four matrices."""
    assert find_apart(run_of(24, S03={"median_pct_counts_mt": None})) == {}
    assert find_apart(run_of(3, S00={"median_counts_per_cell": 1.0})) == {}
    assert find_apart({}) == {}
    found = find_apart(run_of(24, S03={"median_counts_per_cell": 0.0}))
    assert found == {
        "S03": ("Counts per cell are apart: 0, against the median of all 24 (3,100).",)
    }
