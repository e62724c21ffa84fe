"""A summary that breaks a law or its schema is never published."""

from __future__ import annotations

from dataclasses import replace

import anndata
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, NoCountsError
from dpss.formats.anndata import open_anndata
from dpss.job.tables import with_summary
from dpss.stats.histogram import Distribution
from dpss.summary.invariants import check_summary, find_faults
from dpss.summary.record import Check, Summary
from tests.examples import examples
from tests.summarise import summarise_matrix


def summary(seed: int = 0) -> Summary:
    """Return a true summary of 40 cells × 15 genes."""
    x = sp.random(40, 15, 0.4, "csr", random_state=np.random.default_rng(seed))
    x.data = np.ceil(x.data * 9)
    adata = anndata.AnnData(x)
    adata.var_names = [f"MT-{i}" if i < 5 else f"ENSG{i:011d}" for i in range(15)]
    return summarise_matrix(open_anndata(adata))


@settings(max_examples=examples(30), deadline=None)
@given(seed=st.integers(0, 1 << 16))
def test_a_true_summary_obeys_all_laws(seed: int) -> None:
    """Summaries of random matrices have no fault."""
    assert list(find_faults(summary(seed))) == []


def _more(column: np.ndarray, by: float) -> np.ndarray:
    changed = column.astype(np.float64)
    changed[len(changed) // 2] += by
    return changed


BREAKS = {
    "cells of a gene": lambda s, k: replace(
        s, genes=replace(s.genes, n_cells_by_counts=s.genes.n_cells_by_counts + k)
    ),
    "dropout": lambda s, k: replace(
        s,
        genes=replace(
            s.genes, pct_dropout_by_counts=_more(s.genes.pct_dropout_by_counts, -100 - k)
        ),
    ),
    "share": lambda s, k: replace(
        s,
        genes=replace(
            s.genes, mean_pct_of_cell_counts=_more(s.genes.mean_pct_of_cell_counts, 100 + k)
        ),
    ),
    "negative": lambda s, k: replace(
        s, genes=replace(s.genes, total_counts=_more(s.genes.total_counts, -1e4 * k))
    ),
    "total": lambda s, k: replace(s, total_counts=s.total_counts + k),
    "values": lambda s, k: replace(s, n_nonzero=s.n_nonzero + k),
    "kept": lambda s, k: replace(s, n_cells_kept=s.n_cells_kept + k),
    "genes": lambda s, k: replace(s, n_genes=s.n_genes - k),
    "genes per cell": lambda s, k: replace(
        s,
        n_genes_by_counts=Distribution(s.n_genes_by_counts.values + 15, s.n_genes_by_counts.counts),
    ),
    "counts per cell": lambda s, k: replace(
        s, counts_per_cell=Distribution(s.counts_per_cell.values + k, s.counts_per_cell.counts)
    ),
    "not a number": lambda s, k: replace(
        s, genes=replace(s.genes, total_counts=_more(s.genes.total_counts, np.nan))
    ),
    "infinite": lambda s, k: replace(
        s, genes=replace(s.genes, total_counts=_more(s.genes.total_counts, np.inf))
    ),
    "cells of nan": lambda s, k: replace(
        s,
        counts_per_cell=Distribution(
            _more(s.counts_per_cell.values, np.nan), s.counts_per_cell.counts
        ),
    ),
    "order of values": lambda s, k: replace(
        s,
        pct_counts_mt=Distribution(s.pct_counts_mt.values, -s.pct_counts_mt.counts),
    ),
    "ranks": lambda s, k: replace(
        s, genes=replace(s.genes, rank_cell_count=s.genes.rank_cell_count + k)
    ),
    "a rank twice": lambda s, k: replace(
        s, genes=replace(s.genes, rank_highest_expr=np.minimum(s.genes.rank_highest_expr, 14))
    ),
    "median of a box": lambda s, k: replace(
        s,
        highest_expr_boxes=(
            replace(s.highest_expr_boxes[0], median=s.highest_expr_boxes[0].q3 + k),
            *s.highest_expr_boxes[1:],
        ),
    ),
    "whisker of a box": lambda s, k: replace(
        s, highest_expr_boxes=(replace(s.highest_expr_boxes[0], whisker_high=100.0 + k),)
    ),
    "mitochondrial": lambda s, k: replace(
        s, pct_counts_mt=Distribution(s.pct_counts_mt.values + 101, s.pct_counts_mt.counts)
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1 << 10), k=st.integers(1, 1000))
def test_a_broken_summary_is_refused(name: str, seed: int, k: int) -> None:
    """Whatever number is changed: an error says that nothing is published."""
    with pytest.raises(CorruptMatrixError, match="impossible and are not published"):
        check_summary(BREAKS[name](summary(seed), k))


def test_a_document_that_breaks_its_schema_is_refused() -> None:
    """Such as one with a status that there is not."""
    broken = replace(summary(), checks=(Check("x", "perhaps", "Nobody knows."),))
    with pytest.raises(CorruptMatrixError, match=r"would break its schema: checks\[0\].status"):
        with_summary(broken, {})


@pytest.mark.parametrize("shape", [(40, 15), (1, 1), (3, 0), (0, 4), (5, 200)])
@pytest.mark.parametrize("density", [0.0, 0.4])
@pytest.mark.parametrize("min_gene_count", [0, 1, 500])
def test_a_summary_of_little_or_nothing_obeys_all_laws(
    shape: tuple[int, int], density: float, min_gene_count: int
) -> None:
    """No cells, no counts, no cell kept: such summaries are true as well; no genes are refused."""
    x = sp.random(*shape, density, "csr", random_state=np.random.default_rng(1))
    x.data = np.ceil(x.data * 1e6)
    adata = anndata.AnnData(x)
    adata.var_names = [f"MT-{i}" if i < 5 else f"ENSG{i:011d}" for i in range(shape[1])]
    adata.obs_names = [f"c{i}" for i in range(shape[0])]
    if not shape[1]:
        with pytest.raises(NoCountsError, match="holds no genes"):
            summarise_matrix(open_anndata(adata), min_gene_count=min_gene_count)
        return
    made = summarise_matrix(open_anndata(adata), min_gene_count=min_gene_count)
    assert list(find_faults(made)) == []
