"""The record of strata: sums per stratum beside the whole's."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import dpss
from dpss.stats.strata import StratumKind


def summary_of(groups: list[str | None], seed: int = 0) -> dpss.Summary:
    """Summarise random counts of some groups."""
    counts = np.random.default_rng(seed).poisson(1.0, (len(groups), 40)).astype(np.float32)
    obs = pd.DataFrame({"group": groups}, index=[f"c{i}" for i in range(len(groups))])
    var = pd.DataFrame(index=[f"G{i}" for i in range(40)])
    return dpss.summarize(anndata.AnnData(sp.csr_matrix(counts), obs=obs, var=var), by="group")


@pytest.mark.parametrize("seed", range(3))
def test_one_stratum_is_the_whole(seed: int) -> None:
    """A column of one value gives the whole's genes, lists and distributions again."""
    summary = summary_of(["a"] * 50, seed)
    assert summary.strata is not None
    (only,) = summary.strata.strata
    assert only.n_nonzero == summary.n_nonzero
    assert only.highest_expr.tolist() == summary.top_highest_expr().tolist()
    assert only.cell_count.tolist() == summary.top_cell_count().tolist()
    assert only.variable.tolist() == summary.top_variable().tolist()
    assert only.median("total_counts") == summary.counts_per_cell.median
    assert np.array_equal(summary.strata.n_variable_in, summary.genes.highly_variable)
    assert not only.odd


def test_values_called_as_special_strata_are_told_apart() -> None:
    """A value "(missing)" is another stratum than the cells without a value."""
    summary = summary_of(["(missing)"] * 5 + [None] * 4 + ["b"] * 3)
    assert summary.strata is not None
    found = {each.name: (each.kind, each.n_cells) for each in summary.strata.strata}
    assert found == {
        "value (missing)": (StratumKind.VALUE, 5),
        "b": (StratumKind.VALUE, 3),
        "(missing)": (StratumKind.MISSING, 4),
    }


def test_a_stratum_of_one_cell_has_no_variable_gene() -> None:
    """No variance, no error."""
    summary = summary_of(["a"] * 20 + ["b"])
    assert summary.strata is not None
    assert [each.n_highly_variable for each in summary.strata.strata][1] == 0
