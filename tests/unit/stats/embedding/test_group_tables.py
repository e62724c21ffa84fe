"""Which genes have sums and histograms, and how large their tables are."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.embedding.group_tables import HistogramGenes

LIMIT = 56 << 20


@pytest.mark.parametrize(
    ("n_genes", "n_groups", "n_bins"),
    [
        (2_000, 10, 32),
        (30_000, 10, 32),
        (24_000, 19, 28),
        (30_000, 20, 20),
        (30_000, 64, 16),
        (30_000, 256, 16),
    ],
)
def test_tables_fit_into_the_memory(n_genes: int, n_groups: int, n_bins: int) -> None:
    """Bins are fewer where the genes are too many, then the genes found in the most cells stay."""
    rng = np.random.default_rng(n_groups)
    found_in = rng.integers(100, 5_000, n_genes)
    is_gene = np.sort(rng.choice(n_genes + 50, n_genes, replace=False))
    chosen = HistogramGenes.choose(20.0, n_groups, is_gene, found_in, 5_000, n_genes + 50)
    assert chosen.n_bins == n_bins
    assert chosen.empty_tables(n_groups).nbytes <= LIMIT
    rows = chosen.rows[is_gene]
    assert (np.diff(rows[rows >= 0]) == 1).all()
    assert (chosen.rows >= 0).sum() == chosen.n_rows == (rows >= 0).sum()
    if chosen.n_rows < n_genes:
        assert chosen.empty_tables(n_groups).nbytes > 0.99 * LIMIT
        assert found_in[rows >= 0].min() >= found_in[rows < 0].max() - 1


def test_genes_of_too_few_cells_have_no_row() -> None:
    """A quarter of the smallest group's cells is wanted, 3 at least, and at most 0.5 % of all."""
    found_in = np.array([0, 2, 3, 9, 10, 49, 50, 400])
    genes = np.arange(8)
    for smallest, least in ((4.0, 3), (40.0, 10), (4_000.0, 50)):
        chosen = HistogramGenes.choose(smallest, 3, genes, found_in, 10_000, 8)
        np.testing.assert_array_equal(chosen.rows >= 0, found_in >= least)
