"""The decisions on how a file was read, each with evidence, certainty and option."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dpss.formats.annotation.axis_names import AxisKind, find_kind
from dpss.formats.annotation.feature_kinds import KINDS
from dpss.formats.base import Layer, Matrix
from dpss.model import GENE_EXPRESSION, Certainty, Decision
from dpss.summary.nomenclature import Nomenclature, describe_names

TOPICS = (
    *("format", "schema", "orientation", "layer", "values", "log_base", "decimal_sign"),
    *("annotation", "left_out", "cell_annotation", "probes", "gene_names", "gene_ids", "species"),
)
"""Topics of decisions in the order of display; other topics follow."""
NOTED = {
    ("gene_names", "warn"): ("numbered from 1", Certainty.ASSUMED),
    ("gene_names", "pass"): ("of the column that tells most apart", Certainty.TOLD_BY_CONTENT),
    ("cell_names", "warn"): ("numbered from 1", Certainty.ASSUMED),
    ("gene_columns", "warn"): ("some are not read", Certainty.TOLD_BY_CONTENT),
    ("modalities", "warn"): ("some are left out", Certainty.TOLD_BY_CONTENT),
    ("layers", "warn"): ("some are passed over", Certainty.STATED),
    ("splice_states", "warn"): ("counted apart", Certainty.TOLD_BY_CONTENT),
}
"""Value and certainty of the decision behind a note, by the note's name and status."""


def describe_reading(
    matrix: Matrix, layer: Layer, decisions: Sequence[Decision], names: Nomenclature | None = None
) -> tuple[Decision, ...]:
    """Return all decisions about a matrix, in the order of `TOPICS`.

    Args:
        matrix: The opened matrix, with the decisions of its reader.
        layer: The layer that is summarised.
        decisions: Decisions about the layer and its values.
        names: Nomenclature of the genes; computed from the layer if not given.
    """
    found = [_decide_format(matrix), *matrix.decisions, *decisions]
    found += _convert_notes(matrix)
    found += _decide_features(layer)
    genes = layer.genes.select(layer.genes.is_gene)
    found += _decide_names(names or describe_names(genes))
    found = [_doubt_orientation(each, genes.ids, genes.names) for each in found]
    order = {topic: i for i, topic in enumerate(TOPICS)}
    return tuple(sorted(found, key=lambda each: order.get(each.topic, len(order))))


def _doubt_orientation(decision: Decision, *columns: NDArray[np.object_]) -> Decision:
    """Return orientation as an assumption where genes have names of cells.

    The orientation that a file states is wrong if the matrix was written transposed.

    Args:
        decision: Any decision; all others are returned as they are.
        columns: Ids and names of the genes.
    """
    sure = decision.topic == "orientation" and not decision.is_warning
    if not sure or not all(find_kind(column.tolist()) is AxisKind.CELLS for column in columns):
        return decision
    evidence = (
        f"{decision.evidence} But its genes are named as cells are "
        f"({', '.join(map(str, columns[-1][:2]))}): it may be transposed."
    )
    return replace(decision, evidence=evidence, certainty=Certainty.ASSUMED, changes_numbers=True)


def _decide_format(matrix: Matrix) -> Decision:
    return Decision(
        "format",
        matrix.format,
        "The first bytes and the names within the file are those of this format.",
        Certainty.TOLD_BY_CONTENT,
    )


def _convert_notes(matrix: Matrix) -> Iterator[Decision]:
    """Yield the decision behind each note of the reader that has one."""
    for name, status, sentence in matrix.notes:
        if (name, status) in NOTED:
            value, certainty = NOTED[name, status]
            yield Decision(name, value, sentence, certainty)


def _decide_features(layer: Layer) -> Iterator[Decision]:
    types = layer.genes.feature_types
    counts = Counter(() if types is None else map(str, types))
    for kind, n in sorted(counts.items()):
        if kind == GENE_EXPRESSION:
            continue
        by_form = kind in KINDS
        yield Decision(
            "left_out",
            f"{n:,} {kind or 'without a type'}",
            "Their names, or what the columns hold, are those of no gene."
            if by_form
            else "The file gives them this feature type.",
            Certainty.TOLD_BY_CONTENT if by_form else Certainty.STATED,
        )


def _decide_names(names: Nomenclature) -> Iterator[Decision]:
    ids = names.id_type + (" with versions" if names.versioned else "")
    yield Decision("gene_ids", ids, "By the form of the ids.", Certainty.TOLD_BY_CONTENT)
    if names.species:
        value, evidence = ", ".join(names.species), f"By {names.by}."
        yield Decision("species", value, evidence, Certainty.TOLD_BY_CONTENT)
    else:
        evidence = "No known gene symbol or id was found."
        yield Decision("species", "not recognised", evidence, Certainty.TOLD_BY_CONTENT)
