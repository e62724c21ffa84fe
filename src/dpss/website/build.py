"""All pages of an output, made from what is published there."""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dpss import __version__
from dpss.stores import Store
from dpss.tables import json_bytes
from dpss.website.cells import DATA, write_cells
from dpss.website.contributions import part_keys
from dpss.website.history import DATES, Entry, History, dates_script, read_history
from dpss.website.index import index_document
from dpss.website.lookup import NAMES, VALUES
from dpss.website.multiqc import multiqc_document
from dpss.website.pages import (
    example_genes,
    matrix_view,
    portal_script,
    published_addresses,
    render,
    static_files,
)
from dpss.website.projects import N_FIRST, PROJECTS, TERMS, project_rows, projects_script
from dpss.website.publishing import Publisher
from dpss.website.records import (
    SUMMARY,
    MatrixRecord,
    ProjectRecord,
    Unreadable,
    group_projects,
    read_again,
    read_records,
)
from dpss.website.report import report_page
from dpss.website.shards import write_shards

log = logging.getLogger(__name__)

_PNG = b"\x89PNG\r\n\x1a\n"
_BESIDE = ("report.html", "summary_mqc.json", NAMES, VALUES)
"""What the pages add to a matrix's folder."""


def build_website(
    store: Store, *, changed: Collection[str] | None = None, prune: bool = False
) -> list[str]:
    """Write the pages of everything that a store holds, and ``index.json``.

    The same published files give the same pages, byte for byte; what is already there
    is not written again. A document that can't be read, or a matrix that is being replaced,
    is named on the first page and in the log, and stops no other.

    Args:
        store: Where the summaries are and the pages go.
        changed: Folders (``project`` or ``project/matrix``) published anew. Pages of
            others are left as they are where ``index.json`` shows that they were made
            from the same documents by the same version. ``None``: make every page.
        prune: Whether to delete the pages of what is no longer published.

    Returns:
        The keys written.
    """
    sizes = store.sizes()
    with Publisher(store, sizes, prune=prune) as publisher:
        records, unreadable = read_records(store, sizes)
        projects = group_projects(records)
        for key, data in static_files().items():
            publisher.write(key, data)
        history = read_history(publisher)
        replaced = _write_projects(publisher, projects, history.latest, changed)
        unreadable = sorted([*unreadable, *replaced], key=lambda one: one.key)
        left_out = {one.key.rpartition("/")[0] for one in replaced}
        projects = group_projects(r for r in records if r.folder not in left_out)
        _write_portal(publisher, projects, unreadable, history, everything=changed is None)
    return publisher.written


def _write_projects(
    publisher: Publisher,
    projects: Sequence[ProjectRecord],
    latest: Mapping[str, Entry],
    changed: Collection[str] | None,
) -> list[Unreadable]:
    """Write the pages of the projects that need it, and remove those of what is gone.

    Returns:
        The matrices of projects whose page is left out: one of them is being replaced.
    """
    left_out: list[Unreadable] = []
    made_before = _made_before(publisher)
    gone = made_before.keys() - {m.folder for project in projects for m in project.matrices}
    _remove(publisher, gone, {project.folder for project in projects})
    before = {} if changed is None else made_before
    for project in projects:
        made = {m.folder: before.get(m.folder, _Made("", None)) for m in project.matrices}
        stale = [
            record
            for record in project.matrices
            if made[record.folder].sha256 != record.sha256
            or record.folder in (changed or ())
            or not publisher.has(f"{record.folder}/report.html")
        ]
        touched = any(folder.partition("/")[0] == project.folder for folder in gone)
        touched |= any(
            made[m.folder].reason != (latest[m.folder].reason if m.folder in latest else None)
            for m in project.matrices
        )
        if stale or touched or not publisher.has(f"{project.folder}/index.html"):
            try:
                _write_project(publisher, project, stale, latest)
            except (FileNotFoundError, ValueError) as error:
                # Not in the index this time, so that the next build makes the page again.
                log.warning("the page of %s is left out this time: %s", project.folder, error)
                left_out += [
                    Unreadable(f"{record.folder}/{SUMMARY}", str(error))
                    for record in project.matrices
                ]
    return left_out


def _write_portal(
    publisher: Publisher,
    projects: Sequence[ProjectRecord],
    unreadable: Sequence[Unreadable],
    history: History,
    *,
    everything: bool,
) -> None:
    """Write what is of all projects."""
    records = [record for project in projects for record in project.matrices]
    layout = write_shards(publisher, records, everything=everything)
    document = index_document(projects, unreadable, history.latest, __version__)
    rows = project_rows(projects)
    published = published_addresses(projects)
    shown = {name: any(row["terms"][name] for row in rows) for name in TERMS}
    publisher.write(PROJECTS, projects_script(rows))
    publisher.write("_dpss/matrices.js", portal_script(projects))
    publisher.write(DATES, dates_script(history))
    pages: list[tuple[str, str, dict[str, Any]]] = [
        ("genes.html", "", {"layout": layout, "examples": example_genes(projects)}),
        (
            "index.html",
            "",
            {
                "rows": rows,
                "n_first": N_FIRST,
                "unreadable": unreadable,
                "dated": bool(history.runs),
                "shown": shown,
            },
        ),
        ("runs/index.html", "../", {"history": history, "published": published}),
        ("runs/feed.xml", "../", {"history": history, "published": published}),
    ]
    for key, root, context in pages:
        template = {"runs/index.html": "runs.html"}.get(key, key.rpartition("/")[2]) + ".j2"
        publisher.write(key, render(template, root=root, index=document, **context))
    publisher.flush()
    # Last: it tells which documents the pages were made from.
    publisher.write("index.json", json_bytes(document))


@dataclass(frozen=True)
class _Made:
    """What a matrix's part of a page was made from."""

    sha256: str
    """Of its summary."""
    reason: str | None
    """Why it was said not to be current."""


def _made_before(publisher: Publisher) -> dict[str, _Made]:
    """Return what the pages that are there were made from, by folder."""
    data = publisher.read("index.json")
    if data is None:
        return {}
    try:
        document = json.loads(data)
        if document["version"] != __version__:
            return {}
        return {
            matrix["folder"]: _Made(matrix["sha256"], matrix["reason"])
            for project in document["projects"]
            for matrix in project["matrices"]
        }
    except (ValueError, KeyError, TypeError):
        return {}


def _remove(publisher: Publisher, folders: Iterable[str], projects: Collection[str]) -> None:
    """Remove the pages of matrices that are no longer published, and nothing else."""
    for folder in folders:
        for name in _BESIDE:
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
) -> None:
    """Write a project's page and everything of its stale matrices."""
    views = []
    folders = {record.folder for record in stale}
    for record in project.matrices:
        document = read_again(publisher.store, record)
        pictures = _pictures(publisher, record)
        view = _view(publisher, record, document, pictures)
        if record.folder in folders:
            _write_matrix(publisher, record, view, pictures)
        views.append(view)
    publisher.write(
        f"{project.folder}/index.html",
        render("project.html.j2", root="../", project=project, views=views, latest=latest),
    )


def _write_matrix(
    publisher: Publisher,
    record: MatrixRecord,
    view: Mapping[str, Any],
    pictures: Mapping[str, bytes],
) -> None:
    publisher.write(f"{record.folder}/report.html", report_page(pictures, record, view))
    publisher.write(f"{record.folder}/summary_mqc.json", json_bytes(multiqc_document(record)))


def _view(
    publisher: Publisher,
    record: MatrixRecord,
    document: Mapping[str, Any],
    pictures: Mapping[str, bytes],
) -> dict[str, Any]:
    sizes = {slug: size for slug, data in pictures.items() if (size := _png_size(data))}
    return matrix_view(record, document, sizes, cells=write_cells(publisher, record))


def _pictures(publisher: Publisher, record: MatrixRecord) -> dict[str, bytes]:
    """Return the figures of a matrix as PNG, by slug.

    Raises:
        ReplacedError: The matrix is being replaced.
    """
    found = {slug: publisher.read_listed(record, f"{slug}.png") for slug in record.figures}
    return {slug: data for slug, data in found.items() if data}


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Return a figure's width and height, so that the page needn't jump when it arrives."""
    if len(data) < 24 or not data.startswith(_PNG):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height
