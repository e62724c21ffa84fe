"""The record of the authors' annotation: types of cells, markers and map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dpss.stats.embedding.maps import CellMap
    from dpss.stats.embedding.markers import Marker
    from dpss.stats.histogram import Distribution
    from dpss.summary.embedding import Expression


@dataclass(frozen=True)
class AnnotatedType:
    """The cells with one value of the annotation."""

    name: str
    """The value, as in the file."""
    n_cells: int
    n_genes_by_counts: Distribution | None = None
    """Genes detected per cell; ``None`` where it is not counted."""
    total_counts: Distribution | None = None
    """Counts per cell; ``None`` where they are not counted."""
    pct_counts_mt: Distribution | None = None
    """Percentage of counts in mitochondrial genes; ``None`` without such genes."""


@dataclass(frozen=True)
class AnnotatedMap:
    """Coordinates of the cells that the file has."""

    name: str
    """Name of the coordinates in the file."""
    n_axes: int
    """Number of its axes, of which the first two are shown."""
    cells: CellMap
    """The kept cells by type; those without one are of the type after the last."""
    n_left_out: int
    """Kept cells whose coordinates are no finite numbers."""


@dataclass(frozen=True)
class Annotation:
    """Types and coordinates of the cells as the file has them."""

    column: str | None
    """Column of the cells that names their types; ``None`` without one."""
    other_columns: tuple[str, ...]
    """Other columns that could be one."""
    other_coordinates: tuple[str, ...]
    """Coordinates that are not shown."""
    types: tuple[AnnotatedType, ...] = ()
    """Types of the kept cells, the largest first."""
    n_missing: int = 0
    """Kept cells without a type."""
    markers: tuple[Marker, ...] = ()
    """Markers of the types; ``cluster`` is the index of the type."""
    expression: Expression | None = None
    """Expression of the first markers of each type in the types with sums."""
    no_markers_reason: str = ""
    """Reason why there are no markers and medians; empty where there are."""
    map: AnnotatedMap | None = None
    clusters: NDArray[np.int64] | None = None
    """Cells by type and cluster of the embedding, shape ``(n_types, n_clusters)``."""
    adjusted_rand_index: float | None = None
    """Agreement of types and clusters."""

    @property
    def n_cells(self) -> int:
        """Number of kept cells."""
        return sum(each.n_cells for each in self.types) + self.n_missing
