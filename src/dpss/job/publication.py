"""Published files of a matrix, and how they are replaced without deleting any.

A matrix's ``summary.json`` lists every file of its publication with size and checksum. The
files are written first and ``summary.json`` last, each replaced as a whole. A file that differs
from its entry tells a reader that the matrix is being replaced, also after an interrupted write.
Where one file holds several matrices, ``matrices.json`` lists their summaries in the same way. Only
``--prune`` deletes.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dpss.errors import DpssError
from dpss.model import MatrixRef
from dpss.storage.base import Store, write_all
from dpss.storage.json_text import parse_json
from dpss.storage.plain_text import indented_json
from dpss.summary.manifest import first_mismatch, parse_manifest, sha256_of
from dpss.summary.peers import MEDIANS
from dpss.summary.policy import Judgement, parse_judgements

log = logging.getLogger(__name__)

SUMMARY = "summary.json"
MATRICES = "matrices.json"
GENES = "genes.csv"
CLUSTERS, MARKERS, STRATA = "clusters.csv", "markers.csv", "strata.csv"
ANNOTATIONS, ANNOTATION_MARKERS = "annotations.csv", "annotation_markers.csv"
CELLS = "cells.csv.gz"
TABLES = (GENES, CLUSTERS, MARKERS, STRATA, ANNOTATIONS, ANNOTATION_MARKERS, CELLS)
"""Names of the tables."""
PLOTS = "plots.json"
_ATTEMPTS = 5
"""Most attempts to publish a matrix that another run publishes at the same time."""
FOR_PAGES = re.compile(r"(cells|plots)\.json|genes\.(lookup|names|\d+\.js)")
"""Names of the files that are published for the pages only."""


@dataclass(frozen=True)
class Recipe:
    """Version and settings on which results depend, besides the input."""

    version: str
    """Version of this program."""
    settings: Mapping[str, Any]
    """The settings that change results, by name."""


@dataclass(frozen=True)
class Published:
    """Published files of one source file."""

    fingerprint: str
    recipe: Recipe
    n_cells: int | None = None
    n_genes: int | None = None
    modified: datetime | None = None
    """Time of the publication; ``None`` if not requested."""
    folders: tuple[str, ...] = ()
    """Keys of the folders of its matrices."""
    judgements: tuple[Judgement, ...] = ()
    """Outcomes of the policy's rules, over all its matrices."""
    medians: Mapping[str, float | None] = field(default_factory=dict)
    """Medians of its matrix, by name; empty for a file with several."""


def folder_of(project_id: str, name: str) -> str:
    """Return the key of a matrix's folder."""
    return f"{project_id}/{name}" if name else project_id


def part_name(ref_name: str, part: str) -> str:
    """Return the name of one matrix of a file, within its project.

    >>> part_name("", "mm10"), part_name("both", "mm10"), part_name("both", "")
    ('mm10', 'both.mm10', 'both')
    """
    return ".".join(filter(None, (ref_name, part)))


def read_published(
    store: Store,
    ref: MatrixRef,
    recipe: Recipe | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Published | None:
    """Return the publication of a file in an output.

    An output may hold two publications of a file: one with a single matrix and one with several.
    The one that matches the file and the recipe is returned, else the newer one.

    Args:
        store: The output.
        ref: The file.
        recipe: Version and settings of this run.
        sizes: Sizes of the output's files by key; by default, those of the project are listed.

    Returns:
        The publication; ``None`` if there is no complete one.
    """
    if sizes is None:
        sizes = store.sizes(f"{ref.project_id}/")
    folder = folder_of(ref.project_id, ref.name)
    found = []
    for name, read in ((SUMMARY, _read_single), (MATRICES, _read_parts)):
        key = f"{folder}/{name}"
        try:
            if key in sizes:
                found.append(read(store, ref, key, sizes))
        except FileNotFoundError:
            continue
        except (DpssError, OSError):
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s can't be used and is made again (%s)", key, error)
    first = datetime.min.replace(tzinfo=UTC)

    def fits(one: Published) -> tuple[bool, bool, datetime]:
        same = one.fingerprint == ref.fingerprint
        return same, one.recipe == recipe, one.modified or first

    return max(found, key=fits, default=None)


def _read_single(store: Store, ref: MatrixRef, key: str, sizes: Mapping[str, int]) -> Published:
    """Read a ``summary.json`` and compare its files with the sizes found."""
    folder = key.removesuffix(f"/{SUMMARY}")
    document = parse_json(store.read(key))
    _check_files(document, folder, sizes)
    return Published(
        str(document["matrix"]["fingerprint"]),
        _parse_recipe(document),
        document["n_cells"],
        document["n_genes"],
        store.modified(key) if ref.modified else None,
        (folder,),
        parse_judgements(document),
        {name: document.get(name) for name in MEDIANS},
    )


def _read_parts(store: Store, ref: MatrixRef, key: str, sizes: Mapping[str, int]) -> Published:
    """Read a ``matrices.json``; compare its summaries and their files."""
    document = parse_json(store.read(key))
    folders = []
    judgements: list[Judgement] = []
    for entry in document["matrices"]:
        if entry["skipped"] is not None:
            continue
        folder = folder_of(ref.project_id, str(entry["name"]))
        data = store.read(f"{folder}/{SUMMARY}")
        if sha256_of(data) != entry["summary_sha256"]:
            raise ValueError(f"{folder}/{SUMMARY} is not the listed one")
        summary = parse_json(data)
        _check_files(summary, folder, sizes)
        folders.append(folder)
        judgements += parse_judgements(summary)
    return Published(
        str(document["fingerprint"]),
        _parse_recipe(document),
        modified=store.modified(key) if ref.modified else None,
        folders=tuple(folders),
        judgements=tuple(judgements),
    )


def _check_files(document: Any, folder: str, sizes: Mapping[str, int]) -> None:
    problem = first_mismatch(parse_manifest(document["files"]), folder, sizes)
    if problem:
        raise ValueError(problem)


def _parse_recipe(document: Any) -> Recipe:
    provenance = document["provenance"]
    return Recipe(str(provenance["version"]), dict(provenance["settings"]))


def published_folders(store: Store) -> list[str]:
    """Return the folders of all published matrices."""
    return [
        key.removesuffix(f"/{SUMMARY}")
        for key in store.keys("")
        if key.endswith(f"/{SUMMARY}") and not key.startswith(("runs/", "_"))
    ]


def publish(
    store: Store,
    folder: str,
    files: Mapping[str, bytes],
    large: Mapping[str, Path] = MappingProxyType({}),
) -> None:
    """Replace a matrix's files, ``summary.json`` last.

    Nothing is deleted: files of an earlier publication that are not in this one stay until they are
    pruned, but the new summary does not list them.

    Args:
        store: The output.
        folder: Key of the matrix's folder.
        files: All files that are held, by name, the summary among them.
        large: Where the others are, by name.
    """
    keys = {name: f"{folder}/{name}" for name in (*files, *large)}
    for attempt in range(1, _ATTEMPTS + 1):
        for name, path in large.items():
            store.write_file(keys[name], path)
        write_all(store, {keys[name]: files[name] for name in files if name != SUMMARY})
        store.write(keys[SUMMARY], files[SUMMARY])
        # The run that writes last checks after its write, and so sees the files of the other run.
        if not store.changed_keys(keys.values()):
            return
        log.warning("%s: another run publishes it at the same time (%d)", folder, attempt)
        time.sleep(random.uniform(0, attempt))
    log.warning("%s: may hold files of two runs; run again with --force", folder)


def publish_parts(
    store: Store,
    ref: MatrixRef,
    recipe: Recipe,
    reasons: Mapping[str, str | None],
    summaries: Mapping[str, bytes],
) -> None:
    """Write the list of a file's matrices, after all are published.

    Args:
        store: The output.
        ref: The file.
        recipe: Version and settings of this run.
        reasons: Reason why each matrix was skipped, by name; ``None`` if it was published.
        summaries: The ``summary.json`` of each published matrix, by name.
    """
    document = {
        "schema": 1,
        "fingerprint": ref.fingerprint,
        "matrices": [
            {
                "name": name,
                "skipped": reason,
                "summary_sha256": None if reason is not None else sha256_of(summaries[name]),
            }
            for name, reason in reasons.items()
        ],
        "provenance": {"version": recipe.version, "settings": dict(recipe.settings)},
    }
    text = indented_json(document) + "\n"
    store.write(f"{folder_of(ref.project_id, ref.name)}/{MATRICES}", text.encode())


def unpublish(store: Store, folder: str) -> None:
    """Delete a matrix's files, the summary first."""
    store.delete(f"{folder}/{SUMMARY}")
    for name in _matrix_files(store, folder):
        store.delete(f"{folder}/{name}")


def prune_files(store: Store, folder: str) -> list[str]:
    """Delete the files of earlier publications that a matrix's summary does not list.

    Files of the pages stay.

    Returns:
        The keys of the deleted files.
    """
    try:
        listed = parse_manifest(parse_json(store.read(f"{folder}/{SUMMARY}"))["files"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []
    names = [name for name in _matrix_files(store, folder) if name not in listed]
    keys = [f"{folder}/{name}" for name in names if not name.startswith("genes.")]
    for key in keys:
        store.delete(key)
    return keys


def _matrix_files(store: Store, folder: str) -> list[str]:
    """Return the names of the files that are a publication's, by their form."""
    names = [key.removeprefix(f"{folder}/") for key in store.keys(f"{folder}/")]
    return [
        name
        for name in names
        if "/" not in name
        and (name in TABLES or FOR_PAGES.fullmatch(name) or name.endswith((".png", ".svg")))
    ]
