"""The frozen result of one matrix, independent of figures, tables and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpss.stats.ranks import top
from dpss.summary.quantiles import without_noise

if TYPE_CHECKING:
    from dpss.model import Decision
    from dpss.stats.boxes import Box
    from dpss.stats.density import Density
    from dpss.stats.histogram import Distribution
    from dpss.stats.values.kinds import ValueKind
    from dpss.summary.annotation import Annotation
    from dpss.summary.cellxgene import SchemaReport
    from dpss.summary.droplets import Droplets
    from dpss.summary.embedding import Embedding
    from dpss.summary.pipeline import PipelineReport
    from dpss.summary.policy import Judgement
    from dpss.summary.strata import Strata

N_TOP = 20
"""Number of genes in each list of the best genes."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check."""

    name: str
    """Short name of the check in snake_case, which never changes."""
    status: str
    """``pass``, ``warn``, ``fail`` or ``not measured``."""
    message: str
    """The finding, one or several sentences."""


@dataclass(frozen=True)
class Threshold:
    """A suggested limit of a measure, with the number of cells that it would keep."""

    measure: str
    """Name of the measure of cells; ``all together`` for all limits at once."""
    limit: float | None
    """The limit, at which cells are kept; ``None`` for all together."""
    side: str | None
    """Side on which cells are kept: ``at least`` or ``at most``; ``None`` for all together."""
    source: str
    """Source of the limit."""
    n_cells_kept: int
    """Number of kept cells of the summary that lie within the limit."""


@dataclass(frozen=True)
class MatrixInfo:
    """The matrix that was summarised."""

    name: str
    """Name of the matrix within the project; empty where a project has one by definition."""
    url: str
    """Address that the matrix was read from; without secrets."""
    format: str
    """Name of the format, such as ``h5ad`` or ``mtx.zip``."""
    layer: str
    """The layer that was used: ``X``, ``raw.X`` or a layer's name."""
    fingerprint: str
    """Fingerprint of the bytes: ETag, checksum or version."""
    strata: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Annotation of the cells by the source."""
    peers: str = ""
    """Name of the group of matrices that its medians are compared with; empty for those of its
    project."""


@dataclass(frozen=True)
class GeneStatistics:
    """One entry per gene, in the matrix's order; all arrays of shape ``(n_genes,)``."""

    gene_id: NDArray[np.object_]
    gene_name: NDArray[np.object_]
    mitochondrial: NDArray[np.bool_]
    n_cells_by_counts: NDArray[np.int64]
    """Kept cells with a count above 0."""
    pct_dropout_by_counts: NDArray[np.float64]
    """Percentage of kept cells without a count."""
    total_counts: NDArray[np.int64] | NDArray[np.float64]
    """Sum of counts over kept cells; ``int64`` where the counts are whole numbers."""
    mean_counts: NDArray[np.float64]
    """Mean count over kept cells."""
    mean_pct_of_cell_counts: NDArray[np.float64]
    """Mean over kept cells of the gene's percentage of the cell's counts."""
    means: NDArray[np.float64]
    """log1p of the mean count per 10,000."""
    dispersions: NDArray[np.float64]
    """log(variance / mean) of the counts per 10,000; NaN where undefined."""
    dispersions_norm: NDArray[np.float64]
    """Dispersion standardised within bins of similar means; NaN where undefined."""
    highly_variable: NDArray[np.bool_]
    rank_highest_expr: NDArray[np.int64]
    """Rank by ``mean_pct_of_cell_counts``; 0 for none."""
    rank_cell_count: NDArray[np.int64]
    """Rank by ``n_cells_by_counts``; 0 for none."""
    rank_variability: NDArray[np.int64]
    """Rank by ``dispersions_norm``; 0 for none."""

    def __len__(self) -> int:
        """Return the number of genes."""
        return len(self.gene_id)


@dataclass(frozen=True)
class Provenance:
    """Version and settings on which the result depends besides the matrix."""

    version: str
    """Version of this program."""
    settings: Mapping[str, Any]
    """The settings that change results, by name."""


@dataclass(frozen=True)
class Summary:
    """The statistics of one matrix, over its kept cells, with provenance and checks."""

    project_id: str
    project_title: str
    matrix: MatrixInfo
    values: ValueKind
    """Kind of the values as stored."""
    n_cells: int
    """Number of cells of the matrix."""
    n_cells_kept: int
    """Number of kept cells: those with at least ``min_gene_count`` genes detected."""
    n_genes: int
    """Number of genes of the matrix, detected or not."""
    n_nonzero: int
    """Number of counts above 0 in kept cells."""
    total_counts: int | float
    """Sum of all counts in kept cells."""
    genes: GeneStatistics
    highest_expr_boxes: tuple[Box, ...]
    """Box plots of the genes ranked 1 to 20 by ``rank_highest_expr``, best first."""
    n_genes_by_counts: Distribution
    """Genes detected per kept cell."""
    counts_per_cell: Distribution
    """Total counts per kept cell."""
    pct_counts_mt: Distribution | None
    """Percentage of counts in mitochondrial genes per kept cell; ``None`` without such genes."""
    genes_vs_counts: Density
    """Kept cells by total counts (x) and genes detected (y)."""
    mt_vs_counts: Density | None
    """Kept cells by total counts (x) and mitochondrial percentage (y)."""
    checks: tuple[Check, ...]
    provenance: Provenance
    demo: bool = False
    """Whether the matrix is simulated; figures and pages then say so."""
    reading: tuple[Decision, ...] = ()
    """Decisions about the file before it was counted, each with its evidence."""
    embedding: Embedding | None = None
    """Components, clusters and markers of the cells; ``None`` where there are none."""
    no_embedding_reason: str = ""
    """Reason why there is no embedding; empty where there is, or where none was requested."""
    annotation: Annotation | None = None
    """Types and coordinates of the cells as the file has them; ``None`` without."""
    strata: Strata | None = None
    """Statistics of the strata of the cells; ``None`` where no strata were requested."""
    other_measures: Mapping[str, Distribution] = field(default_factory=dict[str, "Distribution"])
    """Distributions of further measures of the kept cells, by the names in ``limits.SAMPLED``;
    those of a sample beyond 65,536 cells. Measures that are not known are missing.
    """
    droplets: Droplets | None = None
    """Barcodes above and below the knee; ``None`` where cells were already called."""
    policy: tuple[Judgement, ...] = ()
    """Outcome of each rule of the policy; empty without a policy."""
    thresholds: tuple[Threshold, ...] = ()
    """Suggested limits with the number of cells that they would keep, all together last."""
    pipeline: PipelineReport | None = None
    """Facts that the pipeline wrote beside the matrix; ``None`` where none are known."""
    n_cells_expected: int | None = None
    """Number of cells that the experiment was planned to yield; ``None`` where none is stated."""
    cellxgene: SchemaReport | None = None
    """Facts that the file states by CELLxGENE's schema; ``None`` where it does not follow it."""

    @property
    def title(self) -> str:
        """Project title, with the matrix's name where it has one."""
        parts = dict.fromkeys((self.project_title, self.matrix.name))
        return " · ".join(part for part in parts if part)

    @property
    def median_genes_per_cell(self) -> float | None:
        """Median number of genes detected per kept cell; ``None`` without cells."""
        return without_noise(self.n_genes_by_counts.median) if self.n_cells_kept else None

    @property
    def median_counts_per_cell(self) -> float | None:
        """Median total counts per kept cell; ``None`` without cells."""
        return without_noise(self.counts_per_cell.median) if self.n_cells_kept else None

    @property
    def median_pct_counts_mt(self) -> float | None:
        """Median mitochondrial percentage; ``None`` without mitochondrial genes or cells."""
        if self.pct_counts_mt is None or not self.n_cells_kept:
            return None
        return self.pct_counts_mt.median

    def median_of(self, name: str) -> float | None:
        """Return the median of one of the other measures; ``None`` if it is not measured."""
        found = self.other_measures.get(name)
        return None if found is None or not found.n else found.median

    def top_highest_expr(self) -> NDArray[np.int64]:
        """Return the 20 genes with the highest mean share, best first, as gene indices."""
        return top(self.genes.rank_highest_expr, N_TOP)

    def top_cell_count(self) -> NDArray[np.int64]:
        """Return the 20 genes found in the most cells, best first, as gene indices."""
        return top(self.genes.rank_cell_count, N_TOP)

    def top_variable(self) -> NDArray[np.int64]:
        """Return the 20 genes of most variable expression, best first, as indices."""
        return top(self.genes.rank_variability, N_TOP)

    def gene_labels(self, indices: NDArray[np.int64]) -> list[str]:
        """Return labels of genes: the name, with the id where it is not unique."""
        known: list[str] = self.genes.gene_name.tolist()
        shown: set[str] = set(self.genes.gene_name[indices].tolist())
        names = Counter(name for name in known if name in shown)
        labels: list[str] = []
        for g in indices:
            name, gene_id = str(self.genes.gene_name[g]), str(self.genes.gene_id[g])
            labels.append(name if names[name] == 1 or name == gene_id else f"{name} ({gene_id})")
        return labels
