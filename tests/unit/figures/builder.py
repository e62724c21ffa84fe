"""Summaries from a matrix in memory, made without the pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.stats.boxes import Box
from dpss.stats.density import Grid, log_bins, log_edges, percent_bins, percent_edges
from dpss.stats.dispersion import normalise_dispersions
from dpss.stats.histogram import Tally
from dpss.stats.ranks import rank_descending, top
from dpss.stats.values.kinds import ValueKind
from dpss.summary.limits import SCATER
from dpss.summary.record import (
    N_TOP,
    Check,
    GeneStatistics,
    MatrixInfo,
    Provenance,
    Summary,
    Threshold,
)


def simulate(n_cells: int = 300, n_genes: int = 400, seed: int = 7) -> np.ndarray:
    """Return counts of two kinds of cells, shape ``(n_cells, n_genes)``."""
    rng = np.random.default_rng(seed)
    rates = rng.lognormal(-1.2, 1.6, (2, n_genes))
    rates[1, n_genes // 2 :] = rates[0, n_genes // 2 :]
    depth = rng.lognormal(0, 0.5, n_cells)
    return rng.poisson(rates[rng.integers(0, 2, n_cells)] * depth[:, None]).astype(np.float64)


def gene_names(n_genes: int, n_mitochondrial: int = 5) -> list[str]:
    """Return names, the first of them mitochondrial."""
    mitochondrial = [f"MT-CO{i}" for i in range(1, n_mitochondrial + 1)]
    return (mitochondrial + [f"Gene{i}" for i in range(n_genes)])[:n_genes]


def build(
    counts: np.ndarray,
    *,
    names: list[str] | None = None,
    title: str = "Two kinds of simulated cells",
    n_cells: int | None = None,
    values: ValueKind = ValueKind.COUNTS,
    demo: bool = False,
) -> Summary:
    """Summarise a dense matrix of kept cells × genes with numpy alone."""
    n_kept, n_genes = counts.shape
    names = gene_names(n_genes) if names is None else names
    totals = counts.sum(axis=1)
    shares = np.divide(
        counts, totals[:, None], out=np.zeros_like(counts), where=totals[:, None] > 0
    )
    found = counts > 0
    means = shares.mean(axis=0) if n_kept else np.full(n_genes, np.nan)
    variances = shares.var(axis=0, ddof=1) if n_kept > 1 else np.full(n_genes, np.nan)
    variances[variances < 1e-12 * means**2] = 0  # rounding
    genes = gene_statistics(
        names,
        np.array([name.lower().startswith("mt-") for name in names], dtype=bool),
        n_kept,
        found.sum(axis=0),
        counts.sum(axis=0),
        means,
        variances,
    )
    best = top(genes.rank_highest_expr, N_TOP)
    return assemble(
        genes,
        tuple(box(shares[:, g] * 100) for g in best),
        found.sum(axis=1).astype(float),
        totals,
        counts[:, genes.mitochondrial].sum(axis=1) if genes.mitochondrial.any() else None,
        project_title=title,
        n_cells=n_kept if n_cells is None else n_cells,
        values=values,
        demo=demo,
    )


def gene_statistics(
    names: list[str],
    mitochondrial: np.ndarray,
    n_cells: int,
    n_cells_by_counts: np.ndarray,
    totals: np.ndarray,
    share_means: np.ndarray,
    share_variances: np.ndarray,
) -> GeneStatistics:
    """Derive the gene table from sums."""
    dispersion = normalise_dispersions(share_means, share_variances)
    return GeneStatistics(
        gene_id=np.array([f"ENSG{i:011d}" for i in range(len(names))], dtype=object),
        gene_name=np.array(names, dtype=object),
        mitochondrial=mitochondrial,
        n_cells_by_counts=n_cells_by_counts.astype(np.int64),
        pct_dropout_by_counts=100 * (1 - n_cells_by_counts / max(n_cells, 1)),
        total_counts=totals,
        mean_counts=totals / max(n_cells, 1),
        mean_pct_of_cell_counts=share_means * 100,
        means=dispersion.means,
        dispersions=dispersion.dispersions,
        dispersions_norm=dispersion.dispersions_norm,
        highly_variable=dispersion.highly_variable,
        rank_highest_expr=rank_descending(share_means),
        rank_cell_count=rank_descending(n_cells_by_counts.astype(np.float64)),
        rank_variability=rank_descending(dispersion.dispersions_norm),
    )


def box(shares: np.ndarray) -> Box:
    """Return the box plot of a gene's shares, from numpy's quantiles."""
    q1, median, q3 = np.quantile(shares, [0.25, 0.5, 0.75])
    inside = (shares >= q1 - 1.5 * (q3 - q1)) & (shares <= q3 + 1.5 * (q3 - q1))
    return Box(
        float(q1), float(median), float(q3),
        float(shares[inside].min(initial=q1)), float(shares[inside].max(initial=q3)),
        np.unique(shares[~inside]), int(np.count_nonzero(~inside)),
    )  # fmt: skip


def three_deviations(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of three scaled median absolute deviations around the median."""
    median = np.median(values)
    reach = 3 * 1.4826 * np.median(np.abs(values - median))
    return float(median - reach), float(median + reach)


def suggest(totals: np.ndarray, genes: np.ndarray, percents: np.ndarray | None) -> Any:
    """Return suggested limits: three deviations of logarithms, and 20 % mitochondrial counts."""
    found = []
    for name, values in (("total_counts", totals), ("n_genes_by_counts", genes)):
        if len(values):
            low = float(np.expm1(three_deviations(np.log1p(values))[0]))
            found.append(Threshold(name, low, "at least", SCATER, int((values >= low).sum())))
    if percents is not None:
        kept = int((percents <= 20).sum())
        found.append(Threshold("pct_counts_mt", 20.0, "at most", "fixed", kept))
    return tuple(found)


def assemble(
    genes: GeneStatistics,
    boxes: tuple[Box, ...],
    n_genes_by_counts: np.ndarray,
    totals: np.ndarray,
    totals_mt: np.ndarray | None,
    **more: Any,
) -> Summary:
    """Put a summary together from per-cell measures."""

    def distribution(values: np.ndarray) -> Any:
        tally = Tally()
        tally.add(values.astype(float))
        return tally.distribution()

    count_bins = log_bins(totals.astype(float))
    genes_vs_counts = Grid(log_edges(), log_edges())
    genes_vs_counts.add(count_bins, log_bins(n_genes_by_counts.astype(float)))
    mt_vs_counts, percents = Grid(log_edges(), percent_edges()), None
    if totals_mt is not None:
        percents = 100 * np.divide(totals_mt, totals, out=np.zeros(len(totals)), where=totals > 0)
        mt_vs_counts.add(count_bins, percent_bins(percents))
    return Summary(
        project_id="project",
        matrix=MatrixInfo("", "memory:", "none", "X", "", strata={}),
        n_cells_kept=len(totals),
        n_genes=len(genes),
        n_nonzero=int(genes.n_cells_by_counts.sum()),
        total_counts=float(totals.sum()),
        genes=genes,
        highest_expr_boxes=boxes,
        n_genes_by_counts=distribution(n_genes_by_counts),
        counts_per_cell=distribution(totals),
        pct_counts_mt=None if percents is None else distribution(percents),
        genes_vs_counts=genes_vs_counts.density(),
        mt_vs_counts=None if percents is None else mt_vs_counts.density(),
        checks=(Check("none", "pass", "Nothing was checked."),),
        provenance=Provenance("0", {}),
        thresholds=suggest(totals, n_genes_by_counts, percents),
        **more,
    )
