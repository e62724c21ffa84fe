"""The rule by which some elements are read before the positions of all chunks are known.

HDF5 tells where a chunk lies only by a walk over its index from the start: 50 MB in 2,300 reads
for 5 GB of values. The library itself finds a chunk by a few reads, which is enough for samples.
In a remote file these reads come one after the other: 28 round trips for the samples
of 100,000 cells. Its index is fetched side by side, and then all samples at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

_MANY_CHUNKS = 1_024
"""Chunks from which on their positions take many reads."""
_MANY_REMOTE_CHUNKS = 1 << 15
"""The same of a remote file, whose index is read by many requests at once."""
_FEW_BYTES = 1 << 22
"""Most decoded bytes of a read that is a glance, with the chunks at both of its ends."""
_MOST = 8
"""Most glances at an array, after which it is read whole: samples need three."""


@dataclass
class Glances:
    """Counts the reads of an array before its positions are known."""

    shape: tuple[int, ...]
    chunk_shape: tuple[int, ...] | None
    item_bytes: int
    remote: bool = False
    """Whether the file is remote."""
    n: int = 0
    """Glances so far."""

    def allows(self, n_elements: int) -> bool:
        """Return whether another read is a glance.

        Args:
            n_elements: Elements of the first axis.
        """
        if self.n >= _MOST or self.chunk_shape is None or n_elements <= 0:
            return False
        n_chunks = prod(-(-n // c) for n, c in zip(self.shape, self.chunk_shape, strict=True))
        many = _MANY_REMOTE_CHUNKS if self.remote else _MANY_CHUNKS
        n_items = n_elements * prod(self.shape[1:]) + 2 * prod(self.chunk_shape)
        return n_chunks > many and n_items * self.item_bytes <= _FEW_BYTES

    def take(self, n_elements: int) -> bool:
        """Return whether another read is a glance, and count it."""
        allowed = self.allows(n_elements)
        self.n += allowed
        return allowed
