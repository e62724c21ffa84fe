"""Sums and products of a second pass against numpy."""

from __future__ import annotations

import random

import numpy as np
import scipy.sparse as sp

from dpss.stats.cell_hash import hash_cells
from dpss.stats.embedding.covariance import CovarianceAccumulator, hash_limit
from dpss.stats.embedding.fixed import UNIT
from tests.laws.test_embedding_laws import (
    N_CELLS,
    N_SKETCH,
    covariances,
    cut_and_merged,
    genes,
    matrix,
)


def test_products_and_sketch_are_those_of_numpy() -> None:
    """The integers are what numpy makes of rounded logarithms; the sketch has least hashes."""
    found = cut_and_merged(covariances, random.Random(3))
    chosen = genes()
    counts = matrix().toarray().astype(np.float64) * (chosen.kinds > 0)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    values = np.rint(np.log1p(counts / totals * 1e4) * UNIT).astype(np.int64)
    variable = values[:, np.flatnonzero(chosen.slots >= 0)]
    np.testing.assert_array_equal(found.sums, variable.sum(axis=0))
    n = variable.shape[1]
    np.testing.assert_array_equal(found.products, (variable.T @ variable)[np.triu_indices(n)])
    least = np.sort(np.argsort(hash_cells(np.arange(N_CELLS)))[:N_SKETCH])
    np.testing.assert_array_equal(found.sketch, least)
    part = found.sketch_cells
    dense = sp.csr_matrix((part.values, part.columns, part.indptr), (N_SKETCH, n)).toarray()
    np.testing.assert_array_equal(dense, variable[least])


def test_the_limit_of_hashes_lets_enough_cells_in() -> None:
    """Of many cells nearly all above the wanted number are kept out, and never one too many."""
    for n_kept in (100, 20_000, 300_000):
        inside = int((hash_cells(np.arange(n_kept)) <= hash_limit(n_kept, 1000)).sum())
        assert min(n_kept, 1000) <= inside <= min(n_kept, 1600)
    assert isinstance(covariances(), CovarianceAccumulator)
