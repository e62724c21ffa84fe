"""Builds all pages of an output from its published files."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dpss._version import __version__
from dpss.storage.base import Store
from dpss.summary.tables import json_bytes
from dpss.website.catalogue_columns import catalogue_columns
from dpss.website.checkpoint import Checkpoint, read_checkpoint
from dpss.website.exports import index_document
from dpss.website.genes.contributions import part_keys
from dpss.website.genes.index import layout_for, write_shards
from dpss.website.genes.lookup import NAMES, VALUES
from dpss.website.multiqc import multiqc_documents
from dpss.website.pages.environment import matrix_view, render, static_files
from dpss.website.pages.history import DATES, Entry, History, dates_script, read_history
from dpss.website.pages.places import PLACES, places_script
from dpss.website.pages.portal import (
    compare_script,
    example_genes,
    portal_script,
    published_addresses,
)
from dpss.website.pages.projects import N_FIRST, PROJECTS, TERMS, project_rows, projects_script
from dpss.website.pages.report import report_page
from dpss.website.pictures import read_pictures
from dpss.website.plots import DATA, write_plots
from dpss.website.records import (
    SUMMARY,
    MatrixRecord,
    ProjectRecord,
    Unreadable,
    group_projects,
    read_again,
    read_records,
)
from dpss.website.strips import draw_strips
from dpss.website.wording import NUMBERS
from dpss.website.writer import Publisher

log = logging.getLogger(__name__)

BATCH = 32
"""Projects whose pages are made between two checkpoints."""
_MATRIX_FILES = ("report.html", NAMES, VALUES)
"""Names of the files that the website adds to a matrix's folder."""


def build_website(
    store: Store,
    *,
    changed: Collection[str] | None = None,
    prune: bool = False,
    seconds: float = math.inf,
    lookup: bool = True,
) -> list[str]:
    """Write the pages of all matrices in a store, and ``index.json``.

    The same published files give the same pages, byte for byte; what is already there
    is not written again. A document that can't be read, or a matrix that is being replaced,
    is named on the first page and in the log; all others are still shown. The index is written
    after the first batch of projects, then each time that twice as many have a page; a build that
    is cut short is continued by the next one.

    Args:
        store: The output with the summaries, to which the pages are written.
        changed: Folders (``project`` or ``project/matrix``) that were published again. Pages of
            others are left as they are where the last checkpoint shows that they were made
            from the same documents by the same version. ``None``: make every page.
        prune: Whether to delete the pages of matrices that are no longer published.
        seconds: After this time a project without a page gets a short one without
            reports, and the look-up of genes is left as it is; the next build completes them.
        lookup: Whether to bring the look-up of genes up to date.

    Returns:
        The keys written.
    """
    deadline = time.monotonic() + seconds
    sizes = store.sizes()
    with Publisher(store, sizes, prune=prune) as publisher:
        records, unreadable = read_records(store, sizes)
        for key, data in static_files().items():
            publisher.write(key, data)
        portal = _Portal(publisher, records, unreadable, read_history(publisher))
        _write_projects(portal, changed, deadline, prune=prune)
        if lookup and time.monotonic() < deadline:
            write_shards(publisher, portal.records, everything=changed is None)
        portal.write()
    return publisher.written


@dataclass
class _Portal:
    """The published projects, and the pages that show all of them."""

    publisher: Publisher
    records: list[MatrixRecord]
    unreadable: list[Unreadable]
    history: History

    @property
    def projects(self) -> list[ProjectRecord]:
        """All projects, in order."""
        return group_projects(self.records)

    def leave_out(self, project: ProjectRecord, reason: str) -> None:
        """Remove a project from the pages, as one of its matrices is being replaced."""
        folders = {record.folder for record in project.matrices}
        self.records = [record for record in self.records if record.folder not in folders]
        self.unreadable += [Unreadable(f"{folder}/{SUMMARY}", reason) for folder in folders]

    def write(self) -> None:
        """Write the pages that show all projects, except projects without a page so far."""
        publisher, history = self.publisher, self.history
        projects = [p for p in self.projects if publisher.has(f"{p.folder}/index.html")]
        unreadable = sorted(self.unreadable, key=lambda one: one.key)
        document = index_document(projects, unreadable, history.latest, __version__)
        rows = project_rows(projects)
        published = published_addresses(projects)
        shown = {name: any(row["terms"][name] for row in rows) for name in TERMS}
        publisher.write(PROJECTS, projects_script(rows))
        publisher.write("_dpss/matrices.js", portal_script(projects))
        publisher.write("_dpss/comparison.js", compare_script(projects))
        publisher.write(PLACES, places_script(projects))
        publisher.write(DATES, dates_script(history))
        genes = {"layout": layout_for(self.records), "examples": example_genes(projects)}
        index = {
            "rows": rows,
            "n_first": N_FIRST,
            "unreadable": unreadable,
            "dated": bool(history.runs),
            "shown": shown,
        }
        runs = {"history": history, "published": published, "names": NUMBERS}
        pages: list[tuple[str, str, str, dict[str, Any]]] = [
            ("genes.html", "genes.html.j2", "", genes),
            ("compare.html", "compare.html.j2", "", {}),
            ("index.html", "index.html.j2", "", index),
            ("runs/index.html", "runs.html.j2", "../", runs),
            ("runs/feed.xml", "feed.xml.j2", "../", runs),
        ]
        for key, template, root, context in pages:
            publisher.write(key, render(template, root=root, index=document, **context))
        for key, content in multiqc_documents(self.records).items():
            publisher.write(key, json_bytes(content))
        publisher.write("index.json", json_bytes(document))
        publisher.flush()


def _write_projects(
    portal: _Portal, changed: Collection[str] | None, deadline: float, *, prune: bool
) -> None:
    """Write the pages of outdated projects, and remove those of vanished ones."""
    publisher, latest = portal.publisher, portal.history.latest
    checkpoint = read_checkpoint(publisher)
    unreadable = {one.key.removesuffix(f"/{SUMMARY}") for one in portal.unreadable}
    gone = checkpoint.gone(portal.projects)
    touched = {folder.partition("/")[0] for folder, made in gone.items() if made.sha256}
    todo = [
        (project, stale)
        for project in portal.projects
        if (stale := _stale(publisher, project, checkpoint, changed, latest)) is not None
        or project.folder in touched
    ]
    _remove(publisher, gone.keys() - unreadable, {project.folder for project in portal.projects})
    for folder in gone:
        checkpoint.note_gone(folder, deleted=prune and folder not in unreadable)
    next_index = BATCH
    for number, (project, stale) in enumerate(todo, 1):
        is_late = time.monotonic() >= deadline
        if is_late and publisher.has(f"{project.folder}/index.html"):
            continue
        try:
            _write_project(publisher, project, stale or [], latest, brief=is_late)
        except (FileNotFoundError, ValueError) as error:
            # Not in the checkpoint, so that the next build makes the page again.
            log.warning("the page of %s is left out this time: %s", project.folder, error)
            portal.leave_out(project, str(error))
            continue
        if not is_late:
            for record in project.matrices:
                checkpoint.note(record, latest.get(record.folder))
        if not is_late and number % BATCH == 0:
            checkpoint.save()
            # Each index has all projects: it comes after 32, 64, 128, ... of them.
            if number >= next_index:
                next_index *= 2
                portal.write()
    checkpoint.save()


def _stale(
    publisher: Publisher,
    project: ProjectRecord,
    checkpoint: Checkpoint,
    changed: Collection[str] | None,
    latest: Mapping[str, Entry],
) -> list[MatrixRecord] | None:
    """Return the matrices of a project whose pages are outdated.

    Returns:
        The matrices; ``None`` if the project's page is current, too. That page is outdated also
        where its remark on a matrix that is not current has changed.
    """
    stale = [
        record
        for record in project.matrices
        if changed is None
        or checkpoint.of(record.folder).sha256 != record.sha256
        or record.folder in changed
        or not publisher.has(f"{record.folder}/report.html")
    ]
    now = {m.folder: latest.get(m.folder) for m in project.matrices}
    is_same = all(checkpoint.of(f).reason == (e.reason if e else None) for f, e in now.items())
    if not stale and is_same and publisher.has(f"{project.folder}/index.html"):
        return None
    return stale


def _remove(publisher: Publisher, folders: Iterable[str], projects: Collection[str]) -> None:
    """Remove the pages of matrices that are no longer published, and nothing else."""
    for folder in folders:
        for name in _MATRIX_FILES:
            publisher.delete(f"{folder}/{name}")
        publisher.delete(f"{DATA}{folder}.js")
        for key in part_keys(publisher, folder):
            publisher.delete(key)
        project = folder.partition("/")[0]
        if project not in projects:
            publisher.delete(f"{project}/index.html")


def _write_project(
    publisher: Publisher,
    project: ProjectRecord,
    stale: Sequence[MatrixRecord],
    latest: Mapping[str, Entry],
    *,
    brief: bool,
) -> None:
    """Write a project's page and, unless ``brief``, reports of outdated matrices."""
    views = []
    folders = {record.folder for record in stale}
    for record in project.matrices:
        document = read_again(publisher.store, record)
        if brief:
            views.append(matrix_view(record, document, {}, complete=False))
            continue
        pictures = read_pictures(publisher, record, narrow=record.folder in folders)
        sizes = {slug: picture.size for slug, picture in pictures.items() if picture.size}
        view = matrix_view(record, document, sizes, plots=write_plots(publisher, record))
        if record.folder in folders:
            report = report_page(pictures, record, view)
            publisher.write(f"{record.folder}/report.html", report)
        views.append(view)
    if len(views) > 1:
        groups = [record.peers if record.name else "" for record in project.matrices]
        strips = draw_strips([view["document"]["quantiles"] for view in views], groups)
        views = [{**view, "strips": each} for view, each in zip(views, strips, strict=True)]
    columns = catalogue_columns([record.strata for record in project.matrices])
    publisher.write(
        f"{project.folder}/index.html",
        render(
            "project.html.j2", root="../", project=project, views=views, latest=latest,
            catalogue=columns,
        ),
    )  # fmt: skip
