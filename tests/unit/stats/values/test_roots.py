"""Square roots are told from counts and logarithms, and refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.engine.inspection import inspect_source
from dpss.errors import NoCountsError
from dpss.formats.options import OpenOptions
from dpss.stats.values.kinds import ValueKind
from dpss.stats.values.roots import RootEvidence, root_traits_of
from tests.summarise import source_of, summarise
from tests.unit.stats.values.test_kinds import counts, write


def write_table(path: Path, x: np.ndarray, digits: int = 12) -> Path:
    """Write genes × cells, as GEO's submitters do."""
    names = [f"ZNF{k}" for k in range(x.shape[1])]
    frame = pd.DataFrame(x.T, index=names, columns=[f"cell{k}" for k in range(len(x))])
    frame.to_csv(path, float_format=f"%.{digits}f")
    return path


TRANSFORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "counts": np.sqrt,
    "rates": lambda x: np.sqrt(x / x.sum(axis=1, keepdims=True) * 1e4),
    "unit vectors": lambda x: np.sqrt(x / x.sum(axis=1, keepdims=True)),
}


@pytest.mark.parametrize("form", ["sparse", "by gene", "dense", "table"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_square_roots_are_refused_by_name(name: str, form: str, tmp_path: Path) -> None:
    """They were published as expected counts."""
    x = TRANSFORMS[name](counts(most=60, n_cells=40))
    if form == "table":
        path = write_table(tmp_path / "m.csv", x)
    else:
        make = {"sparse": sp.csr_matrix, "by gene": sp.csc_matrix, "dense": np.asarray}[form]
        path = write(tmp_path / "m.h5ad", make(x.astype(np.float32)))
    with pytest.raises(NoCountsError, match=r"square roots .* not undone; give the counts"):
        summarise(path)
    (found,) = inspect_source(source_of(path), OpenOptions(sample_only=True))
    assert "square roots" in found.error


@pytest.mark.parametrize("digits", [3, 4])
def test_roots_that_were_rounded(digits: int, tmp_path: Path) -> None:
    """Three decimals are enough."""
    with pytest.raises(NoCountsError, match="the squares are whole numbers"):
        summarise(write_table(tmp_path / "m.csv", np.sqrt(counts(most=30, n_cells=20)), digits))


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 40))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_scaled_counts_are_no_roots(seed: int, factor: float) -> None:
    """Multiples of counts have whole multiples as squares, but are multiples themselves."""
    x = counts(seed % 1000, n_cells=20, most=50) * factor * (1 + 1e-3 * (seed % 7))
    cells, _ = np.nonzero(x)
    traits = root_traits_of(x[x > 0], cells, len(x), whole_cells=True)
    assert traits.evidence is RootEvidence.NOTHING


@pytest.mark.parametrize("noise", [1e-5, 3e-4])
def test_counts_with_an_error_are_no_roots(noise: float, tmp_path: Path) -> None:
    """2.99999 is nearly 3, and its square nearly 9."""
    x = counts(n_cells=20, most=50)
    summary = summarise(write_table(tmp_path / "m.csv", np.where(x > 0, x - noise, 0)))
    assert summary.values is ValueKind.EXPECTED_COUNTS


def test_a_layer_of_roots_is_passed_over(tmp_path: Path) -> None:
    """Counts in another layer are taken."""
    x = counts(n_cells=20)
    path = write(tmp_path / "m.h5ad", np.sqrt(x), layers={"counts": x})
    assert summarise(path).total_counts == x.sum()
