"""Columns of numbers before and after those of cells, told by their titles and their zeros."""

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
_MOST_ENDS = 6
"""Most columns on each side that are looked at."""
_N_LOOKED_AT = 1_000
_MIN_CELLS = 10
_MOSTLY = 0.95
"""Part of the titles, 0 to 1, that are those of cells, from which on any other one is odd."""
_N_ZEROS = 50
"""Columns in which zeros are counted."""
_MANY_ZEROS = 0.2
"""Part of the counts, 0 to 1, that are 0 where a column without any is odd."""


def find_ends(
    rows: Rows, titles: Sequence[str] | None, columns: range, decimal: str
) -> tuple[int, int, bool]:
    """Find columns of numbers on both sides of a table of genes × cells that are no cells.

    They have titles of statistics, where others have none; or nearly all others have the title and
    the zeros of a cell, and they have neither.

    Args:
        rows: Lines of the table, without its header.
        titles: Titles of all columns; ``None`` without a header.
        columns: The columns of numbers.
        decimal: The decimal sign.

    Returns:
        The number of such columns before and after the cells, and whether one of them has a
        title of no known kind.
    """
    if not titles or len(columns) < 3:
        return 0, 0, False
    inner = columns[_MOST_ENDS:-_MOST_ENDS] or columns
    some = [titles[j] for j in inner[:: max(1, len(inner) // _N_LOOKED_AT)]]
    if find_kind(some) is AxisKind.GENES:
        return 0, 0, False
    named = sum(find_kind([title]) is AxisKind.CELLS for title in some)
    sure = len(columns) >= _MIN_CELLS and named >= _MOSTLY * len(some)
    zeros = [_zero_share(rows, j, decimal) for j in inner[:: max(1, len(inner) // _N_ZEROS)]]
    sure = sure and sum(zeros) >= _MANY_ZEROS * len(zeros)
    doubtful = False
    counts = []
    for side in (columns, columns[::-1]):
        n = 0
        for j in side[: min(_MOST_ENDS, (len(columns) - 1) // 2)]:
            known = _STATISTIC.fullmatch(titles[j]) is not None
            if not known and not (
                sure
                and find_kind([titles[j]]) is not AxisKind.CELLS
                and not _zero_share(rows, j, decimal)
            ):
                break
            doubtful = doubtful or not known
            n += 1
        counts.append(n)
    return counts[0], counts[1], doubtful


def _zero_share(rows: Rows, j: int, decimal: str) -> float:
    """Return the part of a column's fields, 0 to 1, that are 0."""
    column = rows.column(j)
    return sum(as_float(field, decimal) == 0 for field in column) / len(column)
