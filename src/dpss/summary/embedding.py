"""The record of an embedding: components, clusters, markers and maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dpss.stats.embedding.cell_places import CellPlaces
    from dpss.stats.embedding.maps import CellMap
    from dpss.stats.embedding.markers import Marker
    from dpss.stats.histogram import Distribution

N_SHOWN_MARKERS = 5
"""Markers of each cluster whose expression is kept for all clusters."""


@dataclass(frozen=True)
class Cluster:
    """One cluster of cells."""

    n_cells: int
    n_genes_by_counts: Distribution
    """Genes detected per cell."""
    total_counts: Distribution
    """Counts per cell."""
    pct_counts_mt: Distribution | None
    """Percentage of counts in mitochondrial genes; ``None`` without such genes."""


@dataclass(frozen=True)
class Expression:
    """Expression of some genes in all clusters."""

    genes: NDArray[np.int64]
    """Indices in the gene table, shape ``(n_shown,)``."""
    clusters: NDArray[np.int64]
    """The cluster that each gene is a marker of, ascending, shape ``(n_shown,)``."""
    means: NDArray[np.float64]
    """Mean of log1p of the counts per 10,000, shape ``(n_clusters, n_shown)``."""
    percents: NDArray[np.float64]
    """Percentage of cells with the gene, shape ``(n_clusters, n_shown)``."""


@dataclass(frozen=True)
class Embedding:
    """Components, clusters, markers and maps of the cells of a matrix."""

    n_variable_genes: int
    """Number of genes by which cells were compared."""
    n_sketch: int
    """Number of cells of the sketch, among which neighbours are searched."""
    resolution: float
    """Resolution of the clusters."""
    n_clusters_max: int
    """Requested maximum number of clusters."""
    variances: NDArray[np.float64]
    """Variance along each principal component, largest first, shape ``(n_components,)``."""
    total_variance: float
    """Variance of all variable genes together."""
    clusters: tuple[Cluster, ...]
    """The clusters, the largest first."""
    markers: tuple[Marker, ...]
    """Markers of all clusters; their ``gene`` is an index in the gene table."""
    expression: Expression
    map: CellMap
    """The kept cells on the UMAP."""
    map_means: NDArray[np.float64]
    """Means of genes detected, counts and mitochondrial percentage in each bin of the map,
    shape ``(n_bins ** 2, 3)``; NaN without cells."""
    components: CellMap
    """The kept cells by their scores on the first two components."""
    cells: CellPlaces
    """Cluster and place of each cell."""
    n_joined: int = 0
    """Number of clusters that joined others because of this maximum."""

    @property
    def n_cells(self) -> int:
        """Number of cells in all clusters."""
        return sum(cluster.n_cells for cluster in self.clusters)

    @property
    def explained(self) -> NDArray[np.float64]:
        """Percentage of variance of each component, shape ``(n_components,)``."""
        return 100 * self.variances / self.total_variance
