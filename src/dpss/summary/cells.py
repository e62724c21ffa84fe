"""Cells as a table: the lines of ``cells.csv.gz``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.stats.cell_records import Records
from dpss.stats.cell_tallies import percentages
from dpss.stats.embedding.cell_places import CellPlaces
from dpss.summary.csv_fields import quoted

CELL_COLUMNS = (
    "barcode",
    "n_genes_by_counts",
    "total_counts",
    "pct_counts_mt",
    "cluster",
    "umap_1",
    "umap_2",
)
"""Columns of ``cells.csv.gz``, in order."""


def cell_lines(
    names: Sequence[str | None], records: Records, places: CellPlaces | None, *, with_mt: bool
) -> bytes:
    """Return the lines of kept cells as UTF-8 CSV; undefined values are empty.

    Args:
        names: Name of each cell.
        records: Record of each cell.
        places: Cluster and place of each cell, or ``None`` where the matrix has no embedding.
        with_mt: Whether there are mitochondrial genes.
    """
    kept = np.flatnonzero(records["n_genes"] >= 0)
    if not len(kept):
        return b""
    chosen = records[kept]
    empty: list[str] = [""] * len(kept)
    columns: list[Iterable[str]] = [
        (quoted(names[i] or "") for i in kept.tolist()),
        map(str, chosen["n_genes"].tolist()),
        _numbers(chosen["total"], 9),
        _numbers(percentages(chosen["total_mt"], chosen["total"]), 9) if with_mt else empty,
    ]
    if places is None:
        columns += [empty, empty, empty]
    else:
        labels = places.labels[kept].tolist()
        columns.append("" if label < 0 else str(label) for label in labels)
        columns += [_numbers(places.places[kept, axis], 6) for axis in (0, 1)]
    return "\n".join((*map(",".join, zip(*columns, strict=True)), "")).encode()


def _numbers(values: NDArray[Any], digits: int) -> Iterable[str]:
    """Yield numbers with ``digits`` significant digits; whole numbers keep all digits."""
    for value in values.tolist():
        if math.isnan(value):
            yield ""
        elif value == (whole := int(value)) and abs(whole) < 1 << 53:
            yield str(whole)
        else:
            yield f"{value:.{digits}g}"
