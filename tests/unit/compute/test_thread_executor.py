"""Folds in threads: the first error ends them, whichever thread meets it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from dpss.compute.executor import Advance
from dpss.compute.thread_executor import ThreadExecutor

N_PARTITIONS = 20_000


@dataclass
class Numbers:
    """The partitions that a thread has read."""

    read: list[int] = field(default_factory=list)

    def merge(self, other: Numbers) -> None:
        """Add those of another thread."""
        self.read += other.read


@dataclass
class FailingFold:
    """Reads partitions, a millisecond each; one of them fails."""

    bad: int
    read: list[int] = field(default_factory=list)

    def start(self) -> Numbers:
        """Make an empty list."""
        return Numbers()

    def add(self, accumulator: Numbers, partition: range, advance: Advance) -> None:
        """Read a partition."""
        if partition.start == self.bad:
            raise ValueError(f"partition {partition.start} is damaged")
        time.sleep(0.001)
        accumulator.read.append(partition.start)
        self.read.append(partition.start)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
@pytest.mark.parametrize("bad", [0, 1, 3, 10])
def test_an_error_of_any_thread_ends_all(bad: int, n_threads: int) -> None:
    """The others finish their partition; they do not read all that are left."""
    fold = FailingFold(bad)
    partitions = [range(i, i + 1) for i in range(N_PARTITIONS)]
    with pytest.raises(ValueError, match=f"partition {bad} is damaged"):
        ThreadExecutor(n_threads).fold(fold, partitions, lambda _: None)
    assert len(fold.read) < N_PARTITIONS // 2


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_without_an_error_each_partition_is_read_once(n_threads: int) -> None:
    """By one of the threads."""
    partitions = [range(i, i + 1) for i in range(50)]
    found = ThreadExecutor(n_threads).fold(FailingFold(-1), partitions, lambda _: None)
    assert sorted(found.read) == list(range(50))
