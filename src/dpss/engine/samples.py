"""Samples of a matrix's layers, to recognise the kind of their values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from dpss.compute.prefetch import Prefetchable
from dpss.errors import MatrixError, NotCellMajorError
from dpss.formats.base import Layer
from dpss.formats.faults import guard_blocks, reader_faults
from dpss.model import CellBlock, EntryBlock
from dpss.stats.values.traits import ValueTraits, traits_of

N_SAMPLES = 3
"""Number of places at which a layer is sampled."""
SAMPLE_BYTES = 1 << 20
"""Decoded size of the sample at each place, in bytes."""
N_FIRST_VALUES = 1 << 18
N_FIRST_BLOCKS = 32
"""Blocks in the sample of a layer that is read from its start only, such as a stream: about as many
values as the three places of other layers have. A wrong choice of layer costs a second reading.
"""


@dataclass(frozen=True)
class Sample:
    """Traits, gene weights and checksum of a layer's sampled values."""

    traits: ValueTraits
    gene_weights: NDArray[np.float64]
    """Rough sums of shares per feature, shape ``(n_features,)``."""
    digest: bytes
    """Checksum of the sampled values."""


def sample_layers(layers: Sequence[Layer], needed: Collection[str]) -> dict[str, Sample]:
    """Sample every layer; leave out unreadable layers that are not in ``needed``."""
    samples = {}
    for layer in layers:
        try:
            samples[layer.name] = take_sample(layer)
        except MatrixError:
            if layer.name in needed:
                raise
    return samples


def take_sample(layer: Layer) -> Sample:
    """Sample a layer at its start, middle and end.

    A stream gives one larger sample, at its start.
    """
    try:
        return _sample(layer, layer.cell_blocks if layer.cell_major else layer.entry_blocks)
    except NotCellMajorError as error:
        return _sample(error.instead, error.instead.entry_blocks)


def _sample(layer: Layer, read: Callable[[range, int], Iterator[CellBlock | EntryBlock]]) -> Sample:
    with reader_faults(layer.name):
        partitions = layer.partitions(SAMPLE_BYTES)
    positions = sorted({len(partitions) * i // N_SAMPLES for i in range(N_SAMPLES)})
    if isinstance(layer, Prefetchable):
        for position in positions:
            layer.prefetch(partitions[position])
    traits = ValueTraits()
    weights = np.zeros(len(layer.genes))
    digest = hashlib.blake2b()
    is_gene = layer.genes.is_gene
    for partition in (partitions[position] for position in positions):
        n_values = 0
        blocks = guard_blocks(partial(read, partition, SAMPLE_BYTES), layer.name)
        for block in islice(blocks, N_FIRST_BLOCKS if len(positions) == 1 else 1):
            found = traits_of(_only_genes(block, is_gene))
            if isinstance(block, CellBlock):
                n_places = block.n_cells * int(is_gene.sum())
                found = replace(found, shift=replace(found.shift, n_places=n_places))
            traits += found
            digest.update(np.asarray(block.data, dtype=np.float64).tobytes())
            if isinstance(block, CellBlock):
                weights += _share_sums(block, len(weights))
            n_values += len(block.data)
            if n_values >= N_FIRST_VALUES:
                break
    return Sample(traits, weights, digest.digest())


def _only_genes(
    block: CellBlock | EntryBlock, is_gene: NDArray[np.bool_]
) -> CellBlock | EntryBlock:
    """Return a block of genes only; other features may hold fractional scores."""
    features = block.indices if isinstance(block, CellBlock) else block.genes
    if is_gene.all() or not len(features):
        return block
    inside = (features >= 0) & (features < len(is_gene))
    kept = inside & is_gene[np.where(inside, features, 0)]
    if isinstance(block, EntryBlock):
        return EntryBlock(block.cells[kept], block.genes[kept], block.data[kept])
    indptr = np.concatenate([[0], np.cumsum(kept)])[block.indptr]
    return CellBlock(block.start, indptr, block.indices[kept], block.data[kept])


def _share_sums(block: CellBlock, n_features: int) -> NDArray[np.float64]:
    """Return each feature's sum of shares in a block; non-finite values count as 0."""
    data = np.nan_to_num(block.data.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    cells = np.repeat(np.arange(block.n_cells), np.diff(block.indptr))
    totals = np.bincount(cells, weights=data, minlength=block.n_cells)[cells]
    shares = np.divide(data, totals, out=np.zeros_like(data), where=totals > 0)
    inside = (block.indices >= 0) & (block.indices < n_features)
    sums = np.bincount(block.indices[inside], weights=shares[inside], minlength=n_features)
    return sums.astype(np.float64)
