"""Earlier runs, as their reports tell them: the newest entry of each matrix.

A run of some projects, a shard or a run cut short reports a part of the source. Reports
are read from the newest back to the last one of the whole source, or until each matrix
asked about is found.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from dpss.outcomes import Status, is_run_key
from dpss.planning import Earlier
from dpss.publication import Recipe, folder_of
from dpss.stores import Store

log = logging.getLogger(__name__)

MAX_REPORTS = 200
"""Reports that are read at most: those of a day of 64 shards, three times over."""
_AT_ONCE = 8
"""Reports read side by side."""


def read_earlier(
    store: Store, folders: Collection[str], max_reports: int = MAX_REPORTS
) -> dict[str, Earlier]:
    """Return what the earlier runs report of matrices, the newest entry of each.

    A report that can't be read is passed over with a warning.

    Args:
        store: Where the reports are.
        folders: The matrices that are asked about, by folder.
        max_reports: Reports that are read at most.

    Returns:
        By folder; also of matrices that nobody asked about.

    Raises:
        UnreachableError: The store can't be reached.
    """
    keys = sorted(filter(is_run_key, store.keys("runs/")), reverse=True)[:max_reports]
    found: dict[str, Earlier] = {}
    # The newest alone: it mostly is of a whole source.
    batches = [keys[:1], *(keys[i : i + _AT_ONCE] for i in range(1, len(keys), _AT_ONCE))]
    for batch in batches:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            documents = list(pool.map(lambda key: _read(store, key), batch))
        for entries, complete in documents:
            found = entries | found
            if complete or found.keys() >= set(folders):
                return found
    return found


def _read(store: Store, key: str) -> tuple[dict[str, Earlier], bool]:
    """Return a report's entries by folder, and whether it is of a whole source."""
    try:
        document = json.loads(store.read(key))
        entries = _parse(document)
        complete = not (document["only"] or document["interrupted_by"] or document["problems"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s can't be read and is not taken into account (%s)", key, error)
        return {}, False
    return entries, complete


def _parse(document: Any) -> dict[str, Earlier]:
    recipe = Recipe(str(document["version"]), dict(document["settings"]))
    made_at = datetime.fromisoformat(document["started"])
    return {
        entry["folder"] or folder_of(entry["project_id"], entry["matrix"]): Earlier(
            Status(entry["status"]),
            str(entry["fingerprint"]),
            str(entry["reason"]),
            recipe,
            made_at,
        )
        for entry in document["matrices"]
    }
