"""Sums per cluster and gene, and the map of cells: the third pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock
from dpss.stats.embedding.assignment import Assigned, CellSketch
from dpss.stats.embedding.cell_places import CellPlaces, PlaceStore, renumber
from dpss.stats.embedding.covariance import CellGatherer, Measures, VariableGenes
from dpss.stats.embedding.group_measures import GroupMeasures
from dpss.stats.embedding.group_tables import MEASURES, GroupSums, HistogramGenes
from dpss.stats.embedding.layout import first_two
from dpss.stats.embedding.maps import MEASURE_UNITS, N_BINS, CellMap, MapAccumulator, MapFrame


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
    """Sums per cluster; each cell gets its cluster from the sketch."""

    def __init__(
        self,
        genes: VariableGenes,
        sketch: CellSketch,
        histograms: HistogramGenes,
        cells: PlaceStore,
    ) -> None:
        """Make an empty accumulator.

        Args:
            genes: The features that count, and which cells are kept.
            sketch: The sketch, from which cells get their clusters and places.
            histograms: Genes whose values are kept as histograms.
            cells: Receives cluster and place of each cell.
        """
        n = sketch.n_clusters
        self._sketch, self._histogram_genes = sketch, histograms
        self._tables = histograms.empty_tables(n)
        self._measures = GroupMeasures(n)
        self._map = MapAccumulator(MapFrame.of(sketch.places), n)
        self._components = MapAccumulator(MapFrame.of(first_two(sketch.scores)), n)
        self._measure_sums = np.zeros((N_BINS**2, len(MEASURES)), dtype=np.int64)
        self._cells = cells
        self._gatherer = CellGatherer(genes)

    def add(self, block: CellBlock) -> None:
        """Add a block of cells."""
        measures = self._gatherer.measure(block)
        cells = self._gatherer.gather(block, measures.totals)
        assigned = self._sketch.assign(cells, block.start)
        kept = measures.kept
        labels = np.where(kept, assigned.labels, -1).astype(np.int16)
        self._histogram_genes.add(block, measures.totals, labels, self._tables)
        places = np.where(kept[:, None], assigned.places, np.nan).astype(np.float32)
        self._cells.add(block.start, CellPlaces(labels, places))
        self._add_kept(np.flatnonzero(kept), assigned, measures)

    def _add_kept(self, kept: NDArray[np.int64], assigned: Assigned, measures: Measures) -> None:
        labels = assigned.labels[kept]
        values = measures.of(kept)
        self._measures.add(labels, values)
        bins = self._map.frame.bins(assigned.places[kept])
        self._map.add(bins, labels)
        for j, (column, unit) in enumerate(zip(values, MEASURE_UNITS, strict=True)):
            np.add.at(self._measure_sums[:, j], bins, np.rint(column * unit).astype(np.int64))
        frame = self._components.frame
        self._components.add(frame.bins(first_two(assigned.scores[kept])), labels)

    def merge(self, other: GroupAccumulator) -> None:
        """Add the sums and cells of another accumulator over the same sketch."""
        self._tables += other._tables
        self._measures.merge(other._measures)
        self._map.merge(other._map)
        self._components.merge(other._components)
        self._measure_sums += other._measure_sums
        self._cells.merge(other._cells)

    def move_cells(self, cells: PlaceStore) -> None:
        """Move the cells to a store, from which `result` takes them.

        Args:
            cells: The store; nothing is added where the cells are in it already.
        """
        cells.merge(self._cells)
        self._cells = cells

    def result(self) -> Groups:
        """Return the results of all blocks, with clusters numbered by size."""
        sizes = self._measures.sizes
        order = np.argsort(-sizes, kind="stable")
        numbers = np.empty(len(order), dtype=np.int64)
        numbers[order] = np.arange(len(order))
        cell_map = self._map.result(numbers)
        n_cells = np.bincount(cell_map.bins, cell_map.counts, N_BINS**2)
        with np.errstate(invalid="ignore"):
            means = self._measure_sums / np.array(MEASURE_UNITS) / n_cells[:, None]
        return Groups(
            sizes[order],
            order,
            self._histogram_genes,
            self._tables,
            self._measures.distributions(order),
            cell_map,
            means,
            self._components.result(numbers),
            renumber(self._cells.cells(), numbers),
        )
