"""The record of attempts, which a killed run leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dpss.job.plan.attempts import Attempts, attempts_key
from dpss.job.publication import Recipe
from dpss.storage.local import LocalStore

RECIPE = Recipe("1", {})
NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


def attempts_in(store: LocalStore) -> Attempts:
    """Return the attempts of a run on an output."""
    return Attempts(store, RECIPE, lambda: NOW)


def test_a_matrix_in_progress_was_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a run that was killed, on the day on which its reading began."""
    store = LocalStore(tmp_path)
    attempts_in(store).begin("p/a", "f")
    known = attempts_in(store).known
    assert known["p/a"].days == ("2026-03-04",)
    assert known["p/a"].is_of("f", RECIPE)
    assert "p/a" in caplog.text


def test_a_finished_matrix_is_forgotten(tmp_path: Path) -> None:
    """One that was lost is known to the next run, others are not."""
    store = LocalStore(tmp_path)
    attempts = attempts_in(store)
    for folder, lost in (("p/a", None), ("p/b", "SIGKILL")):
        attempts.begin(folder, "f")
        attempts.finish(folder, lost)
    attempts.close()
    assert {folder: each.reason for folder, each in attempts_in(store).known.items()} == {
        "p/b": "SIGKILL"
    }


@pytest.mark.parametrize(
    "change",
    [
        {"begun": "yesterday"},
        {"begun": "2026-13-45"},
        {"begun": "2026-03-04T05:06:00"},
        {"attempt": None},
        {"attempt": {"fingerprint": "f"}},
    ],
)
def test_a_damaged_record_is_ignored(
    change: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said in a warning; the run begins without it."""
    store = LocalStore(tmp_path)
    attempts_in(store).begin("p/a", "f")
    document = json.loads(store.read(attempts_key()))
    document["matrices"]["p/a"] |= change
    store.write(attempts_key(), json.dumps(document).encode())
    assert attempts_in(store).known == {}
    assert "can't be read" in caplog.text


def test_a_record_that_is_nested_too_deeply_is_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said in a warning; the run begins without it."""
    store = LocalStore(tmp_path)
    store.write(attempts_key(), b"[" * 200_000)
    assert attempts_in(store).known == {}
    assert "can't be read" in caplog.text


def test_the_time_of_a_loss_has_a_time_zone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without one it could not be compared with that of a file: the record is ignored."""
    store = LocalStore(tmp_path)
    attempts = attempts_in(store)
    attempts.begin("p/a", "f")
    attempts.finish("p/a", "SIGKILL")
    attempts.close()
    text = store.read(attempts_key()).decode()
    store.write(attempts_key(), text.replace("+00:00", "").encode())
    assert attempts_in(store).known == {}
    assert "time zone" in caplog.text
