"""The protocol for prefetching, which blobs, vectors, layers and folds share."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

P_contra = TypeVar("P_contra", contravariant=True)


@runtime_checkable
class Prefetchable(Protocol[P_contra]):
    """A blob, vector, layer or fold that can prefetch parts of itself.

    Each passes the request to the level below: a fold prefetches partitions (``Sequence[range]``),
    a layer a partition, a vector a range of elements, a blob spans of bytes
    (`dpss.storage.base.Spans`).
    """

    def prefetch(self, part: P_contra, /) -> None:
        """Start to fetch a part that will be read, and return without waiting."""
