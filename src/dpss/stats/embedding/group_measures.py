"""Distributions of the measures of cells in each of several groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpss.stats.embedding.group_tables import MEASURES
from dpss.stats.histogram import Distribution, Tally

_TALLY_LIMIT = 1 << 12
_MAX_PENDING = 1 << 14


class GroupMeasures:
    """Number of cells and distribution of each of `MEASURES` per group; mergeable.

    Cells are sorted when many are pending: to sort a few of each group takes as long.
    """

    def __init__(self, n_groups: int) -> None:
        """Start without cells."""
        self.sizes = np.zeros(n_groups, dtype=np.int64)
        """Cells of each group, shape ``(n_groups,)``."""
        self._tallies = [[Tally(_TALLY_LIMIT) for _ in MEASURES] for _ in range(n_groups)]
        self._pending: list[tuple[NDArray[np.int16], NDArray[np.float64]]] = []
        self._n_pending = 0

    def add(self, labels: NDArray[np.int16], measures: NDArray[np.float64]) -> None:
        """Add cells.

        Args:
            labels: Group of each cell, shape ``(n_cells,)``.
            measures: Values of `MEASURES`, shape ``(n_measures, n_cells)``; kept as it is.
        """
        self.sizes += np.bincount(labels, minlength=len(self.sizes))
        self._pending.append((labels, measures))
        self._n_pending += len(labels)
        if self._n_pending >= _MAX_PENDING:
            self._sort_pending()

    def merge(self, other: GroupMeasures) -> None:
        """Add all cells of another one over the same groups."""
        other._sort_pending()
        self._sort_pending()
        self.sizes += other.sizes
        for mine, others in zip(self._tallies, other._tallies, strict=True):
            for tally, more in zip(mine, others, strict=True):
                tally.merge(more)

    def distributions(self, groups: NDArray[np.int64]) -> tuple[tuple[Distribution, ...], ...]:
        """Return the distribution of each measure in some groups, in the order given."""
        self._sort_pending()
        return tuple(
            tuple(tally.distribution() for tally in self._tallies[k]) for k in groups.tolist()
        )

    def _sort_pending(self) -> None:
        """Add the pending cells to the distributions."""
        if not self._pending:
            return
        labels = np.concatenate([labels for labels, _ in self._pending])
        measures = np.concatenate([measures for _, measures in self._pending], axis=1)
        self._pending, self._n_pending = [], 0
        order = np.argsort(labels, kind="stable")
        ends = np.cumsum(np.bincount(labels, minlength=len(self.sizes)))
        for group, part in enumerate(np.split(order, ends[:-1])):
            if len(part):
                for tally, values in zip(self._tallies[group], measures, strict=True):
                    tally.add(values[part])
