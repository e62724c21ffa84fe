"""A blob that is read through something else, and otherwise is what it was."""

from __future__ import annotations

from dpss.storage.base import Blob


class WrappedBlob:
    """A blob made of another blob, with the other's properties."""

    def __init__(self, inner: Blob) -> None:
        """Speak for ``inner``."""
        self.inner = inner

    @property
    def name(self) -> str:
        """The file's name."""
        return self.inner.name

    @property
    def url(self) -> str:
        """The file's address."""
        return self.inner.url

    @property
    def size_bytes(self) -> int | None:
        """The file's size, where it is known."""
        return self.inner.size_bytes

    @property
    def random_access(self) -> bool:
        """Whether parts can be asked for."""
        return self.inner.random_access
