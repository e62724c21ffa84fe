"""Markers of clusters: the rank-sum test from histograms, and Welch's t from sums.

Sources: F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945)
80, in the form of H. Mann and D. Whitney with the correction for ties, which here are the cells
in one bin; B. Welch, Biometrika 34 (1947) 28. The columns are those of scanpy's
``tl.rank_genes_groups``, one cluster against all other cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.stats.embedding.fixed import UNIT
from dpss.stats.embedding.group_tables import GroupSums

N_MARKERS = 50
"""Most markers of a cluster."""
MIN_PCT_DIFFERENCE = 10.0
"""Percentage points by which a marker is found in more cells inside than outside."""
_SMALL = 1e-9


@dataclass(frozen=True)
class Scores:
    """Comparison of one cluster with all other cells, each of shape ``(n_rows,)``."""

    rank_sum: NDArray[np.float64]
    """Standardised rank sum; NaN where there is no spread."""
    t: NDArray[np.float64]
    """Welch's t; 0 where neither side varies."""
    log2_fold_change: NDArray[np.float64]
    """log2 of the ratio of the means, each taken back from its logarithm."""
    pct_in: NDArray[np.float64]
    """Percentage of the cluster's cells with the gene."""
    pct_out: NDArray[np.float64]
    """Percentage of the other cells with it."""


def score_clusters(groups: GroupSums) -> Iterator[Scores]:
    """Compare each cluster with all other cells; yields one comparison per cluster.

    Args:
        groups: Sums and histograms of two clusters at least.
    """
    ranks = _Ranks.of(groups)
    whole = sum((groups.sums(k) for k in range(len(groups.sizes))), start=np.int64(0))
    n_all = float(groups.sizes.sum())
    for k, size in enumerate(groups.sizes.tolist()):
        inside, histograms = groups.sums(k), groups.histograms(k)
        mean, spread = _moments(inside, float(size))
        mean_out, spread_out = _moments(whole - inside, n_all - size)
        found_in = groups.sum_bins(histograms)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (mean - mean_out) / np.sqrt(spread / size + spread_out / (n_all - size))
            fold = np.log2((np.expm1(mean) + _SMALL) / (np.expm1(mean_out) + _SMALL))
        rank_sums = groups.sum_bins(histograms * ranks.twice)
        rank_sums += (size - found_in) * ranks.twice_of_zeros
        yield Scores(
            ranks.score(rank_sums / 2, float(size)),
            np.where(np.isfinite(t), t, 0.0),
            fold,
            100 * found_in / size,
            100 * (ranks.found_in - found_in) / (n_all - size),
        )


def _moments(sums: NDArray[np.int64], n: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means and sample variances of values, from sums of shape ``(n_rows, 2)``."""
    means = sums[:, 0] / (UNIT * n)
    variances = np.maximum(sums[:, 1] / UNIT**2 - n * means**2, 0.0) / max(n - 1, 1)
    return means, variances


@dataclass(frozen=True)
class _Ranks:
    """Doubled mean ranks of the cells in each bin, which are integers."""

    twice: NDArray[np.int64]
    """Doubled ranks in the bins of all rows, shape ``(n_bins,)``."""
    twice_of_zeros: NDArray[np.int64]
    """Doubled ranks of the cells without a value, which rank first, shape ``(n_rows,)``."""
    spread: NDArray[np.float64]
    """Variance of a rank sum over n_in n_out, shape ``(n_rows,)``."""
    found_in: NDArray[np.int64]
    """Cells with a value, shape ``(n_rows,)``."""
    n: float
    """Number of cells."""

    @classmethod
    def of(cls, groups: GroupSums) -> _Ranks:
        n = int(groups.sizes.sum())
        cells = np.zeros(int(groups.histogram_genes.n_bins.sum()), dtype=np.int64)
        for k in range(len(groups.sizes)):
            cells += groups.histograms(k)
        found_in = groups.sum_bins(cells)
        # Each row has its own ranks, which end at n.
        last = np.repeat(np.cumsum(found_in), groups.histogram_genes.n_bins)
        ranks = 2 * (n - last + np.cumsum(cells)) - cells + 1
        ties = groups.sum_bins(_ties(cells)) + _ties(n - found_in)
        spread = (n + 1 - ties / (float(n) * (n - 1))) / 12
        return cls(ranks, n - found_in + 1, np.maximum(spread, 0.0), found_in, float(n))

    def score(self, sums: NDArray[np.float64], size: float) -> NDArray[np.float64]:
        """Return a cluster's standardised rank sums, shape ``(n_rows,)``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = (sums - size * (self.n + 1) / 2) / np.sqrt(
                size * (self.n - size) * self.spread
            )
        return np.where(np.isfinite(scores), scores, np.nan)


def _ties(cells: NDArray[np.int64]) -> NDArray[np.float64]:
    n = cells.astype(np.float64)
    return n * n * n - n


def expression_of(
    groups: GroupSums, genes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean log-normalised values and percentages of cells with a value.

    Args:
        groups: Sums over the clusters.
        genes: Features that have a row, shape ``(n_genes,)``.

    Returns:
        Two arrays of shape ``(n_clusters, n_genes)``.
    """
    rows = groups.histogram_genes.rows[genes]
    n_groups = len(groups.sizes)
    if not len(rows):
        return np.empty((n_groups, 0)), np.empty((n_groups, 0))
    sizes = groups.sizes[:, None]
    sums = np.stack([groups.sums(k)[rows, 0] for k in range(n_groups)])
    found_in = np.stack([groups.found_in(k)[rows] for k in range(n_groups)])
    return sums / (UNIT * sizes), 100 * found_in / sizes


@dataclass(frozen=True)
class Marker:
    """One marker of a cluster."""

    cluster: int
    """Number of the cluster, from 0."""
    gene: int
    """Index of the gene among those given."""
    score: float
    """Standardised rank sum."""
    t_score: float
    """Welch's t."""
    log2_fold_change: float
    pct_in: float
    """Percentage of the cluster's cells with the gene."""
    pct_out: float
    """Percentage of the other cells with it."""


def find_markers(groups: GroupSums, genes: NDArray[np.int64]) -> tuple[Marker, ...]:
    """Return the best genes of each cluster by the rank-sum test, best first.

    A marker is found in at least `MIN_PCT_DIFFERENCE` percentage points more cells inside than
    outside, and its mean is larger there.

    Args:
        groups: Sums and histograms.
        genes: All genes' features, ascending, shape ``(n_genes,)``; those without a row are no
            markers.
    """
    if len(groups.sizes) < 2:
        return ()
    compared = np.flatnonzero(groups.histogram_genes.rows[genes] >= 0)
    return tuple(
        marker
        for k, scores in enumerate(score_clusters(groups))
        for marker in _markers_of(scores, compared, k)
    )


def _markers_of(scores: Scores, compared: NDArray[np.int64], cluster: int) -> Iterator[Marker]:
    usable = scores.pct_in - scores.pct_out >= MIN_PCT_DIFFERENCE
    usable &= (scores.log2_fold_change > 0) & (np.nan_to_num(scores.rank_sum) > 0)
    best = np.flatnonzero(usable)
    for row in best[np.argsort(-scores.rank_sum[best], kind="stable")][:N_MARKERS].tolist():
        numbers = (
            scores.rank_sum[row],
            scores.t[row],
            scores.log2_fold_change[row],
            scores.pct_in[row],
            scores.pct_out[row],
        )
        gene = int(compared[row])
        yield Marker(cluster, gene, *(round_digits(float(number)) for number in numbers))


def round_digits(value: float) -> float:
    """Return a number to 6 significant digits, which do not depend on the processor.

    >>> round_digits(2 / 3)
    0.666667
    """
    return float(f"{value:.6g}")
