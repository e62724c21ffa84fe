"""One matrix: look, choose a layer, fold, and check that what was assumed held."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dpss.compute.executor import Advance, Executor
from dpss.engine.folds import CellFold, EntryFold, GatherFold, MeasureFold, Reading
from dpss.engine.layers import (
    Choice,
    LayerOrder,
    choose_layer,
    decide_layer,
    decide_values,
    order_layers,
)
from dpss.engine.reading import describe_reading
from dpss.engine.samples import Sample, sample_layers
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.errors import CorruptMatrixError, NoEmbeddingError, NotCellMajorError
from dpss.formats.base import EntryLayer, Layer, Matrix
from dpss.model import CellBlock
from dpss.stats.accumulator import Features, Sums
from dpss.stats.values.traits import ValueTraits, classify
from dpss.summary.builder import Findings, Identity, best_expressed, build_summary
from dpss.summary.checks import check_matrix
from dpss.summary.droplets import find_droplets
from dpss.summary.evidence import Evidence, LayerFinding
from dpss.summary.gene_groups import enough, find_haemoglobin, find_ribosomal
from dpss.summary.invariants import check_summary
from dpss.summary.mitochondria import find_mitochondrial
from dpss.summary.policy import apply_policy
from dpss.summary.record import Check, Summary
from dpss.summary.tables import summary_document

T = TypeVar("T")

N_BOXED = 128
"""Genes whose shares are kept as histograms: the best expressed of a sample. Should one
of the true 20 not be among them, a second pass is made with the true ones."""


class Progress(Protocol):
    """Receives the progress of reading."""

    def begin(self, label: str, n_values: int | None) -> None:
        """Begin a pass over ``n_values`` stored values (``None``: not known)."""

    def advance(self, n_values: int) -> None:
        """Tell that values were read; called from any thread."""

    def end(self) -> None:
        """End the pass."""


class NullProgress:
    """Discards progress updates."""

    def begin(self, label: str, n_values: int | None) -> None:
        """Do nothing."""

    def advance(self, n_values: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


def summarize_matrix(
    matrix: Matrix,
    identify: Callable[[Matrix, Layer], Identity],
    stats: StatSettings,
    read: ReadSettings,
    executor: Executor,
    progress: Progress,
    expected_cells: int | None = None,
) -> Summary:
    """Summarise one matrix.

    Args:
        matrix: The matrix to summarise.
        identify: Gives what the summary says of the matrix, once the layer is known.
        stats: What changes the numbers.
        read: How it is read.
        executor: Where the work is done.
        progress: Receives the progress.
        expected_cells: Number of cells that the source states, if it does.

    Raises:
        MatrixError: The matrix can't be summarised; the message says why.
        CorruptMatrixError: The statistics are impossible.
    """
    order = order_layers(matrix.layers, stats.layer)
    samples = sample_layers(matrix.layers, {layer.name for layer in order.named})
    known = {name: sample.traits for name, sample in samples.items()}

    def passes_over(choice: Choice) -> Passes:
        mitochondrial = find_mitochondrial(choice.layer.genes)
        return Passes(choice, mitochondrial, stats, read, executor, progress)

    passes, sums = _read_chosen(order, samples, known, passes_over)
    choice = passes.choice
    layer = choice.layer
    droplets = find_droplets(sums.cells)
    if stats.cells_above_knee and droplets is not None:
        passes = replace(passes, min_counts=droplets.knee.min_counts)
        sums = passes.run(samples[layer.name].gene_weights)
    findings = _describe_layers(matrix.layers, known, samples)
    same = {each.name: each.same_as or each.name for each in findings if each.values}
    evidence = Evidence(
        sums=sums,
        features=layer.genes,
        mitochondrial=passes.mitochondrial,
        used=layer.name,
        n_rounded=known[layer.name].n_noisy if choice.transform.rounded else 0,
        layers=findings,
        looked_for=[other.name for other in order.candidates],
        decisions=describe_reading(
            matrix,
            layer,
            [
                decide_layer(order, choice, known, same),
                *decide_values(choice, known[layer.name]),
            ],
        ),
        log_base=choice.transform.base,
        expected_cells=expected_cells,
        droplets=droplets,
        above_knee=stats.cells_above_knee,
    )
    notes = tuple(Check(*note) for note in matrix.notes)
    checks = (*check_matrix(evidence), *notes)
    summary = build_summary(
        sums,
        layer.genes,
        passes.mitochondrial,
        identify(matrix, layer),
        choice.values,
        Findings(checks, tuple(evidence.decisions), evidence.nomenclature.species, droplets),
    )
    if stats.policy is not None:
        judgements = apply_policy(stats.policy, summary_document(summary, []))
        summary = replace(summary, policy=judgements)
    return passes.embed(check_summary(summary))


def _read_chosen(
    order: LayerOrder,
    samples: Mapping[str, Sample],
    known: dict[str, ValueTraits],
    passes_over: Callable[[Choice], Passes],
) -> tuple[Passes, Sums]:
    """Choose a layer and read it, until what was assumed of it holds.

    Args:
        order: Layers to choose from.
        samples: What a look at each readable layer told, by name.
        known: What is known of each of them, by name; updated with what the passes tell.
        passes_over: Makes the passes over a choice.

    Returns:
        The passes with the choice that held, and what they left behind.
    """
    while True:
        passes = passes_over(choose_layer(order, known))
        layer = passes.choice.layer
        if known[layer.name].lacks_cells and layer.n_cells is not None:
            known[layer.name] = known[layer.name].with_cells(passes.gather())
            continue
        sums = passes.run(samples[layer.name].gene_weights)
        if sums.facts.n_outside:
            raise CorruptMatrixError(
                f"{sums.facts.n_outside:,} values of {layer.name} have a gene or cell index "
                f"outside its {sums.cells.n_cells:,} cells × {len(layer.genes):,} genes"
            )
        known[layer.name] = known[layer.name].after_pass(sums, passes.choice.transform)
        final = choose_layer(order, known)
        if final.reads_like(passes.choice):
            return replace(passes, choice=final), sums


def _describe_layers(
    layers: Sequence[Layer], known: Mapping[str, ValueTraits], samples: Mapping[str, Sample]
) -> list[LayerFinding]:
    """Return what is known of every layer; the same are told of once."""
    first: dict[bytes, str] = {}
    findings = []
    for layer in layers:
        sample = samples.get(layer.name)
        same_as = first.setdefault(sample.digest, layer.name) if sample else layer.name
        findings.append(
            LayerFinding(
                layer.name,
                classify(known[layer.name]) if layer.name in known else None,
                len(layer.genes),
                None if same_as == layer.name else same_as,
            )
        )
    return findings


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
    """Cells with fewer counts are not kept."""

    def run(self, gene_weights: NDArray[np.float64]) -> Sums:
        """Read the layer once or twice, and once more if a top gene had no histogram.

        Values in no order are read cell by cell, in as many readings as that takes.

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
        """Put some whole cells together from a gene-major layer, in one pass."""
        fold = GatherFold(self._reading_as_stored)
        partitions = fold.reading.partitions(self.read.partition_bytes)
        try:
            return self._tracked(
                "sampling cells", lambda advance: self.executor.fold(fold, partitions, advance)
            ).block()
        except NotCellMajorError as error:
            return self._of(error.instead).gather()

    def _of(self, layer: Layer) -> Passes:
        """Return the same passes over another reading of the layer."""
        return replace(self, choice=replace(self.choice, layer=layer))

    def embed(self, summary: Summary) -> Summary:
        """Return the summary with the embedding of its cells, if one is asked for."""
        if not self.stats.embedding:
            return summary
        from dpss.engine.embedding import CellPasses, embed_cells

        if self.min_counts > 0:
            reason = "the cells above the knee can't be embedded apart from the others"
            return replace(summary, no_embedding_reason=reason)
        if not self.choice.layer.cell_major:
            reason = "the matrix is stored gene by gene, not cell by cell"
            return replace(summary, no_embedding_reason=reason)
        passes = CellPasses(self._reading, self.executor, self.read.partition_bytes, self._tracked)
        try:
            embedding = embed_cells(
                passes,
                self.choice.layer.genes,
                self.mitochondrial,
                summary.genes,
                summary.n_cells_kept,
                self.stats,
            )
        except NoEmbeddingError as error:
            return replace(summary, no_embedding_reason=str(error))
        return replace(summary, embedding=embedding)

    def _one_pass(self, histogram_genes: NDArray[np.int64]) -> Sums:
        features = self._features(histogram_genes)
        fold = CellFold(self._reading, features, self.stats.min_gene_count, self.min_counts)
        partitions = fold.reading.partitions(self.read.partition_bytes)
        return self._tracked(
            "reading", lambda advance: self.executor.fold(fold, partitions, advance)
        ).result()

    def _two_passes(self) -> Sums:
        partitions = self._reading.partitions(self.read.partition_bytes)
        first = MeasureFold(self._reading, self._features(np.empty(0, dtype=np.int64)))
        measures = self._tracked(
            "reading cells", lambda advance: self.executor.fold(first, partitions, advance)
        )
        if measures.facts.n_outside:
            nothing = EntryFold(self._reading, first.features, np.empty(0)).start().result()
            return Sums(nothing, measures.cells(0), measures.facts)
        inverses = measures.inverses(self.stats.min_gene_count, self.min_counts)
        cells = measures.cells(self.stats.min_gene_count, self.min_counts)

        def second(histogram_genes: NDArray[np.int64]) -> Sums:
            fold = EntryFold(self._reading, self._features(histogram_genes), inverses)
            genes = self._tracked(
                "reading genes", lambda advance: self.executor.fold(fold, partitions, advance)
            )
            return Sums(genes.result(), cells, measures.facts)

        return self._rerun_if_top_genes_missing(second, heaviest(measures.gene_totals))

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
    def _reading(self) -> Reading:
        return Reading(self.choice.layer, self.read.block_bytes, self.choice.transform)

    @property
    def _reading_as_stored(self) -> Reading:
        return Reading(self.choice.layer, self.read.block_bytes)

    def _tracked(self, label: str, run: Callable[[Advance], T]) -> T:
        """Run a pass with its progress shown."""
        self.progress.begin(label, self.choice.layer.n_values)
        try:
            return run(self.progress.advance)
        finally:
            self.progress.end()


def heaviest(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the features with the largest weights, in gene order, shape ``(<= N_BOXED,)``."""
    return np.sort(np.argsort(-weights, kind="stable")[:N_BOXED])
