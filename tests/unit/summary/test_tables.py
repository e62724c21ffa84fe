"""Quantiles in ``summary.json`` are numpy's; ``genes.csv`` is made in parts."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.stats import moments
from dpss.summary import tables
from dpss.summary.tables import genes_csv, quantiles_document
from tests.summarise import summarise


@pytest.mark.slow
@given(n_cells=st.integers(1, 60), seed=st.integers(0, 1000))
def test_they_are_those_of_numpy(
    tmp_path_factory: pytest.TempPathFactory, n_cells: int, seed: int
) -> None:
    """Of genes, of counts and of the mitochondrial percentage per cell."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1.5, (n_cells, 12)).astype(np.float32)
    names = [*(f"MT-ND{i}" for i in range(1, 7)), "CD4", "CD8A", "GAPDH", "ACTB", "B2M", "MALAT1"]
    path: Path = tmp_path_factory.mktemp("q") / "m.h5ad"
    cells = pd.DataFrame(index=[f"c{i}" for i in range(n_cells)])
    anndata.AnnData(counts, obs=cells, var=pd.DataFrame(index=names)).write_h5ad(path)
    found = quantiles_document(summarise(path))
    totals = counts.sum(1)
    shares = 100 * np.divide(counts[:, :6].sum(1), totals, where=totals > 0, out=np.zeros(n_cells))
    for name, values in (
        ("n_genes_by_counts", (counts > 0).sum(1)),
        ("total_counts", totals),
        ("pct_counts_mt", shares),
    ):
        if found[name] is None:
            assert name == "pct_counts_mt"
            continue
        for q in (5, 25, 50, 75, 95):
            assert found[name][f"p{q}"] == pytest.approx(
                np.percentile(values, q), rel=2e-3, abs=1e-9
            )


@pytest.mark.parametrize("step", [1, 3, 5, 6])
def test_genes_are_written_in_parts(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of genes has the same bytes, and sums the same bits, whatever is held at a time."""
    counts = np.random.default_rng(1).poisson(2, (9, 5)).astype(np.float32) / 4
    names = ["CD4", "a,b", 'c"d', "ACTB", "MT-ND1"]
    cells = pd.DataFrame(index=[f"c{i}" for i in range(9)])
    path = tmp_path / "m.h5ad"
    anndata.AnnData(counts, obs=cells, var=pd.DataFrame(index=names)).write_h5ad(path)
    whole = genes_csv(summarise(path).genes)
    assert whole.count(b"\n") == 6
    monkeypatch.setattr(tables, "_GENES_AT_A_TIME", step)
    monkeypatch.setattr(moments, "_GENES_AT_A_TIME", step)
    assert genes_csv(summarise(path).genes) == whole
