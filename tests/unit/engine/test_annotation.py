"""The authors' annotation and map: against pandas and scanpy, and what is left out."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest

import dpss
from dpss.engine.progress import NullProgress
from dpss.figures.registry import ANNOTATION_FIGURES
from dpss.job.renderer import render_files
from tests.libraries import scanpy
from tests.unit.engine.test_embedding import adata_of, counts_of

NAMES = np.array(["T <b>cell</b>", "B $x_{1}$", "NK", "Mono", "rare"])


def annotated_adata() -> anndata.AnnData:
    """Simulated cells of five kinds with their names, a UMAP in three axes, and a t-SNE."""
    matrix, kinds = counts_of()
    adata = adata_of(matrix)
    names = pd.Categorical(NAMES[kinds], categories=[*NAMES, "unused"])
    adata.obs["cell_type"] = names
    adata.obs.loc[adata.obs_names[:7], "cell_type"] = np.nan
    adata.obs["leiden"] = kinds.astype(str)
    rng = np.random.default_rng(0)
    adata.obsm["X_umap"] = rng.normal(size=(adata.n_obs, 3)) + kinds[:, None] * 5
    adata.obsm["X_umap"][10] = np.nan
    adata.obsm["X_tsne"] = rng.normal(size=(adata.n_obs, 2))
    return adata


@cache
def annotated() -> dpss.Summary:
    """Return the summary of the annotated cells."""
    return dpss.summarize(annotated_adata(), embedding=True)


@pytest.mark.slow
def test_types_are_those_of_pandas() -> None:
    """Sizes and medians are pandas' own; a category without cells has no line."""
    summary, adata = annotated(), annotated_adata()
    found = summary.annotation
    assert found is not None
    assert (found.column, found.other_columns) == ("cell_type", ("leiden",))
    assert found.n_missing == 7
    sizes = adata.obs["cell_type"].value_counts()
    table = summary.annotations_table().set_index("annotation")
    assert table["n_cells"].to_dict() == sizes[sizes > 0].to_dict()
    totals = pd.Series(np.asarray(adata.X.sum(axis=1)).ravel(), index=adata.obs_names)
    medians = totals.groupby(adata.obs["cell_type"], observed=True).median()
    assert table["median_counts_per_cell"].to_dict() == pytest.approx(medians.to_dict())


@pytest.mark.slow
def test_markers_are_those_of_scanpy() -> None:
    """Each marker has scanpy's Welch's t and fold change, of the cells that have a type."""
    sc = scanpy()

    summary, adata = annotated(), annotated_adata()
    adata = adata[adata.obs["cell_type"].notna()].copy()
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    sc.tl.rank_genes_groups(adata, "cell_type", method="t-test")
    markers = summary.annotation_markers_table()
    for name in NAMES:
        ours = markers[markers["annotation"] == name].set_index("gene_name")
        theirs = sc.get.rank_genes_groups_df(adata, name).set_index("names").loc[ours.index]
        assert len(ours) >= 5
        np.testing.assert_allclose(ours["t_score"], theirs["scores"], rtol=2e-3)
        np.testing.assert_allclose(ours["log2_fold_change"], theirs["logfoldchanges"], rtol=2e-3)


@pytest.mark.slow
def test_the_map_has_every_cell_with_a_place() -> None:
    """One cell without numbers is left out and told; of three axes two are shown."""
    found = annotated().annotation
    assert found is not None
    assert found.map is not None
    assert (found.map.name, found.map.n_axes, found.map.n_left_out) == ("X_umap", 3, 1)
    assert found.map.cells.counts.sum() == annotated().n_cells - 1
    assert found.other_coordinates == ("X_tsne",)


@pytest.mark.slow
def test_the_agreement_with_clusters_is_that_of_scikit_learn() -> None:
    """The adjusted Rand index is over the cells that have a type."""
    from sklearn.metrics import adjusted_rand_score

    summary, adata = annotated(), annotated_adata()
    assert summary.annotation is not None
    assert summary.embedding is not None
    known = adata.obs["cell_type"].notna().to_numpy()
    expected = adjusted_rand_score(
        adata.obs["cell_type"].astype(str)[known], summary.embedding.cells.labels[known]
    )
    assert summary.annotation.adjusted_rand_index == pytest.approx(expected)
    assert summary.annotation.clusters is not None
    assert summary.annotation.clusters.sum() == known.sum()


@pytest.mark.slow
def test_files_and_figures() -> None:
    """Tables are the notebook's, summary.json holds to its schema, every figure is drawn."""
    summary = annotated()
    files = render_files(summary, NullProgress())
    for figure in ANNOTATION_FIGURES:
        assert files[f"{figure.slug}.png"][:4] == b"\x89PNG"
        assert b"<b>" not in files[f"{figure.slug}.svg"]
    table = pd.read_csv(io.BytesIO(files["annotations.csv"]))
    pd.testing.assert_frame_equal(table, summary.annotations_table())
    markers = pd.read_csv(io.BytesIO(files["annotation_markers.csv"]))
    pd.testing.assert_frame_equal(markers, summary.annotation_markers_table())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Writing zarr v2")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("form", ["h5ad", "zarr"])
def test_files_give_what_the_object_gives(tmp_path: Path, form: str, threads: int) -> None:
    """An h5ad and a zarr of the object have the same annotation, to the bit."""
    path = tmp_path / f"a.{form}"
    adata = annotated_adata()
    getattr(adata, f"write_{form}")(path)
    again = dpss.summarize(path, embedding=True, threads=threads).annotation
    whole = annotated().annotation
    assert again is not None
    assert whole is not None
    assert again.markers == whole.markers
    assert again.map is not None
    assert whole.map is not None
    np.testing.assert_array_equal(again.map.cells.counts, whole.map.cells.counts)
    assert [each.name for each in again.types] == [each.name for each in whole.types]


def _few(**obs: Any) -> anndata.AnnData:
    adata = adata_of(counts_of(3, 60)[0])
    for name, values in obs.items():
        adata.obs[name] = values
    return adata


def test_few_cells_have_their_annotation_without_an_embedding() -> None:
    """One type: a bar, no markers; the embedding is left out for its own reason."""
    summary = dpss.summarize(_few(cluster=["one"] * 60), embedding=True)
    assert summary.embedding is None
    assert summary.annotation is not None
    assert len(summary.annotation.types) == 1
    assert not summary.annotation.markers
    drawn = [figure.slug for figure in ANNOTATION_FIGURES if figure.needs(summary) is None]
    assert drawn == ["annotations"]


def test_what_is_not_there_is_silently_absent_and_wrong_names_are_told() -> None:
    """No columns: nothing. A column that is not there: a warning with those that are."""
    summary = dpss.summarize(_few(), embedding=True)
    assert summary.annotation is None
    assert not [check for check in summary.checks if check.name == "annotation"]
    summary = dpss.summarize(_few(batch=["a"] * 60), embedding=True, annotation="kind")
    (check,) = [check for check in summary.checks if check.name == "annotation"]
    assert check.status == "warn"
    assert "batch" in check.message


@pytest.mark.slow
def test_many_types_and_cells_that_are_left_out() -> None:
    """Sixty types of one cell each, and only the kept cells are counted."""
    names = [f"type {k}" for k in range(60)]
    summary = dpss.summarize(_few(cell_type=names), embedding=True, min_gene_count=120)
    assert summary.annotation is not None
    assert len(summary.annotation.types) == summary.n_cells_kept < 60
    for figure in ANNOTATION_FIGURES:
        if figure.needs(summary) is None:
            figure.draw(summary)
