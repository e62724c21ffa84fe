"""Embedding of one matrix: two more passes, and the steps between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from operator import attrgetter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dpss.compute.executor import Advance, Mergeable
from dpss.engine.folds import CellBlockFold
from dpss.engine.layer_passes import LayerPasses
from dpss.engine.settings import StatSettings
from dpss.errors import NoEmbeddingError, NotCellMajorError
from dpss.model import GeneTable
from dpss.stats.embedding.assignment import CellSketch
from dpss.stats.embedding.cell_places import PlaceStore
from dpss.stats.embedding.cluster_limit import limit_clusters
from dpss.stats.embedding.components import find_components
from dpss.stats.embedding.covariance import (
    CovarianceAccumulator,
    Covariances,
    VariableGenes,
    hash_limit,
)
from dpss.stats.embedding.graph import graph_of
from dpss.stats.embedding.group_tables import GroupSums, HistogramGenes
from dpss.stats.embedding.groups import GroupAccumulator, Groups
from dpss.stats.embedding.layout import place_nodes
from dpss.stats.embedding.leiden import find_clusters
from dpss.stats.embedding.markers import Marker, expression_of, find_markers
from dpss.stats.embedding.neighbours import (
    N_NEIGHBOURS,
    ScoreScale,
    SearchLists,
    search_all,
    squared_norms,
)
from dpss.stats.ranks import top
from dpss.summary.embedding import N_SHOWN_MARKERS, Cluster, Embedding, Expression
from dpss.summary.record import GeneStatistics

A = TypeVar("A", bound=Mergeable)

MIN_CELLS = 200
"""Fewest kept cells of an embedding."""
MIN_GENES = 10
"""Fewest variable genes."""
N_VARIABLE = 2000
"""Most variable genes by which cells are compared."""
BY_GENE = "the matrix is stored gene by gene, not cell by cell; a copy by cells (CSR) would have it"
"""Reason why a matrix has no embedding, and its types no markers."""
_SEARCH_CELLS = 500


@dataclass(frozen=True)
class BlockFold(CellBlockFold):
    """Base of folds over the variable genes of whole cells."""

    genes: VariableGenes


@dataclass(frozen=True)
class _CovarianceFold(BlockFold):
    limit: np.uint64

    def start(self) -> CovarianceAccumulator:
        return CovarianceAccumulator(self.genes, self.limit)


@dataclass(frozen=True)
class _GroupFold(BlockFold):
    sketch: CellSketch
    histograms: HistogramGenes
    cells: PlaceStore

    def start(self) -> GroupAccumulator:
        return GroupAccumulator(self.genes, self.sketch, self.histograms, self.cells.begin())


@dataclass
class _NeighbourParts:
    """Neighbours of parts of the sketch, by the first cell of each part."""

    parts: dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]] = field(default_factory=dict)

    def merge(self, other: _NeighbourParts) -> None:
        self.parts |= other.parts


@dataclass(frozen=True)
class _NeighbourFold:
    points: NDArray[np.int16]
    norms: NDArray[np.int32]

    def start(self) -> _NeighbourParts:
        return _NeighbourParts()

    def add(self, accumulator: _NeighbourParts, partition: range, advance: Advance) -> None:
        neighbours = np.empty((len(partition), N_NEIGHBOURS), dtype=np.int32)
        distances = np.empty_like(neighbours)
        queries = self.points[partition.start : partition.stop]
        search_all(queries, self.points, self.norms, partition.start, neighbours, distances)
        accumulator.parts[partition.start] = (neighbours, distances)


def embed_cells(
    passes: LayerPasses,
    features: GeneTable,
    mitochondrial: NDArray[np.bool_],
    genes: GeneStatistics,
    n_cells: int,
    stats: StatSettings,
    cells: PlaceStore,
) -> Embedding:
    """Embed the kept cells of a matrix, find their clusters and the markers of these.

    Args:
        passes: How the matrix is read.
        features: All features.
        mitochondrial: Which features are mitochondrial genes, shape ``(n_features,)``.
        genes: The statistics of the genes, from the first pass.
        n_cells: Number of kept cells.
        stats: Which cells are kept, and the resolution and number of the clusters.
        cells: Receives cluster and place of each cell, kept or not.

    Raises:
        NoEmbeddingError: The matrix can't be embedded; the message gives the reason.
    """
    is_gene = np.flatnonzero(features.is_gene)
    variable = is_gene[np.sort(top(genes.rank_variability, N_VARIABLE))]
    _check_size(n_cells, len(variable))
    chosen = VariableGenes.of(features, mitochondrial, variable, stats.min_gene_count)
    try:
        covariances = passes.run(
            "comparing genes", _CovarianceFold(passes.reading, chosen, hash_limit(n_cells))
        ).result()
    except NotCellMajorError:
        raise NoEmbeddingError(BY_GENE) from None
    sketch, n_joined = _sketch_of(passes, covariances, stats)
    smallest = np.bincount(sketch.labels).min() * n_cells / len(sketch.labels)
    histograms = HistogramGenes.choose(
        smallest, sketch.n_clusters, is_gene, genes.n_cells_by_counts, n_cells, len(features)
    )
    del covariances
    assigned = passes.run(
        "assigning cells", _GroupFold(passes.reading, chosen, sketch, histograms, cells)
    )
    assigned.move_cells(cells)
    groups = assigned.result()
    with_mt = bool((mitochondrial & features.is_gene).any())
    recorded = _record(sketch, groups, is_gene, len(variable), stats, with_mt=with_mt)
    return replace(recorded, n_joined=n_joined)


def _check_size(n_cells: int, n_variable: int) -> None:
    if n_cells < MIN_CELLS:
        raise NoEmbeddingError(f"fewer than {MIN_CELLS} cells were kept")
    if n_variable < MIN_GENES:
        raise NoEmbeddingError(f"fewer than {MIN_GENES} genes vary between cells")


def _sketch_of(
    passes: LayerPasses, covariances: Covariances, stats: StatSettings
) -> tuple[CellSketch, int]:
    """Return the sketch with clusters and places, and the number of joined clusters."""
    if covariances.n_cells < MIN_CELLS or len(covariances.sketch) < MIN_CELLS:
        raise NoEmbeddingError(f"fewer than {MIN_CELLS} cells were kept")
    components = find_components(covariances)
    if len(components.variances) < 2:
        raise NoEmbeddingError("the cells hardly differ: they have fewer than two components")
    scores = components.project(covariances.sketch_cells)
    scale = ScoreScale.of(scores)
    points = scale.apply(scores)
    n = len(points)
    partitions = [range(a, min(n, a + _SEARCH_CELLS)) for a in range(0, n, _SEARCH_CELLS)]
    parts = passes.executor.fold(
        _NeighbourFold(points, squared_norms(points)), partitions, lambda _: None
    ).parts
    neighbours = np.concatenate([parts[part.start][0] for part in partitions])
    distances = np.concatenate([parts[part.start][1] for part in partitions])
    graph = graph_of(neighbours, np.sqrt(distances.astype(np.float64)))
    all_labels = find_clusters(graph, stats.resolution)
    labels = limit_clusters(graph, all_labels, stats.resolution, stats.n_clusters_max)
    sketch = CellSketch(
        components,
        scale,
        SearchLists.of(points),
        covariances.sketch,
        scores,
        labels.astype(np.int16),
        place_nodes(graph, scores),
    )
    return sketch, int(all_labels.max() - labels.max())


def _record(
    sketch: CellSketch,
    groups: Groups,
    is_gene: NDArray[np.int64],
    n_variable: int,
    stats: StatSettings,
    *,
    with_mt: bool,
) -> Embedding:
    markers = find_markers(groups, is_gene)
    return Embedding(
        n_variable_genes=n_variable,
        n_sketch=len(sketch.cells),
        resolution=stats.resolution,
        n_clusters_max=stats.n_clusters_max,
        variances=sketch.components.variances,
        total_variance=sketch.components.total_variance,
        clusters=tuple(
            Cluster(int(size), genes_found, totals, percents_mt if with_mt else None)
            for size, (genes_found, totals, percents_mt) in zip(
                groups.sizes, groups.measures, strict=True
            )
        ),
        markers=markers,
        expression=express_markers(groups, is_gene, markers),
        map=groups.map,
        map_means=groups.map_means,
        components=groups.components,
        cells=groups.cells,
    )


def express_markers(
    groups: GroupSums, is_gene: NDArray[np.int64], markers: Sequence[Marker]
) -> Expression:
    """Return the expression of each group's first `N_SHOWN_MARKERS` in all groups.

    Args:
        groups: Sums over the groups.
        is_gene: Feature of each gene, shape ``(n_genes,)``.
        markers: Markers of all groups, group after group, best first within one.
    """
    shown = [
        marker
        for _, ranked in groupby(markers, attrgetter("cluster"))
        for marker in islice(ranked, N_SHOWN_MARKERS)
    ]
    genes = np.array([marker.gene for marker in shown], dtype=np.int64)
    clusters = np.array([marker.cluster for marker in shown], dtype=np.int64)
    return Expression(genes, clusters, *expression_of(groups, is_gene[genes]))
