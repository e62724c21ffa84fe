"""Samples in folders as pipelines leave them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.catalogs.pipelines.samples import FolderContents, find_samples, name_in

CELL_RANGER = (
    "_log",
    "SC_RNA_COUNTER_CS/fork0/files/raw_matrices_h5.h5",
    "outs/filtered_feature_bc_matrix",
    "outs/filtered_feature_bc_matrix.h5",
    "outs/raw_feature_bc_matrix",
    "outs/raw_feature_bc_matrix.h5",
    "outs/metrics_summary.csv",
    "outs/molecule_info.h5",
    "outs/possorted_genome_bam.bam",
    "outs/web_summary.html",
)
FOLDERS = {
    "Cell Ranger": ("{}/outs/filtered_feature_bc_matrix.h5", CELL_RANGER, "{}/"),
    "STARsolo": (
        "{}/{}.Solo.out/Gene/filtered",
        (
            "Log.final.out",
            "{}.Solo.out/Gene/filtered",
            "{}.Solo.out/Gene/raw",
            "{}.Solo.out/Gene/Summary.csv",
            "{}.Solo.out/Velocyto/raw",
        ),
        "{}/",
    ),
    "alevin-fry": (
        "{}/af_quant/alevin/quants_mat.mtx",
        (
            "af_quant/alevin/quants_mat.mtx",
            "af_quant/alevin/quants_mat_rows.txt",
            "af_quant/alevin/quants_mat_cols.txt",
            "af_quant/featureDump.txt",
            "af_quant/quant.json",
            "simpleaf_quant_log.json",
        ),
        "{}/",
    ),
    "kb": (
        "{}.count/counts_filtered/adata.h5ad",
        (
            "counts_filtered/adata.h5ad",
            "counts_filtered/cells_x_genes.mtx",
            "counts_filtered/cells_x_genes.genes.txt",
            "counts_unfiltered/adata.h5ad",
            "counts_unfiltered/cells_x_genes.mtx",
            "inspect.json",
            "run_info.json",
        ),
        "{}.count/",
    ),
    "Parse": (
        "{}/DGE_filtered",
        ("DGE_filtered", "DGE_unfiltered", "report/analysis_summary.csv"),
        "{}/",
    ),
}
"""Of each pipeline the matrix that is read, the files of a sample, and its folder."""


def contents(paths: list[str]) -> FolderContents:
    """Return what a folder holds; files and folders that look like matrices are certainly such."""
    endings = (".h5", ".h5ad", ".mtx", "filtered", "raw", "matrix")
    return find_samples(paths, {path for path in paths if path.endswith(endings)})


@pytest.mark.parametrize("pipeline", FOLDERS)
@given(
    names=st.lists(
        st.from_regex(r"[A-Z][A-Z0-9]{0,4}[0-9]", fullmatch=True),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    above=st.sampled_from(["", "batch/", "results/run_1/"]),
    seed=st.integers(0, 9),
)
def test_every_sample_is_found_once_by_its_name(pipeline, names, above, seed):
    """Whatever the order of the files: one sample per folder, and no other file is left."""
    read, files, folder = FOLDERS[pipeline]
    paths = [above + folder.format(name) + path.format(name) for name in names for path in files]
    random.Random(seed).shuffle(paths)
    found = contents(paths)
    assert {sample.name: sample.path for sample in found.samples} == {
        name: above + read.format(name, name) for name in names
    }
    assert {sample.parent for sample in found.samples} == {above.rstrip("/")}
    assert found.others == ()
    for sample in found.samples:
        assert sample.pipeline == pipeline
        assert sample.metrics
        assert bool(sample.unfiltered) == (pipeline != "alevin-fry")


def test_the_same_matrix_in_two_formats_is_one() -> None:
    """The cheaper one is read, the other is named; the unfiltered one is its own twin."""
    (sample,) = contents([f"S01/{path}" for path in CELL_RANGER]).samples
    assert sample.path == "S01/outs/filtered_feature_bc_matrix.h5"
    assert sample.same == ("S01/outs/filtered_feature_bc_matrix",)
    assert sample.unfiltered == "S01/outs/raw_feature_bc_matrix.h5"
    (sample,) = contents(["S01/outs/raw_feature_bc_matrix.h5"]).samples
    assert (sample.path, sample.unfiltered) == ("S01/outs/raw_feature_bc_matrix.h5", "")


def test_samples_of_one_run_and_of_one_batch_of_wells() -> None:
    """Cell Ranger multi names its samples; Parse's sum of all samples is no sample."""
    found = contents(
        [
            "M/outs/config.csv",
            "M/outs/multi/count/raw_feature_bc_matrix.h5",
            *(f"M/outs/per_sample_outs/{name}/metrics_summary.csv" for name in ("P1", "P2")),
            "M/outs/per_sample_outs/P1/count/sample_filtered_feature_bc_matrix.h5",
            "M/outs/per_sample_outs/P2/count/sample_filtered_feature_bc_matrix.h5",
        ]
    )
    assert [sample.name for sample in found.samples] == ["P1", "P2"]
    assert all(sample.metrics for sample in found.samples)
    assert found.others == ()
    found = contents(["all-sample/DGE_filtered", "x1/DGE_filtered", "x2/DGE_filtered"])
    assert [sample.name for sample in found.samples] == ["x1", "x2"]
    assert found.combined == ("all-sample/DGE_filtered",)


def test_names_are_longer_where_folders_have_the_same_name() -> None:
    """A replicate of each group; the features of one sample, counted twice."""
    found = contents([f"{group}/rep1/outs/filtered_feature_bc_matrix.h5" for group in "AB"])
    assert [sample.name for sample in found.samples] == ["A_rep1", "B_rep1"]
    found = contents([f"A/A.Solo.out/{each}/filtered" for each in ("Gene", "GeneFull")])
    assert [sample.name for sample in found.samples] == ["A", "A_GeneFull"]
    found = contents([f"X_RSEC_MolsPerCell{each}_MEX.zip" for each in ("", "_Unfiltered")])
    assert [(sample.name, sample.unfiltered) for sample in found.samples] == [
        ("X", "X_RSEC_MolsPerCell_Unfiltered_MEX.zip")
    ]


def test_other_matrices_beside_a_sample_are_left() -> None:
    """What an analyst put there, and folders without a pipeline's names."""
    found = contents(["S1/outs/filtered_feature_bc_matrix.h5", "S1/mine.h5ad", "S2/matrix"])
    assert found.others == ("S1/mine.h5ad", "S2/matrix")
    assert contents(["a.h5ad", "b/c.h5"]) == FolderContents((), ("a.h5ad", "b/c.h5"))


def test_two_genomes_are_not_two_formats() -> None:
    """Cell Ranger 2 wrote a folder for each: both stay, with no name of a sample."""
    paths = [f"S1/outs/filtered_gene_bc_matrices/{genome}" for genome in ("hg19", "mm10")]
    assert contents(paths).samples == ()
    assert contents(paths).others == tuple(paths)


def test_generic_folders_name_no_sample() -> None:
    """The nearest folder that is not the pipeline's."""
    assert name_in(["data", "S7", "outs"]) == "S7"
    assert name_in(["S7_alevin_results"]) == "S7"
    assert name_in(["outs", "count"]) == ""
