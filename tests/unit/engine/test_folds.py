"""Folds over a layer: the size of its partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from dpss.engine.folds import Reading

MIB = 1 << 20


class _Sized:
    """A layer that notes the size of partitions that it is asked for."""

    name = "X"

    def __init__(self, n_values: int | None) -> None:
        self.n_values = n_values
        self.asked: list[int] = []

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        self.asked.append(partition_bytes)
        return [range(1)]


@pytest.mark.parametrize(
    ("n_values", "expected"),
    [
        (None, 32 * MIB),
        (0, 32 * MIB),
        (4 * MIB, 32 * MIB),
        (8 * MIB, 32 * MIB),
        (20 * MIB, 10 * MIB),
        (64 * MIB, 32 * MIB),
        (1 << 31, 32 * MIB),
    ],
)
def test_a_small_layer_has_small_partitions(n_values: int | None, expected: int) -> None:
    """At least 16, so that no thread waits for long for the last one, unless it is tiny."""
    layer: Any = _Sized(n_values)
    Reading(layer, 4 * MIB).partitions(32 * MIB)
    assert layer.asked == [expected]
