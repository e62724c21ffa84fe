"""The content of a file and how a run would read it, from samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from dpss.engine.cellxgene import read_schema
from dpss.engine.layers import (
    Choice,
    LayerOrder,
    choose_layer,
    decide_layer,
    decide_values,
    order_layers,
)
from dpss.engine.reading import describe_reading
from dpss.engine.samples import SAMPLE_BYTES, sample_layers
from dpss.errors import MatrixError
from dpss.formats.base import Matrix, SampledLayer
from dpss.formats.discovery import OpenFailure, iter_matrices
from dpss.formats.faults import guard_blocks
from dpss.formats.options import OpenOptions
from dpss.model import Certainty, Decision
from dpss.stats.values.sample_cells import GatheredCells
from dpss.stats.values.traits import ValueTraits, classify
from dpss.storage.locations import Source
from dpss.summary.tables import reading_document

_MOST_VALUES = 1 << 20
"""Most stored values of a gene-major layer whose cells are assembled."""
_UNTOLD = (
    "The file holds gene after gene, so that samples show no whole cell; a run makes a pass to "
    "tell whether the values are normalised or logarithms, and to which base."
)


@dataclass(frozen=True)
class Inspection:
    """Findings about one matrix."""

    name: str
    """The matrix's name within its file; empty where the file holds just one."""
    error: str = ""
    """Reason why the matrix can't be summarised; empty if it can."""
    n_cells: int | None = None
    """Number of cells; ``None`` where only a full pass would count them."""
    n_features: int | None = None
    """Number of features along the gene axis; ``None`` where only a full pass would count them."""
    layers: tuple[tuple[str, str], ...] = ()
    """Name of each layer with a description of its sampled values."""
    reading: tuple[Decision, ...] = ()
    """Decisions that a run would make, each with its evidence."""


def inspect_source(
    source: Source, options: OpenOptions, layer: str | None = None
) -> Iterator[Inspection]:
    """Inspect every matrix of a file or folder.

    Args:
        source: An opened file or folder.
        options: Resources and overrides for opening a matrix.
        layer: The layer to read; ``None`` for the one that a run would choose.

    Raises:
        MatrixError: There is no matrix, the only one can't be opened, or the file can't be read.
    """
    yield from guard_blocks(partial(_inspections, source, options, layer), source.url)


def _inspections(source: Source, options: OpenOptions, layer: str | None) -> Iterator[Inspection]:
    with closing(iter_matrices(source, options)) as matrices:
        for found in matrices:
            if isinstance(found, OpenFailure):
                yield Inspection(found.name, error=str(found.error))
                continue
            try:
                yield _inspect(found, layer)
            except MatrixError as error:
                yield Inspection(found.name, str(error), reading=tuple(found.decisions))


def _inspect(matrix: Matrix, wanted: str | None) -> Inspection:
    """Inspect one matrix.

    Raises:
        MatrixError: The matrix can't be summarised.
    """
    order = order_layers(matrix.layers, wanted)
    samples = sample_layers(matrix.layers, {each.name for each in order.named})
    layer_traits = {name: sample.traits for name, sample in samples.items()}
    choice = _choose(order, layer_traits)
    first: dict[bytes, str] = {}
    same = {name: first.setdefault(sample.digest, name) for name, sample in samples.items()}
    decisions = [
        decide_layer(order, choice, layer_traits, same),
        *decide_values(choice, layer_traits[choice.layer.name]),
    ]
    schema = read_schema(matrix)
    decisions += [] if schema is None else [schema.decision]
    layer = choice.layer
    if _lacks_cells(layer_traits[layer.name]):
        decisions = [_doubt(each) for each in decisions]
    kinds = {name: str(classify(traits)) for name, traits in layer_traits.items()}
    # The lines of a text table are counted by a full pass only.
    is_part = isinstance(layer, SampledLayer) and layer.sample_only and not layer.cell_major
    return Inspection(
        matrix.name,
        n_cells=choice.layer.n_cells,
        n_features=None if is_part else len(choice.layer.genes),
        layers=tuple((each.name, kinds.get(each.name, "unreadable")) for each in matrix.layers),
        reading=describe_reading(matrix, choice.layer, decisions),
    )


def _choose(order: LayerOrder, layer_traits: dict[str, ValueTraits]) -> Choice:
    """Choose a layer; assemble whole cells of a small one where they are needed.

    Args:
        order: Layers to choose from.
        layer_traits: Traits of each readable layer, by name; updated with those of whole cells.
    """
    while True:
        choice = choose_layer(order, layer_traits)
        layer = choice.layer
        traits = layer_traits[layer.name]
        n_values = _MOST_VALUES + 1 if layer.n_values is None else layer.n_values
        is_part = isinstance(layer, SampledLayer) and layer.sample_only
        if not _lacks_cells(traits) or layer.n_cells is None or is_part or n_values > _MOST_VALUES:
            return choice
        cells = GatheredCells(layer.n_cells)
        for partition in layer.partitions(SAMPLE_BYTES):
            for block in layer.entry_blocks(partition, SAMPLE_BYTES):
                cells.add(block)
        layer_traits[layer.name] = traits.with_cells(cells.block())
        if _lacks_cells(layer_traits[layer.name]):
            return choose_layer(order, layer_traits)


def _lacks_cells(traits: ValueTraits) -> bool:
    """Return whether the kind of fractional values needs whole cells."""
    could_be = not (traits.n_nonfinite or traits.n_negative or traits.n_large)
    unknown = traits.stored.total_max == 0 and traits.n_fractional > 0
    return could_be and (unknown or traits.lacks_cells)


def _doubt(decision: Decision) -> Decision:
    """Return a decision about values as an assumption, as whole cells were not seen."""
    if decision.topic not in ("values", "log_base"):
        return decision
    return replace(decision, evidence=_UNTOLD, certainty=Certainty.ASSUMED, changes_numbers=True)


def inspection_document(url: str, inspection: Inspection) -> dict[str, object]:
    """Return an inspection as a document for JSON.

    Args:
        url: Address of the file, without secrets.
        inspection: The findings.
    """
    return {
        "url": url,
        "name": inspection.name,
        "error": inspection.error or None,
        "n_cells": inspection.n_cells,
        "n_features": inspection.n_features,
        "layers": dict(inspection.layers),
        "reading": reading_document(inspection.reading),
    }
