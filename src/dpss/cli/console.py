"""Tables on a terminal: the plan of a run, and the outcome of each matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dpss.cli.logs import clean
from dpss.errors import plural
from dpss.job.plan.steps import Step
from dpss.job.report.outcomes import Outcome, RunReport, Status

PIPE_WIDTH = 160
"""Columns of a table that goes into a file or another program."""

_STYLES = {
    Status.PUBLISHED: "green",
    Status.UNCHANGED: "dim",
    Status.SKIPPED: "yellow",
    Status.FAILED: "bold red",
}

_STATUS_STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red"}


class _Console(Console):
    """A console that raises the error of a closed output, instead of exiting."""

    def on_broken_pipe(self) -> None:
        """Raise the current error again: rich would exit with another code."""
        raise  # noqa: PLE0704 - called while the error is handled


def open_console(stream: IO[str]) -> Console:
    """Return a console on a stream; where it is no terminal, 160 columns wide."""
    console = _Console(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def make_table(*titles: str) -> Table:
    """Return an empty table whose columns have these titles and fold long texts."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def describe_plan(steps: Sequence[Step]) -> str:
    """Return the number of files that a run would process, in words."""
    n_to_do = sum(step.outcome is None for step in steps)
    n_failed = sum(_has_failed(step) for step in steps)
    failed = f"; {n_failed:,} can't be processed" if n_failed else ""
    if n_to_do:
        return f"{n_to_do} of {plural(len(steps), 'file')} to process{failed}"
    if n_failed == len(steps) > 0:
        return f"nothing to do: none of {plural(len(steps), 'file')} can be processed"
    return f"nothing to do: {plural(len(steps), 'file')}, none of them new or changed{failed}"


def _has_failed(step: Step) -> bool:
    return step.outcome is not None and step.outcome.status is Status.FAILED


def describe_outcome(outcome: Outcome) -> str:
    """Return an outcome in one line."""
    if outcome.status is Status.PUBLISHED:
        verdict = f"; {outcome.verdict}" if outcome.verdict_status in ("warn", "fail") else ""
        return (
            f"{outcome.label}: published, {plural(outcome.n_cells or 0, 'cell')} × "
            f"{plural(outcome.n_genes or 0, 'gene')}, "
            f"{outcome.seconds:.1f} s{verdict}"
        )
    return f"{outcome.label}: {outcome.status}" + (f", {outcome.reason}" if outcome.reason else "")


def outcome_table(report: RunReport) -> Table:
    """Return the table of all outcomes, which is printed at the end of a run."""
    table = make_table("Matrix")
    table.add_column("Outcome")
    for name in ("Cells", "Genes", "Size", "Time", "Peak memory"):
        table.add_column(name, justify="right", no_wrap=True)
    has_cautions = any(outcome.caution for outcome in report.outcomes)
    if has_cautions:
        table.add_column("Checks", no_wrap=True)
    has_policy = any(outcome.policy for outcome in report.outcomes)
    if has_policy:
        table.add_column("Policy", no_wrap=True)
    for outcome in report.outcomes:
        done = outcome.status is Status.PUBLISHED
        word = f"{outcome.status}: {outcome.cause}" if outcome.cause else str(outcome.status)
        word += ", assumed" if outcome.assumed else ""
        word += ", apart" if outcome.apart else ""
        caution = outcome.caution or ("pass" if outcome.verdict_status else "")
        table.add_row(
            Text(clean(outcome.label)),
            Text(word, style=_STYLES[outcome.status]),
            "" if outcome.n_cells is None else f"{outcome.n_cells:,}",
            "" if outcome.n_genes is None else f"{outcome.n_genes:,}",
            size(outcome.input_bytes),
            f"{outcome.seconds:.1f} s" if outcome.seconds else "",
            size(outcome.peak_memory_bytes) if done or outcome.lost else "",
            *([_status(caution)] if has_cautions else []),
            *([_status(outcome.policy)] if has_policy else []),
        )
    return table


def _status(word: str) -> Text:
    """Return the status of checks or of a policy in its colour."""
    return Text(word, style=_STATUS_STYLES.get(word, ""))


def plan_table(steps: Sequence[Step]) -> Table:
    """Return the table of ``dpss list``."""
    table = make_table("Project", "Matrix")
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("What a run would do", overflow="fold")
    for step in steps:
        outcome, ref = step.outcome, step.ref
        name = ref.name if ref else outcome.matrix if outcome else ""
        if outcome is None:
            what = f"process: {step.why}"
        elif outcome.status is Status.SKIPPED:
            what = f"skip: {clean(step.why)}"
        elif outcome.status is Status.FAILED:
            what = f"fail: {clean(step.why)}"
        else:
            what = "nothing: unchanged"
        table.add_row(
            Text(clean(step.project.id)),
            Text(clean(name)),
            size(ref.size_bytes if ref else None),
            what,
        )
    return table


def size(n_bytes: int | None) -> str:
    """Return a size with its unit as text; empty for ``None``.

    >>> size(532), size(7_978_950), size(400 << 20), size(None)
    ('532 B', '7.6 MiB', '400 MiB', '')
    """
    if not n_bytes:
        return ""
    for unit, exponent in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if n_bytes >= 1 << exponent:
            amount = n_bytes / (1 << exponent)
            return f"{amount:.0f} {unit}" if amount >= 100 else f"{amount:.1f} {unit}"
    return f"{n_bytes} B"
