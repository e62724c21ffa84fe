"""Titles that are numbers, such as Entrez ids: no line of counts, and no gene or cell less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.summarise import summarise

BARCODES = ["".join("ACGT"[(i * 7919 + 5 >> 2 * k) & 3] for k in range(16)) for i in range(40)]
SYMBOLS = [
    *("CD4", "CD8A", "GAPDH", "ACTB", "MS4A1", "LYZ", "NKG7", "PPBP"),
    *("FTL", "B2M", "UBC", "TP53", "MYC", "VIM", "ALB", "INS"),
]
ENTREZ = [7157, 672, 1956, 2064, 4609, 3845, 5728, 207, 5290, 1499, 324, 3569]


def counts(n: int, m: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(2.0, (n, m))


@pytest.mark.parametrize("label", ["", "barcode", "cell_id", "index", "Unnamed: 0"])
def test_entrez_ids_as_titles(label: str, tmp_path: Path) -> None:
    """A table of cells × genes with Entrez ids has as many cells as lines below its titles."""
    x = counts(20, 12)
    path = tmp_path / "m.csv"
    pd.DataFrame(x, BARCODES[:20], ENTREZ).to_csv(path, index_label=label)
    summary = summarise(path)
    assert (summary.n_cells, summary.n_genes) == (20, 12)
    assert summary.genes.gene_id.tolist() == list(map(str, ENTREZ))
    assert summary.total_counts == x.sum()


def test_numbers_of_samples_as_titles(tmp_path: Path) -> None:
    """A table of genes × cells whose cells have numbers of their own."""
    x = counts(16, 5)
    path = tmp_path / "m.tsv"
    pd.DataFrame(x, SYMBOLS, [1041, 1007, 2033, 998, 1500]).to_csv(
        path, sep="\t", index_label="gene"
    )
    summary = summarise(path)
    assert (summary.n_cells, summary.n_genes) == (5, 16)
    assert summary.total_counts == x.sum()


def test_two_numbered_columns(tmp_path: Path) -> None:
    """Two columns are enough, where the first field of the line is no name."""
    x = counts(8, 2) + 1
    path = tmp_path / "m.csv"
    pd.DataFrame(x, SYMBOLS[:8]).to_csv(path)
    summary = summarise(path)
    assert (summary.n_cells, summary.n_genes) == (2, 8)
    assert summary.total_counts == x.sum()


def test_ids_with_a_title_of_no_meaning(tmp_path: Path) -> None:
    """Whole numbers, each another one, larger than all others below are titles."""
    x = counts(20, 12)
    path = tmp_path / "m.csv"
    pd.DataFrame(x, BARCODES[:20], [n + 10_000 for n in ENTREZ]).to_csv(path, index_label="who")
    summary = summarise(path)
    assert (summary.n_cells, summary.n_genes, summary.total_counts) == (20, 12, x.sum())


def test_a_table_without_titles_keeps_its_first_line(tmp_path: Path) -> None:
    """A line that begins with a name, and whose numbers are like the others, holds counts."""
    x = counts(16, 9)
    path = tmp_path / "m.tsv"
    pd.DataFrame(x, SYMBOLS).to_csv(path, sep="\t", header=False)
    summary = summarise(path)
    assert (summary.n_cells, summary.n_genes, summary.total_counts) == (9, 16, x.sum())


def test_decimal_commas_in_the_first_line_are_counts(tmp_path: Path) -> None:
    """A table without titles whose numbers have decimal commas keeps its first line."""
    x = counts(16, 9) + 0.5
    path = tmp_path / "m.csv"
    pd.DataFrame(x, SYMBOLS).to_csv(path, sep=";", decimal=",", header=False)
    summary = summarise(path)
    assert (summary.n_cells, summary.n_genes) == (9, 16)
    assert summary.total_counts == pytest.approx(x.sum(), rel=1e-12)


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    titles=st.lists(st.integers(0, 10**9), min_size=2, max_size=30, unique=True),
    n_cells=st.integers(3, 40),
    seed=st.integers(0, 1 << 16),
    label=st.sampled_from(["", "cell", "barcodes", "index"]),
    mean=st.sampled_from([0.5, 50.0]),
)
def test_random_numbers_as_titles(titles, n_cells, seed, label, mean, tmp_path) -> None:
    """Whatever the numbers, the cells are those below."""
    x = np.random.default_rng(seed).poisson(mean, (n_cells, len(titles)))
    x[:, 0] += 1
    path = tmp_path / "m.csv"
    pd.DataFrame(x, BARCODES[:n_cells], titles).to_csv(path, index_label=label)
    summary = summarise(path)
    assert (summary.n_cells, summary.n_genes, summary.total_counts) == (*x.shape, x.sum())
