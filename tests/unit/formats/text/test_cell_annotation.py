"""Totals and facts about cells among the columns and lines of a table: never counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.stats.values.kinds import ValueKind
from tests.summarise import summarise
from tests.unit.formats.text.test_dialect import BARCODES, SYMBOLS


def counts(seed: int, n_cells: int = 40, n_genes: int = 30, mean: float = 2.0) -> pd.DataFrame:
    """Return counts of cells × genes, most of them sparse."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(rng.gamma(0.5, mean * 2, (n_cells, n_genes)))
    x[:, 0] += 1
    return pd.DataFrame(x, BARCODES[:n_cells], SYMBOLS[:n_genes])


def assert_equal(path: Path, frame: pd.DataFrame, *said: str) -> None:
    """Check that a table's numbers are those of the counts, and that what is gone is named."""
    summary = summarise(path)
    assert (summary.n_cells, summary.n_genes) == frame.shape
    assert summary.total_counts == frame.to_numpy().sum()
    assert summary.values is ValueKind.COUNTS
    told = " ".join(f"{each.value} {each.evidence}" for each in summary.reading)
    for name in said:
        assert name in told, (name, told)


@pytest.mark.parametrize("name", ["Total", "total", "TOTAL", "Sum", "SUM", "Totals", "ALL_CELLS"])
@pytest.mark.parametrize("where", ["first", "last"])
def test_the_sum_of_all_cells_is_no_cell(name: str, where: str, tmp_path: Path) -> None:
    """A column of sums beside the cells of a table of genes is left out and named."""
    frame = counts(1)
    table = frame.T.copy()
    table.insert(0 if where == "first" else table.shape[1], name, table.sum(1))
    table.to_csv(tmp_path / "m.csv")
    assert_equal(tmp_path / "m.csv", frame, name)


@pytest.mark.parametrize("name", ["Total", "TOTAL", "Sum", "SUM", "Totals", "grand total"])
def test_the_sum_of_all_genes_is_no_gene(name: str, tmp_path: Path) -> None:
    """A line of sums below a table of genes is left out and named."""
    frame = counts(2)
    table = frame.T.copy()
    table.loc[name] = table.sum(0)
    table.to_csv(tmp_path / "m.csv")
    assert_equal(tmp_path / "m.csv", frame, "1 Summary Row")


FACTS: dict[str, Callable[[np.random.Generator, pd.DataFrame], object]] = {
    "age": lambda rng, x: rng.integers(20, 80, len(x)),
    "Batch": lambda rng, x: rng.integers(1, 4, len(x)),
    "cluster": lambda rng, x: rng.integers(0, 9, len(x)),
    "donor_id": lambda rng, x: rng.integers(1, 6, len(x)),
    "timepoint": lambda rng, x: rng.integers(0, 3, len(x)) * 24,
    "replicate": lambda rng, x: rng.integers(1, 3, len(x)),
    "depth": lambda rng, x: x.sum(1).to_numpy(),
    "nFeatures_RNA": lambda rng, x: (x > 0).sum(1).to_numpy(),
    "doublet_score": lambda rng, x: rng.random(len(x)),
    "S.Score": lambda rng, x: rng.normal(0, 1, len(x)),
    "UMAP_1": lambda rng, x: rng.normal(0, 5, len(x)),
    "percent_ribosomal": lambda rng, x: rng.random(len(x)) * 30,
    "quality": lambda rng, x: rng.random(len(x)),
}


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("where", ["first", "last"])
def test_a_fact_about_cells_is_no_gene(name: str, where: str, tmp_path: Path) -> None:
    """By its title, or by its fractions among whole numbers; the others stay counts."""
    frame = counts(3)
    table = frame.copy()
    fact = FACTS[name](np.random.default_rng(5), frame)
    table.insert(0 if where == "first" else table.shape[1], name, fact)
    table.to_csv(tmp_path / "m.csv")
    assert_equal(tmp_path / "m.csv", frame, name)


def test_depth_and_number_of_genes_together(tmp_path: Path) -> None:
    """Two facts that hide one another: the sum of all but the number of genes."""
    frame = counts(4)
    frame.iloc[5] = 0
    frame.iloc[5, 0] = 1
    table = frame.copy()
    table.insert(0, "nFeatures_x", (frame > 0).sum(1))
    table.insert(0, "reads in all", frame.sum(1))
    table.to_csv(tmp_path / "m.csv")
    assert_equal(tmp_path / "m.csv", frame, "nFeatures_x", "reads in all")


@pytest.mark.slow
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 1 << 16),
    n_cells=st.integers(3, 60),
    n_genes=st.integers(10, 39),
    mean=st.sampled_from([0.01, 0.05, 0.5, 5.0]),
    cells_first=st.booleans(),
)
def test_no_gene_or_cell_is_taken_for_a_sum(
    seed, n_cells, n_genes, mean, cells_first, tmp_path
) -> None:
    """However sparse the counts: nothing is left out of a table that holds counts only."""
    frame = counts(seed, n_cells, n_genes, mean)
    (frame if cells_first else frame.T).to_csv(tmp_path / "m.csv")
    summary = summarise(tmp_path / "m.csv")
    assert (summary.n_cells, summary.n_genes) == frame.shape
    assert summary.total_counts == frame.to_numpy().sum()
