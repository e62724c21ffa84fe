"""Columns of numbers before and after those of cells, found by titles and zeros."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dpss.formats.annotation.axis_names import AxisKind, find_kind
from dpss.formats.text.cell_annotation import as_float
from dpss.formats.text.fields import Rows

_STATISTIC = re.compile(
    r"(row[_. ]?)?(means?|average|avg|medians?|sd|std(ev|_?dev)?|var(iance)?|sem|cv2?|min(imum)?|"
    r"max(imum)?)|(p|q)[-_. ]?val(ue)?s?([-_. ]?adj.*)?|p[-_. ]?adj.*|adj[-_. ]?p.*|fdr|"
    r"(avg[-_. ])?(log2?)?[-_. ]?(fc|f(old)?[-_. ]?change)|base[-_. ]?mean|lfcse|stat|"
    r"dispersions?|n[-_. ]?cells|total[-_. ]?counts?|gc|(exon|probe)s?",
    re.IGNORECASE,
)
"""Titles of numbers about genes."""
_MAX_OUTER = 6
"""Most columns on each side that are tested."""
_N_SAMPLED = 1_000
_MIN_CELLS = 10
_MOSTLY = 0.95
"""Fraction of titles of cells from which any other title is an exception."""
_N_ZEROS = 50
"""Columns in which zeros are counted."""
_MANY_ZEROS = 0.2
"""Fraction of zeros among the counts from which a column without zeros is an exception."""


def find_outer_columns(
    rows: Rows, titles: Sequence[str] | None, columns: range, decimal: str
) -> tuple[int, int, bool]:
    """Return the numbers of columns before and after those of cells.

    Such columns have titles of statistics; or nearly all others have the title and the zeros of a
    cell, and they have neither.

    Args:
        rows: Lines of the table, without its header.
        titles: Titles of all columns; ``None`` without a header.
        columns: The columns of numbers.
        decimal: The decimal sign.

    Returns:
        The numbers of such columns before and after the cells, and whether one of them has a
        title of no known kind.
    """
    if not titles or len(columns) < 3:
        return 0, 0, False
    inner = columns[_MAX_OUTER:-_MAX_OUTER] or columns
    some = [titles[j] for j in inner[:: max(1, len(inner) // _N_SAMPLED)]]
    if find_kind(some) is AxisKind.GENES:
        return 0, 0, False
    named = sum(find_kind([title]) is AxisKind.CELLS for title in some)
    sure = len(columns) >= _MIN_CELLS and named >= _MOSTLY * len(some)
    zeros = [_zero_fraction(rows, j, decimal) for j in inner[:: max(1, len(inner) // _N_ZEROS)]]
    sure = sure and sum(zeros) >= _MANY_ZEROS * len(zeros)
    doubtful = False
    counts = []
    for side in (columns, columns[::-1]):
        n = 0
        for j in side[: min(_MAX_OUTER, (len(columns) - 1) // 2)]:
            known = _STATISTIC.fullmatch(titles[j]) is not None
            if not known and not (
                sure
                and find_kind([titles[j]]) is not AxisKind.CELLS
                and not _zero_fraction(rows, j, decimal)
            ):
                break
            doubtful = doubtful or not known
            n += 1
        counts.append(n)
    return counts[0], counts[1], doubtful


def _zero_fraction(rows: Rows, j: int, decimal: str) -> float:
    """Return the fraction of a column's fields that are 0."""
    column = rows.column(j)
    return sum(as_float(field, decimal) == 0 for field in column) / len(column)
