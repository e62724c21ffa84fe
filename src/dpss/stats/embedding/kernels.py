"""Compiled loops over blocks of whole cells: normalise, multiply, project."""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part
from dpss.stats.embedding.fixed import N_LOGARITHMS, TARGET_SUM, divide, log1p_fixed

NOT_A_GENE, GENE, MITOCHONDRIAL = 0, 1, 2
"""Kinds of features."""
NOT_KEPT = -1.0
"""Total of a cell with too few genes."""


@compiled
def measure_cells(
    indptr: Any,
    indices: Any,
    data: Any,
    kinds: Any,
    min_genes: int,
    totals: Any,
    totals_mt: Any,
    n_genes: Any,
) -> None:
    """Measure the cells of a block.

    Args:
        indptr: ``int64``, shape ``(n_cells + 1,)``.
        indices: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        kinds: ``uint8``, shape ``(n_features,)``: `NOT_A_GENE`, `GENE` or `MITOCHONDRIAL`.
        min_genes: Cells with fewer genes detected are not kept.
        totals: ``float64``, shape ``(n_cells,)``; set to the sum of counts or `NOT_KEPT`.
        totals_mt: ``float64``, shape ``(n_cells,)``; set to the mitochondrial counts.
        n_genes: ``int64``, shape ``(n_cells,)``; set to the number of genes detected.
    """
    n_features = np.uint64(len(kinds))
    for cell in range(len(indptr) - 1):
        total = 0.0
        total_mt = 0.0
        n = 0
        for i in range(indptr[cell], indptr[cell + 1]):
            gene = np.uint64(indices[i])
            x = np.float64(data[i])
            if gene < n_features and x > 0.0:
                kind = kinds[gene]
                if kind != NOT_A_GENE:
                    total += x
                    n += 1
                    if kind == MITOCHONDRIAL:
                        total_mt += x
        totals[cell] = total if n >= min_genes else NOT_KEPT
        totals_mt[cell] = total_mt
        n_genes[cell] = n


@part(inline="always")
def logarithm(x: Any, factor: Any, logarithms: Any) -> Any:
    """Return the logarithm of a value, computed once per cell for small whole counts."""
    if x < N_LOGARITHMS:
        whole = np.int64(x)
        if whole == x:
            if logarithms[whole] < 0:
                logarithms[whole] = log1p_fixed(x * factor)
            return logarithms[whole]
    return log1p_fixed(x * factor)


@compiled
def gather_cells(  # noqa: PLR0913
    indptr: Any,
    indices: Any,
    data: Any,
    totals: Any,
    slots: Any,
    logarithms: Any,
    new_indptr: Any,
    columns: Any,
    values: Any,
) -> int:
    """Log-normalise the variable genes of kept cells; columns increase in a cell.

    Args:
        indptr: ``int64``, shape ``(n_cells + 1,)``.
        indices: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        totals: ``float64``, shape ``(n_cells,)``, of `measure_cells`.
        slots: ``int16``, shape ``(n_features,)``: column of a variable gene, else -1.
        logarithms: ``int64``, shape ``(N_LOGARITHMS,)``; memory to work in.
        new_indptr: ``int64``, shape ``(n_cells + 1,)``; set: start of each cell's values.
        columns: ``int16``, shape ``(>= n_values,)``; set.
        values: ``int32``, shape ``(>= n_values,)``; set to fixed-point values.

    Returns:
        Number of gathered values.
    """
    n = 0
    n_features = np.uint64(len(slots))
    new_indptr[0] = 0
    for cell in range(len(indptr) - 1):
        total = totals[cell]
        first = n
        if total > 0.0:
            factor = divide(TARGET_SUM, total)
            for k in range(N_LOGARITHMS):
                logarithms[k] = -1
            for i in range(indptr[cell], indptr[cell + 1]):
                gene = np.uint64(indices[i])
                x = np.float64(data[i])
                if gene < n_features and x > 0.0 and slots[gene] >= 0:
                    column = slots[gene]
                    value = logarithm(x, factor, logarithms)
                    # Nearly all cells come sorted; others are sorted by insertion.
                    at = n
                    while at > first and columns[at - 1] > column:
                        columns[at] = columns[at - 1]
                        values[at] = values[at - 1]
                        at -= 1
                    columns[at] = column
                    values[at] = value
                    n += 1
        new_indptr[cell + 1] = n
    return n


@compiled
def add_products(  # noqa: PLR0913
    indptr: Any,
    columns: Any,
    values: Any,
    n_cells: int,
    gene_indptr: Any,
    places: Any,
    ends: Any,
    sums: Any,
    products: Any,
) -> None:
    """Add the products of each two values of a cell, gene by gene.

    A gene's row of products stays in the processor's cache while all cells of the block are
    added to it.

    Args:
        indptr: ``int64``, shape ``(n_cells + 1,)``: start of each cell's values.
        columns: ``int16``, shape ``(>= n_values,)``, increasing within a cell.
        values: ``int32``, shape ``(>= n_values,)``.
        n_cells: Number of cells.
        gene_indptr: ``int64``, shape ``(n_genes + 1,)``; memory to work in.
        places: ``int32``, shape ``(>= n_values,)``; memory to work in.
        ends: ``int32``, shape ``(>= n_values,)``; memory to work in.
        sums: ``int64``, shape ``(n_genes,)``; added to.
        products: ``int64``, the upper triangle row by row, shape
            ``(n_genes * (n_genes + 1) / 2,)``; added to.
    """
    n_genes = len(sums)
    for gene in range(n_genes + 1):
        gene_indptr[gene] = 0
    for i in range(indptr[n_cells]):
        gene_indptr[columns[i] + 1] += 1
        sums[columns[i]] += values[i]
    for gene in range(n_genes):
        gene_indptr[gene + 1] += gene_indptr[gene]
    for cell in range(n_cells):
        for i in range(indptr[cell], indptr[cell + 1]):
            at = gene_indptr[columns[i]]
            places[at] = i
            ends[at] = indptr[cell + 1]
            gene_indptr[columns[i]] = at + 1
    first = 0
    # Where column 0 of a row would be: rows are shorter by one, and begin at the diagonal.
    row = np.int64(0)
    for gene in range(n_genes):
        for k in range(first, gene_indptr[gene]):
            value = np.int64(values[places[k]])
            for i in range(np.uint64(places[k]), np.uint64(ends[k])):
                products[np.uint64(row + columns[i])] += value * values[i]
        first = gene_indptr[gene]
        row += n_genes - gene - 1


@compiled
def project_cells(
    indptr: Any, columns: Any, values: Any, loadings: Any, offsets: Any, scores: Any
) -> None:
    """Project cells onto components; integers in doubles make the sums exact.

    Args:
        indptr: ``int64``, shape ``(>= n_cells + 1,)``.
        columns: ``int16``, shape ``(>= n_values,)``.
        values: ``int32``, shape ``(>= n_values,)``.
        loadings: ``float64``, whole numbers, shape ``(n_genes, n_components)``.
        offsets: ``float64``, whole numbers, shape ``(n_components,)``: score of the mean.
        scores: ``float64``, shape ``(n_cells, n_components)``; set.
    """
    n_components = np.uint64(loadings.shape[1])
    for cell in range(np.uint64(scores.shape[0])):
        for k in range(n_components):
            scores[cell, k] = -offsets[k]
        for i in range(indptr[cell], indptr[cell + np.uint64(1)]):
            value = np.float64(values[i])
            column = np.uint64(columns[i])
            for k in range(n_components):
                scores[cell, k] += value * loadings[column, k]
