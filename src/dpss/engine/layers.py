"""Choice of the layer to summarise: a rule over the samples of all layers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dpss.errors import CorruptMatrixError, NoCountsError, NoMatrixError
from dpss.formats.base import Layer
from dpss.model import Certainty, Decision
from dpss.stats.kernels.rows import TOO_LARGE, TOO_SMALL
from dpss.stats.values.kinds import ValueKind
from dpss.stats.values.logarithms import EQUAL_TOTALS, BaseEvidence, find_base, name_base
from dpss.stats.values.traits import ValueTraits, classify
from dpss.stats.values.transform import Transform

_COUNT_LAYERS = ("counts", "raw_counts", "raw")
_ASIDE = re.compile(
    r"spliced|ambiguous|spanning|nascent|mature|intron|exon|correct|adjust|cellbender|soupx"
    r"|decont|denois|imput|magic|smooth|ambient|velocity|^M[su]$",
    re.IGNORECASE,
)
"""Names of layers that hold part of the counts, or the output of a model."""
_LIKELY = re.compile(r"count|umi|raw", re.IGNORECASE)
"""Names that indicate counts, where several layers hold whole numbers."""
_OPTION = "--layer"
_MIN_CELLS = 10
_MIN_RATES = 1_000
"""Least total to which counts are normalised."""
_VALUE_EVIDENCE = {
    ValueKind.COUNTS: "all are whole numbers of at least 0",
    ValueKind.EXPECTED_COUNTS: "fractions of at least 0 on no logarithmic scale",
    ValueKind.NORMALISED: "fractions with the same total in all sampled cells",
}


@dataclass(frozen=True)
class LayerOrder:
    """The candidate layers of a matrix, in order."""

    named: Sequence[Layer]
    """Layers that a rule names, best first; an unreadable one is an error."""
    others: Sequence[Layer] = ()
    """Layers that no rule names, chosen by their values, best first."""
    wanted: bool = False
    """Whether the user named the layer."""

    @property
    def candidates(self) -> list[Layer]:
        """All candidates, best first."""
        return [*self.named, *self.others]


@dataclass(frozen=True)
class Choice:
    """The chosen layer, and the transform of its values."""

    layer: Layer
    values: ValueKind
    transform: Transform
    """Transform that makes counts of its values."""

    def reads_like(self, other: Choice) -> bool:
        """Return whether a pass over this choice gives the sums of the other."""
        return self.layer is other.layer and self.transform == other.transform


def order_layers(layers: Sequence[Layer], wanted: str | None) -> LayerOrder:
    """Return the layers that may hold counts, in order.

    Those named ``counts``, ``raw_counts`` and ``raw`` first, then ``raw.X``, then ``X``, then
    all others except those whose names mean part of the counts or the output of a model. If a layer
    is wanted, only that one.

    Raises:
        NoMatrixError: The wanted layer is missing, or there is no layer.
        NoCountsError: No feature is a gene, as in a matrix of tags or peaks, or there is none.
    """
    if layers and not any(layer.genes.is_gene.any() for layer in layers):
        kinds = layers[0].genes.describe_others()
        raise NoCountsError(f"holds no genes: its features are {kinds or 'none at all'}")
    by_name = {layer.name: layer for layer in layers}
    known = ", ".join(by_name) or "none"
    if wanted is not None:
        for name in (wanted, wanted.removeprefix("layers/")):
            if name in by_name:
                return LayerOrder([by_name[name]], wanted=True)
        raise NoMatrixError(f"there is no layer {wanted!r}; the layers are: {known}")
    named = [by_name[name] for name in (*_COUNT_LAYERS, "raw.X", "X") if name in by_name]
    others = [layer for layer in layers if layer not in named and not _ASIDE.search(layer.name)]
    others.sort(key=lambda layer: not _LIKELY.search(layer.name))
    if not named and not others:
        raise NoMatrixError(
            f"there is no X, raw.X or layer of counts (layers: {known}); name one with {_OPTION}"
        )
    return LayerOrder(named, others)


def choose_layer(order: LayerOrder, layer_traits: Mapping[str, ValueTraits]) -> Choice:
    """Choose the layer to summarise.

    The first of whole numbers; else the first that is at least 0 and not
    log-transformed; else the first that is log-normalised. A layer that no rule names and
    that holds nothing but 0 and 1 is a mask, and is not taken.

    Args:
        order: Layers to choose from.
        layer_traits: Traits of each readable layer by name, also of layers that are no candidates.

    Raises:
        NoCountsError: All candidates hold negative or tiny values or square roots, or can't be
            read.
        CorruptMatrixError: No candidate can be used, and some hold NaN, infinite or too large
            values.
    """
    tiers = (
        (ValueKind.COUNTS,),
        (ValueKind.EXPECTED_COUNTS, ValueKind.NORMALISED),
        (ValueKind.LOG_NORMALISED,),
    )
    usable = _usable(order, layer_traits)
    for tier in tiers:
        for layer in usable:
            values = classify(layer_traits[layer.name])
            if values in tier:
                return Choice(layer, values, _transform(values, layer_traits[layer.name]))
    described = "; ".join(
        f"{name}: {_describe(name, order, layer_traits)}" for name in layer_traits
    )
    kinds = {classify(layer_traits[layer.name]) for layer in usable}
    if ValueKind.NOT_FINITE in kinds:
        raise CorruptMatrixError(f"holds NaN or infinite values (layers: {described})")
    if ValueKind.TOO_LARGE in kinds:
        raise CorruptMatrixError(f"holds values of {TOO_LARGE:.3g} and more (layers: {described})")
    if ValueKind.TOO_SMALL in kinds:
        raise NoCountsError(f"holds only values below {TOO_SMALL:.3g} (layers: {described})")
    for layer in usable:
        if reason := _explain_transform(layer_traits[layer.name]):
            raise NoCountsError(f"{reason}; give the counts (layers: {described})")
    reason = "holds only scaled (negative) values, nothing to count" if kinds else "holds no counts"
    raise NoCountsError(f"{reason} (layers: {described})")


def _explain_transform(traits: ValueTraits) -> str:
    """Return the known reason why values are not counts; empty for none."""
    values = classify(traits)
    if values is ValueKind.ROOTS:
        return f"holds square roots ({traits.roots.evidence}), which are not undone"
    if values is ValueKind.SHIFTED:
        part = traits.shift.n_smallest / traits.shift.n_values
        return (
            f"has no value of 0, and {part:.0%} of the values are the smallest, "
            f"{traits.shift.smallest:.4g}: a constant was added before they were transformed"
        )
    return ""


def decide_layer(
    order: LayerOrder,
    choice: Choice,
    layer_traits: Mapping[str, ValueTraits],
    same: Mapping[str, str],
) -> Decision:
    """Return the decision on the layer, with its reason and the equivalent layers.

    Args:
        order: The candidates.
        choice: The chosen layer.
        layer_traits: Traits of each readable layer, by name.
        same: For each readable layer, the name of the first layer with equal samples.
    """
    name = choice.layer.name
    certainty, changes = Certainty.TOLD_BY_CONTENT, False
    if order.wanted:
        certainty, evidence = Certainty.STATED, f"{_OPTION} names it"
    elif choice.layer in order.named:
        evidence = f"the first of the usual layers of counts that holds {choice.values}"
    else:
        ties = [
            layer.name
            for layer in _usable(order, layer_traits)
            if layer in order.others
            and classify(layer_traits[layer.name]) is choice.values
            and same.get(layer.name) != same.get(name)
        ]
        evidence = f"no usual layer of counts holds {choice.values}, but {name} does"
        if ties:
            certainty, changes = Certainty.ASSUMED, True
            evidence += f"; so do {', '.join(ties)}, with other values"
    return Decision("layer", name, evidence, certainty, _OPTION, changes)


def decide_values(choice: Choice, traits: ValueTraits) -> list[Decision]:
    """Return the decisions on the kind of the chosen layer's values."""
    told = Certainty.TOLD_BY_CONTENT
    values = str(choice.values)
    if choice.transform.rounded:
        evidence = "all are whole numbers of at least 0 but for rounding noise, and were rounded"
        return [Decision("values", values, evidence, told, changes_numbers=True)]
    if _may_be_rounded_rates(choice, traits):
        total = f"{traits.stored.total_max:,.0f}"
        evidence = (
            "all are whole numbers of at least 0, but the totals of all cells are the same to "
            f"within {EQUAL_TOTALS:.0%} ({total}): they may be normalised and rounded, or drawn to "
            "the same depth"
        )
        return [Decision("values", values, evidence, Certainty.ASSUMED, changes_numbers=True)]
    if choice.transform.base is None:
        return [Decision("values", values, _VALUE_EVIDENCE[choice.values], told)]
    base, evidence = find_base(traits.bases)
    known = evidence is not BaseEvidence.NOTHING
    certainty = told if known else Certainty.ASSUMED
    return [
        Decision("values", values, f"fractions of at most {traits.largest:.3g}", certainty,
                 changes_numbers=True),
        Decision("log_base", name_base(base), str(evidence), certainty, changes_numbers=True),
    ]  # fmt: skip


def _may_be_rounded_rates(choice: Choice, traits: ValueTraits) -> bool:
    """Return whether whole numbers may be rounded rates: 10 cells of equal totals."""
    return (
        choice.values is ValueKind.COUNTS
        and (choice.layer.n_cells or _MIN_CELLS) >= _MIN_CELLS
        and traits.stored.total_max >= _MIN_RATES
        and traits.stored.spread <= EQUAL_TOTALS
    )


def _usable(order: LayerOrder, layer_traits: Mapping[str, ValueTraits]) -> list[Layer]:
    """Return the layers that may be chosen, best first."""
    others = [
        layer
        for layer in order.others
        if layer.name in layer_traits and not is_mask(layer_traits[layer.name])
    ]
    return [*order.named, *others]


def is_mask(traits: ValueTraits) -> bool:
    """Return whether all values are 0 or 1."""
    return traits.largest <= 1 and classify(traits) is ValueKind.COUNTS


def _transform(values: ValueKind, traits: ValueTraits) -> Transform:
    return Transform(
        base=find_base(traits.bases)[0] if values is ValueKind.LOG_NORMALISED else None,
        rounded=values is ValueKind.COUNTS and traits.n_noisy > 0,
    )


def _describe(name: str, order: LayerOrder, layer_traits: Mapping[str, ValueTraits]) -> str:
    """Return the kind of a layer's values, and the option that takes a skipped layer."""
    values = str(classify(layer_traits[name]))
    if name not in {layer.name for layer in order.candidates}:
        return f"{values} ({_OPTION} {name} takes them)"
    if is_mask(layer_traits[name]) and name in {layer.name for layer in order.others}:
        return f"only 0 and 1 ({_OPTION} {name} takes them)"
    return values
