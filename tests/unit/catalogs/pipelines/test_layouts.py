"""Patterns of the files of pipelines."""

from __future__ import annotations

import pytest

from dpss.catalogs.pipelines.layouts import FILTERED, LAYOUTS, METRICS, UNFILTERED

PATHS = {
    "S1/outs/filtered_feature_bc_matrix": ("Cell Ranger", FILTERED, "S1/outs/"),
    "S1/outs/filtered_gene_bc_matrices/hg19": ("Cell Ranger", FILTERED, "S1/outs/"),
    "S1/outs/raw_gene_bc_matrices_h5.h5": ("Cell Ranger", UNFILTERED, "S1/outs/"),
    "filtered_feature_bc_matrix.h5": ("Cell Ranger", FILTERED, ""),
    "S1/S1_Solo.out/Gene/filtered": ("STARsolo", FILTERED, "S1/S1_"),
    "S1/Solo.out/GeneFull_Ex50pAS/raw": ("STARsolo", UNFILTERED, "S1/"),
    "S1/Solo.out/Gene/Summary.csv": ("STARsolo", METRICS, "S1/"),
    "S1/alevin/quants_mat.mtx": ("alevin-fry", FILTERED, "S1/"),
    "S1/quant.json": ("alevin-fry", METRICS, "S1/"),
    "S1/counts_unfiltered/cells_x_genes.mtx": ("kb", UNFILTERED, "S1/"),
    "S1/counts_unfiltered/adata.h5ad": ("kb", UNFILTERED, "S1/"),
    "S1/run_info.json": ("kb", METRICS, "S1/"),
    "S1/DGE_unfiltered": ("Parse", UNFILTERED, "S1/"),
    "S1_RSEC_MolsPerCell_MEX.zip": ("BD", FILTERED, "S1"),
    "S1_Metrics_Summary.csv": ("BD", METRICS, "S1"),
    "S1/outs/molecule_info.h5": None,
    "S1/filtered.h5ad": None,
    "S1_filtered_feature_bc_matrix.h5": None,
    "S1/Solo.out/Velocyto/raw": None,
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_has_one_role(path: str) -> None:
    """The pipeline, the role of the file, and what it shares with the sample's other files."""
    found = (
        (layout.pipeline, role, match["at"])
        for layout in LAYOUTS
        for role, pattern in layout.patterns
        if (match := pattern.fullmatch(path))
    )
    assert next(found, None) == PATHS[path]
