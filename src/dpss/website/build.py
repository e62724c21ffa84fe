"""All pages of an output, made from what is published there."""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import Any

from dpss.stores import Store
from dpss.tables import json_bytes
from dpss.website.index import index_document
from dpss.website.pages import index_row, matrix_view, render, static_files
from dpss.website.publishing import Publisher
from dpss.website.records import (
    SUMMARY,
    ProjectRecord,
    group_projects,
    parse_summary,
    read_records,
    summary_keys,
)

_PNG = b"\x89PNG\r\n\x1a\n"


def build_website(store: Store, *, changed: Collection[str] | None = None) -> list[str]:
    """Write the pages of everything that a store holds, and ``index.json``.

    The same published files give the same pages, byte for byte; what is already there
    is not written again. A document that can't be read is named on the first page and
    in the log, and stops no other.

    Args:
        store: Where the summaries are and the pages go.
        changed: Folders (``project`` or ``project/matrix``) published anew. The pages of
            other projects are then left as they are, if ``index.json`` shows that they
            were made from the same documents. ``None``: look at every page.

    Returns:
        The keys written.
    """
    keys = list(store.keys())
    publisher = Publisher(store, keys)
    records, unreadable = read_records(store, summary_keys(keys))
    projects = group_projects(records)
    for key, data in static_files().items():
        publisher.write(key, data)
    for project in projects:
        publisher.write(f"{project.folder}/index.html", _project_page(store, project))
    document = index_document(projects, unreadable)
    rows = [index_row(project) for project in projects]
    publisher.write(
        "index.html",
        render("index.html.j2", root="", index=document, rows=rows, unreadable=unreadable),
    )
    # Last: it tells which documents the pages were made from.
    publisher.write("index.json", json_bytes(document))
    return publisher.written


def _project_page(store: Store, project: ProjectRecord) -> bytes:
    views: list[dict[str, Any]] = []
    for record in project.matrices:
        document = parse_summary(store.read(f"{record.folder}/{SUMMARY}"))
        sizes = {}
        for slug in record.figures:
            size = _png_size(store, f"{record.folder}/{slug}.png")
            if size:
                sizes[slug] = size
        views.append(matrix_view(record, document, sizes))
    return render("project.html.j2", root="../", project=project, views=views)


def _png_size(store: Store, key: str) -> tuple[int, int] | None:
    """Return a figure's width and height, so that the page needn't jump when it arrives."""
    try:
        head = store.read(key)[:24]
    except OSError:
        return None
    if len(head) < 24 or not head.startswith(_PNG):
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height
