"""scanpy's whole pipeline, and how well this program's embedding agrees with it and with the truth.

Contenders of the section ``embedding``. scanpy's Leiden needs igraph, which is under the GPL and so
in no requirements of this project but those of this comparison (``benchmarks/requirements.txt``).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_BEST = 5
N_RANKED = 20_000
"""Most cells of which scanpy's rank-sum test is run: for all it would take half an hour."""
N_TRUSTED = 5_000
"""Cells of which neighbours on the map are compared."""
_BLOCK_CELLS = 400
"""About as many cells as a block of 4 MiB has."""


def scanpy_pipeline(path: str, output: str) -> dict[str, Any]:
    """Read, quality control, variable genes, components, neighbours, Leiden, UMAP, t-test."""
    import scanpy as sc

    _restore_getnnz()
    clock = _Clock()
    adata = sc.read_h5ad(path)
    clock.lap("read")
    adata.var["mt"] = adata.var_names.str.startswith("MT-")
    sc.pp.calculate_qc_metrics(adata, qc_vars=["mt"], inplace=True, percent_top=None)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    sc.pp.highly_variable_genes(adata, n_top_genes=2_000)
    clock.lap("genes")
    sc.pp.pca(adata, n_comps=50, random_state=0)
    clock.lap("components")
    sc.pp.neighbors(adata, n_neighbors=15, random_state=0)
    clock.lap("neighbours")
    sc.tl.leiden(adata, flavor="igraph", n_iterations=2, directed=False, random_state=0)
    clock.lap("clusters")
    sc.tl.umap(adata, random_state=0)
    clock.lap("map")
    sc.tl.rank_genes_groups(adata, "leiden", method="t-test")
    clock.lap("markers")
    variable = np.flatnonzero(adata.var["highly_variable"])
    names = adata.uns["rank_genes_groups"]["names"]
    np.savez(
        f"{output}.npz",
        labels=adata.obs["leiden"].to_numpy().astype(np.int64),
        truth=adata.obs["truth"].to_numpy().astype("U") if "truth" in adata.obs else [],
        places=adata.obsm["X_umap"],
        scores=adata.obsm["X_pca"],
        loadings=adata.varm["PCs"][variable],
        variable=variable,
        best=np.array([names[k][:N_BEST] for k in names.dtype.names]).astype("U"),
    )
    return {"n_cells": adata.n_obs, "laps": clock.laps}


def embedding_quality(path: str, scanpy_output: str) -> dict[str, Any]:
    """Compare clusters, components, markers and map with those of `scanpy_pipeline`."""
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import adjusted_rand_score

    import dpss

    theirs = np.load(f"{scanpy_output}.npz")
    summary = dpss.summarize(path, annotation="none", authors_embedding="none")
    found = summary.embedding
    if found is None:
        raise SystemExit(summary.no_embedding_reason)
    truth, labels, others = theirs["truth"], found.cells.labels, theirs["labels"]
    ranks = np.asarray(summary.genes.rank_variability)
    ours = np.flatnonzero((ranks > 0) & (ranks <= len(theirs["variable"])))
    some = np.random.default_rng(0).permutation(len(labels))[:N_TRUSTED]
    trusted = [
        trustworthiness(theirs["scores"][some], places[some], n_neighbors=15)
        for places in (found.cells.places, theirs["places"])
    ]
    agreement = {
        "n_clusters": [len(found.clusters), len(set(others))],
        "same_variable_genes": len(set(ours) & set(theirs["variable"])),
        "rand_index": adjusted_rand_score(others, labels),
        "trustworthiness": trusted,
        "angle_degrees": _largest_angle(path, theirs["variable"], theirs["loadings"]),
    }
    if len(truth):
        agreement["rand_index_of_truth"] = [
            adjusted_rand_score(truth, each) for each in (labels, others)
        ]
        agreement["rare"] = {
            name: [_recall(truth == name, each) for each in (labels, others)]
            for name in sorted(set(truth))
            if name.startswith("rare") and (truth == name).sum() >= 20
        }
    groups, names = _sums_of_groups(path, others, None)[:2]
    best = [names[np.argsort(-scores.t, kind="stable")[:N_BEST]] for scores in _scores(groups)]
    agreement["same_of_t_test"] = _shared(best, theirs["best"])
    return {"n_cells": len(labels), "agreement": agreement}


def rank_sum(path: str, scanpy_output: str) -> dict[str, Any]:
    """Compare the rank-sum test of some cells with scanpy's exact one, and the time of both."""
    import scanpy as sc

    labels = np.load(f"{scanpy_output}.npz")["labels"].copy()
    some = np.random.default_rng(1).permutation(len(labels))[:N_RANKED]
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[some] = True
    # Of two cells or fewer nothing can be said.
    sizes = np.bincount(labels[chosen])
    chosen &= sizes[labels] > 2
    groups, names, seconds = _sums_of_groups(path, labels, chosen)
    clock = time.thread_time()
    scores = list(_scores(groups))
    seconds += time.thread_time() - clock
    best = [names[np.argsort(-np.nan_to_num(each.rank_sum))[:N_BEST]] for each in scores]
    adata = sc.read_h5ad(path)[chosen].copy()
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    adata.obs["group"] = labels[chosen].astype(str)
    adata.obs["group"] = adata.obs["group"].astype("category")
    start = time.process_time()
    sc.tl.rank_genes_groups(adata, "group", method="wilcoxon", tie_correct=True)
    theirs = time.process_time() - start
    found = adata.uns["rank_genes_groups"]["names"]
    exact = [[row[str(k)] for row in found[:N_BEST]] for k in np.unique(labels[chosen])]
    return {
        "n_cells": int(chosen.sum()),
        "same_of_rank_sum": _shared(best, exact),
        "rank_sum_cpu_seconds": [seconds, theirs],
    }


def _restore_getnnz() -> None:
    """Give scipy's sparse arrays a method that scanpy 1.11.5 still asks for."""
    from scipy.sparse import csr_array, csr_matrix

    if not hasattr(csr_array, "getnnz"):
        csr_array.getnnz = csr_matrix.getnnz


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = round(now - self._last, 2)
        self._last = now


def _recall(members: NDArray[np.bool_], labels: NDArray[Any]) -> list[float]:
    """Return recall and precision of the cluster with the most cells of a type."""
    best = np.bincount(labels[members & (labels >= 0)]).argmax()
    both = np.count_nonzero(members & (labels == best))
    return [both / np.count_nonzero(members), both / np.count_nonzero(labels == best)]


def _shared(ours: Any, theirs: Any) -> float:
    """Return the mean share of the best genes that both have."""
    return float(
        np.mean([len(set(a) & set(b)) / N_BEST for a, b in zip(ours, theirs, strict=True)])
    )


def _layer_of(path: str) -> Any:
    from dpss.formats.registry import open_matrices
    from dpss.storage.local import LocalFile

    return open_matrices(LocalFile(Path(path)))[0].layers[0]


def _largest_angle(path: str, variable: NDArray[Any], loadings: NDArray[Any]) -> float:
    """Return the largest angle between both programs' components of the same genes, degrees."""
    from dpss.stats.embedding.components import find_components
    from dpss.stats.embedding.covariance import CovarianceAccumulator, VariableGenes, hash_limit

    layer = _layer_of(path)
    slots = np.full(len(layer.genes), -1, dtype=np.int16)
    slots[variable] = np.arange(len(variable))
    genes = VariableGenes(layer.genes.is_gene.astype(np.uint8), slots, 0)
    sums = CovarianceAccumulator(genes, hash_limit(layer.n_cells))
    for partition in layer.partitions(32 << 20):
        for block in layer.cell_blocks(partition, 4 << 20):
            sums.add(block)
    ours, _ = np.linalg.qr(find_components(sums.result()).loadings)
    theirs, _ = np.linalg.qr(loadings)
    cosines = np.linalg.svd(ours.T @ theirs)[1]
    return float(np.degrees(np.arccos(np.clip(cosines.min(), 0, 1))))


def _sums_of_groups(
    path: str, labels: NDArray[Any], chosen: NDArray[np.bool_] | None
) -> tuple[Any, NDArray[Any], float]:
    """Return this program's sums of given groups, the names of its rows, and processor seconds."""
    import anndata

    from dpss.model import CellBlock
    from dpss.stats.embedding.annotated import AnnotatedAccumulator
    from dpss.stats.embedding.covariance import VariableGenes
    from dpss.stats.embedding.group_tables import HistogramGenes

    adata = anndata.read_h5ad(path)
    if chosen is not None:
        adata, labels = adata[chosen].copy(), labels[chosen]
    matrix = adata.X
    numbers = np.unique(labels, return_inverse=True)[1].astype(np.int16)
    n_groups = int(numbers.max()) + 1
    found_in = np.bincount(matrix.indices, minlength=adata.n_vars)
    genes = VariableGenes(np.ones(adata.n_vars, np.uint8), np.full(adata.n_vars, -1, np.int16), 0)
    seconds = time.thread_time()
    rows = HistogramGenes.choose(
        float(np.bincount(numbers).min()), n_groups, np.arange(adata.n_vars), found_in,
        adata.n_obs, adata.n_vars,
    )  # fmt: skip
    sums = AnnotatedAccumulator(genes, numbers, n_groups, rows)
    for start in range(0, adata.n_obs, _BLOCK_CELLS):
        stop = min(start + _BLOCK_CELLS, adata.n_obs)
        part = slice(matrix.indptr[start], matrix.indptr[stop])
        pointers = (matrix.indptr[start : stop + 1] - matrix.indptr[start]).astype(np.int64)
        sums.add(CellBlock(start, pointers, matrix.indices[part], matrix.data[part]))
    groups = sums.result().groups
    seconds = time.thread_time() - seconds
    return groups, adata.var_names.to_numpy()[rows.rows >= 0], seconds


def _scores(groups: Any) -> Any:
    from dpss.stats.embedding.markers import score_clusters

    return score_clusters(groups)
