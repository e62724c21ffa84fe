"""Progress of the passes over a matrix, as its readers report it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of reading."""

    def begin(self, label: str, n_values: int | None) -> None:
        """Begin a pass over ``n_values`` stored values (``None``: not known)."""

    def advance(self, n_values: int) -> None:
        """Report that ``n_values`` more values were read; called from any thread."""

    def end(self) -> None:
        """End the pass."""


class NullProgress:
    """Discards progress updates."""

    def begin(self, label: str, n_values: int | None) -> None:
        """Do nothing."""

    def advance(self, n_values: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
