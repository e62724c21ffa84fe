"""A run's progress: bars on a terminal, log lines elsewhere."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from dpss.cli.listeners import LogListener, TerminalListener, short
from dpss.job.report.outcomes import Outcome, Status
from tests.unit.cli.test_console import DONE, STEPS


def test_bars_come_and_go_on_a_terminal() -> None:
    """A bar for each pass over a file; afterwards the terminal is as it was, but for failures."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, markup=False, highlight=False)
    with TerminalListener(console) as listener:
        listener.on_plan((STEPS[0], STEPS[0]))
        progress = listener.on_start(STEPS[0])
        for label, n_values in (("reading", 1000), ("reading", None), ("drawing", 7)):
            progress.begin(label, n_values)
            progress.advance(7)
            listener.progress.refresh()
            progress.end()
        assert listener.progress.tasks[0].completed == 0
        listener.on_finish(DONE)
        assert listener.progress.tasks[0].completed == 1
        listener.on_start(STEPS[0])
        listener.on_finish(Outcome("heart", "donor [1]", Status.FAILED, "s3://k:hunter2@b: broken"))
        assert len(listener.progress.tasks) == 1
    text = out.getvalue()
    assert "heart/donor [1]: reading" in text
    assert "7/1 k values" in text
    assert "7/7 figures" in text
    assert "failed: s3://b: broken" in text
    assert "hunter2" not in text


def test_log_lines_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    """What is begun and how it ended; a failure as an error."""
    listener = LogListener()
    with caplog.at_level(logging.INFO, "dpss"):
        listener.on_plan(STEPS)
        listener.on_start(STEPS[0])
        listener.on_finish(DONE)
        listener.on_finish(Outcome("liver", "", Status.FAILED, "why"))
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 3 files to process",
        "heart/donor [1]: begun (new)",
        "heart/donor [1]: published, 1,234,567 cells × 33,694 genes, 61.3 s",
        "liver: failed, why",
    ]
    assert caplog.records[-1].levelname == "ERROR"


def test_numbers_are_short() -> None:
    """Never wrong by a unit."""
    shown = [short(n) for n in (0, 999, 1000, 2_867_135, 209e6, 7.6e9)]
    assert shown == ["0", "999", "1 k", "2.87 M", "209 M", "7.6 G"]


@pytest.mark.parametrize(
    ("number", "text"), [(999.4, "999"), (999.7, "1 k"), (999_950, "1 M"), (999_999_999, "1 G")]
)
def test_short_numbers_take_the_next_suffix_in_time(number: float, text: str) -> None:
    """Three digits of these would be written with an exponent."""
    assert short(number) == text
