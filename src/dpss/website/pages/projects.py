"""The table of all projects: its rows, and the values for search and sorting.

The page has the first rows as elements. The other rows are in a part of the page that only browsers
without scripts show; the script takes them from there on demand, as thousands of elements make a
page slow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dpss.website import wording as words
from dpss.website.data_files import dumps, script
from dpss.website.documents import QUANTILES
from dpss.website.records import (
    ORGAN,
    SPECIES,
    STATUSES,
    TECHNOLOGY,
    MatrixRecord,
    ProjectRecord,
)
from dpss.website.strips import MEASURES, PERCENTILES, Quantiles, draw_strips

N_FIRST = 25
"""Rows that the page has as elements."""
PROJECTS = "_dpss/projects.js"

TERMS = {"species": SPECIES, "organ": ORGAN, "technology": TECHNOLOGY}
"""Columns that are made from strata, left out where no project has any."""
NOTHING = "nothing"
"""Word for the search of projects without assumptions."""


def project_rows(projects: Sequence[ProjectRecord]) -> list[dict[str, Any]]:
    """Return the rows in natural order of titles: case ignored, numbers by size.

    Rows of matrices that were given one by one have strips that compare them.
    """
    ordered = sorted(projects, key=lambda p: _natural_sort_key(p.title))
    rows = [project_row(project) for project in ordered]
    given = [i for i, project in enumerate(ordered) if _is_given(project)]
    if len(given) < 2:
        return rows
    strips = draw_strips([_quantiles(ordered[i].matrices[0]) for i in given])
    for i, each in zip(given, strips, strict=True):
        rows[i]["strips"] = each
    return rows


def project_row(project: ProjectRecord) -> dict[str, Any]:
    """Return the row of one project."""
    matrices = project.matrices
    columns = {name: [m.numbers[name] for m in matrices] for name in matrices[0].numbers}
    statuses: dict[str, int] = {
        status: sum(m.checks[status] for m in matrices) for status in STATUSES
    }
    terms = {name: _union(matrices, keys) for name, keys in TERMS.items()}
    return {
        "project": project,
        "columns": columns,
        "sort": {name: _middle(values) for name, values in columns.items()},
        "pictures": any(m.figures for m in matrices),
        "n_cells": sum(columns["n_cells"]),
        "n_genes": max(columns["n_genes"]),
        "terms": terms,
        "values": sorted({m.values for m in matrices}),
        "checks": statuses,
        "verdict": words.verdict(statuses),
        "assumed": _assumed(matrices),
        "simulated": any(m.simulated for m in matrices),
        "search_text": _search_text(project),
        "strips": {},
    }


def projects_script(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the data file of the table: values of its rows for search and sorting."""
    lines = [
        dumps(
            [
                row["project"].folder,
                row["project"].title,
                row["search_text"],
                *(row["terms"][name] for name in TERMS),
                row["values"],
                row["assumed"]["topics"] or [NOTHING],
                row["verdict"][1],
                row["checks"]["fail"] * 1000 + row["checks"]["warn"],
                row["n_cells"],
                row["n_genes"],
                *(row["sort"][name] for name in MEASURES),
            ]
        )
        for row in rows
    ]
    return script("[\n" + ",\n".join(lines) + "\n]")


def _is_given(project: ProjectRecord) -> bool:
    """Return whether a project is one of several matrices that were given one by one."""
    return len(project.matrices) == 1 and all(m.peers and not m.name for m in project.matrices)


def _quantiles(matrix: MatrixRecord) -> Quantiles:
    return {
        name: None if spread is None else dict(zip(PERCENTILES, spread, strict=True))
        for name, spread in zip(QUANTILES, matrix.spreads, strict=True)
    }


def _middle(values: Sequence[float | None]) -> float | None:
    """Return the median of the known values, for sorting projects."""
    there = sorted(value for value in values if value is not None)
    return there[len(there) // 2] if there else None


def _union(matrices: Sequence[MatrixRecord], names: tuple[str, ...]) -> list[str]:
    return sorted({term for matrix in matrices for term in matrix.terms(names)})


def _assumed(matrices: Sequence[MatrixRecord]) -> dict[str, Any]:
    """Return the assumptions on which numbers of a project depend.

    ``topics`` in order of the alphabet, and ``n_matrices``, the number of matrices with any.
    """
    topics = {topic for matrix in matrices for topic in matrix.assumed_topics}
    return {
        "topics": sorted(topics),
        "n_matrices": sum(bool(matrix.assumed_topics) for matrix in matrices),
    }


def _search_text(project: ProjectRecord) -> str:
    """Return further texts of a project for the search, besides those in the table."""
    found: dict[str, None] = {project.id: None}
    for matrix in project.matrices:
        found.update(dict.fromkeys((matrix.name, matrix.format, matrix.values)))
        for values in matrix.strata.values():
            found.update(dict.fromkeys(values))
    return " ".join(filter(None, found)).lower()


def _natural_sort_key(text: str) -> list[tuple[int, int, str]]:
    """Return the key of a natural sort, by which "part 9" comes before "part 10".

    >>> sorted(["b", "A 10", "a 9"], key=_natural_sort_key)
    ['a 9', 'A 10', 'b']
    """
    parts = re.split(r"([0-9]{1,18})", text.casefold())
    return [(0, int(part), "") if i % 2 else (1, 0, part) for i, part in enumerate(parts)]
