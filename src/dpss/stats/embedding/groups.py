"""Sums per cluster and gene, and the cells on their map: the result of the third pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock
from dpss.stats.embedding.assignment import Assigned, CellSketch
from dpss.stats.embedding.covariance import CellGatherer, Measures, VariableGenes
from dpss.stats.embedding.fixed import N_LOGARITHMS, UNIT
from dpss.stats.embedding.kernels import N_GROUP_COLUMNS, add_groups
from dpss.stats.embedding.maps import MEASURE_UNITS, N_BINS, CellMap, MapAccumulator, MapFrame
from dpss.stats.histogram import Distribution, Tally

MEASURES = ("n_genes_by_counts", "total_counts", "pct_counts_mt")
"""Measures of cells whose distributions and means are kept."""
LARGEST_VALUE = 6
"""Upper end of the histograms of log-normalised values; larger ones are in the last bin."""
_TALLY_LIMIT = 1 << 12


@dataclass(frozen=True)
class CellPlaces:
    """Cluster and place of each cell of the matrix, 10 bytes a cell."""

    labels: NDArray[np.int16]
    """Cluster from 0, -1 for a cell that is not kept, shape ``(n_cells,)``."""
    places: NDArray[np.float32]
    """Place on the map, NaN for a cell that is not kept, shape ``(n_cells, 2)``."""


@dataclass(frozen=True)
class HistogramGenes:
    """Genes whose values are kept as histograms per cluster."""

    rows: NDArray[np.int32]
    """Row of each feature, -1 for none, shape ``(n_features,)``."""
    n_bins: int
    """Bins for values above zero."""

    @property
    def n_rows(self) -> int:
        """Number of genes with histograms."""
        return int(self.rows.max(initial=-1)) + 1


@dataclass(frozen=True)
class GroupSums:
    """Sums and distributions of groups of cells, which are numbered by size."""

    sizes: NDArray[np.int64]
    """Cells, shape ``(n_clusters,)``."""
    table: NDArray[np.int64]
    """Cells with a value, sum and sum of squares of the values in fixed point, shape
    ``(n_clusters, n_features, N_GROUP_COLUMNS)``."""
    histogram_genes: HistogramGenes
    histograms: NDArray[np.uint32]
    """Cells by value, those with none left out, shape ``(n_clusters, n_rows, n_bins)``."""
    measures: tuple[tuple[Distribution, ...], ...]
    """Distribution of each of `MEASURES` in each cluster."""


@dataclass(frozen=True)
class Groups(GroupSums):
    """Sums, distributions and maps of the clusters."""

    map: CellMap
    """The kept cells by place."""
    map_means: NDArray[np.float64]
    """Mean of each of `MEASURES` in each bin of the map, NaN without cells, shape
    ``(N_BINS ** 2, n_measures)``."""
    components: CellMap
    """The kept cells by their scores on the first two components."""
    cells: CellPlaces


class GroupAccumulator:
    """Sums per cluster, from blocks of cells that are given their clusters on the way."""

    def __init__(
        self, genes: VariableGenes, sketch: CellSketch, histograms: HistogramGenes
    ) -> None:
        """Make an empty one."""
        n = sketch.n_clusters
        self._genes, self._sketch, self._histogram_genes = genes, sketch, histograms
        self._table = np.zeros((n, len(genes.kinds), N_GROUP_COLUMNS), dtype=np.int64)
        self._histograms = np.zeros((n, histograms.n_rows, histograms.n_bins), dtype=np.uint32)
        self._sizes = np.zeros(n, dtype=np.int64)
        self._tallies = [[Tally(_TALLY_LIMIT) for _ in MEASURES] for _ in range(n)]
        self._map = MapAccumulator(MapFrame.of(sketch.places), n)
        self._components = MapAccumulator(MapFrame.of(_first_two(sketch.scores)), n)
        self._measure_sums = np.zeros((N_BINS**2, len(MEASURES)), dtype=np.int64)
        self._cells: dict[int, CellPlaces] = {}
        self._gatherer: CellGatherer | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the memory to work in behind."""
        return {**self.__dict__, "_gatherer": None}

    def add(self, block: CellBlock) -> None:
        """Add a block of cells."""
        if self._gatherer is None:
            self._gatherer = CellGatherer(self._genes)
        found = self._gatherer.measure(block)
        cells = self._gatherer.gather(block, found.totals)
        assigned = self._sketch.assign(cells, block.start)
        kept = found.kept
        labels = np.where(kept, assigned.labels, -1).astype(np.int16)
        add_groups(
            block.indptr, block.indices, block.data, found.totals, self._genes.kinds, labels,
            np.empty(N_LOGARITHMS, dtype=np.int64), self._table, self._histogram_genes.rows,
            (self._histogram_genes.n_bins << 32) // (LARGEST_VALUE * UNIT), self._histograms,
        )  # fmt: skip
        places = np.where(kept[:, None], assigned.places, np.nan).astype(np.float32)
        self._cells[block.start] = CellPlaces(labels, places)
        self._add_kept(np.flatnonzero(kept), assigned, found)

    def _add_kept(self, kept: NDArray[np.int64], assigned: Assigned, found: Measures) -> None:
        labels = assigned.labels[kept]
        self._sizes += np.bincount(labels, minlength=len(self._sizes))
        totals = found.totals[kept]
        percents = 100 * np.divide(
            found.totals_mt[kept], totals, out=np.zeros(len(kept)), where=totals > 0
        )
        measures = (found.n_genes[kept].astype(np.float64), totals, percents)
        for cluster in np.unique(labels):
            members = labels == cluster
            for tally, values in zip(self._tallies[cluster], measures, strict=True):
                tally.add(values[members])
        bins = self._map_bins(assigned.places[kept])
        self._map.add(bins, labels)
        for j, (values, unit) in enumerate(zip(measures, MEASURE_UNITS, strict=True)):
            np.add.at(self._measure_sums[:, j], bins, np.rint(values * unit).astype(np.int64))
        frame = self._components.frame
        self._components.add(frame.bins(_first_two(assigned.scores[kept])), labels)

    def _map_bins(self, places: NDArray[np.float64]) -> NDArray[np.int64]:
        return self._map.frame.bins(places)

    def merge(self, other: GroupAccumulator) -> None:
        """Add all that another one over the same sketch has seen."""
        self._table += other._table
        self._histograms += other._histograms
        self._sizes += other._sizes
        for mine, others in zip(self._tallies, other._tallies, strict=True):
            for tally, more in zip(mine, others, strict=True):
                tally.merge(more)
        self._map.merge(other._map)
        self._components.merge(other._components)
        self._measure_sums += other._measure_sums
        self._cells |= other._cells

    def result(self) -> Groups:
        """Return the results of all added blocks, with the clusters numbered by their sizes."""
        order = np.argsort(-self._sizes, kind="stable")
        numbers = np.empty(len(order), dtype=np.int64)
        numbers[order] = np.arange(len(order))
        cell_map = self._map.result(numbers)
        n_cells = np.bincount(cell_map.bins, cell_map.counts, N_BINS**2)
        with np.errstate(invalid="ignore"):
            means = self._measure_sums / np.array(MEASURE_UNITS) / n_cells[:, None]
        return Groups(
            self._sizes[order],
            self._table[order],
            self._histogram_genes,
            self._histograms[order],
            tuple(tuple(t.distribution() for t in self._tallies[k]) for k in order.tolist()),
            cell_map,
            means,
            self._components.result(numbers),
            self._join_cells(numbers),
        )

    def _join_cells(self, numbers: NDArray[np.int64]) -> CellPlaces:
        parts = [self._cells[start] for start in sorted(self._cells)]
        labels = np.concatenate([np.empty(0, np.int16), *(part.labels for part in parts)])
        places = np.concatenate([np.empty((0, 2), np.float32), *(part.places for part in parts)])
        renamed = np.where(labels >= 0, numbers[labels], -1).astype(np.int16)
        return CellPlaces(renamed, places)


def _first_two(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores on the first two components, zeros where there is no second."""
    out = np.zeros((len(scores), 2))
    out[:, : min(2, scores.shape[1])] = scores[:, :2]
    return out
