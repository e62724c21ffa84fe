"""Interfaces of readers: matrices, layers and tables of the cells.

A file holds one or more matrices, a matrix has one or more layers, and a layer gives blocks.
``CONTRIBUTING.md`` shows how a format is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dpss.model import CellBlock, Certainty, Decision, EntryBlock, GeneTable


class EntrySource(Protocol):
    """One layer of a matrix, read as blocks of entries in any order.

    Duties of an implementation: partitions are disjoint and cover the layer; blocks of a
    partition are consecutive, disjoint, cover it once and hold about ``block_bytes`` of
    decoded values; reading twice gives the same blocks; partitions may be read by several
    threads at once; the layer can be pickled and opens its file lazily, so that
    another process can read a partition. Contradictions in the bytes raise a
    `dpss.errors.CorruptMatrixError` that names the file and the fault.
    """

    @property
    def name(self) -> str:
        """Name of the layer: ``X``, ``raw.X`` or that in the file."""

    @property
    def n_cells(self) -> int | None:
        """Number of cells; ``None`` if only a full reading counts them.

        A layer without a number is cell-major; its one partition ends beyond its last cell.
        """

    @property
    def n_values(self) -> int | None:
        """Number of stored values, for progress; ``None`` if not known."""

    @property
    def genes(self) -> GeneTable:
        """The features along the gene axis."""

    @property
    def cell_major(self) -> bool:
        """Whether one pass over `cell_blocks` is enough, else two over entries."""

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Cut the layer into ranges of about ``partition_bytes`` to read in parallel.

        Ranges of cells for a cell-major layer, else of genes, tiles or chunks.
        """

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the stored values of a partition in blocks, in any order, each entry once.

        The next block may overwrite the arrays of the one before.

        Raises:
            NotCellMajorError: The file has another order.
        """


class Layer(EntrySource, Protocol):
    """One layer of a matrix, also read as blocks of whole cells."""

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a partition in blocks.

        Raises:
            NotCellMajorError: The file has another order.
        """


@runtime_checkable
class EntryLayer(Protocol):
    """A layer whose entries may have no order."""

    def gathered(self) -> Layer | None:
        """Return a cell-major form of the layer; ``None`` if entries have an order."""


@runtime_checkable
class SampledLayer(Protocol):
    """A layer that can be opened without reading all of its lines."""

    sample_only: bool
    """Whether it was opened so: the genes or cells of later lines are unknown."""


class CellTable(Protocol):
    """A table of the cells: names and columns of text, read in parts."""

    def columns(self) -> list[str]:
        """Return the names of the columns that can be read."""

    def labels(self, column: str) -> Iterator[NDArray[Any]]:
        """Yield a column in parts: arrays of ``str``, ``None`` where a value is missing.

        Raises:
            ColumnError: The column can't be read.
        """

    def names(self) -> Iterator[NDArray[Any]]:
        """Yield the names (barcodes) of the cells in parts, as `labels` does.

        Raises:
            ColumnError: The cells have no names, or the names can't be read.
        """


@runtime_checkable
class CategoricalTable(Protocol):
    """A table of the cells that gives categories and codes instead of text."""

    def categories(self, column: str) -> NDArray[Any] | None:
        """Return the distinct values of a column, ``None`` for one without categories.

        Raises:
            ColumnError: The categories can't be read.
        """

    def codes(self, column: str) -> Iterator[NDArray[np.int64]]:
        """Yield the index of each cell's category in parts, -1 where the value is missing.

        Raises:
            ColumnError: The codes are damaged.
        """


class DatasetFacts(Protocol):
    """Facts that a file states about its whole data set: AnnData's ``uns``."""

    def text(self, name: str) -> str | None:
        """Return a single text of bounded length; ``None`` without one.

        Raises:
            MatrixError: The text can't be read.
        """


class CellCoordinates(Protocol):
    """Coordinates of the cells in a file, such as a UMAP, read in parts.

    They are opened when they are read, so that an error of one concerns no other.
    """

    def names(self) -> list[str]:
        """Return the names of objects that may be coordinates.

        Raises:
            MatrixError: The members can't be listed.
        """

    def n_axes(self, name: str) -> int:
        """Return the number of axes.

        Raises:
            ColumnError: The values are not coordinates.
            MatrixError: The values can't be read.
        """

    def points(self, name: str) -> Iterator[NDArray[np.float64]]:
        """Yield the first two coordinates of the cells in parts of shape ``(n, 2)``.

        Raises:
            ColumnError: The values are not coordinates.
            MatrixError: The values can't be read.
        """


@dataclass(frozen=True)
class Matrix:
    """One matrix with all its layers."""

    name: str
    """Name of the matrix within its file; empty where the file holds only this matrix."""
    format: str
    """Name of the format, such as ``h5ad`` or ``10x h5``."""
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
    facts: DatasetFacts | None = None
    """Facts about the whole data set; ``None`` where the format has none that are read."""


def state_orientation(value: str, evidence: str) -> Decision:
    """Return the decision on an orientation that the format defines.

    Args:
        value: ``cells × genes`` or ``genes × cells``, as stored.
        evidence: One sentence.
    """
    return Decision("orientation", value, evidence, Certainty.STATED, changes_numbers=True)


ANNDATA_ORIENTATION = state_orientation(
    "cells × genes", "AnnData's tables obs and var name cells and genes."
)


def entries_of(block: CellBlock) -> EntryBlock:
    """Return the values of whole cells as entries."""
    cells = np.arange(block.start, block.start + block.n_cells, dtype=np.int32)
    return EntryBlock(np.repeat(cells, np.diff(block.indptr)), block.indices, block.data)


def cut_evenly(n: int, n_values: int, value_bytes: int, partition_bytes: int) -> list[range]:
    """Cut ``n`` cells or genes with a total of ``n_values`` values into even ranges.

    Returns:
        Ranges of about ``partition_bytes`` each; a single empty one for ``n == 0``.
    """
    n_partitions = max(1, min(n, -(-n_values * value_bytes // partition_bytes)))
    bounds = [n * i // n_partitions for i in range(n_partitions + 1)]
    return [range(a, b) for a, b in pairwise(bounds)]
