"""The record that describes a figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpss.figures.elements.layout import WIDE
from dpss.figures.elements.marks import Page
from dpss.stats.values.kinds import Values

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary


@dataclass(frozen=True)
class Figure:
    """A figure: its name, when it can be drawn, how it is read, and its page of marks."""

    slug: str
    """Name of its files."""
    title: str
    """Heading, the same for every matrix."""
    reading: Callable[[Summary], str]
    """Says how to read it, in plain sentences."""
    needs: Callable[[Summary], str | None]
    """Says why it can't be drawn from a summary, or ``None`` if it can."""
    layout: Callable[[Summary, float], Page]
    """Lays it out on paper of a width in points; call `page` instead."""

    def caption(self, summary: Summary) -> str:
        """Say how to read the figure, and what was done to the values first."""
        parts = [self.reading(summary)]
        if summary.values is Values.LOG_NORMALISED:
            parts.append("The matrix is log-normalised; its values were exponentiated first.")
        elif summary.values is not Values.COUNTS:
            parts.append(f"The matrix holds {noun(summary)}, not whole-number counts.")
        if summary.demo:
            parts.append("The data are simulated.")
        return " ".join(parts)

    def check(self, summary: Summary) -> None:
        """Raise an error where the summary lacks what the figure needs.

        Raises:
            ValueError: The message says why.
        """
        reason = self.needs(summary)
        if reason is not None:
            raise ValueError(f"no figure {self.slug}: {reason}")

    def page(self, summary: Summary, width: float = WIDE) -> Page:
        """Return the figure as data; the summary stays as it is.

        Raises:
            ValueError: The summary lacks what the figure needs.
        """
        self.check(summary)
        return self.layout(summary, width)

    def draw(self, summary: Summary) -> matplotlib.figure.Figure:
        """Draw the figure with matplotlib; the summary stays as it is.

        Raises:
            ValueError: The summary lacks what the figure needs.
        """
        from dpss.figures.elements.style import theme
        from dpss.figures.mpl import draw_page

        page = self.page(summary)
        with theme():
            return draw_page(page)


def noun(summary: Summary) -> str:
    """Say what the values are, as axes call them."""
    return {
        Values.EXPECTED_COUNTS: "expected counts",
        Values.NORMALISED: "normalised counts",
        Values.LOG_NORMALISED: "exponentiated values",
    }.get(summary.values, "counts")


def needs_counts(summary: Summary) -> str | None:
    """Say that there is nothing to draw where no cell or no count was kept."""
    if summary.n_cells_kept == 0:
        return "no cells were kept"
    if summary.n_nonzero == 0:
        return "the kept cells have no counts"
    return None
