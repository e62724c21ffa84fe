"""A portal's output of many projects without its pages: the input of the section ``pages``.

Five small matrices are summarised by this program; each project has links to their files, and
documents of its own, so that no two pages are the same.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.measuring import dpss_command, environment

N_MATRICES = 5
N_CELLS = 400
SUMMARY = "summary.json"
OF_THE_WEBSITE = ("report.html",)
ORGANS = ("blood", "brain", "lung", "kidney")


def write_portal(folder: Path, n_projects: int) -> int:
    """Write the published files of so many projects with five matrices of 33,000 genes each.

    Returns:
        Number of matrices.
    """
    folder.mkdir(parents=True)
    base = folder / "making"
    for number in range(N_MATRICES):
        matrix = base / f"matrix-{number}.h5ad"
        base.mkdir(exist_ok=True)
        inputs.write_h5ad(matrix, N_CELLS + 50 * number)
        command = dpss_command(
            "summarize", matrix, "--output", base / f"output-{number}", "--no-embedding"
        )
        subprocess.run(command, check=True, env=environment(), capture_output=True)
    for project in range(n_projects):
        for number in range(N_MATRICES):
            (document,) = (base / f"output-{number}").rglob(SUMMARY)
            place = folder / f"project-{project:03d}" / f"matrix-{number}"
            _link(document.parent, place)
            told = _document(json.loads(document.read_text()), project, number)
            (place / SUMMARY).write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    shutil.rmtree(base)
    return n_projects * N_MATRICES


def build_pages(portal: str, output: str) -> dict[str, Any]:
    """Build all pages of a portal from nothing; what is timed is the building alone."""
    from dpss.storage.local import LocalStore
    from dpss.website.build import build_website

    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(portal, output, copy_function=os.link)
    start = time.monotonic()
    written = build_website(LocalStore(Path(output)))
    return {"build_seconds": time.monotonic() - start, "n_files": len(written)}


def _link(source: Path, target: Path) -> None:
    """Link a matrix's own files; those of the website are made by the build."""
    target.mkdir(parents=True)
    for file in source.iterdir():
        if file.is_file() and file.name not in (SUMMARY, *OF_THE_WEBSITE):
            os.link(file, target / file.name)


def _document(document: dict[str, Any], project: int, number: int) -> dict[str, Any]:
    """Return a summary as that of another project."""
    name = f"project-{project:03d}"
    matrix = {
        **document["matrix"],
        "name": f"matrix-{number}",
        "fingerprint": f"{project}-{number}",
        "strata": {"organ": [ORGANS[project % len(ORGANS)]], "species": ["Homo sapiens"]},
    }
    return {**document, "project": {"id": name, "title": f"Atlas {project}"}, "matrix": matrix}
