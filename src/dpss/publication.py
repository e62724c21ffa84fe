"""What an output holds of a matrix, and how that is replaced: whole, or not at all.

A matrix's ``summary.json`` vouches for the files beside it. It is deleted before any of
them is replaced and written after all of them, so that a reader who finds one finds the
files that belong to it, whenever the writing was cut short. Where one file holds several
matrices, ``matrices.json`` vouches for their summaries in the same way.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dpss.errors import DpssError
from dpss.model import MatrixRef
from dpss.stores import Store, WatchfulStore, write_all

log = logging.getLogger(__name__)

SUMMARY = "summary.json"
MATRICES = "matrices.json"
GENES = "genes.csv"
CELLS = "cells.json"
_ATTEMPTS = 5
"""How often a matrix is published where another run does so at the same time."""
FOR_PAGES = re.compile(r"cells\.json|genes\.(lookup|names|\d+\.js)")
"""Names of the files that are published for the pages only."""


@dataclass(frozen=True)
class Recipe:
    """What results depend on, besides the input."""

    version: str
    """Version of this program."""
    settings: Mapping[str, Any]
    """The settings that change results, by name."""


@dataclass(frozen=True)
class Published:
    """What an output holds of a matrix."""

    fingerprint: str
    recipe: Recipe
    n_cells: int | None = None
    n_genes: int | None = None
    modified: datetime | None = None
    """When it was published; ``None`` where nobody needed to know."""


def folder_of(project_id: str, name: str) -> str:
    """Return the key of a matrix's folder."""
    return f"{project_id}/{name}" if name else project_id


def part_name(ref_name: str, part: str) -> str:
    """Return the name of one matrix of a file, within its project.

    >>> part_name("", "mm10"), part_name("both", "mm10"), part_name("both", "")
    ('mm10', 'both.mm10', 'both')
    """
    return ".".join(filter(None, (ref_name, part)))


def read_published(store: Store, ref: MatrixRef) -> Published | None:
    """Return what an output holds of a matrix, ``None`` if nothing that can be used."""
    folder = folder_of(ref.project_id, ref.name)
    for name in (SUMMARY, MATRICES):
        key = f"{folder}/{name}"
        try:
            found = _parse(json.loads(store.read(key)))
        except FileNotFoundError:
            continue
        except (DpssError, OSError):
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s can't be read and is made again (%s)", key, error)
            return None
        modified = store.modified(key) if ref.modified else None
        return Published(*found, modified)
    return None


def _parse(document: Any) -> tuple[str, Recipe, int | None, int | None]:
    provenance = document["provenance"]
    matrix = document.get("matrix", document)
    return (
        str(matrix["fingerprint"]),
        Recipe(str(provenance["version"]), dict(provenance["settings"])),
        document.get("n_cells"),
        document.get("n_genes"),
    )


def published_folders(store: Store) -> list[str]:
    """Return the folders of all published matrices."""
    return [
        key.removesuffix(f"/{SUMMARY}")
        for key in store.keys("")
        if key.endswith(f"/{SUMMARY}") and not key.startswith(("runs/", "_"))
    ]


def publish(store: Store, folder: str, files: Mapping[str, bytes]) -> None:
    """Replace a matrix's files.

    What an earlier publication had and this one lacks is deleted; files of others in the
    same folder (pages, other matrices) stay.

    Args:
        store: Where to.
        folder: Key of the matrix's folder.
        files: All files by name, the summary among them.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        _publish_once(store, folder, files)
        keys = [f"{folder}/{name}" for name in files]
        # Whichever of two runs writes last looks after that, and so sees the other's files.
        if not isinstance(store, WatchfulStore) or not store.overwritten(keys):
            return
        log.warning("%s: another run publishes it at the same time (%d)", folder, attempt)
        time.sleep(random.uniform(0, attempt))
    log.warning("%s: may hold files of two runs; run again with --force", folder)


def _publish_once(store: Store, folder: str, files: Mapping[str, bytes]) -> None:
    """Replace a matrix's files, the summary last; what was cut short is removed."""
    stale = earlier_files(store, folder) - files.keys()
    store.delete(f"{folder}/{SUMMARY}")
    others = {f"{folder}/{name}": data for name, data in files.items() if name != SUMMARY}
    try:
        write_all(store, others)
        for name in sorted(stale):
            store.delete(f"{folder}/{name}")
        store.write(f"{folder}/{SUMMARY}", files[SUMMARY])
    except BaseException:
        # The summary first: another run may have vouched for the same files meanwhile.
        _remove(store, [f"{folder}/{SUMMARY}", *others])
        raise


def unpublish(store: Store, folder: str) -> None:
    """Delete a matrix's files, the summary first."""
    store.delete(f"{folder}/{SUMMARY}")
    for name in sorted(earlier_files(store, folder)):
        store.delete(f"{folder}/{name}")


def publish_parts(
    store: Store, ref: MatrixRef, recipe: Recipe, reasons: Mapping[str, str | None]
) -> None:
    """Vouch for the matrices of one file, now that each is published.

    Args:
        store: Where to.
        ref: The file.
        recipe: What they were made with.
        reasons: By name, why a matrix was skipped, or ``None`` if it was published.
    """
    document = {
        "schema": 1,
        "fingerprint": ref.fingerprint,
        "matrices": [{"name": name, "skipped": reason} for name, reason in reasons.items()],
        "provenance": {"version": recipe.version, "settings": dict(recipe.settings)},
    }
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    store.write(f"{folder_of(ref.project_id, ref.name)}/{MATRICES}", text.encode())


def withdraw_parts(store: Store, ref: MatrixRef, names: Collection[str]) -> None:
    """Stop vouching for the matrices of a file, and delete those that are no longer in it.

    Args:
        store: Where they are.
        ref: The file.
        names: Names, within the project, of the matrices that are in it now.
    """
    folder = folder_of(ref.project_id, ref.name)
    key = f"{folder}/{MATRICES}"
    try:
        document = json.loads(store.read(key))
        earlier = {str(entry["name"]) for entry in document["matrices"]}
        store.delete(key)
    except FileNotFoundError:
        earlier = set()
    except (ValueError, KeyError, TypeError):
        earlier = set()
        store.delete(key)
    for name in sorted(earlier.difference(names)):
        unpublish(store, folder_of(ref.project_id, name))
    if ref.name not in names and store.modified(f"{folder}/{SUMMARY}"):
        unpublish(store, folder)


def earlier_files(store: Store, folder: str) -> set[str]:
    """Return the names of the files that were published for a matrix before, but its summary.

    They are told by how they are called: after a kill there is no summary to ask.
    """
    names = {key.removeprefix(f"{folder}/") for key in store.keys(f"{folder}/")}
    return {
        name
        for name in names
        if "/" not in name
        and (name == GENES or FOR_PAGES.fullmatch(name) or name.endswith((".png", ".svg")))
    }


def _remove(store: Store, keys: list[str]) -> None:
    """Delete half of a publication, as far as that's possible."""
    for key in keys:
        try:
            store.delete(key)
        except (DpssError, OSError) as error:
            log.warning("%s could not be removed (%s)", key, error)
