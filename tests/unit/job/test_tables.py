"""The files of a summary that are not drawn."""

from __future__ import annotations

import json

import pytest

from dpss.job.publication import FOR_PAGES, TABLES
from dpss.job.tables import tables_of, with_summary
from dpss.summary.manifest import FileEntry, sha256_of
from tests.unit.summary.test_strata import summary_of


@pytest.mark.parametrize("groups", [["a"] * 9, ["a", "b"] * 20])
def test_every_table_is_one_that_pruning_knows(groups: list[str | None]) -> None:
    """Strata have theirs; what is for pages only is told by its name."""
    files = tables_of(summary_of(groups))
    assert "strata.csv" in files
    for name in files:
        assert name in TABLES or FOR_PAGES.fullmatch(name), name


def test_the_summary_lists_all_files_in_order() -> None:
    """Those that are held and those made elsewhere, with size and checksum."""
    found = with_summary(
        summary_of(["a"] * 9), {"b.txt": b"12", "d.txt": b""}, {"c.gz": FileEntry(5, "0" * 64)}
    )
    assert list(found) == ["b.txt", "d.txt", "summary.json"]
    listed = json.loads(found["summary.json"])["files"]
    assert listed == {
        "b.txt": {"size_bytes": 2, "sha256": sha256_of(b"12")},
        "c.gz": {"size_bytes": 5, "sha256": "0" * 64},
        "d.txt": {"size_bytes": 0, "sha256": sha256_of(b"")},
    }
