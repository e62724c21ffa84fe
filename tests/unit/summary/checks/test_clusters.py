"""The check of the clusters says which of them look like cells of low quality."""

from __future__ import annotations

from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import dpss
from dpss.summary.record import Check

N_CELLS, N_GENES = 600, 300


def _check(depth: float, mitochondrial: float, n_odd: int = 60) -> Check:
    """Return the check of a matrix in which some cells are unlike the others.

    Args:
        depth: Counts of the odd cells, as part of those of the others.
        mitochondrial: Factor of their mitochondrial counts.
        n_odd: How many they are.
    """
    rng = np.random.default_rng(1)
    profiles = np.tile(rng.lognormal(0, 1, N_GENES), (3, 1))
    profiles[:, :8] = 1.0
    profiles[1, 20:60] *= 12
    profiles[2, 60:100] *= 12
    kinds = np.concatenate([np.full(n_odd, 2), rng.integers(0, 2, N_CELLS - n_odd)])
    profiles[2, :8] *= mitochondrial
    rates = profiles / profiles.sum(axis=1, keepdims=True)
    depths = 4000 * rng.lognormal(0, 0.1, N_CELLS)
    depths[:n_odd] *= depth
    matrix: Any = sp.csr_matrix(rng.poisson(rates[kinds] * depths[:, None]).astype("f4"))
    names = [f"MT-ND{i}" if i < 8 else f"GENE{i}" for i in range(N_GENES)]
    adata = anndata.AnnData(matrix, var=pd.DataFrame(index=names))
    adata.obs_names = [f"cell{i}" for i in range(N_CELLS)]
    checks = dpss.summarize(adata).checks
    (found,) = (each for each in checks if each.name == "clusters")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "mitochondrial", "fault"),
    [(0.15, 1.0, "counts"), (0.05, 1.0, "genes"), (1.0, 30.0, "mitochondrial counts")],
)
def test_a_cluster_of_low_quality_is_named(depth: float, mitochondrial: float, fault: str) -> None:
    """Few counts, few genes or a large mitochondrial share of a cluster's median cell."""
    check = _check(depth, mitochondrial)
    assert check.status == "warn"
    assert "60 of 600 cells" in check.message
    assert fault in check.message


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1.0, 3.0])
def test_clusters_like_the_others_pass(depth: float) -> None:
    """A kind of cells of its own is none of low quality, nor is one with more counts."""
    assert _check(depth, 1.0).status == "pass"


def test_without_clusters_it_is_not_measured() -> None:
    """Fewer than 200 cells have none; the check says so."""
    adata = anndata.AnnData(sp.csr_matrix(np.random.default_rng(0).poisson(1, (150, 50))))
    checks = dpss.summarize(adata).checks
    (found,) = (each for each in checks if each.name == "clusters")
    assert found.status == "not measured"
    assert "fewer than 200 cells" in found.message
