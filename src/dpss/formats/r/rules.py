"""Rules for objects in an R file that hold numbers but are not count matrices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.formats.annotation.axis_names import AxisKind, find_kind
from dpss.formats.r.matrices import RMatrix

_STATISTICS = re.compile(
    r"p[._]?val(ue)?s?([._]?adj)?|pct[._]?[12]|p[._]?adj|q[._]?val(ue)?|fdr|adj[._]p[._]val"
    r"|avg[._]?log2?fc|log2?fc|log2foldchange|basemean|lfcse|logcpm|aveexpr"
    r"|n(count|feature)_.+|percent[._].+|vst[._].+|total[._](counts|features).*",
    re.IGNORECASE,
)
"""Titles of results of tests, and of totals and percentages of cells or genes."""
_MAX_DIMENSIONS = 200
"""Reductions have 2 to 100 dimensions as a rule; numbered genes are more."""
_N_SAMPLED = 1 << 20
"""Most values of an object that are checked for signs and fractions."""


@dataclass(frozen=True)
class SkippedObject:
    """An object with numbers that is not read."""

    name: str
    """Path of the object in the file; empty for the whole file."""
    reason: str
    """Description of the object, in a few words."""


def why_no_counts(matrix: RMatrix, *, is_frame: bool, nested: bool) -> str:
    """Return why an object is not a count matrix; empty if it is one.

    The only object of a file, or one saved under its own name, counts as a matrix unless its names
    contradict. A list may hold other tables, so that a table in one must have names and no negative
    or missing value; a data frame must also have whole numbers only.

    Args:
        matrix: The object as a matrix.
        is_frame: Whether it is a data frame.
        nested: Whether it is in a list.
    """
    rows, columns = matrix.gene_names, matrix.cell_names
    if rows and rows == columns:
        return "a graph or distances: rows and columns have the same names"
    if not isinstance(matrix.values, np.ndarray):
        return ""
    if any(_STATISTICS.fullmatch(title) for title in columns):
        return "statistics, by the titles of its columns"
    if _are_dimensions(columns) and find_kind(rows) is AxisKind.CELLS:
        return "a reduction or neighbours: cells × numbered dimensions"
    return _why_no_table(matrix, matrix.values, is_frame=is_frame) if nested else ""


def _why_no_table(matrix: RMatrix, table: NDArray[Any], *, is_frame: bool) -> str:
    """Return why a dense table in a list is not a count matrix; empty if it is one."""
    if not matrix.gene_names or not matrix.cell_names:
        return "a table without names of genes or cells"
    values = table.ravel()
    sample = values[:: max(1, len(values) // _N_SAMPLED)]
    if not np.isfinite(sample).all() or (sample < 0).any():
        return "a table with negative or missing values"
    if is_frame and (sample != np.floor(sample)).any():
        return "a data frame with fractions"
    return ""


def _are_dimensions(titles: list[str]) -> bool:
    """Return whether columns have no names, or one prefix and consecutive numbers."""
    if not titles or len(titles) > _MAX_DIMENSIONS:
        return not titles
    parts = [re.fullmatch(r"(.*?)(\d+)", title) for title in titles]
    found = [(part[1], int(part[2])) for part in parts if part is not None]
    return (
        len(found) == len(titles)
        and len({prefix for prefix, _ in found}) == 1
        and [number for _, number in found]
        in (
            [*range(len(found))],
            [*range(1, len(found) + 1)],
        )
    )


def values_elsewhere(class_name: str) -> str:
    """Return the reason why an assay of a class other than a matrix is not read."""
    if class_name.startswith(("HDF5", "TENx", "H5", "Delayed")):
        return (
            f"{class_name}: its values are in an HDF5 file beside it, or delayed, not in "
            "this file; give that HDF5 file, or save the object with the values in memory"
        )
    return f"of class {class_name or 'unknown'}, whose values are not read"
