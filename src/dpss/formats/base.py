"""From bytes to blocks: one module per format, `dpss.formats.registry` maps bytes to them.

A file holds one or more matrices, a matrix has one or more layers, and a layer is
what gives blocks. To add a format, write a module with ``sniff`` and ``open_`` and
enter it in `dpss.formats.registry`; ``CONTRIBUTING.md`` shows how.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock, Certainty, Decision, EntryBlock, GeneTable


class Layer(Protocol):
    """One layer of a matrix: what gives blocks.

    Duties of an implementation: partitions are disjoint and cover the layer; blocks of a
    partition are consecutive, disjoint, cover it once and hold about ``block_bytes`` of
    decoded values; asking twice gives the same blocks; partitions may be read by several
    threads at once; the layer can be pickled and opens its file lazily, so that
    another process can read a partition. What contradicts itself in the bytes becomes a
    `dpss.errors.CorruptMatrixError` that names the file and what is wrong.
    """

    @property
    def name(self) -> str:
        """``X``, ``raw.X`` or a layer's name."""

    @property
    def n_cells(self) -> int | None:
        """Number of cells; ``None`` where only reading tells, which then is sure to be cell-major.

        The one partition of such a layer ends somewhere behind its last cell.
        """

    @property
    def n_values(self) -> int | None:
        """Number of stored values, as far as known before reading; for progress only."""

    @property
    def genes(self) -> GeneTable:
        """The features along the gene axis."""

    @property
    def cell_major(self) -> bool:
        """Whether `cell_blocks` can be asked: one pass. Otherwise `entry_blocks`: two."""

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Cut the layer into parts of about ``partition_bytes`` that can be read side by side.

        A part is a range of cells where the layer is cell-major, else a range of
        whatever the layer's major axis is.
        """

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a partition in blocks.

        Raises:
            NotCellMajorError: The bytes turn out to be in another order.
        """

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the stored values of a partition in blocks, in any order, each place once.

        Raises:
            NotCellMajorError: The bytes turn out to be in another order.
        """


@runtime_checkable
class EntryLayer(Protocol):
    """A layer whose values may stand in no order."""

    def gathered(self) -> Layer | None:
        """Return the layer as one of cells if its values stand in no order, else ``None``."""


class CellTable(Protocol):
    """Names of the cells and what is said of each: columns of text, read in parts."""

    def columns(self) -> list[str]:
        """Return the names of the columns that can be read."""

    def labels(self, column: str) -> Iterator[NDArray[Any]]:
        """Yield a column in parts: arrays of ``str``, ``None`` where a value is missing.

        Raises:
            ColumnError: It can't be read.
        """

    def names(self) -> Iterator[NDArray[Any]]:
        """Yield the names (barcodes) of the cells in parts, as `labels` does.

        Raises:
            ColumnError: There are none, or they can't be read.
        """


class CellCoordinates(Protocol):
    """Coordinates of the cells that the file has: a UMAP and the like, read in parts.

    The matrix is opened without them: an error of one of them concerns no other.
    """

    def names(self) -> list[str]:
        """Return the names of what may be coordinates.

        Raises:
            MatrixError: They can't be listed.
        """

    def n_axes(self, name: str) -> int:
        """Return the number of axes.

        Raises:
            ColumnError: They are no coordinates.
            MatrixError: They can't be read.
        """

    def points(self, name: str) -> Iterator[NDArray[np.float64]]:
        """Yield the first two coordinates of the cells in parts of shape ``(n, 2)``.

        Raises:
            ColumnError: They are no coordinates.
            MatrixError: They can't be read.
        """


@dataclass(frozen=True)
class About:
    """Description of a format: docs/reference/formats.md is made of it."""

    name: str
    reader: str
    """The module below `dpss.formats` that reads it."""
    endings: str
    """Name of the row of `dpss.storage.file_formats.FILE_FORMATS` with the endings of its files."""
    real_files: tuple[str, ...] = ()
    """Real files that it is tested with."""
    constant_memory: str = "yes"
    """Whether memory does not grow with the file, and where it does."""


@dataclass(frozen=True)
class Matrix:
    """One matrix with all its layers."""

    name: str
    """Name within its file; empty where the file holds just this one."""
    format: str
    """Name of the format for people, such as ``h5ad`` or ``10x h5``."""
    layers: Sequence[Layer]
    """All layers, in the file's order."""
    notes: Sequence[tuple[str, str, str]] = field(default=())
    """Notes from opening: (check name, status, sentence)."""
    decisions: Sequence[Decision] = field(default=())
    """Decisions made while opening, each with its evidence."""
    cells: CellTable | None = None
    """The table of the cells; ``None`` where the format has none that is read."""
    coordinates: CellCoordinates | None = None
    """Coordinates of the cells; ``None`` where the format has none that are read."""


def state_orientation(value: str, evidence: str) -> Decision:
    """Return the orientation of a matrix whose format defines it.

    Args:
        value: ``cells × genes`` or ``genes × cells``, as stored.
        evidence: Why, one plain sentence.
    """
    return Decision("orientation", value, evidence, Certainty.STATED, changes_numbers=True)


ANNDATA_ORIENTATION = state_orientation(
    "cells × genes", "AnnData's tables obs and var name cells and genes."
)


def cut_evenly(n: int, n_values: int, value_bytes: int, partition_bytes: int) -> list[range]:
    """Cut ``n`` cells or genes with ``n_values`` values in all into even ranges.

    Returns:
        Ranges of about ``partition_bytes`` each; a single empty one for ``n == 0``.
    """
    n_partitions = max(1, min(n, -(-n_values * value_bytes // partition_bytes)))
    bounds = [n * i // n_partitions for i in range(n_partitions + 1)]
    return [range(a, b) for a, b in pairwise(bounds)]
