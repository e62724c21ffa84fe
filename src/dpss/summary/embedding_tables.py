"""An embedding as ``clusters.csv``, ``markers.csv`` and part of ``summary.json``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dpss.compute.extras import require
from dpss.stats.embedding.markers import Marker, round_digits
from dpss.summary.annotation import AnnotatedType
from dpss.summary.embedding import Cluster, Embedding
from dpss.summary.frames import frame_of
from dpss.summary.quantiles import quantile_of
from dpss.summary.record import GeneStatistics

if TYPE_CHECKING:
    import pandas as pd

CLUSTER_COLUMNS = (
    "cluster",
    "n_cells",
    "pct_cells",
    "median_genes_per_cell",
    "median_counts_per_cell",
    "median_pct_counts_mt",
)
"""Columns of ``clusters.csv``, in order."""
MARKER_COLUMNS = (
    "cluster",
    "rank",
    "gene_id",
    "gene_name",
    "score",
    "t_score",
    "log2_fold_change",
    "pct_in",
    "pct_out",
)
"""Columns of ``markers.csv``, in order."""


def cluster_rows(embedding: Embedding) -> list[tuple[Any, ...]]:
    """Return one row per cluster, the largest first; ``None`` is undefined."""
    return rows_of_groups(enumerate(embedding.clusters), embedding.n_cells)


def rows_of_groups(
    groups: Iterable[tuple[Any, Cluster | AnnotatedType]], n_cells: int
) -> list[tuple[Any, ...]]:
    """Return one row per group of cells: name, size, percentage and medians.

    Args:
        groups: Name of each group, for the first column, and the group.
        n_cells: Number of cells of which the percentages are.
    """
    return [
        (
            name,
            group.n_cells,
            round_digits(100 * group.n_cells / n_cells),
            quantile_of(group.n_genes_by_counts, 50),
            quantile_of(group.total_counts, 50),
            quantile_of(group.pct_counts_mt, 50),
        )
        for name, group in groups
    ]


def marker_rows(embedding: Embedding, genes: GeneStatistics) -> list[tuple[Any, ...]]:
    """Return one row per marker, best first within a cluster."""
    return rows_of_markers(embedding.markers, genes, range(len(embedding.clusters)))


def rows_of_markers(
    markers: Sequence[Marker], genes: GeneStatistics, names: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Return one row per marker: name of its cluster, rank, gene and numbers.

    Args:
        markers: Markers of all clusters, cluster after cluster, best first within one.
        genes: The genes.
        names: Name of each cluster, for the first column.
    """
    rows: list[tuple[Any, ...]] = []
    rank, cluster = 0, -1
    for each in markers:
        rank = rank + 1 if each.cluster == cluster else 1
        cluster = each.cluster
        gene_id, name = str(genes.gene_id[each.gene]), str(genes.gene_name[each.gene])
        numbers = (each.score, each.t_score, each.log2_fold_change, each.pct_in, each.pct_out)
        rows.append((names[cluster], rank, gene_id, name, *numbers))
    return rows


def clusters_csv(embedding: Embedding) -> bytes:
    """Return the clusters as UTF-8 CSV; the undefined is empty."""
    return csv_bytes(CLUSTER_COLUMNS, cluster_rows(embedding))


def markers_csv(embedding: Embedding, genes: GeneStatistics) -> bytes:
    """Return the markers of all clusters as UTF-8 CSV."""
    return csv_bytes(MARKER_COLUMNS, marker_rows(embedding, genes))


def csv_bytes(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return a table as UTF-8 CSV; ``None`` is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()


def clusters_frame(embedding: Embedding) -> pd.DataFrame:
    """Return the clusters as a data frame."""
    return frame_of(cluster_rows(embedding), CLUSTER_COLUMNS)


def markers_frame(embedding: Embedding, genes: GeneStatistics) -> pd.DataFrame:
    """Return the markers as a data frame."""
    return frame_of(marker_rows(embedding, genes), MARKER_COLUMNS)


def cells_frame(embedding: Embedding) -> pd.DataFrame:
    """Return cluster and place of each cell in order; none of cells left out."""
    labels, places = embedding.cells.labels, embedding.cells.places
    frame = frame_of({"cluster": labels.astype(np.int64)})
    frame["cluster"] = frame["cluster"].astype("Int64").mask(labels < 0)
    frame["umap_1"], frame["umap_2"] = places[:, 0], places[:, 1]
    return frame


def annotate_cells(embedding: Embedding, adata: Any, key: str) -> None:
    """Write cluster and place of each cell into the obs and obsm of an AnnData object.

    Args:
        embedding: The embedding.
        adata: The object, with the cells of the matrix in its order.
        key: Prefix of the names ``<key>_cluster`` and ``X_<key>_umap``.
    """
    require("notebook", "an AnnData object's columns need pandas")
    import pandas as pd

    labels, places = embedding.cells.labels, embedding.cells.places
    names = [str(number) for number in range(len(embedding.clusters))]
    adata.obs[f"{key}_cluster"] = pd.Categorical.from_codes(labels, names)  # type: ignore[call-overload]
    adata.obsm[f"X_{key}_umap"] = places.copy()


def embedding_document(embedding: Embedding | None, reason: str) -> dict[str, Any]:
    """Return the object for an embedding in ``summary.json``.

    Args:
        embedding: The embedding, or ``None`` where it is left out.
        reason: Reason why the embedding is left out.
    """
    if embedding is None:
        return {"left_out": reason}
    return {
        "left_out": None,
        "n_variable_genes": embedding.n_variable_genes,
        "n_sketch": embedding.n_sketch,
        "n_components": len(embedding.variances),
        "pct_variance": [round_digits(float(each)) for each in embedding.explained],
        "resolution": embedding.resolution,
        "n_clusters": len(embedding.clusters),
        "n_clusters_max": embedding.n_clusters_max,
        "n_clusters_joined": embedding.n_joined,
        "clusters": [
            dict(zip(CLUSTER_COLUMNS, row, strict=True)) for row in cluster_rows(embedding)
        ],
    }
