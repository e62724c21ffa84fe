"""Times at which a run makes pages, and the imports of pages."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from dpss.job.pages import pages_are_due


def test_pages_come_after_a_minute_then_more_rarely() -> None:
    """A run of an hour makes them after 1, 2, 4, 8, 16, 26, 36, 46 and 56 minutes."""
    made, last = [], timedelta(0)
    for second in range(3601):
        now = timedelta(seconds=second)
        if pages_are_due(now, now - last):
            made.append(second / 60)
            last = now
    assert made == [1, 2, 4, 8, 16, 26, 36, 46, 56]


@pytest.mark.slow
def test_no_module_is_imported_in_two_processes() -> None:
    """What pages and children need is imported before the first child is forked."""
    before = "import sys; from dpss.job import factory, pages, run; pages.preload_shared(); "
    found = []
    for late in ("from dpss.job.children.isolation import preload; preload()", "pages.preload()"):
        code = f"{before}known = set(sys.modules); {late}; print(*sorted(set(sys.modules) - known))"
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        found.append(set(done.stdout.decode().split()))
    assert not [name for name in found[0] & found[1] if name.startswith("dpss.")]
