"""The record of attempts: matrices in progress, and those that were lost.

Written to ``runs/attempts.json`` before a matrix is begun, so that a killed run leaves a record of
the matrices in progress. A matrix that was lost is read last in the next run; after losses on three
days it is skipped until it changes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from dpss.catalogs.shards import ALL, Shard
from dpss.errors import DpssError
from dpss.job.plan.steps import Attempt
from dpss.job.publication import Recipe
from dpss.job.report.outcomes import parse_time
from dpss.storage.base import Store
from dpss.storage.json_text import parse_json
from dpss.storage.plain_text import indented_json

log = logging.getLogger(__name__)

SCHEMA = 1
_PREFIX = "runs/attempts"
_UNEXPLAINED = "the run that read it ended without a word"


@dataclass(frozen=True)
class _Entry:
    """The entry of a matrix in the record."""

    attempt: Attempt
    begun: str = ""
    """Start time of a reading in progress, in ISO 8601; empty otherwise."""


def attempts_key(shard: Shard = ALL) -> str:
    """Return the key of a shard's record; each shard has its own.

    >>> attempts_key(), attempts_key(Shard(2, 8))
    ('runs/attempts.json', 'runs/attempts-2-of-8.json')
    """
    return f"{_PREFIX}.json" if shard == ALL else f"{_PREFIX}-{shard.number}-of-{shard.count}.json"


class Attempts:
    """The record of attempts; safe in several threads."""

    def __init__(
        self, store: Store, recipe: Recipe, now: Callable[[], datetime], shard: Shard = ALL
    ) -> None:
        """Read the records of earlier runs.

        Args:
            store: The output with the record.
            recipe: The version and settings of this run.
            now: Returns the current time, in UTC.
            shard: The shard of the source that this run processes.

        Raises:
            UnreachableError: The store can't be reached.
        """
        self._store = store
        self._recipe = recipe
        self._now = now
        self._key = attempts_key(shard)
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._changed = False
        for key in sorted(store.keys(_PREFIX), key=lambda key: (key == self._key, key)):
            self._entries |= _read(store, key, own=key == self._key)

    @property
    def known(self) -> Mapping[str, Attempt]:
        """The matrices that were lost before, by folder."""
        return {
            folder: entry.attempt for folder, entry in self._entries.items() if entry.attempt.days
        }

    def begin(self, folder: str, fingerprint: str) -> None:
        """Write the entry of a matrix before it is read."""
        with self._lock:
            before = self._entries.get(folder)
            attempt = before.attempt if before else None
            if attempt is None or not attempt.is_of(fingerprint, self._recipe):
                attempt = Attempt(fingerprint, self._recipe)
            self._entries[folder] = _Entry(attempt, self._now().isoformat())
            self._write()

    def finish(self, folder: str, lost: str | None) -> None:
        """Update the entry of a matrix after reading; it is written with the next change.

        Args:
            folder: Key of the matrix's folder.
            lost: Why the process that read it was lost; ``None`` if it was not lost.
        """
        with self._lock:
            entry = self._entries.pop(folder)
            if lost is not None:
                self._entries[folder] = _Entry(entry.attempt.lost_at(self._now(), lost))
            self._changed = True

    def close(self) -> None:
        """Write the record without readings in progress."""
        with self._lock:
            self._entries = {
                folder: replace(entry, begun="")
                for folder, entry in self._entries.items()
                if entry.attempt.days
            }
            if self._changed:
                self._write()

    def _write(self) -> None:
        document = {
            "schema": SCHEMA,
            "matrices": {folder: asdict(entry) for folder, entry in sorted(self._entries.items())},
        }
        text = indented_json(document, default=str) + "\n"
        try:
            self._store.write(self._key, text.encode())
            self._changed = False
        except (DpssError, OSError) as error:
            # A failed write is ignored here; publishing the next matrix would raise the error.
            self._changed = True
            log.warning("%s could not be written (%s)", self._key, error)


def _read(store: Store, key: str, *, own: bool) -> dict[str, _Entry]:
    """Return the entries of lost matrices at a key, by folder.

    In the record of this shard, those in progress in a run that has ended are lost, too.
    """
    found: dict[str, _Entry] = {}
    unfinished = []
    try:
        for folder, item in parse_json(store.read(key))["matrices"].items():
            entry = _parse(item)
            if own and entry.begun:
                begun = parse_time(entry.begun)
                found[folder] = _Entry(entry.attempt.lost_at(begun, _UNEXPLAINED))
                unfinished.append(folder)
            elif entry.attempt.days:
                found[folder] = _Entry(entry.attempt)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s can't be read and is not taken into account (%s)", key, error)
        return {}
    for folder in unfinished:
        log.warning("%s: %s; it is read last", folder, _UNEXPLAINED)
    return found


def _parse(item: Any) -> _Entry:
    attempt = item["attempt"]
    recipe = attempt["recipe"]
    at = attempt["at"]
    return _Entry(
        Attempt(
            str(attempt["fingerprint"]),
            Recipe(str(recipe["version"]), dict(recipe["settings"])),
            tuple(str(day) for day in attempt["days"]),
            str(attempt["reason"]),
            parse_time(at) if at else None,
        ),
        str(item["begun"]),
    )
