"""``index.json``: every published matrix with its header numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dpss.website.records import MatrixRecord, ProjectRecord, Unreadable

SCHEMA = 1
"""Number of the layout; ``schemas/index.schema.json`` is it."""


def index_document(
    projects: Sequence[ProjectRecord], unreadable: Iterable[Unreadable] = ()
) -> dict[str, Any]:
    """Return the content of ``index.json``.

    Args:
        projects: In order.
        unreadable: Documents that were found and left out.
    """
    matrices = [matrix for project in projects for matrix in project.matrices]
    return {
        "schema": SCHEMA,
        "totals": {
            "n_projects": len(projects),
            "n_matrices": len(matrices),
            "n_cells": sum(matrix.numbers["n_cells"] for matrix in matrices),
            "n_cells_kept": sum(matrix.numbers["n_cells_kept"] for matrix in matrices),
        },
        "projects": [_project(project) for project in projects],
        "unreadable": [{"path": item.key, "reason": item.reason} for item in unreadable],
    }


def _project(project: ProjectRecord) -> dict[str, Any]:
    return {
        "id": project.id,
        "title": project.title,
        "path": project.path,
        "n_cells": sum(matrix.numbers["n_cells"] for matrix in project.matrices),
        "matrices": [_matrix(matrix) for matrix in project.matrices],
        "not_published": [],
    }


def _matrix(matrix: MatrixRecord) -> dict[str, Any]:
    return {
        "name": matrix.name,
        "path": matrix.path,
        "url": matrix.url,
        "format": matrix.format,
        "layer": matrix.layer,
        "fingerprint": matrix.fingerprint,
        "strata": {name: list(values) for name, values in sorted(matrix.strata.items())},
        "simulated": matrix.simulated,
        "values": matrix.values,
        **matrix.numbers,
        "checks": dict(matrix.checks),
        "figures": list(matrix.figures),
        "outcome": "published",
        "reason": None,
        "current": True,
        "version": matrix.version,
        "sha256": matrix.sha256,
    }
