"""Interactive plots of a matrix: the same specifications that its figures have.

A run publishes ``plots.json`` beside the figures. Where it is missing, as in results of earlier
versions, the pages show the figures only.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from dpss.figures.elements.density_scatter import CellPlot, shade_role
from dpss.figures.elements.specification import Axis
from dpss.figures.gene_plots import gene_views
from dpss.figures.scatter_genes_vs_counts import SCATTER_GENES_VS_COUNTS, genes_vs_counts
from dpss.figures.scatter_mito_vs_count import SCATTER_MITO_VS_COUNT, mt_vs_counts
from dpss.stats.values.kinds import ValueKind
from dpss.storage.json_text import parse_json
from dpss.website.data_files import dumps, script
from dpss.website.records import MatrixRecord
from dpss.website.schemas import schema
from dpss.website.validation import fault
from dpss.website.writer import Publisher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dpss.stats.density import Density
    from dpss.summary.record import Summary

log = logging.getLogger(__name__)

PLOTS = "plots.json"
DATA = "_dpss/plots/"
SCHEMA = 1
_DIGITS = 4
"""Digits of a dot's position: finer than a screen shows."""


def plots_document(summary: Summary) -> dict[str, Any]:
    """Return the content of ``plots.json``.

    ``genes`` has each view of the plot of all genes: axes, guides and legend. ``cells`` has each
    plot of cells: the same, its bins and dots, and ``grid``, the fine bins that hold cells: ``x``
    and ``y`` are the bin's number along the axis, ``n`` its cells; bin ``i`` of an axis lies
    between ``edges[i]`` and ``edges[i + 1]``. ``keep`` says on which side of a limit cells
    are kept, ``whole`` whether counts are whole numbers.
    """
    cells = {}
    whole = summary.values is ValueKind.COUNTS
    if SCATTER_GENES_VS_COUNTS.needs(summary) is None:
        cells[SCATTER_GENES_VS_COUNTS.slug] = {
            **_cells(genes_vs_counts(summary), summary.genes_vs_counts),
            "units": ["counts", "genes"],
            "keep": ["at least", "at least"],
            "whole": whole,
        }
    if SCATTER_MITO_VS_COUNT.needs(summary) is None and summary.mt_vs_counts is not None:
        cells[SCATTER_MITO_VS_COUNT.slug] = {
            **_cells(mt_vs_counts(summary), summary.mt_vs_counts),
            "units": ["counts", "%"],
            "keep": ["at least", "at most"],
            "whole": whole,
        }
    return {
        "schema": SCHEMA,
        "genes": {name: spec.document() for name, spec in gene_views(summary).items()},
        "cells": cells,
    }


def plots_json(summary: Summary) -> bytes:
    """Return ``plots.json`` as bytes; equal summaries give equal bytes."""
    return (dumps(plots_document(summary)) + "\n").encode()


def write_plots(publisher: Publisher, record: MatrixRecord) -> dict[str, Any]:
    """Write the data file of a matrix's plots of cells.

    Returns:
        ``plots``, the views of the plot of all genes, and ``cells``, the figures that have a
        plot of cells; both empty without plots.

    Raises:
        ReplacedError: The matrix is being replaced.
    """
    data = publisher.read_listed(record, PLOTS)
    key = f"{DATA}{record.folder}.js"
    document: dict[str, Any] = {"genes": {}, "cells": {}}
    try:
        if data is not None:
            document = parse_plots(data)
    except ValueError as error:
        log.warning("%s/%s is not shown: it %s", record.folder, PLOTS, error)
    if document["cells"]:
        publisher.write(key, script(dumps(document["cells"])))
    else:
        publisher.delete(key)
    return {"genes": document["genes"], "cells": sorted(document["cells"])}


def parse_plots(data: bytes) -> dict[str, Any]:
    """Return a ``plots.json`` of the schema.

    Raises:
        ValueError: The bytes are not such a document; the message says why.
    """
    document = parse_json(data)
    reason = fault(document, schema("plots"))
    if reason:
        raise ValueError(f"is not of the form number {SCHEMA}: {reason}")
    for slug, plot in document["cells"].items():
        if not _fits(plot):
            raise ValueError(f"holds columns that do not go together for {slug}")
    found: dict[str, Any] = document
    return found


def _fits(plot: dict[str, Any]) -> bool:
    """Return whether columns are numbers of equal length, and bins within axes."""
    grid, bins, dots = plot["grid"], plot["bins"], plot["dots"]
    whole = [_column(grid[name]) for name in "xyn"]
    x, y, _ = whole
    return (
        all(column.dtype.kind == "i" and column.ndim == 1 for column in whole)
        and len({len(column) for column in whole}) == 1
        and len(x) > 0
        and min(column.min() for column in whole) >= 0
        and bool(x.max() < len(grid["x_edges"]) - 1)
        and bool(y.max() < len(grid["y_edges"]) - 1)
        and all(_column(grid[name]).dtype.kind in "if" for name in ("x_edges", "y_edges"))
        and all(_column(dots[name]).dtype.kind in "if" for name in "xy")
        and len(dots["x"]) == len(dots["y"])
        and all(_column(bins[name]).size == 2 * len(bins["n"]) for name in "xy")
        and all(_column(bins[name]).dtype.kind in "if" for name in "xyn")
        and len(bins["shades"]) == len(bins["steps"])
    )


def _column(values: list[Any]) -> NDArray[Any]:
    """Return a list as an array; its dtype is object if the values are not numbers."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.asarray(values, dtype=object)


def _cells(plot: CellPlot, density: Density) -> dict[str, Any]:
    """Return a plot of cells: its specification, bins, dots and fine bins."""
    spec, picture = plot.specification, plot.picture
    n_steps = len(picture.steps)
    return {
        **spec.document(),
        "bins": {
            "x": _columns(spec.x, picture.left, picture.right),
            "y": _columns(spec.y, picture.bottom, picture.top),
            "n": picture.n.tolist(),
            "steps": list(picture.steps),
            "shades": [shade_role(n, n_steps) for n in range(n_steps)],
        },
        "dots": {"x": _short(picture.dot_x), "y": _short(picture.dot_y)},
        "grid": _grid(density),
    }


def _columns(axis: Axis, low: NDArray[np.float64], high: NDArray[np.float64]) -> list[list[float]]:
    """Return the ends of bins in ten-thousandths of an axis."""
    ends = np.stack([axis.fractions(low), axis.fractions(high)], axis=1)
    return [[int(a), int(b)] for a, b in np.round(ends * 1e4)]


def _short(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _grid(density: Density) -> dict[str, Any]:
    """Return a density with the part of its axes that has cells."""
    first_x, first_y = int(density.x.min()), int(density.y.min())
    return {
        "x": (density.x - first_x).tolist(),
        "y": (density.y - first_y).tolist(),
        "n": density.counts.tolist(),
        "x_edges": density.x_edges[first_x : int(density.x.max()) + 2].tolist(),
        "y_edges": density.y_edges[first_y : int(density.y.max()) + 2].tolist(),
    }
