"""Markers against scanpy's tests."""

from __future__ import annotations

from itertools import pairwise

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.stats.embedding.fixed import UNIT
from dpss.stats.embedding.group_tables import HistogramGenes
from dpss.stats.embedding.groups import Groups
from dpss.stats.embedding.markers import expression_of, find_markers, score_clusters
from tests.libraries import scanpy

N_CELLS, N_GENES = 400, 60


def cells() -> tuple[np.ndarray, np.ndarray]:
    """Log-normalised values in fixed point, and the clusters; gene 0 is never found."""
    rng = np.random.default_rng(4)
    labels = np.sort(rng.choice(3, N_CELLS, p=[0.6, 0.3, 0.1]))
    rates = rng.gamma(1.0, 1.0, (3, N_GENES))[labels]
    rates[:, 0] = 0
    counts = rng.poisson(rates)
    values = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 100)
    return np.rint(values * UNIT).astype(np.int64), labels


def groups_of(values: np.ndarray, labels: np.ndarray) -> Groups:
    """Sums and histograms as the third pass would leave them behind."""
    sizes = np.bincount(labels)
    n_bins = np.where(np.arange(N_GENES) % 2, 512, 640).astype(np.int32)
    genes = HistogramGenes(np.arange(N_GENES, dtype=np.int32), n_bins)
    tables = genes.empty_tables(len(sizes))
    for k in range(len(sizes)):
        some = values[labels == k]
        for gene, (a, b) in enumerate(pairwise(genes.starts)):
            tables[k, a : a + 2] = some[:, gene].sum(), (some[:, gene] ** 2).sum()
            found = some[some[:, gene] > 0, gene] * n_bins[gene] // (6 * UNIT)
            counts = np.bincount(np.minimum(found, n_bins[gene] - 1), minlength=n_bins[gene])
            tables[k, a + 2 : b].view(np.uint32)[:] = counts
    nothing = np.empty(0)
    places = np.arange(len(sizes))[::-1]  # As where clusters were counted in another order.
    return Groups(
        sizes, places, genes, tables[places], (), None, nothing, None, None,  # type: ignore[arg-type]
    )  # fmt: skip


def scanpys(values: np.ndarray, labels: np.ndarray, method: str) -> list[pd.DataFrame]:
    """scanpy's table of each cluster, in the order of the genes."""
    sc = scanpy()

    obs = pd.DataFrame({"cluster": pd.Categorical(labels.astype(str))})
    obs.index = obs.index.astype(str)
    adata = anndata.AnnData(sp.csr_matrix(values / UNIT), obs=obs)
    sc.tl.rank_genes_groups(adata, "cluster", method=method, tie_correct=True, pts=True)
    frames = [sc.get.rank_genes_groups_df(adata, str(k)) for k in range(labels.max() + 1)]
    return [frame.set_index(frame["names"].astype(int)).sort_index() for frame in frames]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_scores_are_those_of_scanpy() -> None:
    """Welch's t and folds to rounding; the rank sum as far as the bins are fine."""
    values, labels = cells()
    found = list(score_clusters(groups_of(values, labels)))
    for ours, t, exact in zip(
        found, scanpys(values, labels, "t-test"), scanpys(values, labels, "wilcoxon"), strict=True
    ):
        np.testing.assert_allclose(ours.t[1:], t["scores"][1:], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            ours.log2_fold_change[1:], t["logfoldchanges"][1:], rtol=1e-4, atol=1e-4
        )
        np.testing.assert_allclose(ours.pct_in, 100 * exact["pct_nz_group"], rtol=1e-6)
        np.testing.assert_allclose(ours.pct_out, 100 * exact["pct_nz_reference"], rtol=1e-6)
        np.testing.assert_allclose(ours.rank_sum[1:], exact["scores"][1:], atol=0.1)
        assert np.isnan(ours.rank_sum[0])


def test_markers_are_found_in_more_cells_inside() -> None:
    """Sorted by the rank sum; each is found more often inside, and stronger."""
    values, labels = cells()
    groups = groups_of(values, labels)
    markers = find_markers(groups, np.arange(N_GENES))
    assert markers
    for k in range(3):
        own = [marker for marker in markers if marker.cluster == k]
        assert [m.score for m in own] == sorted((m.score for m in own), reverse=True)
        assert all(m.pct_in - m.pct_out >= 10 and m.log2_fold_change > 0 for m in own)
    means, percents = expression_of(groups, np.array([5]))
    np.testing.assert_allclose(means[1, 0], values[labels == 1, 5].mean() / UNIT)
    np.testing.assert_allclose(percents[1, 0], 100 * (values[labels == 1, 5] > 0).mean())


def test_one_cluster_has_no_markers() -> None:
    """Without other cells there is nothing to compare with."""
    values, labels = cells()
    assert find_markers(groups_of(values, labels * 0), np.arange(N_GENES)) == ()


def test_a_cluster_of_one_cell_has_finite_scores() -> None:
    """One cell has no spread of its own, which is no error."""
    values, _ = cells()
    alone = np.where(np.arange(N_CELLS) == 7, 1, 0)
    scores = list(score_clusters(groups_of(values, alone)))
    assert np.isfinite(scores[1].t).all()
