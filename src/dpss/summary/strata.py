"""The record of strata: statistics of parts of the cells of one matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.stats.accumulator import GeneSums, Sums
from dpss.stats.dispersion import normalise_dispersions
from dpss.stats.kernels import layout
from dpss.stats.moments import share_means, share_variances
from dpss.stats.outliers import find_outliers
from dpss.stats.ranks import rank_descending, top
from dpss.stats.strata import StratumKind, StratumSums

if TYPE_CHECKING:
    from dpss.stats.histogram import Distribution

N_TOP = 20
"""Number of genes in each list of a stratum's best genes."""
COMPARED = {"n_genes_by_counts": True, "total_counts": True, "pct_counts_mt": False}
"""Measures by which strata are compared, each with whether its scale is logarithmic."""


@dataclass(frozen=True)
class Stratum:
    """One part of the cells. All statistics are of its kept cells."""

    name: str
    kind: StratumKind
    n_cells: int
    """Number of cells, kept or not."""
    n_cells_kept: int
    measures: Mapping[str, Distribution]
    """Distribution of each measure of the kept cells that is known, by its name."""
    n_genes_detected: int
    """Number of genes found in a kept cell."""
    n_nonzero: int
    """Number of counts above 0 in kept cells."""
    n_highly_variable: int
    """Number of genes that are highly variable among the stratum's cells."""
    highest_expr: NDArray[np.int64]
    """Indices in the gene table of the 20 genes with the highest mean share, best first."""
    cell_count: NDArray[np.int64]
    """Indices in the gene table of the 20 genes found in the most cells, best first."""
    variable: NDArray[np.int64]
    """Indices in the gene table of the 20 genes with the highest normalised dispersion, best first.
    """
    odd: tuple[str, ...] = ()
    """Measures in `COMPARED` whose median is an outlier among the strata."""

    def median(self, name: str) -> float | None:
        """Return the median of a measure; ``None`` where it is not known."""
        found = self.measures.get(name)
        return found.median if found is not None and found.n else None


@dataclass(frozen=True)
class Strata:
    """The strata of a matrix."""

    by: str
    """Name of the column."""
    n_values: int
    """Number of distinct values, including those without their own stratum."""
    strata: tuple[Stratum, ...]
    """The strata, the largest first; those of all other values and of missing values last."""
    n_variable_in: NDArray[np.int64]
    """Number of strata of one value in which a gene is highly variable, shape ``(n_genes,)``."""


def build_strata(by: str, n_values: int, sums: Sums, is_gene: NDArray[np.bool_]) -> Strata | None:
    """Make the record of strata; ``None`` where there are none.

    Args:
        by: Name of the column.
        n_values: Number of its distinct values.
        sums: Sums over all features.
        is_gene: Which features get into the gene table, shape ``(n_features,)``.
    """
    found = sums.strata
    if found is None:
        return None
    variable_in = np.zeros(int(is_gene.sum()), dtype=np.int64)
    strata = []
    for number, cells in enumerate(found.cells):
        n = cells.n_cells_kept
        counts, means, norms, variable = _genes(found, number, n, is_gene)
        if cells.kind is StratumKind.VALUE:
            variable_in += variable
        strata.append(
            Stratum(
                name=cells.name,
                kind=cells.kind,
                n_cells=cells.n_cells,
                n_cells_kept=n,
                measures=cells.measures,
                n_genes_detected=int((counts > 0).sum()),
                n_nonzero=int(counts.sum()),
                n_highly_variable=int(variable.sum()),
                highest_expr=_best(np.where(counts > 0, means, np.nan)),
                cell_count=_best(np.where(counts > 0, counts, np.nan)),
                variable=_best(norms),
            )
        )
    return Strata(by, n_values, _mark_odd(strata), variable_in)


def _genes(
    strata_sums: StratumSums, number: int, n_cells: int, is_gene: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return each gene's cells, mean share, normalised dispersion and variability.

    As scanpy does with ``batch_key``, only genes found in the stratum are compared with each other.
    """
    table = strata_sums.gene_table(number)
    nothing = np.zeros(len(table), dtype=np.int64)
    sums = GeneSums(table, nothing, nothing[:0], np.empty((0, 0), dtype=np.int64))
    counts = table[is_gene, layout.N_CELLS]
    means = share_means(sums, n_cells)[is_gene]
    norms = np.full(len(counts), np.nan)
    variable = np.zeros(len(counts), dtype=bool)
    there = np.flatnonzero(counts)
    if n_cells > 1 and len(there):
        variances = share_variances(sums, n_cells)[is_gene]
        dispersion = normalise_dispersions(means[there], variances[there])
        norms[there] = dispersion.dispersions_norm
        variable[there] = dispersion.highly_variable
    return counts, means, norms, variable


def _best(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return top(rank_descending(values), N_TOP)


def _mark_odd(strata: list[Stratum]) -> tuple[Stratum, ...]:
    """Return the strata, each with the measures in which it is an outlier."""
    odd: dict[int, list[str]] = {}
    for name, logarithmic in COMPARED.items():
        medians = {
            i: median
            for i, stratum in enumerate(strata)
            if stratum.kind is StratumKind.VALUE and (median := stratum.median(name)) is not None
        }
        for i in find_outliers(medians, logarithmic=logarithmic):
            odd.setdefault(i, []).append(name)
    return tuple(replace(stratum, odd=tuple(odd.get(i, ()))) for i, stratum in enumerate(strata))
