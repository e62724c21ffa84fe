"""``index.json``: every published matrix with its header numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dpss.website.pages.history import Entry
from dpss.website.records import MatrixRecord, ProjectRecord, Unreadable

SCHEMA = 1
"""Version of the layout, whose schema is ``schemas/index.schema.json``."""


def index_document(
    projects: Sequence[ProjectRecord],
    unreadable: Iterable[Unreadable],
    latest: Mapping[str, Entry],
    version: str,
) -> dict[str, Any]:
    """Return the content of ``index.json``.

    Args:
        projects: The projects, in order.
        unreadable: Documents that were found and left out.
        latest: Entries, by folder, of matrices that were not published by the last run.
        version: Version of the program that makes the pages.
    """
    matrices = [matrix for project in projects for matrix in project.matrices]
    published = {matrix.folder for matrix in matrices}
    return {
        "schema": SCHEMA,
        "version": version,
        "totals": {
            "n_projects": len(projects),
            "n_matrices": len(matrices),
            "n_cells": sum(matrix.numbers["n_cells"] for matrix in matrices),
            "n_cells_kept": sum(matrix.numbers["n_cells_kept"] for matrix in matrices),
        },
        "projects": [_project(project, latest) for project in projects],
        "not_published": [
            {
                "project_id": entry.project_id,
                "name": entry.name,
                "outcome": entry.kind,
                "reason": entry.reason,
            }
            for folder, entry in sorted(latest.items())
            if folder not in published and entry.kind != "vanished"
        ],
        "unreadable": [{"path": item.key, "reason": item.reason} for item in unreadable],
    }


def _project(project: ProjectRecord, latest: Mapping[str, Entry]) -> dict[str, Any]:
    return {
        "id": project.id,
        "title": project.title,
        "path": project.path,
        "n_cells": sum(matrix.numbers["n_cells"] for matrix in project.matrices),
        "matrices": [_matrix(matrix, latest.get(matrix.folder)) for matrix in project.matrices],
    }


def _matrix(matrix: MatrixRecord, latest: Entry | None) -> dict[str, Any]:
    expected = matrix.n_cells_expected
    return {
        "name": matrix.name,
        "path": matrix.path,
        "folder": matrix.folder,
        "url": matrix.url,
        "format": matrix.format,
        "layer": matrix.layer,
        "fingerprint": matrix.fingerprint,
        "strata": {name: list(values) for name, values in sorted(matrix.strata.items())},
        "simulated": matrix.simulated,
        "values": matrix.values,
        **matrix.numbers,
        **({"n_cells_expected": expected} if expected is not None else {}),
        "checks": dict(matrix.checks),
        "assumed": list(matrix.assumed),
        "figures": list(matrix.figures),
        "outcome": latest.kind if latest else "published",
        "reason": latest.reason if latest else None,
        "current": latest is None,
        "version": matrix.version,
        "sha256": matrix.sha256,
    }
