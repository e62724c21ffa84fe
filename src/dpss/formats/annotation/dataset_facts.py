"""Facts that a file states about its data set, such as a schema's version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

MAX_CHARACTERS = 1 << 12
"""Most characters of a text that is returned."""


class TextElements(Protocol):
    """The interface of a file for single texts."""

    def text(self, path: str) -> str | None:
        """Return a single text, ``None`` where there is none at the path.

        Raises:
            CorruptMatrixError: The text is damaged.
        """


@dataclass(frozen=True)
class ElementsFacts:
    """The facts in a group of a file; see `dpss.formats.base.DatasetFacts`."""

    elements: TextElements
    path: str
    """Path of the group, AnnData's ``uns``."""

    def text(self, name: str) -> str | None:
        """Return a single text of at most `MAX_CHARACTERS`, ``None`` where there is none.

        Raises:
            MatrixError: The text can't be read.
        """
        found = self.elements.text(f"{self.path}/{name}")
        return None if found is None else found[:MAX_CHARACTERS]


@dataclass(frozen=True)
class InMemoryFacts:
    """The facts of an object in memory; see `dpss.formats.base.DatasetFacts`."""

    values: Mapping[Any, Any]

    def text(self, name: str) -> str | None:
        """Return a single text of at most `MAX_CHARACTERS`, ``None`` where there is none."""
        found = self.values.get(name)
        return str(found)[:MAX_CHARACTERS] if isinstance(found, str) else None
