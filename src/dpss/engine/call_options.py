"""Types of the arguments of `dpss.summarize`, for its overloads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol, TypedDict

Several = list[Any] | tuple[Any, ...]
"""Sources that are summarised one after the other."""


class Modalities(Protocol):
    """An object with several matrices by name, such as MuData."""

    @property
    def mod(self) -> Mapping[str, Any]:
        """The matrices: AnnData objects."""


class SummarizeOptions(TypedDict, total=False):
    """The settings of `summarize`, which describes them."""

    layer: str | None
    min_gene_count: int
    cells_above_knee: bool
    orientation: str | None
    threads: int | None
    memory: str | None
    embedding: bool
    resolution: float
    annotation: str | None
    authors_embedding: str | None
    n_clusters_max: int
    by: str | None
    by_file: str | os.PathLike[str] | None
