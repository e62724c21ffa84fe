"""The passes over a chosen layer, one or two depending on its order in storage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dpss.compute.executor import Executor
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.entry_copy import EntryCopy, open_copy
from dpss.engine.folds import CellFold, EntryFold, EntryReading, GatherFold, MeasureFold, Reading
from dpss.engine.layer_passes import EntryPasses, LayerPasses
from dpss.engine.layers import Choice
from dpss.engine.progress import Progress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.engine.strata import CellStrata
from dpss.errors import LostCopyError, NoEmbeddingError, NotCellMajorError
from dpss.formats.base import EntryLayer, Layer, Matrix
from dpss.model import CellBlock
from dpss.stats.accumulator import Features, Sums
from dpss.stats.cell_records import CellRecords
from dpss.stats.embedding.cell_places import PlaceStore
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator
from dpss.stats.strata import Stratification, StratumSums, StratumTallies
from dpss.stats.values.transform import AS_STORED
from dpss.storage.scratch import OpenRoom, temporary_room
from dpss.summary.builder import best_expressed
from dpss.summary.gene_groups import enough, find_haemoglobin, find_ribosomal
from dpss.summary.record import Summary

log = logging.getLogger(__name__)

OpenPlaces = Callable[[int], PlaceStore]
"""Makes a store for the clusters and places of a number of cells."""


N_BOXED = 128
"""Genes whose shares are kept as histograms: the best expressed in a sample. If one of the best 20
of the whole matrix is missing, a second pass includes it.
"""


@dataclass(frozen=True)
class Passes:
    """The passes over a chosen layer."""

    choice: Choice
    mitochondrial: NDArray[np.bool_]
    stats: StatSettings
    read: ReadSettings
    executor: Executor
    progress: Progress
    min_counts: float = 0.0
    """Least counts of a kept cell."""
    strata: CellStrata | None = None
    """Strata of the cells, whose statistics are also computed; ``None`` for none."""
    records: CellRecords | None = None
    """Receives the measures of each cell; ``None`` where no table of cells is made."""
    open_room: OpenRoom = temporary_room
    """Opens the folder for a copy of a layer that is stored gene by gene."""
    no_copy: str = ""
    """Why there is no such copy; empty where there is one, or none is needed."""

    def run(self, gene_weights: NDArray[np.float64]) -> Sums:
        """Read the layer in one or two passes, and again if a top gene had no histogram.

        Values in no known order are sorted by cell, with several readings of the file.

        Args:
            gene_weights: Rough sums of shares per feature, shape ``(n_features,)``.
        """
        layer = self.choice.layer
        if isinstance(layer, EntryLayer) and (gathered := layer.gathered()):
            return self._of(gathered).run(gene_weights)
        try:
            if layer.cell_major:
                return self._rerun_if_top_genes_missing(self._one_pass, heaviest(gene_weights))
            return self._two_passes()
        except NotCellMajorError as error:
            return self._of(error.instead).run(gene_weights)

    def gather(self) -> CellBlock:
        """Assemble some whole cells of a gene-major layer, in one pass."""
        fold = GatherFold(self._reading_as_stored)
        try:
            return self._passes_over(fold.reading).run("sampling cells", fold).block()
        except NotCellMajorError as error:
            return self._of(error.instead).gather()

    def _of(self, layer: Layer) -> Passes:
        """Return the same passes over another view of the layer."""
        return replace(self, choice=replace(self.choice, layer=layer))

    @contextmanager
    def by_cell(self, summary: Summary) -> Iterator[Passes]:
        """Yield passes over whole cells for `embed` and `annotate`.

        Where the layer is stored gene by gene these are over a copy in scratch space, which is
        made in one more pass and removed at the end of the context.

        Args:
            summary: The summary of the passes before.
        """
        wanted = self.stats.embedding and self.min_counts <= 0
        if self.choice.layer.cell_major or not wanted:
            yield self
            return
        from dpss.engine.cell_copy import copy_by_cell
        from dpss.engine.embedding import MIN_CELLS

        with ExitStack() as stack:
            found = self
            if summary.n_cells_kept < MIN_CELLS:
                found = replace(self, no_copy=f"fewer than {MIN_CELLS} cells were kept")
            else:
                # Other machines don't see the copy.
                executor = ThreadExecutor(self.read.threads)
                passes = replace(self, executor=executor)._layer_passes
                n_values = int(summary.genes.n_cells_by_counts.sum())
                try:
                    copied = copy_by_cell(passes, stack.enter_context(self.open_room()), n_values)
                except NoEmbeddingError as error:
                    found = replace(self, no_copy=str(error))
                else:
                    choice = replace(self.choice, layer=copied, transform=AS_STORED)
                    found = replace(self, choice=choice, executor=executor)
            yield found

    def embed(self, summary: Summary, open_places: OpenPlaces) -> Summary:
        """Return the summary with the embedding of its cells, if the settings ask for one.

        Args:
            summary: The summary of the passes before.
            open_places: Makes the store of the cells' places, given their number.
        """
        if not self.stats.embedding:
            return summary
        from dpss.engine.embedding import BY_GENE, embed_cells

        if self.min_counts > 0:
            reason = "the cells above the knee can't be embedded apart from the others"
            return replace(summary, no_embedding_reason=reason)
        if not self.choice.layer.cell_major:
            return replace(summary, no_embedding_reason=self.no_copy or BY_GENE)
        passes = self._layer_passes
        try:
            embedding = embed_cells(
                passes,
                self.choice.layer.genes,
                self.mitochondrial,
                summary.genes,
                summary.n_cells_kept,
                self.stats,
                open_places(summary.n_cells),
            )
        except NoEmbeddingError as error:
            return replace(summary, no_embedding_reason=str(error))
        return replace(summary, embedding=embedding)

    def annotate(self, summary: Summary, matrix: Matrix) -> Summary:
        """Return the summary with the types and the map that the file has of its cells."""
        layer = self.choice.layer
        absent = matrix.cells is None and matrix.coordinates is None
        if not self.stats.embedding or absent or self.min_counts > 0 or not summary.n_cells_kept:
            return summary
        from dpss.engine.annotation import CellSource, annotate_cells
        from dpss.engine.annotation_choice import AnnotationRequest

        passes = self._layer_passes
        source = CellSource(
            layer.genes,
            self.mitochondrial,
            self.stats.min_gene_count,
            passes if layer.cell_major else None,
            summary.n_cells,
        )
        request = AnnotationRequest(self.stats.annotation, self.stats.authors_embedding)
        return annotate_cells(summary, matrix, source, request)

    def _one_pass(self, histogram_genes: NDArray[np.int64]) -> Sums:
        features = self._features(histogram_genes)
        fold = CellFold(
            self._reading,
            features,
            self.stats.min_gene_count,
            self.min_counts,
            self._stratification,
            self.records,
        )
        found = self._layer_passes.run("reading", fold)
        if self.records is not None and found.records is not None:
            self.records.merge(found.records)
        return found.result()

    def _two_passes(self) -> Sums:
        with open_copy(self.open_room, self.executor) as copy:
            return self._measure_and_count(copy)

    def _measure_and_count(self, copy: EntryCopy | None) -> Sums:
        first = MeasureFold(self._reading, self._features(np.empty(0, dtype=np.int64)), copy)
        measures = self._layer_passes.run("reading cells", first)
        if measures.facts.n_outside:
            nothing = EntryFold(self._reading, first.features, np.empty(0)).start().result()
            return Sums(nothing, measures.cells(0), measures.facts)
        inverses = measures.inverses(self.stats.min_gene_count, self.min_counts)
        cells = measures.cells(self.stats.min_gene_count, self.min_counts)
        if self.records is not None:
            for start, values in measures.each(self.stats.min_gene_count, self.min_counts):
                self.records.add(start, values)

        reading: EntryReading = self._reading
        if copy is not None and (copied := copy.layer(self.choice.layer)) is not None:
            reading = EntryReading(copied, self.read.block_bytes)

        def second(histogram_genes: NDArray[np.int64]) -> Sums:
            nonlocal reading
            features = self._features(histogram_genes)
            try:
                genes = self._count_genes(reading, features, inverses)
            except LostCopyError as error:
                log.warning("%s; the file is read again", error)
                reading = self._reading
                genes = self._count_genes(reading, features, inverses)
            found = self._add_measures(measures, genes.strata)
            return Sums(genes.result(), cells, measures.facts, found)

        return self._rerun_if_top_genes_missing(second, heaviest(measures.gene_totals))

    def _count_genes(
        self, reading: EntryReading, features: Features, inverses: NDArray[np.float64]
    ) -> EntryAccumulator:
        fold = EntryFold(reading, features, inverses, self._stratification)
        return self._passes_over(reading).run("reading genes", fold)

    def _add_measures(
        self, measures: CellMeasures, genes: StratumTallies | None
    ) -> StratumSums | None:
        """Return the sums of strata with the measures of their cells, if there are strata."""
        if self.strata is None or genes is None:
            return None
        features = self._features(np.empty(0, dtype=np.int64))
        found = StratumTallies(self.strata.stratification, features.is_gene, features.groups)
        for start, values in measures.each(self.stats.min_gene_count, self.min_counts):
            found.add_cells(start, values)
        found.merge(genes)
        return found.result()

    def _rerun_if_top_genes_missing(
        self, run: Callable[[NDArray[np.int64]], Sums], histogram_genes: NDArray[np.int64]
    ) -> Sums:
        """Run a pass, and again if one of the 20 best expressed genes had no histogram."""
        sums = run(histogram_genes)
        best = best_expressed(sums, self.choice.layer.genes.is_gene)
        return sums if np.isin(best, histogram_genes).all() else run(np.sort(best))

    def _features(self, histogram_genes: NDArray[np.int64]) -> Features:
        genes = self.choice.layer.genes
        return Features(
            genes.is_gene,
            enough(self.mitochondrial & genes.is_gene),
            histogram_genes,
            enough(find_ribosomal(genes) & genes.is_gene),
            enough(find_haemoglobin(genes) & genes.is_gene),
        )

    @property
    def _stratification(self) -> Stratification | None:
        return None if self.strata is None else self.strata.stratification

    @property
    def _layer_passes(self) -> LayerPasses:
        read, executor = self.read, self.executor
        return LayerPasses(self._reading, executor, read.partition_bytes, self.progress)

    def _passes_over(self, reading: EntryReading) -> EntryPasses:
        return EntryPasses(reading, self.executor, self.read.partition_bytes, self.progress)

    @property
    def _reading(self) -> Reading:
        return Reading(self.choice.layer, self.read.block_bytes, self.choice.transform)

    @property
    def _reading_as_stored(self) -> Reading:
        return Reading(self.choice.layer, self.read.block_bytes)


def heaviest(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the features with the largest weights, in gene order, shape ``(<= N_BOXED,)``."""
    return np.sort(np.argsort(-weights, kind="stable")[:N_BOXED])
