"""The comparison with scanpy: its numbers of matrices whose clusters are known."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import dpss
from tests.unit.engine.test_annotation import annotated_adata
from tools.beside_scanpy import FIGURES, compare, measured


@pytest.mark.slow
def test_the_same_clusters_are_told_so(tmp_path: Path) -> None:
    """Of this program's own clusters, map and markers, everything agrees."""
    adata = annotated_adata()
    own = dpss.summarize(adata, embedding=True)
    assert own.embedding is not None
    labels = own.embedding.cells.labels.astype(str)
    adata.obs["leiden_0"], adata.obs["leiden_1"] = labels, np.roll(labels, 1)
    adata.obsm["X_pca"] = np.random.default_rng(0).normal(size=(adata.n_obs, 5))
    path = tmp_path / "joint.h5ad"
    adata.write_h5ad(path)
    table = own.markers_table()
    best = {str(k): rows["gene_name"].head(5).tolist() for k, rows in table.groupby("cluster")}
    variable = np.flatnonzero(own.genes.rank_variability <= 100).tolist()
    theirs = {"markers": best, "variable": variable, "trustworthiness": 0.5}
    path.with_suffix(".json").write_text(json.dumps(theirs))
    found = compare(path, tmp_path)
    assert found["adjusted_rand_index"][0] == 1.0
    assert found["adjusted_rand_index"][1] == found["scanpy_with_itself"] < 0.2
    assert found["same_of_five_best_markers"] == 1.0
    assert found["same_variable_genes"] == found["variable_genes"]
    assert {f"{slug}.png" for slug in FIGURES} <= {path.name for path in tmp_path.iterdir()}


def test_a_command_that_fails_is_an_error() -> None:
    """One that ends well has its seconds and its memory."""
    assert measured(sys.executable, "-c", "pass")["peak_mib"] > 0
    with pytest.raises(SystemExit, match="ended with 3"):
        measured(sys.executable, "-c", "raise SystemExit(3)")
