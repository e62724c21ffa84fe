"""Facts about a matrix after reading: the input of all checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpss.model import Decision, GeneTable
from dpss.stats.accumulator import Sums
from dpss.stats.values.kinds import Values
from dpss.summary.droplets import Droplets
from dpss.summary.embedding import Embedding
from dpss.summary.nomenclature import Nomenclature, describe_names


@dataclass(frozen=True)
class LayerFinding:
    """Facts about one layer."""

    name: str
    values: Values | None
    """Kind of its values; ``None`` if it could not be read."""
    n_genes: int
    """Features along its gene axis."""
    same_as: str | None = None
    """Another layer that looked the same in every place that was sampled."""


@dataclass(frozen=True)
class Evidence:
    """All that the checks look at."""

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
    """Layers in which counts were looked for, best first."""
    n_rounded: int = 0
    """Values known to have had rounding noise before they were made whole."""
    decisions: Sequence[Decision] = ()
    """Decisions about the matrix."""
    log_base: float | None = None
    """Base of the logarithms that were undone; ``None`` if there were none."""
    droplets: Droplets | None = None
    """Both groups of barcodes, before any was left out; ``None`` where cells were called."""
    above_knee: bool = False
    """Whether only the barcodes above the knee were asked for."""
    expected_cells: int | None = None
    """Number of cells that the catalog states."""
    embedding: Embedding | None = None
    """Clusters of the cells; ``None`` where there are none."""
    no_embedding_reason: str = ""
    """Why there are none; empty where there are, or where none were asked for."""

    @cached_property
    def nomenclature(self) -> Nomenclature:
        """How the genes are named."""
        return describe_names(self.features.select(self.features.is_gene))

    def with_embedding(self, embedding: Embedding | None, reason: str) -> Evidence:
        """Return the same with the clusters of the cells, or the reason why there are none."""
        found = replace(self, embedding=embedding, no_embedding_reason=reason)
        # The names take 0.07 s for 33,000 genes.
        found.__dict__["nomenclature"] = self.nomenclature
        return found
