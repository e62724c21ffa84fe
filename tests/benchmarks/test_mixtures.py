"""Simulated cells of known types: their shares, their markers, the same for a seed."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pytest

from benchmarks.mixtures import RARE, TYPES, alias_table, write_mixture
from benchmarks.pipelines import _recall, _shared


@pytest.mark.slow
def test_cells_are_drawn_from_their_types(tmp_path: Path) -> None:
    """AnnData reads them; cells of one type are more alike than those of two."""
    path = tmp_path / "m.h5ad"
    n_values = write_mixture(path, 3_000, n_genes=2_000)
    adata = anndata.read_h5ad(path)
    assert adata.X.nnz == n_values
    assert adata.X.has_sorted_indices
    assert (adata.X.data >= 1).all()
    assert set(adata.obs["truth"]) <= set(TYPES)
    assert list(adata.obs["batch"].cat.categories) == ["S0", "S1", "S2", "S3"]
    means = [
        np.log1p(np.asarray(adata.X[(adata.obs["truth"] == name).to_numpy()].mean(axis=0)).ravel())
        for name in ("type 0", "type 1")
    ]
    assert np.abs(means[0] - means[1]).max() > 0.5
    again = tmp_path / "again.h5ad"
    write_mixture(again, 3_000, n_genes=2_000)
    assert (anndata.read_h5ad(again).X != adata.X).nnz == 0
    assert len(RARE) == 5


@pytest.mark.parametrize("weights", [[1.0], [3.0, 1.0], [0.2, 0.0, 5.0, 0.8]])
def test_an_alias_table_has_the_weights(weights: list[float]) -> None:
    """Each gene has its own part and those that others leave it."""
    limits, others = alias_table(np.array(weights))
    found = limits.astype(np.float64)
    for gene, (limit, other) in enumerate(zip(limits, others, strict=True)):
        found[other] += 1 - limit if other != gene else 0
    np.testing.assert_allclose(
        np.minimum(found, len(weights)) / len(weights), np.array(weights) / sum(weights), atol=1e-6
    )


def test_recall_and_shares() -> None:
    """Of the best cluster; cells without a cluster are not found."""
    labels = np.array([0, 0, 1, 1, 1, -1])
    members = np.array([False, False, True, True, False, True])
    assert _recall(members, labels) == [2 / 3, 2 / 3]
    assert _shared([list("abcde")], [list("abcxy")]) == pytest.approx(0.6)
