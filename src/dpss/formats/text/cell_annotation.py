"""Columns of a table with annotation of cells, or sums of other columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dpss.formats.annotation.axis_names import AxisKind, are_measures, find_kind
from dpss.formats.annotation.feature_kinds import PATTERNS, is_cell_annotation, is_sum
from dpss.formats.text.fields import Rows, TableLayout

_TITLE = re.compile(
    r"(batch|donor|patient|subject|individual|sample|replicate|plate|lane|library|run|pool)"
    r"([_. ]?(id|no|nr|num|number|index))?|(time|day|week|stage)([_. ]?(point|id))?s?|timepoint|"
    r"condition|treatment|group|genotype|tissue|organ|phase|gender|quality|viability|labels?|"
    r"reads|umis|depth|(row|col|column)([_. ]?(id|index|number))?",
    re.I,
)
"""Titles of groups and measures of cells that `are_measures` does not know."""
_MIN_ROWS = 5
_MIN_ROWS_OF_IDS = 10
_MAX_SUMMED = 200_000
"""Most fields that are compared with sums of lines."""
_MOST_SCORES = 2
_MOSTLY_FRACTIONS = 0.9
_MIN_COUNTS = 5
"""Least number of columns with counts above 1 that tell a table of whole numbers."""
_MIN_SUMS = {True: 2, False: 5}
"""Least number of lines that add up, by whether the title is that of a sum."""


def is_sum_of_cells(
    rows: Rows, titles: Sequence[str], columns: range, j: int, decimal: str
) -> bool:
    """Return whether a column of a table of genes × cells is the sum of all cells.

    Its title is that of a sum, or is the only one that is not of a cell. `find_cell_annotation`
    finds such columns of a table of cells × genes.

    Args:
        rows: Lines of the table, without its header.
        titles: Titles of all columns.
        columns: The columns of numbers.
        j: The first or the last of them.
        decimal: The decimal sign.
    """
    others = [k for k in columns if k != j]
    named = is_sum(titles[j])
    kind = find_kind([titles[k] for k in others])
    if len(others) < 2 or kind is AxisKind.GENES:
        return False
    if not named and (kind is not AxisKind.CELLS or find_kind([titles[j]]) is AxisKind.CELLS):
        return False
    few = rows.fields[: max(1, _MAX_SUMMED // len(columns))]
    values = np.array([[as_float(row[k], decimal) for k in others] for row in few])
    sums = np.array([as_float(row[j], decimal) for row in few])
    totals = values.sum(axis=1)
    adds_up = bool((np.abs(sums - totals) <= 1e-6 * np.maximum(1, totals)).all())
    several = int((values > 0).any(axis=0).sum()) > 2
    return adds_up and several and int((sums > 0).sum()) >= _MIN_SUMS[named]


def find_cell_annotation(
    rows: Rows, titles: Sequence[str] | None, layout: TableLayout
) -> dict[int, str]:
    """Return the data columns of a table of cells × genes that are cell annotation.

    Titles tell them, and values: ids that grow from line to line or are all larger than any count;
    the sum of the line; its number of values above 0.

    Returns:
        Description of each such column, by its number among the data columns, from 0.
    """
    n = layout.n_columns
    names = titles[layout.n_lead : layout.n_lead + n] if titles else [""] * n
    found = {
        j: "a fact about cells by its title"
        for j, name in enumerate(names)
        if is_cell_annotation(name) or _is_annotation_title(name)
    }
    n_rows = min(len(rows.fields), max(1, _MAX_SUMMED // max(1, n)))
    if n_rows < _MIN_ROWS or n < 3:
        return found
    values = _values(rows.fields[:n_rows], layout)
    found |= {j: why for j, why in _find_ids(values).items() if j not in found}
    found |= _find_fractions(values, found)
    found |= _find_totals(values, found)
    return found


def _is_annotation_title(name: str) -> bool:
    """Return whether a title is a measure or group of cells, no gene symbol."""
    like_symbol = name.upper() == name and name.isalnum()
    known = _TITLE.fullmatch(name) is not None or are_measures([name])
    return known and len(name) > 1 and not like_symbol and PATTERNS.kind_of(name) is None


def _values(rows: Sequence[Sequence[str]], layout: TableLayout) -> NDArray[np.float64]:
    """Return the data as numbers, ``(n_rows, n_columns)``; missing ones are 0."""
    data = slice(layout.n_lead, layout.n_lead + layout.n_columns)
    return np.array([[as_float(field, layout.decimal) for field in row[data]] for row in rows])


def as_float(field: str, decimal: str) -> float:
    """Return the number in a field; 0 for other text and values that are not finite."""
    try:
        value = float(field.replace(",", ".") if decimal == "," else field)
    except ValueError:
        return 0.0
    return value if np.isfinite(value) else 0.0


def _find_ids(values: NDArray[np.float64]) -> dict[int, str]:
    """Return columns of ids: whole numbers that grow, or are larger than any count."""
    n_rows, n_columns = values.shape
    if n_rows < _MIN_ROWS_OF_IDS:
        return {}
    grows = (np.diff(values, axis=0) > 0).all(axis=0) & (values == np.rint(values)).all(axis=0)
    found = {int(j): "whole numbers that grow from line to line" for j in np.flatnonzero(grows)}
    first = values[:, 0]
    rest = np.delete(values, [0, *found], axis=1)
    distinct = len(np.unique(first)) == n_rows and bool((first == np.rint(first)).all())
    if (
        0 not in found
        and distinct
        and n_columns > 2
        and rest.size
        and first.min() > 10 * rest.max()
    ):
        found[0] = "whole numbers, each another one, larger than any count"
    return found


def _find_fractions(values: NDArray[np.float64], known: Mapping[int, str]) -> dict[int, str]:
    """Return one or two columns of fractions among whole numbers, such as scores.

    Estimated counts have fractions in many columns, and zeros among them.
    """
    rest = [j for j in range(values.shape[1]) if j not in known]
    fractional = values != np.rint(values)
    some = [j for j in rest if fractional[:, j].any()]
    others = np.delete(values, [*known, *some], axis=1)
    if not 0 < len(some) <= _MOST_SCORES or (others.max(axis=0, initial=0) > 1).sum() < _MIN_COUNTS:
        return {}
    if not (fractional[:, some].mean(axis=0) >= _MOSTLY_FRACTIONS).all():
        return {}
    return dict.fromkeys(some, "fractions, where all other columns hold whole numbers")


def _find_totals(values: NDArray[np.float64], known: Mapping[int, str]) -> dict[int, str]:
    """Return columns of the sum of their lines, or of the number of values above 0."""
    found: dict[int, str] = {}
    for _ in range(3):
        rest = [j for j in range(values.shape[1]) if j not in known and j not in found]
        counts = values[:, rest]
        total, n_found = counts.sum(axis=1, keepdims=True), (counts > 0).sum(axis=1, keepdims=True)
        varies = counts.min(axis=0) != counts.max(axis=0)
        others = total - counts
        sums = varies & (np.abs(counts - others) <= 1e-6 * np.maximum(1, others)).all(axis=0)
        # The sum itself may be one of the counted values.
        numbers = [counts == n_found - 1 - k for k in range(2)]
        n_others = varies & (numbers[0].all(axis=0) | numbers[1].all(axis=0))
        n_others &= np.median(n_found) > 3
        new = {rest[i]: "the sum of the other columns" for i in np.flatnonzero(sums)}
        new |= {
            rest[i]: "the number of the other columns above 0" for i in np.flatnonzero(n_others)
        }
        if not new:
            break
        found |= {int(j): why for j, why in new.items()}
    return found
