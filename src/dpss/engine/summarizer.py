"""The summary of one matrix: sample, choose a layer, fold, then check the choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from dpss.compute.executor import Executor
from dpss.engine.cellxgene import read_schema, with_schema
from dpss.engine.layers import (
    Choice,
    LayerOrder,
    choose_layer,
    decide_layer,
    decide_values,
    order_layers,
)
from dpss.engine.passes import Passes
from dpss.engine.progress import Progress
from dpss.engine.reading import describe_reading
from dpss.engine.samples import Sample, sample_layers
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.engine.strata import stratify_or_warn
from dpss.errors import CorruptMatrixError, agreeing, plural
from dpss.formats.base import CellTable, Layer, Matrix
from dpss.stats.accumulator import Sums
from dpss.stats.cell_records import CellRecords
from dpss.stats.embedding.cell_places import HeldPlaces, PlaceStore
from dpss.stats.values.traits import ValueTraits, classify
from dpss.storage.scratch import OpenRoom, temporary_room
from dpss.summary.builder import Identity, build_summary
from dpss.summary.checks import check_matrix
from dpss.summary.droplets import find_droplets
from dpss.summary.findings import Findings, LayerFinding
from dpss.summary.invariants import check_summary
from dpss.summary.mitochondria import find_mitochondrial
from dpss.summary.nomenclature import describe_names
from dpss.summary.policy import apply_policy
from dpss.summary.record import Check, Summary
from dpss.summary.strata import build_strata
from dpss.summary.tables import summary_document

T = TypeVar("T")


class CellSink(Protocol):
    """Takes the measures of each cell, then writes a table of the cells."""

    @property
    def records(self) -> CellRecords:
        """Store of the measures until then; a later pass over the matrix replaces them."""

    def open_places(self, n_cells: int) -> PlaceStore:
        """Return an empty store for the clusters and places of so many cells."""

    def write(self, cells: CellTable | None, summary: Summary) -> tuple[tuple[str, str, str], ...]:
        """Write the table, once all cells are measured and embedded.

        Args:
            cells: Names of the cells; ``None`` where the format has none that are read.
            summary: The matrix.

        Returns:
            Checks: name, status, sentence.
        """


def summarize_matrix(  # noqa: PLR0913
    matrix: Matrix,
    identify: Callable[[Matrix, Layer], Identity],
    stats: StatSettings,
    read: ReadSettings,
    executor: Executor,
    progress: Progress,
    expected_cells: int | None = None,
    sink: CellSink | None = None,
    *,
    hold_places: bool = True,
    open_room: OpenRoom = temporary_room,
) -> Summary:
    """Summarise one matrix.

    Args:
        matrix: The matrix to summarise.
        identify: Returns the identity of the matrix in the summary, given its layer.
        stats: Settings that change the numbers.
        read: Settings of reading.
        executor: Distributes the partitions.
        progress: Receives the progress.
        expected_cells: Number of cells that the source states, if it does.
        sink: Receives the measures of each cell; ``None`` for none.
        hold_places: Whether the summary has the place of each cell on the map, 8 bytes per cell;
            a sink has them in any case.
        open_room: Opens the folder for a copy of a matrix that is stored gene by gene.

    Raises:
        MatrixError: The matrix can't be summarised; the message gives the reason.
        CorruptMatrixError: The statistics are impossible.
    """
    order = order_layers(matrix.layers, stats.layer)
    samples = sample_layers(matrix.layers, {layer.name for layer in order.named})
    layer_traits = {name: sample.traits for name, sample in samples.items()}

    strata_notes: list[tuple[str, str, str]] = []

    def passes_over(choice: Choice) -> Passes:
        mitochondrial = find_mitochondrial(choice.layer.genes)
        strata, strata_notes[:] = stratify_or_warn(matrix, choice.layer, stats)
        records = None if sink is None else sink.records
        return Passes(
            choice,
            mitochondrial,
            stats,
            read,
            executor,
            progress,
            strata=strata,
            records=records,
            open_room=open_room,
        )

    passes, sums = _read_chosen(order, samples, layer_traits, passes_over)
    choice = passes.choice
    layer = choice.layer
    droplets = find_droplets(sums.cells)
    if stats.cells_above_knee and droplets is not None:
        passes = replace(passes, min_counts=droplets.knee.min_counts)
        sums = passes.run(samples[layer.name].gene_weights)
    layer_findings = _describe_layers(matrix.layers, layer_traits, samples)
    same = {each.name: each.same_as or each.name for each in layer_findings if each.values}
    # Once for the decisions and the checks: 33,000 names take 0.05 s.
    names = describe_names(layer.genes.select(layer.genes.is_gene))
    schema = read_schema(matrix)
    findings = Findings(
        sums=sums,
        features=layer.genes,
        mitochondrial=passes.mitochondrial,
        used=layer.name,
        n_rounded=layer_traits[layer.name].n_noisy if choice.transform.rounded else 0,
        layers=layer_findings,
        looked_for=[other.name for other in order.candidates],
        decisions=describe_reading(
            matrix,
            layer,
            [
                decide_layer(order, choice, layer_traits, same),
                *decide_values(choice, layer_traits[layer.name]),
                *((schema.decision,) if schema is not None else ()),
            ],
            names,
        ),
        names=names,
        log_base=choice.transform.base,
        expected_cells=expected_cells,
        droplets=droplets,
        above_knee=stats.cells_above_knee,
    )
    summary = build_summary(findings, identify(matrix, layer), choice.values)
    by = passes.strata
    if by is not None:
        strata = build_strata(by.by, by.n_values, sums, layer.genes.is_gene)
        summary = replace(summary, strata=strata)
    open_places = partial(HeldPlaces, with_places=hold_places) if sink is None else sink.open_places
    summary = check_summary(summary)
    with passes.by_cell(summary) as by_cell:
        summary = by_cell.embed(summary, open_places)
        findings = replace(
            findings, embedding=summary.embedding, no_embedding_reason=summary.no_embedding_reason
        )
        written = () if sink is None else sink.write(matrix.cells, summary)
        notes = (*matrix.notes, *strata_notes, *written)
        checks = (*check_matrix(findings), *(Check(*note) for note in notes))
        summary = replace(summary, checks=checks)
        summary = by_cell.annotate(summary, matrix)
    if schema is not None and matrix.cells is not None:
        report, outcomes = with_schema(schema, matrix.cells, summary.n_cells)
        summary = replace(summary, cellxgene=report, checks=(*summary.checks, *outcomes))
    if stats.policy is not None:
        judgements = apply_policy(stats.policy, summary_document(summary, []))
        summary = replace(summary, policy=judgements)
    return summary


def _read_chosen(
    order: LayerOrder,
    samples: Mapping[str, Sample],
    layer_traits: dict[str, ValueTraits],
    passes_over: Callable[[Choice], Passes],
) -> tuple[Passes, Sums]:
    """Choose a layer and read it; choose again if its values differ from the sample.

    Args:
        order: Layers to choose from.
        samples: Sample of each readable layer, by name.
        layer_traits: Traits of each of them, by name; updated by the passes.
        passes_over: Makes the passes over a choice.

    Returns:
        The passes over the final choice, and their sums.
    """
    while True:
        passes = passes_over(choose_layer(order, layer_traits))
        layer = passes.choice.layer
        if layer_traits[layer.name].lacks_cells and layer.n_cells is not None:
            layer_traits[layer.name] = layer_traits[layer.name].with_cells(passes.gather())
            continue
        sums = passes.run(samples[layer.name].gene_weights)
        if sums.facts.n_outside:
            raise CorruptMatrixError(
                f"{plural(sums.facts.n_outside, 'value')} of {layer.name} "
                f"{agreeing(sums.facts.n_outside, 'has')} a gene or cell index outside its "
                f"{plural(sums.cells.n_cells, 'cell')} × {plural(len(layer.genes), 'gene')}"
            )
        layer_traits[layer.name] = layer_traits[layer.name].after_pass(
            sums, passes.choice.transform
        )
        final = choose_layer(order, layer_traits)
        if final.reads_like(passes.choice):
            return replace(passes, choice=final), sums


def _describe_layers(
    layers: Sequence[Layer], layer_traits: Mapping[str, ValueTraits], samples: Mapping[str, Sample]
) -> list[LayerFinding]:
    """Return the findings about every layer; equal layers refer to the first of them."""
    first: dict[bytes, str] = {}
    findings = []
    for layer in layers:
        sample = samples.get(layer.name)
        same_as = first.setdefault(sample.digest, layer.name) if sample else layer.name
        findings.append(
            LayerFinding(
                layer.name,
                classify(layer_traits[layer.name]) if layer.name in layer_traits else None,
                None if same_as == layer.name else same_as,
            )
        )
    return findings
