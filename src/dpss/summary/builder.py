"""Construction of the frozen summary from exact sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.model import GeneTable
from dpss.stats.accumulator import Sums
from dpss.stats.boxes import box_of
from dpss.stats.dispersion import normalise_dispersions
from dpss.stats.kernels import layout
from dpss.stats.moments import share_means, share_variances, total_counts
from dpss.stats.ranks import rank_descending, top
from dpss.stats.values.kinds import ValueKind
from dpss.summary.findings import Findings
from dpss.summary.limits import SAMPLED, measures_of, suggest_limits
from dpss.summary.record import N_TOP, GeneStatistics, MatrixInfo, Provenance, Summary
from dpss.summary.thresholds import count_kept


@dataclass(frozen=True)
class Identity:
    """Project, source and settings of a matrix, as its summary states them."""

    project_id: str
    project_title: str
    matrix: MatrixInfo
    provenance: Provenance
    demo: bool = False


def build_gene_statistics(
    sums: Sums, features: GeneTable, mitochondrial: NDArray[np.bool_], *, whole: bool
) -> GeneStatistics:
    """Compute the gene table.

    Args:
        sums: Sums over all features.
        features: The features; only genes get into the table.
        mitochondrial: Which features are mitochondrial genes, shape ``(n_features,)``.
        whole: Whether all counts are whole numbers.
    """
    is_gene = features.is_gene
    genes = features.select(is_gene)
    n_cells = sums.cells.n_cells_kept
    found = sums.genes.table[is_gene, layout.N_CELLS]
    totals = total_counts(sums.genes)[is_gene]
    means = share_means(sums.genes, n_cells)[is_gene]
    variances = share_variances(sums.genes, n_cells)[is_gene]
    dispersion = normalise_dispersions(means, variances)
    undefined = np.full(len(genes), np.nan)
    return GeneStatistics(
        gene_id=genes.ids,
        gene_name=genes.names,
        mitochondrial=mitochondrial[is_gene],
        n_cells_by_counts=found,
        pct_dropout_by_counts=100 * (1 - found / n_cells) if n_cells else undefined,
        total_counts=totals.astype(np.int64) if whole else totals,
        mean_counts=totals / n_cells if n_cells else undefined,
        mean_pct_of_cell_counts=100 * means,
        means=dispersion.means,
        dispersions=dispersion.dispersions,
        dispersions_norm=dispersion.dispersions_norm,
        highly_variable=dispersion.highly_variable,
        rank_highest_expr=rank_descending(means),
        rank_cell_count=rank_descending(found.astype(np.float64)),
        rank_variability=rank_descending(dispersion.dispersions_norm),
    )


def best_expressed(sums: Sums, is_gene: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the features with the highest mean share of a cell's counts, best first.

    Returns:
        Feature indices, shape ``(<= 20,)``.
    """
    means = share_means(sums.genes, sums.cells.n_cells_kept)
    return top(rank_descending(np.where(is_gene, means, np.nan)), N_TOP)


def build_summary(findings: Findings, identity: Identity, values: ValueKind) -> Summary:
    """Make the summary of a matrix, without its checks.

    Args:
        findings: Facts about the matrix; its sums have histograms of the 20 best expressed genes at
            least.
        identity: Project, source and settings of the matrix.
        values: Kind of the stored values.
    """
    sums, features, cells = findings.sums, findings.features, findings.sums.cells
    whole = values is ValueKind.COUNTS
    genes = build_gene_statistics(sums, features, findings.mitochondrial, whole=whole)
    rows = {feature: i for i, feature in enumerate(sums.genes.histogram_genes.tolist())}
    best = np.flatnonzero(features.is_gene)[top(genes.rank_highest_expr, N_TOP)]
    limits = suggest_limits(cells, len(genes), findings.nomenclature.species)
    return Summary(
        project_id=identity.project_id,
        project_title=identity.project_title,
        matrix=identity.matrix,
        values=values,
        n_cells=cells.n_cells,
        n_cells_kept=cells.n_cells_kept,
        n_genes=len(genes),
        n_nonzero=int(genes.n_cells_by_counts.sum()),
        total_counts=genes.total_counts.sum().item(),
        genes=genes,
        highest_expr_boxes=tuple(
            box_of(sums.genes.boxes[rows[feature]], cells.n_cells_kept) for feature in best.tolist()
        ),
        n_genes_by_counts=cells.n_genes_by_counts,
        counts_per_cell=cells.total_counts,
        pct_counts_mt=cells.pct_counts_mt,
        genes_vs_counts=cells.genes_vs_counts,
        mt_vs_counts=cells.mt_vs_counts,
        checks=(),
        reading=tuple(findings.decisions),
        provenance=identity.provenance,
        demo=identity.demo,
        other_measures={
            name: found for name, found in measures_of(cells).items() if name in SAMPLED
        },
        droplets=findings.droplets,
        thresholds=count_kept(cells, limits),
    )
