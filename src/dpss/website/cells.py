"""The cells of a matrix as counts on a grid, for the interactive form of the scatter plots.

A run publishes them beside the figures as ``cells.json``; where there is none, as with
results of an earlier version, the pages show the figures only.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from dpss.website.data_files import dumps, script
from dpss.website.records import MatrixRecord
from dpss.website.writer import Publisher

if TYPE_CHECKING:
    from dpss.stats.density import Density
    from dpss.summary.record import Summary

log = logging.getLogger(__name__)

CELLS = "cells.json"
DATA = "_dpss/cells/"
SCHEMA = 1


def cells_document(summary: Summary) -> dict[str, Any]:
    """Return the content of ``cells.json``.

    Of each plot the bins that hold cells: ``x`` and ``y`` are the bin's number along the
    axis, ``n`` its cells; bin ``i`` of an axis lies between ``edges[i]`` and ``edges[i + 1]``.
    """
    mitochondrial = summary.mt_vs_counts
    return {
        "schema": SCHEMA,
        "genes_vs_counts": _grid(summary.genes_vs_counts),
        "mt_vs_counts": None if mitochondrial is None else _grid(mitochondrial),
    }


def cells_json(summary: Summary) -> bytes:
    """Return ``cells.json`` as bytes, always the same for the same summary."""
    return (dumps(cells_document(summary)) + "\n").encode()


def write_cells(publisher: Publisher, record: MatrixRecord) -> bool:
    """Write the data file of a matrix's cells; tells whether there is one.

    Raises:
        ReplacedError: The matrix is being replaced.
    """
    data = publisher.read_listed(record, CELLS)
    key = f"{DATA}{record.folder}.js"
    try:
        document = parse_cells(data) if data is not None else None
    except ValueError as error:
        log.warning("%s/%s is not shown: it %s", record.folder, CELLS, error)
        document = None
    if document is None:
        publisher.delete(key)
        return False
    publisher.write(key, script(dumps(document)))
    return True


def parse_cells(data: bytes) -> dict[str, Any]:
    """Return a ``cells.json`` as far as pages know it.

    Raises:
        ValueError: It isn't one.
    """
    document = json.loads(data)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"is not of the form number {SCHEMA}")
    known = {name: document.get(name) for name in ("genes_vs_counts", "mt_vs_counts")}
    for name, grid in known.items():
        if grid is not None and not _fits(grid):
            raise ValueError(f"holds no grid as {name}")
    return known


def _fits(grid: Any) -> bool:
    """Tell whether a grid is one: numbers of the same length, bins within their axes."""
    if not isinstance(grid, dict) or grid.keys() != {"x", "y", "n", "x_edges", "y_edges"}:
        return False
    if not all(isinstance(column, list) for column in grid.values()):
        return False
    columns = {name: np.asarray(column) for name, column in grid.items()}
    x, y, n = columns["x"], columns["y"], columns["n"]
    return (
        all(column.ndim == 1 and column.dtype.kind in "if" for column in columns.values())
        and x.dtype.kind == y.dtype.kind == n.dtype.kind == "i"
        and x.shape == y.shape == n.shape
        and x.size > 0
        and min(x.min(), y.min(), n.min()) >= 0
        and bool(x.max() < len(grid["x_edges"]) - 1)
        and bool(y.max() < len(grid["y_edges"]) - 1)
    )


def _grid(density: Density) -> dict[str, Any] | None:
    """Return a density with the part of its axes that has cells; ``None`` without cells."""
    if len(density.counts) == 0:
        return None
    first_x, first_y = int(density.x.min()), int(density.y.min())
    return {
        "x": (density.x - first_x).tolist(),
        "y": (density.y - first_y).tolist(),
        "n": density.counts.tolist(),
        "x_edges": density.x_edges[first_x : int(density.x.max()) + 2].tolist(),
        "y_edges": density.y_edges[first_y : int(density.y.max()) + 2].tolist(),
    }
