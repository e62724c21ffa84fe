"""What a person sees, on a terminal and in a pipe."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from dpss.cli.console import (
    LogListener,
    TerminalListener,
    describe_plan,
    open_console,
    outcome_table,
    plan_table,
    short,
    size,
)
from dpss.job.plan.steps import Step
from dpss.job.report.outcomes import Outcome, RunReport, Status
from dpss.model import MatrixRef, Project

REF = MatrixRef("heart", "donor [1]", "a.h5ad", "f", size_bytes=12_345_678)
PROJECT = Project("heart", "Heart", (REF,))
STEPS = (
    Step(PROJECT, REF, "new"),
    Step(PROJECT, None, "no matrix", Outcome("heart", "x", Status.SKIPPED, "no matrix")),
    Step(PROJECT, REF, "unchanged", Outcome("heart", "y", Status.UNCHANGED)),
)
DONE = Outcome(
    "heart",
    "donor [1]",
    Status.PUBLISHED,
    n_cells=1_234_567,
    n_genes=33_694,
    input_bytes=5 << 30,
    seconds=61.26,
    peak_memory_bytes=200 << 20,
)


def shown(thing: object) -> str:
    """Return what a pipe gets."""
    out = io.StringIO()
    open_console(out).print(thing)
    return out.getvalue()


def test_the_table_has_a_row_for_each_matrix() -> None:
    """Numbers with separators and units; names as they are, brackets too."""
    text = shown(outcome_table(RunReport((DONE, Outcome("liver", "", Status.FAILED, "why")))))
    rows = text.splitlines()
    assert rows[0].split() == [
        "Matrix",
        "Outcome",
        "Cells",
        "Genes",
        "Size",
        "Time",
        "Peak",
        "memory",
    ]
    assert (
        "heart/donor [1]   published   1,234,567   33,694   5.0 GiB   61.3 s       200 MiB"
        in rows[2]
    )
    assert rows[3].split() == ["liver", "failed"]
    assert "\x1b" not in text


def test_the_list_says_what_a_run_would_do() -> None:
    """Processed, skipped, unchanged, each with its reason."""
    text = shown(plan_table(STEPS))
    assert "process: new" in text
    assert "skip: no matrix" in text
    assert "nothing: unchanged" in text
    assert describe_plan(STEPS) == "1 of 3 files to process"
    assert describe_plan(STEPS[1:]) == "nothing to do: 2 files, none of them new or changed"


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


def test_numbers_for_people() -> None:
    """Short, and never wrong by a unit."""
    assert [short(n) for n in (0, 999, 1000, 2_867_135, 209e6, 7.6e9)] == [
        "0",
        "999",
        "1 k",
        "2.87 M",
        "209 M",
        "7.6 G",
    ]
    assert [size(n) for n in (None, 0, 1023, 1024, 1 << 20, 300 << 20, 3 << 30)] == [
        "",
        "",
        "1023 B",
        "1.0 KiB",
        "1.0 MiB",
        "300 MiB",
        "3.0 GiB",
    ]
