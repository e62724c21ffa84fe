"""One matrix: look, choose a layer, fold, and check that what was assumed held."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dpss.blocks import CellBlock, EntryBlock
from dpss.building import Identity, best_expressed, build_summary
from dpss.checks import check_matrix
from dpss.choosing import Choice, choose_layer, order_layers
from dpss.errors import CorruptMatrixError, MatrixError
from dpss.evidence import Evidence, LayerFinding
from dpss.executors import Advance, Executor
from dpss.folds import CellFold, EntryFold, MeasureFold, Reading
from dpss.formats import ForeseeingLayer, Layer, Matrix, NotCellMajorError
from dpss.mitochondria import find_mitochondrial
from dpss.settings import ReadSettings, StatSettings
from dpss.stats.accumulator import Features, Sums
from dpss.stats.traits import ValueTraits, classify, traits_of
from dpss.stats.values import Values
from dpss.summary import Check, Summary

T = TypeVar("T")

N_BOXED = 128
"""Genes whose shares are kept as histograms: the best expressed of a sample. Should one
of the true 20 not be among them, a second pass is made with the true ones."""
N_SAMPLES = 3
"""Places where a layer is looked at before it is chosen."""
SAMPLE_BYTES = 1 << 20
"""Decoded size of what is looked at in each place."""
N_FIRST_VALUES = 1 << 18
N_FIRST_BLOCKS = 32
"""What is looked at where there is but one place, as in a stream: about as much as elsewhere in
three. A block may be a few cells; should they be unlike the others it's read again."""


class Progress(Protocol):
    """Somebody who wants to know how far the reading is."""

    def begin(self, label: str, n_values: int | None) -> None:
        """Begin a pass over ``n_values`` stored values (``None``: not known)."""

    def advance(self, n_values: int) -> None:
        """Tell that values were read; called from any thread."""

    def end(self) -> None:
        """End the pass."""


class SilentProgress:
    """Nobody wants to know."""

    def begin(self, label: str, n_values: int | None) -> None:
        """Do nothing."""

    def advance(self, n_values: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Sample:
    """What a look at a layer tells."""

    traits: ValueTraits
    gene_weights: NDArray[np.float64]
    """Rough sums of shares per feature, shape ``(n_features,)``."""
    digest: bytes
    """Checksum of what was looked at."""


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
        matrix: What is to be summarised.
        identify: Gives what the summary says of the matrix, once the layer is known.
        stats: What changes the numbers.
        read: How it is read.
        executor: Where the work is done.
        progress: Who is told how far it is.
        expected_cells: Number of cells that the source states, if it does.

    Raises:
        MatrixError: The matrix can't be summarised; the message says why.
    """
    order = order_layers(matrix.layers, stats.layer)
    samples = _look_around(matrix.layers, {layer.name for layer in order})
    traits = {name: sample.traits for name, sample in samples.items()}
    while True:
        kinds = {name: classify(known) for name, known in traits.items()}
        noisy = {name for name, known in traits.items() if known.n_noisy}
        choice = choose_layer(order, kinds, noisy)
        layer = choice.layer
        mitochondrial = find_mitochondrial(layer.genes)
        passes = Passes(choice, mitochondrial, stats, read, executor, progress)
        sums = passes.run(samples[layer.name].gene_weights)
        if sums.facts.n_outside:
            raise CorruptMatrixError(
                f"{sums.facts.n_outside:,} values of {layer.name} have a gene or cell index "
                f"outside its {sums.cells.n_cells:,} cells × {len(layer.genes):,} genes"
            )
        traits[layer.name] = traits[layer.name].after_pass(sums, choice.transform)
        kinds[layer.name] = classify(traits[layer.name])
        noisy |= {layer.name} if traits[layer.name].n_noisy else set()
        final = choose_layer(order, kinds, noisy)
        if final.reads_like(choice):
            break
    evidence = Evidence(
        sums=sums,
        features=layer.genes,
        mitochondrial=mitochondrial,
        used=layer.name,
        n_rounded=traits[layer.name].n_noisy if final.transform.rounded else 0,
        layers=_describe_layers(matrix.layers, kinds, samples),
        looked_for=[other.name for other in order],
        expected_cells=expected_cells,
    )
    notes = tuple(Check(*note) for note in matrix.notes)
    checks = (*check_matrix(evidence), *notes)
    return build_summary(
        sums, layer.genes, mitochondrial, identify(matrix, layer), final.values, checks
    )


def _look_around(layers: Sequence[Layer], needed: Collection[str]) -> dict[str, Sample]:
    """Sample every layer; one that is not needed may turn out to be unreadable."""
    samples = {}
    for layer in layers:
        try:
            samples[layer.name] = take_sample(layer)
        except MatrixError:
            if layer.name in needed:
                raise
    return samples


def _describe_layers(
    layers: Sequence[Layer], kinds: Mapping[str, Values], samples: Mapping[str, Sample]
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
                kinds.get(layer.name),
                len(layer.genes),
                None if same_as == layer.name else same_as,
            )
        )
    return findings


def take_sample(layer: Layer) -> Sample:
    """Look at the beginning, the middle and the end of a layer.

    A stream is looked at at its beginning only, but at more of it.
    """
    if layer.cell_major:
        try:
            return _sample(layer, layer.cell_blocks)
        except NotCellMajorError:
            pass
    return _sample(layer, layer.entry_blocks)


def _sample(layer: Layer, read: Callable[[range, int], Iterator[CellBlock | EntryBlock]]) -> Sample:
    shares = layer.shares(SAMPLE_BYTES)
    places = sorted({len(shares) * i // N_SAMPLES for i in range(N_SAMPLES)})
    if isinstance(layer, ForeseeingLayer):
        for place in places:
            layer.expect(shares[place])
    traits = ValueTraits()
    weights = np.zeros(len(layer.genes))
    digest = hashlib.blake2b()
    for share in (shares[place] for place in places):
        n_values = 0
        for block in islice(read(share, SAMPLE_BYTES), N_FIRST_BLOCKS if len(places) == 1 else 1):
            traits += traits_of(block)
            digest.update(np.asarray(block.data, dtype=np.float64).tobytes())
            if isinstance(block, CellBlock):
                weights += _share_sums(block, len(weights))
            n_values += len(block.data)
            if n_values >= N_FIRST_VALUES:
                break
    return Sample(traits, weights, digest.digest())


@dataclass(frozen=True)
class Passes:
    """The passes over a chosen layer."""

    choice: Choice
    mitochondrial: NDArray[np.bool_]
    stats: StatSettings
    read: ReadSettings
    executor: Executor
    progress: Progress

    def run(self, gene_weights: NDArray[np.float64]) -> Sums:
        """Read the layer once or twice, and once more if the wrong genes were boxed.

        Args:
            gene_weights: Rough sums of shares per feature, shape ``(n_features,)``.
        """
        if self.choice.layer.cell_major:
            try:
                return self._with_true_boxes(self._one_pass, heaviest(gene_weights))
            except NotCellMajorError:
                pass
        return self._two_passes()

    def _one_pass(self, boxed: NDArray[np.int64]) -> Sums:
        fold = CellFold(self._reading, self._features(boxed), self.stats.min_gene_count)
        layer = self.choice.layer
        shares = layer.shares(self.read.share_bytes)
        return self._tracked(
            "reading", lambda advance: self.executor.fold(fold, shares, advance)
        ).result()

    def _two_passes(self) -> Sums:
        layer = self.choice.layer
        shares = layer.shares(self.read.share_bytes)
        first = MeasureFold(self._reading, self._features(np.empty(0, dtype=np.int64)))
        measures = self._tracked(
            "reading cells", lambda advance: self.executor.fold(first, shares, advance)
        )
        if measures.facts.n_outside:
            nothing = EntryFold(self._reading, first.features, np.empty(0)).start().result()
            return Sums(nothing, measures.cells(0), measures.facts)
        inverses = measures.inverses(self.stats.min_gene_count)
        cells = measures.cells(self.stats.min_gene_count)

        def second(boxed: NDArray[np.int64]) -> Sums:
            fold = EntryFold(self._reading, self._features(boxed), inverses)
            genes = self._tracked(
                "reading genes", lambda advance: self.executor.fold(fold, shares, advance)
            )
            return Sums(genes.result(), cells, measures.facts)

        return self._with_true_boxes(second, heaviest(measures.gene_totals))

    def _with_true_boxes(
        self, run: Callable[[NDArray[np.int64]], Sums], boxed: NDArray[np.int64]
    ) -> Sums:
        """Run a pass, and again if one of the 20 best expressed genes was not boxed."""
        sums = run(boxed)
        best = best_expressed(sums, self.choice.layer.genes.is_gene)
        return sums if np.isin(best, boxed).all() else run(np.sort(best))

    def _features(self, boxed: NDArray[np.int64]) -> Features:
        return Features(self.choice.layer.genes.is_gene, self.mitochondrial, boxed)

    @property
    def _reading(self) -> Reading:
        return Reading(self.choice.layer, self.read.block_bytes, self.choice.transform)

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


def _share_sums(block: CellBlock, n_features: int) -> NDArray[np.float64]:
    """Add up each feature's shares in a block, as far as they make sense."""
    data = np.nan_to_num(block.data.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    cells = np.repeat(np.arange(block.n_cells), np.diff(block.indptr))
    totals = np.bincount(cells, weights=data, minlength=block.n_cells)[cells]
    shares = np.divide(data, totals, out=np.zeros_like(data), where=totals > 0)
    inside = (block.indices >= 0) & (block.indices < n_features)
    sums = np.bincount(block.indices[inside], weights=shares[inside], minlength=n_features)
    return sums.astype(np.float64)
