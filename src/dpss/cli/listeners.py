"""Progress of a run on a terminal: bars, or log lines where there is no terminal."""

from __future__ import annotations

import logging
from collections.abc import Sequence

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
from rich.text import Text

from dpss.cli.console import describe_outcome, describe_plan
from dpss.cli.logs import clean
from dpss.engine.progress import NullProgress
from dpss.job.context import context
from dpss.job.plan.steps import Step
from dpss.job.report.outcomes import Outcome, Status

log = logging.getLogger(__name__)


class LogListener:
    """Reports a run as log lines; used where there is no terminal."""

    def on_plan(self, steps: Sequence[Step]) -> None:
        """Log the number of files to process."""
        log.info("%s", describe_plan(steps))

    def on_start(self, step: Step) -> LogProgress:
        """Log the file that is started; return its progress reporter."""
        log.info("%s: begun (%s)", step.label, step.why)
        return LogProgress()

    def on_finish(self, outcome: Outcome) -> None:
        """Log the outcome of a matrix."""
        level = logging.WARNING if outcome.caution else logging.INFO
        level = logging.ERROR if outcome.status is Status.FAILED else level
        with context(project=outcome.project_id, matrix=outcome.matrix):
            log.log(level, "%s", describe_outcome(outcome))


class LogProgress(NullProgress):
    """Logs the passes over a file, without amounts."""

    def begin(self, label: str, n_values: int | None) -> None:
        """Write the label to the log at level DEBUG."""
        log.debug("%s", label)


class TerminalListener:
    """Shows a run as progress bars: one for the whole run, one for each file."""

    def __init__(self, console: Console) -> None:
        """Store the console; the bars show while the context lasts."""
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
        """Show the bars."""
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bars."""
        self.progress.stop()

    def on_plan(self, steps: Sequence[Step]) -> None:
        """Show the bar of the whole run if there is more than one file to read."""
        n_to_do = sum(step.outcome is None for step in steps)
        if n_to_do > 1:
            self._all = self.progress.add_task("all", total=n_to_do, unit="files")

    def on_start(self, step: Step) -> BarProgress:
        """Show a bar for a file; return its progress reporter."""
        bar = self._bars[step.label] = BarProgress(self.progress, step.label)
        return bar

    def on_finish(self, outcome: Outcome) -> None:
        """Advance the bar of the whole run, and print a failure at once."""
        for label in list(self._bars):
            if outcome.label == label or outcome.label.startswith((f"{label}/", f"{label}.")):
                self._bars.pop(label).end()
        # Only the first outcome of a file has its time.
        if self._all is not None and outcome.seconds:
            self.progress.advance(self._all)
        if outcome.status is Status.FAILED:
            self.progress.console.print(f"failed: {clean(outcome.reason)}", style="red")


class BarProgress:
    """A bar for each pass over a file."""

    def __init__(self, progress: Progress, name: str) -> None:
        """Store the group of bars and the file's name."""
        self._progress = progress
        self._name = name
        self._task: TaskID | None = progress.add_task(f"{name}: opening", total=None, unit="")

    def begin(self, label: str, n_values: int | None) -> None:
        """Replace the bar by a new one for this pass."""
        self.end()
        unit = "figures" if label == "drawing" else "values"
        self._task = self._progress.add_task(f"{self._name}: {label}", total=n_values, unit=unit)

    def advance(self, n_values: int) -> None:
        """Advance the bar; safe in threads, as rich locks."""
        if self._task is not None:
            self._progress.advance(self._task, n_values)

    def end(self) -> None:
        """Remove the bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = None


class _AmountColumn(ProgressColumn):
    """A column with the amount done, the total and the speed."""

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
        """Store the console."""
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record as a line."""
        self._console.print(self.format(record), soft_wrap=True)


def short(number: float) -> str:
    """Return a number with three digits and a suffix for thousands or millions.

    >>> short(950), short(12_345), short(2_867_135), short(999_900_000)
    ('950', '12.3 k', '2.87 M', '1 G')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"
