"""Facts about a matrix after reading: the input of all checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.summary.limits import SCATER, Limit, suggest_limits
from dpss.summary.nomenclature import Nomenclature, describe_names

if TYPE_CHECKING:
    from dpss.model import Decision, GeneTable
    from dpss.stats.accumulator import Sums
    from dpss.stats.values.kinds import ValueKind
    from dpss.summary.droplets import Droplets
    from dpss.summary.embedding import Embedding


@dataclass(frozen=True)
class LayerFinding:
    """Facts about one layer."""

    name: str
    values: ValueKind | None
    """Kind of the layer's values; ``None`` if the layer could not be read."""
    same_as: str | None = None
    """Name of another layer with the same values in all samples; ``None`` if there is none."""


@dataclass(frozen=True)
class Findings:
    """Facts about a matrix after reading, which the checks judge."""

    sums: Sums
    """Sums of the pass over the used layer."""
    features: GeneTable
    """All features of the used layer."""
    mitochondrial: NDArray[np.bool_]
    """Whether each feature is a mitochondrial gene, shape ``(n_features,)``."""
    used: str
    """Name of the layer that was summarised."""
    layers: Sequence[LayerFinding]
    """Every layer of the matrix, in the file's order, the used one included."""
    looked_for: Sequence[str]
    """Names of the layers that could have been chosen, best first."""
    n_rounded: int = 0
    """Number of values with rounding noise that were rounded to whole numbers."""
    decisions: Sequence[Decision] = ()
    """Decisions about the matrix."""
    names: Nomenclature | None = None
    """Nomenclature of the genes; described at first use if not given."""
    log_base: float | None = None
    """Base of the logarithms that were undone; ``None`` if there were none."""
    droplets: Droplets | None = None
    """Both groups of barcodes, before any was left out; ``None`` where cells were called."""
    above_knee: bool = False
    """Whether only the barcodes above the knee were requested."""
    expected_cells: int | None = None
    """Number of cells that the catalog states."""
    embedding: Embedding | None = None
    """Clusters of the cells; ``None`` where there are none."""
    no_embedding_reason: str = ""
    """Reason why there are no clusters; empty where there are, or where none were requested."""

    @cached_property
    def genes(self) -> GeneTable:
        """The features that are genes."""
        return self.features.select(self.features.is_gene)

    @cached_property
    def nomenclature(self) -> Nomenclature:
        """Nomenclature of the genes."""
        return self.names or describe_names(self.genes)

    @cached_property
    def scater_limits(self) -> tuple[Limit, ...]:
        """Limits of the measures of cells at 3 MADs."""
        limits = suggest_limits(self.sums.cells, len(self.genes), self.nomenclature.species)
        return tuple(each for each in limits if each.source == SCATER)
