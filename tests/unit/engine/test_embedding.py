"""Embeddings of whole matrices: what is found, what is left out, and that it never fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import dpss
from dpss.engine.progress import NullProgress
from dpss.figures.registry import EMBEDDING_FIGURES
from dpss.figures.umap_clusters import UMAP_CLUSTERS
from dpss.job.renderer import render_files
from dpss.summary.embedding_tables import embedding_document
from tests.libraries import scanpy

N_CELLS, N_GENES = 900, 500


def counts_of(seed: int = 0, n_cells: int = N_CELLS) -> tuple[sp.csr_matrix, np.ndarray]:
    """Simulate five kinds of cells, one of them rare, and say which each cell is."""
    rng = np.random.default_rng(seed)
    base = rng.lognormal(0, 1.5, N_GENES)
    profiles = np.tile(base, (5, 1))
    for profile in profiles:
        profile[rng.choice(N_GENES, 40, replace=False)] *= rng.lognormal(2, 0.5, 40)
    kinds = rng.choice(5, n_cells, p=[0.4, 0.25, 0.2, 0.11, 0.04])
    rates = profiles[kinds] / profiles[kinds].sum(axis=1, keepdims=True)
    depths = rng.lognormal(7, 0.4, n_cells)
    return sp.csr_matrix(rng.poisson(rates * depths[:, None]).astype(np.float32)), kinds


def adata_of(matrix: Any) -> anndata.AnnData:
    """Wrap counts, the first six genes mitochondrial."""
    names = [f"MT-{i}" if i < 6 else f"GENE{i}" for i in range(matrix.shape[1])]
    obs = pd.DataFrame(index=[f"cell{i}" for i in range(matrix.shape[0])])
    return anndata.AnnData(sp.csr_matrix(matrix), obs=obs, var=pd.DataFrame(index=names))


def embed(matrix: Any, **settings: Any) -> dpss.Summary:
    """Summarise counts with an embedding."""
    return dpss.summarize(adata_of(matrix), **settings)


@pytest.fixture(scope="module")
def found() -> tuple[dpss.Summary, np.ndarray]:
    """The summary of a simulated matrix, and the kinds of its cells."""
    matrix, kinds = counts_of()
    return embed(matrix), kinds


@pytest.mark.slow
def test_kinds_of_cells_become_clusters(found: tuple[dpss.Summary, np.ndarray]) -> None:
    """Clusters are the simulated kinds, the rare one among them; markers tell them apart."""
    from sklearn.metrics import adjusted_rand_score

    summary, kinds = found
    assert summary.embedding is not None
    labels = summary.embedding.cells.labels
    assert adjusted_rand_score(kinds, labels) > 0.9
    rare = np.bincount(labels[kinds == 4]).argmax()
    assert np.mean(labels[kinds == 4] == rare) > 0.9
    assert np.mean(kinds[labels == rare] == 4) > 0.9
    assert {marker.cluster for marker in summary.embedding.markers} == set(labels.tolist())


@pytest.mark.slow
def test_variable_genes_and_components_are_those_of_scanpy() -> None:
    """The largest principal angle is below one degree; variances agree."""
    sc = scanpy()

    matrix, _ = counts_of(1)
    summary = embed(matrix)
    adata = anndata.AnnData(matrix.astype(np.float64))
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    values = adata.X.toarray()
    _, variances, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    assert summary.embedding is not None
    expected = variances[:50] ** 2 / (N_CELLS - 1)
    np.testing.assert_allclose(summary.embedding.variances, expected, rtol=1e-3)
    total = values.var(axis=0, ddof=1).sum()
    assert summary.embedding.total_variance == pytest.approx(total, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 3, 8])
def test_any_number_of_threads_gives_the_same(
    found: tuple[dpss.Summary, np.ndarray], threads: int
) -> None:
    """Labels, places, markers and maps are the same to the bit."""
    whole, again = found[0].embedding, embed(counts_of()[0], threads=threads).embedding
    assert whole is not None
    assert again is not None
    for a, b in (
        (whole.cells.labels, again.cells.labels),
        (whole.cells.places, again.cells.places),
        (whole.map.counts, again.map.counts),
        (whole.map_means, again.map_means),
        (whole.variances, again.variances),
        (whole.expression.means, again.expression.means),
    ):
        assert a.tobytes() == b.tobytes()
    assert whole.markers == again.markers


@pytest.mark.slow
def test_files_of_an_embedding(found: tuple[dpss.Summary, np.ndarray]) -> None:
    """The tables are those of the notebook; summary.json holds to its schema."""
    summary, _ = found
    files = render_files(summary, NullProgress())
    for figure in EMBEDDING_FIGURES:
        assert figure.needs(summary) is None
        assert files[f"{figure.slug}.png"][:4] == b"\x89PNG"
    table = pd.read_csv(__import__("io").BytesIO(files["clusters.csv"]))
    assert table["n_cells"].sum() == N_CELLS
    pd.testing.assert_frame_equal(table, summary.clusters_table())
    markers = pd.read_csv(__import__("io").BytesIO(files["markers.csv"]))
    pd.testing.assert_frame_equal(markers, summary.markers_table())
    assert (markers.groupby("cluster")["rank"].max() <= 50).all()


@pytest.mark.slow
def test_places_join_to_obs() -> None:
    """Cells that are not kept have no cluster; the others stand in the matrix's order."""
    matrix, _ = counts_of(2)
    dense = matrix.toarray()
    dense[5] = 0
    summary = embed(dense, min_gene_count=5)
    table = summary.cells_table()
    assert len(table) == N_CELLS
    assert table["cluster"].isna().tolist() == [i == 5 for i in range(N_CELLS)]
    assert table["umap_1"].isna().sum() == 1
    assert summary.embedding is not None
    assert summary.embedding.n_cells == N_CELLS - 1


@pytest.mark.slow
def test_labels_and_places_are_written_in_the_order_of_an_object() -> None:
    """A categorical column and an array; a cell that was left out has neither."""
    from sklearn.metrics import adjusted_rand_score

    matrix, kinds = counts_of(8, 400)
    dense = matrix.toarray()
    dense[9] = 0
    adata = adata_of(dense)
    summary = dpss.summarize(adata, min_gene_count=5)
    summary.annotate(adata)
    table = summary.cells_table()
    written = adata.obs["dpss_cluster"]
    assert written.isna().tolist() == [i == 9 for i in range(400)]
    assert written.dropna().astype(int).tolist() == table["cluster"].dropna().astype(int).tolist()
    np.testing.assert_array_equal(adata.obsm["X_dpss_umap"], table[["umap_1", "umap_2"]])
    assert adjusted_rand_score(kinds, written.cat.codes) > 0.8
    dpss.summarize(adata)  # Its own columns don't disturb the next summary.


@pytest.mark.slow
def test_another_object_is_not_annotated() -> None:
    """One with other cells is refused, and stays as it was."""
    matrix, _ = counts_of(8, 300)
    summary = embed(matrix)
    other = adata_of(matrix[:250])
    with pytest.raises(ValueError, match="250 cells, but 300"):
        summary.annotate(other)
    assert "dpss_cluster" not in other.obs


def test_switched_off_nothing_is_made() -> None:
    """No numbers, no figures, no reason; the table and the check say so."""
    summary = dpss.summarize(adata_of(counts_of(3, 250)[0]), embedding=False)
    assert summary.embedding is None
    assert summary.no_embedding_reason == ""
    with pytest.raises(ValueError, match="embedding=False"):
        summary.cells_table()
    (check,) = (each for each in summary.checks if each.name == "clusters")
    assert check.status == "not measured"
    assert "switched off" in check.message


def _few(rng: np.random.Generator) -> Any:
    return rng.poisson(1.0, (199, 60))


def _alike(rng: np.random.Generator) -> Any:
    return np.tile(rng.poisson(3.0, 60), (300, 1))


def _one_gene(rng: np.random.Generator) -> Any:
    return rng.poisson(3.0, (300, 1))


def _two_kinds_of_cells_without_noise(rng: np.random.Generator) -> Any:
    return rng.poisson(3.0, (2, 60))[rng.integers(0, 2, 300)]


def _zeros(rng: np.random.Generator) -> Any:
    return np.zeros((300, 60))


def _nine_genes(rng: np.random.Generator) -> Any:
    return rng.poisson(2.0, (300, 9))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [_few, _alike, _one_gene, _two_kinds_of_cells_without_noise, _zeros, _nine_genes]
)
def test_what_can_not_be_embedded_is_left_out_with_the_reason(
    make: Callable[[np.random.Generator], Any],
) -> None:
    """The summary is there, with one sentence on the embedding, in summary.json as well."""
    summary = embed(make(np.random.default_rng(0)).astype(np.float32))
    assert summary.embedding is None
    assert summary.no_embedding_reason
    files = render_files(summary, NullProgress())
    assert "clusters.csv" not in files
    assert summary.no_embedding_reason.encode() in files["summary.json"]


@pytest.mark.slow
@pytest.mark.parametrize("n_empty", [1, 150, 290])
def test_empty_cells_are_no_error(n_empty: int) -> None:
    """Cells without counts lie together, and have a cluster."""
    matrix = counts_of(4, 500)[0].toarray()
    matrix[:n_empty] = 0
    summary = embed(matrix)
    assert summary.embedding is not None
    assert (summary.embedding.cells.labels >= 0).all()
    assert np.isfinite(summary.embedding.cells.places).all()


@pytest.mark.slow
def test_200_cells_with_one_unlike_all_others() -> None:
    """A single odd cell does not hinder the others."""
    matrix = counts_of(5, 200)[0].toarray()
    matrix[7] = 0
    matrix[7, :30] = 1000
    summary = embed(matrix)
    assert summary.embedding is not None
    render_files(summary, NullProgress())


@pytest.mark.slow
def test_of_too_many_clusters_the_smallest_join_others() -> None:
    """At most as many as are wanted; the check, the figure and summary.json say so."""
    summary = embed(counts_of(6)[0], resolution=100.0, n_clusters_max=5)
    found = summary.embedding
    assert found is not None
    assert len(found.clusters) == 5
    assert found.n_joined > 5
    (check,) = (each for each in summary.checks if each.name == "clusters")
    assert f"{found.n_joined} small clusters joined larger ones: at most 5" in check.message
    document = embedding_document(found, "")
    assert (document["n_clusters_max"], document["n_clusters_joined"]) == (5, found.n_joined)
    assert "at most 5 wanted" in UMAP_CLUSTERS.reading(summary)
