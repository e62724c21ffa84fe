"""A pass over a layer: its progress begins and ends, also where it fails."""

from __future__ import annotations

from typing import Any

import pytest

from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.folds import Reading
from dpss.engine.layer_passes import LayerPasses
from dpss.engine.progress import NullProgress


class _Seen(NullProgress):
    def __init__(self) -> None:
        self.calls: list[Any] = []

    def begin(self, label: str, total: int | None) -> None:
        self.calls.append((label, total))

    def advance(self, n: int) -> None:
        self.calls.append(n)

    def end(self) -> None:
        self.calls.append("end")


class _Layer:
    name, n_values = "X", 7

    def partitions(self, partition_bytes: int) -> list[range]:
        return [range(3), range(3, 7)]


class _Sum:
    """A fold and its accumulator."""

    def __init__(self) -> None:
        self.total = 0

    def start(self) -> _Sum:
        return _Sum()

    def add(self, accumulator: _Sum, partition: range, advance: Any) -> None:
        accumulator.total += len(partition)
        advance(len(partition))

    def merge(self, other: _Sum) -> None:
        self.total += other.total


class _Broken(_Sum):
    def add(self, accumulator: _Sum, partition: range, advance: Any) -> None:
        raise OSError("the disk is broken")


def test_a_pass_is_shown_from_begin_to_end() -> None:
    """Its label, the number of values and what was read."""
    layer: Any = _Layer()
    seen = _Seen()
    passes = LayerPasses(Reading(layer, 1), ThreadExecutor(1), 1, seen)
    assert passes.run("reading", _Sum()).total == 7
    assert seen.calls == [("reading", 7), 3, 4, "end"]


def test_a_pass_that_fails_is_ended() -> None:
    """A bar that is never ended would stand beside the error."""
    layer: Any = _Layer()
    seen = _Seen()
    with pytest.raises(OSError, match="the disk is broken"):
        LayerPasses(Reading(layer, 1), ThreadExecutor(1), 1, seen).run("reading", _Broken())
    assert seen.calls == [("reading", 7), "end"]
