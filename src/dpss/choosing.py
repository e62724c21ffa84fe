"""Which layer of a matrix is summarised: a rule over what is known of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dpss.errors import CorruptMatrixError, NoCountsError, NoMatrixError
from dpss.formats import Layer
from dpss.stats.transform import Transform
from dpss.stats.values import Values

_COUNT_LAYERS = ("counts", "raw_counts", "raw")


@dataclass(frozen=True)
class Choice:
    """A layer and how it is to be taken."""

    layer: Layer
    values: Values
    noisy: bool = False
    """Whether some of its whole numbers have rounding noise."""

    @property
    def transform(self) -> Transform:
        """What must be done to the values first."""
        return Transform(
            exponentiate=self.values is Values.LOG_NORMALISED,
            rounded=self.noisy and self.values is Values.COUNTS,
        )

    def reads_like(self, other: Choice) -> bool:
        """Return whether a pass made for the one serves the other."""
        return self.layer is other.layer and self.transform == other.transform


def order_layers(layers: Sequence[Layer], wanted: str | None) -> list[Layer]:
    """Return the layers to look for counts in, in order.

    Those named ``counts``, ``raw_counts`` and ``raw`` first, then ``raw.X``, then ``X``;
    only the wanted one if one is wanted.

    Raises:
        NoMatrixError: There is no such layer, or none at all.
    """
    by_name = {layer.name: layer for layer in layers}
    known = ", ".join(by_name) or "none"
    if wanted is not None:
        for name in (wanted, wanted.removeprefix("layers/")):
            if name in by_name:
                return [by_name[name]]
        raise NoMatrixError(f"there is no layer {wanted!r}; the layers are: {known}")
    order = [by_name[name] for name in (*_COUNT_LAYERS, "raw.X", "X") if name in by_name]
    if not order:
        raise NoMatrixError(
            f"there is no X, raw.X or layer of counts (layers: {known}); name one with --layer"
        )
    return order


def choose_layer(
    order: Sequence[Layer], kinds: Mapping[str, Values], noisy: Collection[str] = ()
) -> Choice:
    """Choose the layer to summarise.

    The first of whole numbers; else the first that is at least 0 and not
    log-transformed; else the first that is log-normalised.

    Args:
        order: Layers to choose from, best first.
        kinds: What each of them holds, by name.
        noisy: Names of those with rounding noise.

    Raises:
        NoCountsError: All hold negative values.
        CorruptMatrixError: None can be used, and some hold NaN or infinite values.
    """
    tiers = (
        (Values.COUNTS,),
        (Values.EXPECTED_COUNTS, Values.NORMALISED),
        (Values.LOG_NORMALISED,),
    )
    for tier in tiers:
        for layer in order:
            if kinds[layer.name] in tier:
                return Choice(layer, kinds[layer.name], layer.name in noisy)
    looked_at = ", ".join(layer.name for layer in order)
    if Values.NOT_FINITE in kinds.values():
        raise CorruptMatrixError(f"holds NaN or infinite values (looked at: {looked_at})")
    raise NoCountsError(
        f"holds only scaled (negative) values, nothing to count (looked at: {looked_at})"
    )
