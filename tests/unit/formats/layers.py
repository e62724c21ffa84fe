"""What the tests of the readers share: a layer as a dense array, and damaged files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpss.errors import DpssError
from dpss.formats.base import Layer, Matrix
from dpss.formats.registry import open_matrices
from dpss.model import check_cell_block
from dpss.storage.local import LocalFile, LocalFolder

Array = NDArray[np.float64]


def open_path(path: Path) -> tuple[Matrix, ...]:
    """Open whatever lies at a path."""
    return open_matrices(LocalFolder(path) if path.is_dir() else LocalFile(path))


def dense(layer: Layer, partition_bytes: int = 1 << 12, block_bytes: int = 1 << 10) -> Array:
    """Read a layer in small partitions and blocks, and check the invariants of blocks."""
    n_cells = count_cells(layer)
    out = np.zeros((n_cells, len(layer.genes)))
    seen = np.zeros(out.shape, dtype=int)
    cells_seen = np.zeros(n_cells, dtype=int)
    for partition in layer.partitions(partition_bytes):
        if layer.cell_major:
            for block in layer.cell_blocks(partition, block_bytes):
                check_cell_block(block, n_cells)
                cells = np.repeat(
                    np.arange(block.start, block.start + block.n_cells), np.diff(block.indptr)
                )
                cells_seen[block.start : block.start + block.n_cells] += 1
                np.add.at(seen, (cells, block.indices), 1)
                out[cells, block.indices] = block.data
    if layer.cell_major:
        assert (cells_seen == 1).all()
        assert (seen <= 1).all()
        assert np.array_equal(
            out, from_entries(layer, partition_bytes, block_bytes), equal_nan=True
        )
        return out
    return from_entries(layer, partition_bytes, block_bytes)


def count_cells(layer: Layer) -> int:
    """Return the number of cells; where the layer doesn't know it, by reading it."""
    if layer.n_cells is not None:
        return layer.n_cells
    (partition,) = layer.partitions(1)
    return sum(block.n_cells for block in layer.cell_blocks(partition, 1 << 10))


def from_entries(layer: Layer, partition_bytes: int = 1 << 12, block_bytes: int = 1 << 10) -> Array:
    """Read a layer whole through its entries."""
    out = np.zeros((count_cells(layer), len(layer.genes)))
    seen = np.zeros(out.shape, dtype=int)
    for partition in layer.partitions(partition_bytes):
        for block in layer.entry_blocks(partition, block_bytes):
            np.add.at(seen, (block.cells, block.genes), 1)
            out[block.cells, block.genes] = block.data
    assert (seen <= 1).all()
    return out


def mutations(data: bytes, seed: int, n: int) -> Iterator[bytes]:
    """Yield damaged copies of a file: bytes flipped, pieces overwritten, moved or cut off."""
    rng = random.Random(seed)
    for _ in range(n):
        out = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            at = rng.randrange(len(out))
            match rng.randrange(5):
                case 0:
                    out[at] ^= 1 << rng.randrange(8)
                case 1:
                    out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
                case 2:
                    piece = rng.randrange(1, 9)
                    out[at : at + piece] = bytes(len(out[at : at + piece]))
                case 3:
                    piece = rng.randrange(1, 9)
                    out[at : at + piece] = b"\xff" * len(out[at : at + piece])
                case 4 if len(out) > 64:
                    other = rng.randrange(len(out) - 32)
                    out[at : at + 32] = out[other : other + len(out[at : at + 32])]
                case _:
                    pass
        if rng.randrange(4) == 0:
            del out[rng.randrange(1, len(out)) :]
        yield bytes(out)


def read_or_refuse(path: Path) -> str:
    """Open and read a file wholly; the program's own errors are an answer, others are not."""
    try:
        for matrix in open_path(path):
            for layer in matrix.layers:
                n_seen = 0
                for partition in layer.partitions(1 << 20):
                    blocks = (
                        layer.cell_blocks(partition, 1 << 16)
                        if layer.cell_major
                        else layer.entry_blocks(partition, 1 << 16)
                    )
                    for block in blocks:
                        n_seen += len(block.data)
                        if n_seen > 1 << 22:
                            return ""
    except DpssError as error:
        message = str(error)
        assert message
        assert "\n" not in message
        return message
    return ""
