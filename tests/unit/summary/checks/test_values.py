"""Checks of the values: layers, raw values, what was done to them, stored zeros."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from tests.unit.summary.checks.test_registry import counts, verdict, write


def test_layers_are_all_named(tmp_path: Path) -> None:
    """Also those that were not looked for counts in, and those that are the same."""
    x = counts()
    layers = {"spliced": x * 0.5, "copy": x, "scaled": x - 5}
    found = verdict(write(tmp_path / "x.h5ad", x, layers=layers))
    for part in ("spliced: expected counts", "copy: counts, the same as X", "scaled: scaled"):
        assert part in found["layers"].message


def test_raw_that_is_no_raw(tmp_path: Path) -> None:
    """raw.X that equals X is not what X was made from."""
    data = anndata.AnnData(counts(), var=pd.DataFrame(index=[f"G{i}" for i in range(30)]))
    data.raw = data
    data.write_h5ad(tmp_path / "x.h5ad")
    found = verdict(tmp_path / "x.h5ad")
    assert found["x_identical_to_raw"].status == "warn"
    assert "same values" in found["x_identical_to_raw"].message


def test_what_was_done_to_the_values_is_said(tmp_path: Path) -> None:
    """Log-normalised values are a warning that says they were exponentiated."""
    x = counts()
    log = np.log1p(x / x.sum(axis=1, keepdims=True) * 1e4)
    found = verdict(write(tmp_path / "x.h5ad", log))
    assert found["values"].status == "warn"
    assert "expm1" in found["values"].message
    assert found["log1p_ceiling"].status == "pass"


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, "1 zero is stored as if it were a count; it"),
        (5, "5 zeros are stored as if they"),
    ],
)
def test_explicit_zeros(n: int, said: str, tmp_path: Path) -> None:
    """Stored zeros count as absent, and are counted."""
    x = sp.csr_matrix(counts())
    x.data[:n] = 0
    found = verdict(write(tmp_path / "x.h5ad", x))
    assert found["explicit_zeros"].status == "warn"
    assert found["explicit_zeros"].message.startswith(said)
