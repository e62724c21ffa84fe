"""Compare this program's embedding of a matrix with scanpy's pipeline, side by side.

    python -m pip install igraph    # for scanpy's Leiden; under the GPL, so in no requirements here
    python tools/beside_scanpy.py pbmc4k.h5ad --output build/beside-scanpy

Without a matrix, the demo's heart is taken, which is simulated. scanpy's map and clusters go into a
copy of the matrix as if its authors had made them, and this program summarises the copy: so its
figures ``authors_embedding`` and ``annotation_markers`` are of scanpy's map and clusters,
``umap_clusters`` and ``marker_genes`` of its own, and ``annotation_clusters`` shows how both agree.
``comparison.json`` has the numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

SEEDS = (0, 1)
"""Seeds of scanpy's clusters: the difference between both is its own."""
N_TRUSTED = 5_000
"""Most cells of which neighbours on the map are compared."""
FIGURES = (
    "umap_clusters",
    "authors_embedding",
    "annotation_clusters",
    "marker_genes",
    "annotation_markers",
)
LEAST_DIFFERENCE = 0.1
"""How many more cells inside than outside this program wants of a marker, as a part."""


def run_scanpy(source: Path, target: Path) -> None:
    """Run scanpy's pipeline; write the counts with its clusters and map, and its markers."""
    import numpy as np
    import scanpy as sc
    from scipy import sparse
    from sklearn.manifold import trustworthiness

    warnings.filterwarnings("ignore")
    started, spent = time.perf_counter(), time.process_time()
    counts = sc.read_h5ad(source)
    counts.var_names_make_unique()
    counts.X = sparse.csr_matrix(counts.X, dtype=np.float32)
    cells = counts.copy()
    sc.pp.normalize_total(cells, target_sum=1e4)
    sc.pp.log1p(cells)
    sc.pp.highly_variable_genes(cells, n_top_genes=min(2_000, cells.n_vars))
    sc.pp.pca(cells, n_comps=50, random_state=0)
    sc.pp.neighbors(cells, n_neighbors=15, random_state=0)
    for seed in SEEDS:
        options = {"flavor": "igraph", "n_iterations": 2, "directed": False}
        sc.tl.leiden(cells, key_added=f"leiden_{seed}", random_state=seed, **options)
    sc.tl.umap(cells, random_state=0)
    sc.tl.rank_genes_groups(
        cells, f"leiden_{SEEDS[0]}", method="wilcoxon", tie_correct=True, pts=True, key_added="w"
    )
    numbers = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - spent,
        "markers": markers_of(cells),
        "variable": np.flatnonzero(cells.var["highly_variable"]).tolist(),
        "trustworthiness": trustworthiness(
            cells.obsm["X_pca"][:N_TRUSTED], cells.obsm["X_umap"][:N_TRUSTED], n_neighbors=15
        ),
    }
    for seed in SEEDS:
        counts.obs[f"leiden_{seed}"] = cells.obs[f"leiden_{seed}"]
    counts.obsm["X_umap"], counts.obsm["X_pca"] = cells.obsm["X_umap"], cells.obsm["X_pca"]
    counts.write_h5ad(target)
    target.with_suffix(".json").write_text(json.dumps(numbers))


def markers_of(cells: Any) -> dict[str, list[str]]:
    """Return the names of scanpy's best five genes of each cluster by the rank-sum test.

    Both programs are held to the same rule: a marker is found in more cells inside than outside.
    """
    import scanpy as sc

    found = {}
    for name in cells.obs[f"leiden_{SEEDS[0]}"].cat.categories:
        table = sc.get.rank_genes_groups_df(cells, name, key="w")
        more = table["pct_nz_group"] - table["pct_nz_reference"] >= LEAST_DIFFERENCE
        found[str(name)] = table[more & (table["scores"] > 0)]["names"].head(5).tolist()
    return found


def measured(*command: str) -> dict[str, float]:
    """Run a command; return its seconds, processor seconds and largest process in MiB."""
    started = time.perf_counter()
    with subprocess.Popen(command) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }


def compare(joint: Path, output: Path) -> dict[str, Any]:
    """Summarise the matrix with scanpy's work in it; draw figures, and return numbers."""
    import anndata
    import numpy as np
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import adjusted_rand_score

    import dpss
    from dpss.figures.export import figure_files
    from dpss.figures.registry import figures_of

    summary = dpss.summarize(joint, embedding=True, annotation=f"leiden_{SEEDS[0]}")
    if summary.embedding is None or summary.annotation is None:
        raise SystemExit(f"there is nothing to compare: {summary.no_embedding_reason}")
    for figure in figures_of(summary):
        if figure.slug in FIGURES and figure.needs(summary) is None:
            for name, data in figure_files(figure, summary).items():
                (output / name).write_bytes(data)
    theirs = json.loads(joint.with_suffix(".json").read_text())
    cells = anndata.read_h5ad(joint)
    labels, places = summary.embedding.cells.labels, summary.embedding.cells.places
    seeds = [cells.obs[f"leiden_{seed}"].astype(str).to_numpy() for seed in SEEDS]
    table = summary.annotation_markers_table()
    same = [
        len(set(best) & set(table[table["annotation"] == name]["gene_name"].head(5))) / len(best)
        for name, best in theirs["markers"].items()
        if best
    ]
    ranks = np.asarray(summary.genes.rank_variability)
    ours = set(np.flatnonzero((ranks > 0) & (ranks <= len(theirs["variable"]))).tolist())
    return {
        "cells": summary.n_cells,
        "genes": summary.n_genes,
        "variable_genes": len(theirs["variable"]),
        "same_variable_genes": len(ours & set(theirs["variable"])),
        "clusters": len(summary.embedding.clusters),
        "scanpy_clusters": len(set(seeds[0])),
        "adjusted_rand_index": [round(adjusted_rand_score(each, labels), 3) for each in seeds],
        "scanpy_with_itself": round(adjusted_rand_score(*seeds), 3),
        "same_of_five_best_markers": round(float(np.mean(same)), 3),
        "trustworthiness": round(
            trustworthiness(cells.obsm["X_pca"][:N_TRUSTED], places[:N_TRUSTED], n_neighbors=15), 3
        ),
        "scanpy_trustworthiness": round(theirs["trustworthiness"], 3),
    }


def demo_heart(output: Path) -> Path:
    """Write the demo's matrices, and return the path of the simulated heart."""
    subprocess.run([sys.executable, "-m", "dpss", "demo", "--output", str(output)], check=True)
    return next(output.rglob("heart.h5ad"))


def main() -> None:
    """Run both programs one after the other, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("matrix", nargs="?", type=Path, help="an h5ad with counts in X")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--scanpy", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.scanpy:
        run_scanpy(given.matrix, given.scanpy)
        return
    output = given.output
    output.mkdir(parents=True, exist_ok=True)
    matrix = given.matrix or demo_heart(output / "demo")
    joint = output / "joint" / f"{matrix.stem}.h5ad"
    joint.parent.mkdir(exist_ok=True)
    this = (sys.executable, __file__, str(matrix), "--output", str(output))
    numbers = {
        "scanpy": measured(*this, "--scanpy", str(joint)),
        "dpss": measured(
            sys.executable, "-m", "dpss", "summarize", str(matrix), "--embedding",
            "--annotation", "none", "--authors-embedding", "none", "--output", str(output / "dpss"),
        ),
    }  # fmt: skip
    numbers |= compare(joint, output)
    text = json.dumps(numbers, indent=2)
    (output / "comparison.json").write_text(f"{text}\n")
    print(text)


if __name__ == "__main__":
    main()
