"""Which genes have sums and histograms, and how large their tables are."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.stats.embedding.group_tables import GroupSums, HistogramGenes

LIMIT = 56 << 20


@pytest.mark.parametrize(
    ("n_genes", "n_groups", "most_bins"),
    [
        (2_000, 10, 256),
        (30_000, 10, 256),
        (30_000, 20, 256),
        (30_000, 30, 128),
        (30_000, 64, 32),
        (30_000, 256, 32),
    ],
)
def test_tables_fit_into_the_memory(n_genes: int, n_groups: int, most_bins: int) -> None:
    """Bins are fewer where the genes are too many, then the genes found in the most cells stay."""
    rng = np.random.default_rng(n_groups)
    found_in = (5_000 * rng.beta(0.3, 4.0, n_genes)).astype(np.int64) + 20
    found_in[:3] = 5_000
    is_gene = np.sort(rng.choice(n_genes + 50, n_genes, replace=False))
    chosen = HistogramGenes.choose(20.0, n_groups, is_gene, found_in, 5_000, n_genes + 50)
    assert chosen.n_bins.max() == most_bins
    assert chosen.empty_tables(n_groups).nbytes <= LIMIT
    rows = chosen.rows[is_gene]
    assert (np.diff(rows[rows >= 0]) == 1).all()
    assert (chosen.rows >= 0).sum() == chosen.n_rows == (rows >= 0).sum()
    if chosen.n_rows < n_genes:
        assert chosen.empty_tables(n_groups).nbytes > 0.99 * LIMIT
        assert found_in[rows >= 0].min() >= found_in[rows < 0].max() - 1


def test_a_gene_of_more_cells_has_more_bins() -> None:
    """As many as its share of the cells, an even number, 4 at least."""
    found_in = np.array([3, 20, 100, 500, 1_000])
    chosen = HistogramGenes.choose(20.0, 2, np.arange(5), found_in, 1_000, 5)
    assert chosen.n_bins.tolist() == [4, 6, 26, 128, 256]
    assert chosen.starts.tolist() == [0, 4, 9, 24, 90, 220]
    assert chosen.first_bins.tolist() == [0, 4, 10, 36, 164]


def test_genes_of_too_few_cells_have_no_row() -> None:
    """A twentieth of the smallest group's cells is wanted, 3 at least, at most 0.5 % of all."""
    found_in = np.array([0, 2, 3, 9, 10, 49, 50, 400])
    genes = np.arange(8)
    for smallest, least in ((4.0, 3), (200.0, 10), (4_000.0, 50)):
        chosen = HistogramGenes.choose(smallest, 3, genes, found_in, 10_000, 8)
        np.testing.assert_array_equal(chosen.rows >= 0, found_in >= least)


def test_no_gene_of_enough_cells_leaves_empty_tables() -> None:
    """Sums of no rows are no error."""
    chosen = HistogramGenes.choose(20.0, 2, np.arange(3), np.array([0, 1, 2]), 1_000, 3)
    sizes = np.array([600, 400])
    groups = GroupSums(sizes, np.arange(2), chosen, chosen.empty_tables(2), ())
    assert chosen.n_rows == len(groups.found_in(0)) == len(groups.histograms(1)) == 0
    assert groups.sums(0).shape == (0, 2)
