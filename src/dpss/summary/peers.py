"""Matrices of one project side by side: whose medians stand apart from those of the others."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from dpss.stats.outliers import find_odd
from dpss.summary.numerals import number, percent

MEDIANS = {
    "median_genes_per_cell": ("genes per cell", True),
    "median_counts_per_cell": ("counts per cell", True),
    "median_pct_counts_mt": ("mitochondrial share", False),
}
"""Compared numbers with their words, and whether they are compared on a logarithmic scale."""


def find_apart(numbers: Mapping[str, Mapping[str, float | None]]) -> dict[str, tuple[str, ...]]:
    """Return sentences on the medians that stand apart, by the name of their matrix.

    The rule is `dpss.stats.outliers.find_odd`, as on the page of the project.

    >>> usual = {name: {"median_counts_per_cell": 3000.0 + len(name)} for name in ("a", "bb", "c")}
    >>> find_apart(usual | {"ddd": {"median_counts_per_cell": 150.0}})
    {'ddd': ('Counts per cell are apart: 150, 5 % of the median of all 4 (3,001).',)}

    Args:
        numbers: Numbers of each matrix of one project, by its name.

    Returns:
        The matrices that stand apart; an empty mapping for fewer than four matrices.
    """
    found: dict[str, tuple[str, ...]] = {}
    names = list(numbers)
    for key, (words, logarithmic) in MEDIANS.items():
        known = {i: value for i, name in enumerate(names)
                 if (value := numbers[name].get(key)) is not None}  # fmt: skip
        for i in sorted(find_odd(known, logarithmic=logarithmic)):
            centre = median(known.values())
            text = _sentence(words, known[i], centre, len(known), is_share=not logarithmic)
            found[names[i]] = (*found.get(names[i], ()), text)
    return found


def _sentence(words: str, value: float, centre: float, n: int, *, is_share: bool) -> str:
    say = percent if is_share else number
    ratio = value / centre if centre else 0
    if not ratio:
        size = "against"
    elif ratio < 1:
        size = f"{percent(100 * ratio)} of"
    else:
        size = f"{ratio:.2g} times"
    verb = "is" if is_share else "are"
    compared = f"{size} the median of all {n} ({say(centre)})"
    return f"{words.capitalize()} {verb} apart: {say(value)}, {compared}."
