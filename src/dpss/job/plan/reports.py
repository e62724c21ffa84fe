"""The reports of earlier runs: the newest entry of each matrix.

A run of some projects, a shard or a run cut short reports a part of the source. Reports
are read from the newest back to the last one of the whole source, or until each matrix
asked about is found.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dpss.errors import UnreachableError
from dpss.job.plan.steps import EarlierOutcome
from dpss.job.publication import Recipe, folder_of
from dpss.job.report.outcomes import RunReport, Status, is_run_key, parse_time
from dpss.storage.base import Store
from dpss.storage.json_text import parse_json

log = logging.getLogger(__name__)

MAX_REPORTS = 200
"""Most reports that are read: three days of runs in 64 shards."""
_NAMED, _MAX_CHARACTERS = 20, 300
"""Most new failures named in one line, and most characters of each reason."""
_N_READERS = 8
"""Reports read side by side."""


def read_earlier(
    store: Store, folders: Collection[str], max_reports: int = MAX_REPORTS, *, before: str = "~"
) -> dict[str, EarlierOutcome]:
    """Return the newest entry of each matrix in the reports of earlier runs.

    A report that can't be read is passed over with a warning.

    Args:
        store: The output with the reports.
        folders: Keys of the matrices' folders to look for.
        max_reports: Most reports that are read.
        before: Only reports whose keys sort before this one.

    Returns:
        Entries by folder, also of matrices that were not looked for.

    Raises:
        UnreachableError: The store can't be reached.
    """
    keys = sorted(key for key in store.keys("runs/") if is_run_key(key) and key < before)
    keys = keys[: -max_reports - 1 : -1]
    found: dict[str, EarlierOutcome] = {}
    # The newest report first, as it mostly covers a whole source.
    batches = [keys[:1], *(keys[i : i + _N_READERS] for i in range(1, len(keys), _N_READERS))]
    for batch in batches:
        with ThreadPoolExecutor(_N_READERS) as pool:
            documents = list(pool.map(lambda key: _read(store, key), batch))
        for entries, complete in documents:
            found = entries | found
            if complete or found.keys() >= set(folders):
                return found
    return found


def find_known_failures(store: Store, report: RunReport) -> frozenset[str]:
    """Return the labels of failed matrices that failed in the run before, too.

    A matrix that always fails is reported once, when it is new or has changed.

    Args:
        store: The output with the reports, this run's not yet among them.
        report: Outcomes of all matrices.
    """
    failed = {
        outcome.folder or folder_of(outcome.project_id, outcome.matrix): outcome
        for outcome in report.outcomes
        if outcome.status is Status.FAILED
    }
    if not failed:
        return frozenset()
    try:
        # Reports of other shards of this run have the same failures.
        earlier = read_earlier(store, failed, before=min(report.parts, default="~"))
    except UnreachableError as error:
        log.warning("which failures are new is not known: %s", error)
        return frozenset()
    return frozenset(
        outcome.label
        for folder, outcome in failed.items()
        if (before := earlier.get(folder)) is not None
        and (before.status, before.fingerprint) == (Status.FAILED, outcome.fingerprint)
    )


def describe_new_failures(report: RunReport, output: str, key: str) -> str:
    """Return one line that names new failures and the report; empty for none.

    Args:
        report: Outcomes of all matrices.
        output: The address of the output.
        key: Key of the run's report in the output.
    """
    new = report.new_failures
    if not new:
        return ""
    named = "; ".join(
        f"{outcome.label} ({outcome.reason[:_MAX_CHARACTERS]})" for outcome in new[:_NAMED]
    )
    more = f"; and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
    return f"new failures: {len(new)}: {named}{more}. Report: {output.rstrip('/')}/{key}"


def _read(store: Store, key: str) -> tuple[dict[str, EarlierOutcome], bool]:
    """Return a report's entries by folder, and whether it covers a whole source."""
    try:
        document = parse_json(store.read(key))
        entries = _parse(document)
        complete = not (document["only"] or document["interrupted_by"] or document["problems"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s can't be read and is not taken into account (%s)", key, error)
        return {}, False
    return entries, complete


def _parse(document: Any) -> dict[str, EarlierOutcome]:
    recipe = Recipe(str(document["version"]), dict(document["settings"]))
    made_at = parse_time(document["started"])
    return {
        entry["folder"] or folder_of(entry["project_id"], entry["matrix"]): EarlierOutcome(
            Status(entry["status"]),
            str(entry["fingerprint"]),
            str(entry["reason"]),
            recipe,
            made_at,
        )
        for entry in document["matrices"]
    }
