"""The compiled loop that leaves out values of features that are not genes.

See `dpss.compute.jit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled
from dpss.stats.kernels.layout import NOT_A_GENE


@compiled
def copy_gene_values(
    indptr: Any,
    indices: Any,
    data: Any,
    roles: Any,
    gene_indptr: Any,
    gene_indices: Any,
    gene_data: Any,
) -> None:
    """Copy the values of genes, and those whose feature lies outside the matrix.

    Args:
        indptr: ``int64``, shape ``(n_cells + 1,)``.
        indices: Feature of each value, shape ``(n_values,)``.
        data: The values, shape ``(n_values,)``.
        roles: ``int64``, shape ``(n_features,)``: `NOT_A_GENE`, or another number.
        gene_indptr: Of the shape and dtype of ``indptr``; set.
        gene_indices: Of the shape and dtype of ``indices``; set as far as there are values.
        gene_data: Of the shape and dtype of ``data``; set as far as there are values.
    """
    n_kept: Any = np.uint64(0)
    for cell in range(indptr.shape[0] - 1):
        gene_indptr[cell] = n_kept
        for i in range(np.uint64(indptr[cell]), np.uint64(indptr[cell + 1])):
            gene = np.int64(indices[i])
            gene_indices[n_kept] = indices[i]
            gene_data[n_kept] = data[i]
            outside = gene < 0 or gene >= roles.shape[0]
            n_kept += np.uint64(outside or roles[np.uint64(gene)] != NOT_A_GENE)
    gene_indptr[indptr.shape[0] - 1] = n_kept
