"""Deletion of outdated files of an output, and warnings about those that stay."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from dpss.errors import plural
from dpss.job.plan.steps import superseded, vanished
from dpss.job.publication import (
    MATRICES,
    Recipe,
    folder_of,
    prune_files,
    published_folders,
    read_published,
    unpublish,
)
from dpss.model import Project
from dpss.storage.base import Store

log = logging.getLogger(__name__)


_LISTED = 10
"""Most samples that a message names."""


def warn_of_earlier_samples(store: Store, projects: Sequence[Project]) -> None:
    """Log the published samples that are no longer in the sheet of their project.

    They are not deleted, and stay on the project's page and in MultiQC's tables.

    Args:
        store: The output.
        projects: All projects of the source.
    """
    for project in projects:
        there = {folder_of(ref.project_id, ref.name) for ref in project.refs if ref.is_sample}
        if not there:
            continue
        published = (key for key in published_folders(store) if key.startswith(f"{project.id}/"))
        left = sorted(key.partition("/")[2] for key in set(published) - there)
        if left:
            names = ", ".join(left[:_LISTED]) + (", …" if len(left) > _LISTED else "")
            log.warning(
                "%s: %s of an earlier sheet in the output, and on its pages: %s; if they are not "
                "wanted, delete their folders and give the command again, or use another --output",
                project.id,
                plural(len(left), "sample"),
                names,
            )


def prune(store: Store, projects: Sequence[Project], recipe: Recipe) -> None:
    """Delete matrices that the source has no more, and outdated files of others.

    Args:
        store: The output.
        projects: All projects of the source.
        recipe: Version and settings of this run.
    """
    folders = published_folders(store)
    gone = vanished(folders, projects)
    sizes = store.sizes()
    current: dict[str, Collection[str]] = {}
    for ref in (ref for project in projects for ref in project.refs):
        found = read_published(store, ref, recipe, sizes)
        if found is not None and found.fingerprint == ref.fingerprint:
            current[folder_of(ref.project_id, ref.name)] = found.folders
    refs = {folder_of(ref.project_id, ref.name) for project in projects for ref in project.refs}
    gone += superseded(folders, refs, current)
    for folder in gone:
        log.info("%s: deleted, the source no longer has it", folder)
        unpublish(store, folder)
    for folder, parts in current.items():
        if folder in parts:
            store.delete(f"{folder}/{MATRICES}")
    for folder in sorted(set(folders).difference(gone)):
        for key in prune_files(store, folder):
            log.info("%s: deleted, it belongs to an earlier publication", key)
