"""The rule for reads of an array before the positions of its chunks are known.

HDF5 tells the position of a chunk only by a walk over its index from the start: 50 MB in 2,300
reads for 5 GB of values. The library itself finds a chunk by a few reads, which is enough for
samples. In a remote file these reads come one after the other: 28 round trips for the samples of
100,000 cells. Its index is fetched side by side, and then all samples at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

_MANY_CHUNKS = 1_024
"""Number of chunks from which their index takes many reads."""
_MANY_REMOTE_CHUNKS = 1 << 15
"""The same for a remote file, whose index is read by many requests at once."""
_MAX_BYTES = 1 << 22
"""Most decoded bytes of an early read, with the chunks at both of its ends."""
_MAX_READS = 8
"""Most early reads of an array; samples need three."""


@dataclass
class EarlyReads:
    """Counts the reads of an array through the library before its chunk index is read."""

    shape: tuple[int, ...]
    chunk_shape: tuple[int, ...] | None
    item_bytes: int
    remote: bool = False
    n: int = 0
    """Number of early reads so far."""

    def allows(self, n_elements: int) -> bool:
        """Return whether a read of ``n_elements`` of the first axis may come early."""
        if self.n >= _MAX_READS or self.chunk_shape is None or n_elements <= 0:
            return False
        n_chunks = prod(-(-n // c) for n, c in zip(self.shape, self.chunk_shape, strict=True))
        many = _MANY_REMOTE_CHUNKS if self.remote else _MANY_CHUNKS
        n_items = n_elements * prod(self.shape[1:]) + 2 * prod(self.chunk_shape)
        return n_chunks > many and n_items * self.item_bytes <= _MAX_BYTES

    def take(self, n_elements: int) -> bool:
        """Return whether a read may come early, and count it if so."""
        allowed = self.allows(n_elements)
        self.n += allowed
        return allowed
