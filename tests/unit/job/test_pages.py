"""Times at which a run makes pages."""

from __future__ import annotations

from datetime import timedelta

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
