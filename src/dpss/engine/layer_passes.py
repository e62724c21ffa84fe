"""Single passes over a layer, with their executor and progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from dpss.compute.executor import Executor, Fold, Mergeable
from dpss.engine.folds import EntryReading, Reading
from dpss.engine.progress import Progress

A = TypeVar("A", bound=Mergeable)


@dataclass(frozen=True)
class EntryPasses:
    """A source of entries, and the means to read it any number of times."""

    reading: EntryReading
    executor: Executor
    partition_bytes: int
    progress: Progress

    def run(self, label: str, fold: Fold[A]) -> A:
        """Make one pass and return the merged accumulator.

        Args:
            label: Name of the pass, shown with its progress.
            fold: The work on each partition.
        """
        partitions = self.reading.partitions(self.partition_bytes)
        self.progress.begin(label, self.reading.layer.n_values)
        try:
            return self.executor.fold(fold, partitions, self.progress.advance)
        finally:
            self.progress.end()


@dataclass(frozen=True)
class LayerPasses(EntryPasses):
    """A layer that gives whole cells, and the means to read it any number of times."""

    reading: Reading
