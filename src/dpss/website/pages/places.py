"""Places of headline numbers among matrices of one species and technology.

They are in their own data file, which every build writes: the page of a project depends on its
own matrices only, and is left as it is when others are published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dpss.website.data_files import dumps, script
from dpss.website.records import SPECIES, TECHNOLOGY, MatrixRecord, ProjectRecord
from dpss.website.strips import MEASURES

PLACES = "_dpss/places-data.js"
PLACED = tuple(MEASURES)
"""Headline numbers that have a place."""
MIN_MATRICES = 10
"""Least number of matrices in a group."""
N_QUANTILES = 41
"""Number of quantiles from 0 to 100 %, so that a place is known to 2.5 %."""


def group_of(record: MatrixRecord) -> str:
    """Return the group of comparable matrices; empty if it is not known."""
    terms = [" and ".join(sorted(record.terms(names))) for names in (SPECIES, TECHNOLOGY)]
    return ", ".join(terms) if all(terms) else ""


def places_script(projects: Sequence[ProjectRecord]) -> bytes:
    """Return the data file: name, size and quantiles of each group.

    A group of fewer than `MIN_MATRICES` matrices is left out, and so are the quantiles of a number
    that fewer of its matrices have.
    """
    groups: dict[str, list[MatrixRecord]] = {}
    for project in projects:
        for record in project.matrices:
            if name := group_of(record):
                groups.setdefault(name, []).append(record)
    rows = [
        [name, len(records), [_quantiles(r.numbers[number] for r in records) for number in PLACED]]
        for name, records in sorted(groups.items())
        if len(records) >= MIN_MATRICES
    ]
    return script("[\n" + ",\n".join(map(dumps, rows)) + "\n]")


def _quantiles(values: Iterable[float | None]) -> list[float] | None:
    there = [value for value in values if value is not None]
    if len(there) < MIN_MATRICES:
        return None
    found = np.quantile(there, np.linspace(0, 1, N_QUANTILES))
    return [float(f"{value:.4g}") for value in found]
