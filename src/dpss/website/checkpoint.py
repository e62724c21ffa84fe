"""Record of the inputs of pages, so that an interrupted build continues.

It is written after each batch of projects. It tells the next build which pages were already made,
by the same version of the program from the same documents.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dpss._version import __version__
from dpss.storage.json_text import parse_json
from dpss.summary.tables import json_bytes
from dpss.website.pages.history import Entry
from dpss.website.records import MatrixRecord, ProjectRecord
from dpss.website.writer import Publisher

CHECKPOINT = "_dpss/pages.json"


@dataclass(frozen=True)
class PageSource:
    """The inputs of a matrix's pages."""

    sha256: str = ""
    """Checksum of the summary; empty where the summary is gone but the pages are not."""
    reason: str | None = None
    """Reason on the page why the matrix is not current; ``None`` if it is."""


class Checkpoint:
    """The inputs of all finished pages, by the folder of their matrix."""

    def __init__(self, publisher: Publisher, made: Mapping[str, PageSource]) -> None:
        """Start with the pages of earlier builds."""
        self._publisher = publisher
        self._made = dict(made)

    def of(self, folder: str) -> PageSource:
        """Return the inputs of a matrix's pages."""
        return self._made.get(folder, PageSource())

    def gone(self, projects: Collection[ProjectRecord]) -> dict[str, PageSource]:
        """Return the pages of matrices that are in none of these projects."""
        there = {matrix.folder for project in projects for matrix in project.matrices}
        return {folder: made for folder, made in self._made.items() if folder not in there}

    def note(self, record: MatrixRecord, latest: Entry | None) -> None:
        """Note that a matrix's pages are made."""
        self._made[record.folder] = PageSource(record.sha256, latest.reason if latest else None)

    def note_gone(self, folder: str, *, deleted: bool) -> None:
        """Note that a matrix is on no page any more, and if its pages are deleted."""
        if deleted:
            self._made.pop(folder, None)
        else:
            self._made[folder] = PageSource()

    def save(self) -> None:
        """Write the checkpoint, after all pages noted so far are written."""
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
        document = parse_json(data) if data is not None else {}
        if document.get("version") != __version__:
            return Checkpoint(publisher, {})
        made = {
            str(folder): PageSource(str(entry["sha256"]), entry["reason"])
            for folder, entry in document["matrices"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        made = {}
    return Checkpoint(publisher, made)
