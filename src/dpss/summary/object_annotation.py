"""Columns of an AnnData object from a summary, under scanpy's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import plural
from dpss.stats.cell_tallies import percentages
from dpss.summary.record import GeneStatistics, Summary

if TYPE_CHECKING:
    from dpss.stats.cell_records import Records

GENE_COLUMNS = {
    "n_cells_by_counts": "n_cells_by_counts",
    "mean_counts": "mean_counts",
    "pct_dropout_by_counts": "pct_dropout_by_counts",
    "total_counts": "total_counts",
    "mt": "mitochondrial",
    "means": "means",
    "dispersions": "dispersions",
    "dispersions_norm": "dispersions_norm",
    "highly_variable": "highly_variable",
}
"""Columns of ``var``, each with its field of the gene table."""


@dataclass(frozen=True)
class AnnotatingSummary(Summary):
    """A summary that can be written into the object that was summarised."""

    cell_records: Records | None = None
    """Measures of each cell in the matrix's order; ``None`` where they were not kept."""

    def annotate(self, adata: Any, key: str = "dpss") -> None:
        """Write the numbers of cells and genes into an AnnData object.

        ``obs`` gets ``n_genes_by_counts``, ``total_counts`` and, where there are mitochondrial
        genes, ``pct_counts_mt``; ``var`` gets the columns of `GENE_COLUMNS`: the names of
        scanpy's ``calculate_qc_metrics`` and ``highly_variable_genes``. Columns of these names
        are replaced. Where there are clusters, ``obs["<key>_cluster"]`` becomes a categorical
        column and ``obsm["X_<key>_umap"]`` an array of shape ``(n_obs, 2)``. Cells that were
        left out, and features that are no genes, have no value.

        Args:
            adata: The object with all cells of the summarised matrix, in the same order.
            key: Prefix of the names of clusters and map.

        Raises:
            ValueError: The object has another number of cells, or other genes; it stays as it was.
        """
        records = self.cell_records
        if adata.n_obs != self.n_cells:
            raise ValueError(
                f"the object has {plural(adata.n_obs, 'cell')}, but {self.n_cells:,} were "
                "summarised; give the one that was, in its order"
            )
        indices = gene_indices(self.genes, np.asarray(adata.var_names).astype(str))
        if records is not None:
            for name, values in cell_columns(records, mt=self.pct_counts_mt is not None).items():
                adata.obs[name] = values
        for name, field in GENE_COLUMNS.items():
            adata.var[name] = values_of_features(getattr(self.genes, field), indices)
        if self.embedding is not None:
            from dpss.summary.embedding_tables import annotate_cells

            annotate_cells(self.embedding, adata, key)


def cell_columns(records: Records, *, mt: bool) -> dict[str, NDArray[Any]]:
    """Return columns of ``obs`` by name; NaN for cells that were left out.

    Args:
        records: Measures of each cell.
        mt: Whether there are mitochondrial genes.
    """
    kept = records["n_genes"] >= 0
    genes = records["n_genes"].astype(np.int64 if kept.all() else np.float64)
    columns = {"n_genes_by_counts": genes, "total_counts": records["total"].copy()}
    if mt:
        columns["pct_counts_mt"] = percentages(records["total_mt"], records["total"])
    if not kept.all():
        for values in columns.values():
            values[~kept] = np.nan
    return columns


def gene_indices(genes: GeneStatistics, names: NDArray[Any]) -> NDArray[np.int64]:
    """Return each feature's index in the gene table; -1 for one that is no gene.

    Args:
        genes: The gene table.
        names: Names of the object's features, ids or symbols.

    Raises:
        ValueError: The features are not those of the table, or can't be identified by their names.
    """
    for known in (genes.gene_id, genes.gene_name):
        if len(known) == len(names) and bool(np.all(known == names)):
            return np.arange(len(names))
    for known in (genes.gene_id, genes.gene_name):
        index_of = {str(name): index for index, name in enumerate(known.tolist())}
        found = np.array([index_of.get(name, -1) for name in names.tolist()], dtype=np.int64)
        named = found[found >= 0]
        if len(index_of) == len(known) == len(named) == len(set(named)):
            return found
    raise ValueError(
        f"the object has {plural(len(names), 'feature')} that are not the "
        f"{plural(len(genes), 'summarised gene')}, or whose names occur twice; "
        "give the object that was summarised"
    )


def values_of_features(values: NDArray[Any], indices: NDArray[np.int64]) -> NDArray[Any]:
    """Return a column for the object's features; undefined where a feature is no gene.

    Args:
        values: One value per gene of the table.
        indices: Result of `gene_indices`.
    """
    missing = indices < 0
    if not missing.any():
        return values[indices]
    if values.dtype.kind == "b":
        return np.where(missing, False, values[indices])
    return np.where(missing, np.nan, values[indices].astype(np.float64))
