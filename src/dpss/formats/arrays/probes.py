"""Layers of genes made of layers of probes: a gene has the sum of its probes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.prefetch import Prefetchable
from dpss.errors import CorruptMatrixError, NotCellMajorError, plural
from dpss.formats.arrays.gathered import GatheredLayer
from dpss.formats.arrays.repeats import distinct_runs
from dpss.formats.base import Layer, Matrix, entries_of
from dpss.model import CellBlock, Decision, EntryBlock, GeneTable


def sum_probes(matrix: Matrix, url: str) -> Matrix:
    """Return a matrix of genes, with a decision, if its features are probes of genes.

    Args:
        matrix: The matrix as it is stored.
        url: Address of the file, for messages.

    Returns:
        The same matrix if no layer has probes.
    """
    evidence = next((layer.genes.probes for layer in matrix.layers if layer.genes.probes), None)
    if evidence is None:
        return matrix
    grouped: dict[int, tuple[GeneTable, NDArray[np.int32]]] = {}
    layers: list[Layer] = []
    for layer in matrix.layers:
        if layer.genes.probes is None:
            layers.append(layer)
            continue
        if id(layer.genes) not in grouped:
            grouped[id(layer.genes)] = group_probes(layer.genes)
        layers.append(ProbedLayer(layer, *grouped[id(layer.genes)], url))
    genes, gene_of = next(iter(grouped.values()))
    decision = Decision(
        "probes",
        f"{len(gene_of):,} probes of {plural(len(genes), 'feature')}, added up",
        evidence.sentence,
        evidence.certainty,
        changes_numbers=True,
    )
    return replace(matrix, layers=tuple(layers), decisions=(*matrix.decisions, decision))


def group_probes(genes: GeneTable) -> tuple[GeneTable, NDArray[np.int32]]:
    """Return the genes of a table of probes, and the gene of each probe.

    Features of another type, such as antibodies, stay as they are.

    Args:
        genes: The probes; their ids are those of genes.

    Returns:
        Genes in the order of their first probes, and for each probe the number of its gene,
        shape ``(n_probes,)``.
    """
    keys = [
        each if counted else (each, i)
        for i, (each, counted) in enumerate(
            zip(genes.ids.tolist(), genes.is_gene.tolist(), strict=True)
        )
    ]
    places: dict[object, int] = {}
    gene_of = np.array([places.setdefault(key, len(places)) for key in keys], dtype=np.int32)
    first = np.zeros(len(genes), dtype=bool)
    first[np.unique(gene_of, return_index=True)[1]] = True
    return replace(genes.select(first), probes=None), gene_of


@dataclass(frozen=True)
class ProbedLayer:
    """A layer of probes as a `dpss.formats.base.Layer` of genes."""

    source: Layer
    """The probes."""
    genes: GeneTable
    """The genes."""
    gene_of: NDArray[np.int32]
    """Gene of each probe, shape ``(n_probes,)``."""
    url: str
    """Address of the file, for messages."""

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.source.name

    @property
    def n_cells(self) -> int | None:
        """Number of cells."""
        return self.source.n_cells

    @property
    def n_values(self) -> int | None:
        """Number of stored values, of probes."""
        return self.source.n_values

    @property
    def cell_major(self) -> bool:
        """Whether the probes are given cell by cell."""
        return self.source.cell_major

    def partitions(self, partition_bytes: int) -> Sequence[range]:
        """Cut the layer as that of the probes."""
        return self.source.partitions(partition_bytes)

    def prefetch(self, partition: range) -> None:
        """Prefetch a partition, if the layer of the probes supports it."""
        if isinstance(self.source, Prefetchable):
            self.source.prefetch(partition)

    def cell_blocks(self, partition: range, block_bytes: int) -> Iterator[CellBlock]:
        """Yield the cells of a partition in blocks; each gene has the sum of its probes.

        Raises:
            NotCellMajorError: The file has another order.
            CorruptMatrixError: An index is outside of the probes.
        """
        try:
            for block in self.source.cell_blocks(partition, block_bytes):
                runs = (block.indptr.astype(np.int64), self._genes_of(block.indices), block.data)
                yield CellBlock(block.start, *distinct_runs(runs, len(self.genes)))
        except NotCellMajorError as error:
            raise self._order_error(error) from error

    def entry_blocks(self, partition: range, block_bytes: int) -> Iterator[EntryBlock]:
        """Yield the values of a partition in blocks, each once if it is cell-major.

        Otherwise an entry may occur once for each probe of the gene; `gathered` is read instead.

        Raises:
            NotCellMajorError: The file has another order.
            CorruptMatrixError: An index is outside of the probes or cells.
        """
        if self.cell_major:
            yield from map(entries_of, self.cell_blocks(partition, block_bytes))
            return
        try:
            for entries in self.source.entry_blocks(partition, block_bytes):
                cells = self._check(entries.cells, self.n_cells or 0, "cells")
                yield EntryBlock(cells, self._genes_of(entries.genes), entries.data)
        except NotCellMajorError as error:
            raise self._order_error(error) from error

    def gathered(self) -> Layer | None:
        """Return a cell-major form of the layer; ``None`` if it is cell-major."""
        return None if self.cell_major else GatheredLayer(self, self.url)

    def _order_error(self, error: NotCellMajorError) -> NotCellMajorError:
        return NotCellMajorError(str(error), replace(self, source=error.instead))

    def _genes_of(self, probes: NDArray[Any]) -> NDArray[np.int32]:
        found: NDArray[np.int32] = self.gene_of[self._check(probes, len(self.gene_of), "features")]
        return found

    def _check(self, places: NDArray[Any], n: int, what: str) -> NDArray[Any]:
        if len(places) and not 0 <= int(places.min()) <= int(places.max()) < n:
            raise CorruptMatrixError(f"{self.url}: {self.name} has indices outside {n:,} {what}")
        return places
