"""Output on a terminal: progress bars during a run, a table of outcomes at the end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from dpss.cli.logs import clean
from dpss.job.context import context
from dpss.job.plan.steps import Step
from dpss.job.report.outcomes import Outcome, RunReport, Status

if TYPE_CHECKING:
    from dpss.engine.inspection import Inspection

log = logging.getLogger(__name__)

PIPE_WIDTH = 160
"""Columns of a table that goes into a file or another program."""

_STYLES = {
    Status.PUBLISHED: "green",
    Status.UNCHANGED: "dim",
    Status.SKIPPED: "yellow",
    Status.FAILED: "bold red",
}

_POLICY_STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red"}


class _Console(Console):
    """A console that leaves a closed output to the caller."""

    def on_broken_pipe(self) -> None:
        """Raise what was raised; rich would exit with a code that means something else here."""
        raise  # noqa: PLE0704 - called while the error is handled


def open_console(stream: IO[str]) -> Console:
    """Return a console on a stream, wide enough where it is no terminal."""
    console = _Console(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


class LogListener:
    """Tells of a run by log lines: where there is no terminal."""

    def on_plan(self, steps: Sequence[Step]) -> None:
        """Say how much there is to do."""
        log.info("%s", describe_plan(steps))

    def on_start(self, step: Step) -> LogProgress:
        """Say what is begun."""
        log.info("%s: begun (%s)", step.label, step.why)
        return LogProgress()

    def on_finish(self, outcome: Outcome) -> None:
        """Say how it ended."""
        level = logging.ERROR if outcome.status is Status.FAILED else logging.INFO
        with context(project=outcome.project_id, matrix=outcome.matrix):
            log.log(level, "%s", describe_outcome(outcome))


class LogProgress:
    """Does not tell how far it is."""

    def begin(self, label: str, n_values: int | None) -> None:
        """Write the label to the log at level DEBUG."""
        log.debug("%s", label)

    def advance(self, n_values: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class TerminalListener:
    """Tells of a run by bars: one for all of it, one for the file that is read."""

    def __init__(self, console: Console) -> None:
        """Draw on a console; used as a context manager."""
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            _AmountColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console,
            transient=True,
            expand=True,
        )
        self._all: TaskID | None = None
        self._bars: dict[str, BarProgress] = {}

    def __enter__(self) -> TerminalListener:
        """Begin to draw."""
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bars away."""
        self.progress.stop()

    def on_plan(self, steps: Sequence[Step]) -> None:
        """Show a bar for all of it, if there is more than one file to read."""
        n_to_do = sum(step.outcome is None for step in steps)
        if n_to_do > 1:
            self._all = self.progress.add_task("all", total=n_to_do, unit="files")

    def on_start(self, step: Step) -> BarProgress:
        """Show a bar for a file."""
        bar = self._bars[step.label] = BarProgress(self.progress, step.label)
        return bar

    def on_finish(self, outcome: Outcome) -> None:
        """Move the bar for all of it, and tell of a failure at once."""
        for label in list(self._bars):
            if outcome.label == label or outcome.label.startswith((f"{label}/", f"{label}.")):
                self._bars.pop(label).end()
        # Of the matrices of one file the first has its time.
        if self._all is not None and outcome.seconds:
            self.progress.advance(self._all)
        if outcome.status is Status.FAILED:
            self.progress.console.print(f"failed: {clean(outcome.reason)}", style="red")


class BarProgress:
    """A bar for each pass over a file."""

    def __init__(self, progress: Progress, name: str) -> None:
        """Draw it among others."""
        self._progress = progress
        self._name = name
        self._task: TaskID | None = progress.add_task(f"{name}: opening", total=None, unit="")

    def begin(self, label: str, n_values: int | None) -> None:
        """Show a bar instead of the one before."""
        self.end()
        unit = "figures" if label == "drawing" else "values"
        self._task = self._progress.add_task(f"{self._name}: {label}", total=n_values, unit=unit)

    def advance(self, n_values: int) -> None:
        """Move it; rich has a lock of its own."""
        if self._task is not None:
            self._progress.advance(self._task, n_values)

    def end(self) -> None:
        """Take it away."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = None


class _AmountColumn(ProgressColumn):
    """How much is done, of how much, and how fast."""

    def render(self, task: Task) -> Text:
        """Return the amounts in short."""
        if not task.fields["unit"]:
            return Text("")
        amount = short(task.completed)
        if task.total is not None:
            amount += f"/{short(task.total)}"
        text = f"{amount} {task.fields['unit']}"
        if task.speed and task.fields["unit"] == "values":
            text += f", {short(task.speed)}/s"
        return Text(text, style="progress.download")


class ProgressHandler(logging.Handler):
    """Prints log lines above the bars."""

    def __init__(self, console: Console) -> None:
        """Print on a console."""
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        self._console.print(self.format(record), soft_wrap=True)


def short(number: float) -> str:
    """Return a number in at most four characters or so.

    >>> short(950), short(12_345), short(2_867_135), short(209_000_000)
    ('950', '12.3 k', '2.87 M', '209 M')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"


def describe_plan(steps: Sequence[Step]) -> str:
    """Return in words how much there is to do."""
    n_to_do = sum(step.outcome is None for step in steps)
    if n_to_do == 0:
        return f"nothing to do: {len(steps)} files, none of them new or changed"
    return f"{n_to_do} of {len(steps)} files to process"


def describe_outcome(outcome: Outcome) -> str:
    """Return an outcome in one line."""
    if outcome.status is Status.PUBLISHED:
        return (
            f"{outcome.label}: published, {outcome.n_cells:,} cells × {outcome.n_genes:,} genes, "
            f"{outcome.seconds:.1f} s"
        )
    return f"{outcome.label}: {outcome.status}" + (f", {outcome.reason}" if outcome.reason else "")


def outcome_table(report: RunReport) -> Table:
    """Return the final table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Matrix", overflow="fold")
    table.add_column("Outcome")
    for name in ("Cells", "Genes", "Size", "Time", "Peak memory"):
        table.add_column(name, justify="right", no_wrap=True)
    judged = any(outcome.policy for outcome in report.outcomes)
    if judged:
        table.add_column("Policy", no_wrap=True)
    for outcome in report.outcomes:
        done = outcome.status is Status.PUBLISHED
        word = f"{outcome.status}: {outcome.cause}" if outcome.cause else str(outcome.status)
        word += ", assumed" if outcome.assumed else ""
        table.add_row(
            Text(clean(outcome.label)),
            Text(word, style=_STYLES[outcome.status]),
            "" if outcome.n_cells is None else f"{outcome.n_cells:,}",
            "" if outcome.n_genes is None else f"{outcome.n_genes:,}",
            size(outcome.input_bytes),
            f"{outcome.seconds:.1f} s" if outcome.seconds else "",
            size(outcome.peak_memory_bytes) if done or outcome.lost else "",
            *(
                [Text(outcome.policy, style=_POLICY_STYLES.get(outcome.policy, ""))]
                if judged
                else []
            ),
        )
    return table


def _policy_text(outcome: Outcome) -> Text:
    return Text(outcome.policy, style=_POLICY_STYLES.get(outcome.policy, ""))


def plan_table(steps: Sequence[Step]) -> Table:
    """Return the table of ``dpss list``."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Project", overflow="fold")
    table.add_column("Matrix", overflow="fold")
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("What a run would do", overflow="fold")
    for step in steps:
        outcome, ref = step.outcome, step.ref
        name = ref.name if ref else outcome.matrix if outcome else ""
        if outcome is None:
            what = f"process: {step.why}"
        elif outcome.status is Status.SKIPPED:
            what = f"skip: {clean(step.why)}"
        else:
            what = "nothing: unchanged"
        table.add_row(
            Text(clean(step.project.id)),
            Text(clean(name)),
            size(ref.size_bytes if ref else None),
            what,
        )
    return table


def print_inspection(console: Console, url: str, found: Inspection) -> None:
    """Print what was found out about a matrix, as ``dpss inspect`` does.

    Args:
        console: Where to.
        url: Address of the file, without secrets.
        found: What was found out.
    """
    name = f" ({found.name})" if found.name else ""
    console.print(Text(clean(f"{url}{name}"), style="bold"))
    if found.error:
        console.print(Text(clean(f"can't be summarised: {found.error}"), style="red"))
    else:
        cells = "a number of" if found.n_cells is None else f"{found.n_cells:,}"
        layers = ", ".join(f"{name}: {values}" for name, values in found.layers)
        features = "a number of" if found.n_features is None else f"{found.n_features:,}"
        shown = f"{cells} cells × {features} features; layers: {layers}"
        console.print(Text(clean(shown)))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("Decided", "As", "How sure", "Evidence", "Changed by"):
        table.add_column(title, overflow="fold")
    for each in found.reading:
        sure = Text(str(each.certainty), style="yellow" if each.certainty == "assumed" else "")
        words = (each.topic.replace("_", " "), each.value, sure, each.evidence, each.option)
        table.add_row(*(Text(clean(w)) if isinstance(w, str) else w for w in words))
    console.print(table)


def size(n_bytes: int | None) -> str:
    """Return a size for people; empty for none.

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
