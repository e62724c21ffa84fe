"""Options for opening a matrix: threads, memory, orientation, scratch space."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from dpss.storage.access import Hold
from dpss.storage.base import Blob
from dpss.storage.scratch import Scratch

Orientation = Literal["genes × cells", "cells × genes"]
"""Orientation of a table: lines by columns."""
GENES_BY_CELLS: Orientation = "genes × cells"
CELLS_BY_GENES: Orientation = "cells × genes"
DEFAULT_MEMORY_BYTES = 4 << 30
"""Memory limit, in bytes, for files that can only be read whole."""


def parse_orientation(setting: str | None) -> Orientation | None:
    """Return the orientation that a setting names; ``None`` without a setting.

    >>> parse_orientation("cells-by-genes")
    'cells × genes'
    """
    known = {"genes-by-cells": GENES_BY_CELLS, "cells-by-genes": CELLS_BY_GENES}
    return known[setting] if setting else None


@contextmanager
def copy_to_temp(blob: Blob) -> Iterator[Blob]:
    """Yield a local copy in a new scratch space, which is deleted afterwards."""
    with Scratch() as scratch, scratch.hold(blob) as file:
        yield file


@dataclass(frozen=True)
class OpenOptions:
    """Resources and overrides for opening a matrix."""

    threads: int = 2
    """Most threads that a reader of a stream uses."""
    orientation: Orientation | None = None
    """Orientation of a table of text; ``None`` derives it from the names."""
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    """Memory limit, in bytes, for files that can only be read whole."""
    sample_only: bool = False
    """Whether only a sample is needed, so that not all lines of a text table are read."""
    hold: Hold = copy_to_temp
    """Function that makes a local copy of a file that must be unpacked."""


DEFAULT_OPTIONS = OpenOptions()
