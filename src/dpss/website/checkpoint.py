"""Record of the inputs of each matrix's pages, so that an interrupted build continues.

It is written after each batch of projects. The next build takes from it which pages are made
already, by the same version of the program from the same documents.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dpss._version import __version__
from dpss.summary.tables import json_bytes
from dpss.website.pages.history import Entry
from dpss.website.records import MatrixRecord, ProjectRecord
from dpss.website.writer import Publisher

CHECKPOINT = "_dpss/pages.json"


@dataclass(frozen=True)
class PageSource:
    """Input of a matrix's part of a page."""

    sha256: str = ""
    """Checksum of its summary; empty where the summary is gone and the pages are left."""
    reason: str | None = None
    """Why the page says that the matrix is not current."""


class Checkpoint:
    """The pages that are made, by the folder of their matrix."""

    def __init__(self, publisher: Publisher, made: Mapping[str, PageSource]) -> None:
        """Begin with the pages that were made before."""
        self._publisher = publisher
        self._made = dict(made)

    def of(self, folder: str) -> PageSource:
        """Return what a matrix's pages were made from."""
        return self._made.get(folder, PageSource())

    def gone(self, projects: Collection[ProjectRecord]) -> dict[str, PageSource]:
        """Return the pages of matrices that are in none of these projects."""
        there = {matrix.folder for project in projects for matrix in project.matrices}
        return {folder: made for folder, made in self._made.items() if folder not in there}

    def note(self, record: MatrixRecord, latest: Entry | None) -> None:
        """Note that a matrix's pages are made."""
        self._made[record.folder] = PageSource(record.sha256, latest.reason if latest else None)

    def note_gone(self, folder: str, *, deleted: bool) -> None:
        """Note that a matrix is on no page any more, and whether its own pages are deleted."""
        if deleted:
            self._made.pop(folder, None)
        else:
            self._made[folder] = PageSource()

    def save(self) -> None:
        """Write it, once all pages noted so far are written."""
        self._publisher.flush()
        matrices = {
            folder: {"sha256": made.sha256, "reason": made.reason}
            for folder, made in sorted(self._made.items())
        }
        document = {"version": __version__, "matrices": matrices}
        self._publisher.write(CHECKPOINT, json_bytes(document))
        self._publisher.flush()


def read_checkpoint(publisher: Publisher) -> Checkpoint:
    """Read the last checkpoint; an empty one if there is none of this version."""
    data = publisher.read(CHECKPOINT)
    try:
        document = json.loads(data) if data is not None else {}
        if document.get("version") != __version__:
            return Checkpoint(publisher, {})
        made = {
            str(folder): PageSource(str(entry["sha256"]), entry["reason"])
            for folder, entry in document["matrices"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        made = {}
    return Checkpoint(publisher, made)
