"""The records that describe a figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpss.figures.elements.layout import WIDE
from dpss.figures.elements.marks import Page
from dpss.stats.values.kinds import ValueKind

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary


@dataclass(frozen=True)
class Figure:
    """A figure: its name, caption, condition and layout."""

    slug: str
    """Name of the figure's files without an ending."""
    title: str
    """Heading of the figure, the same for every matrix."""
    reading: Callable[[Summary], str]
    """Returns the explanation of the figure's marks, a few sentences."""
    needs: Callable[[Summary], str | None]
    """Returns the reason why a summary does not allow the figure; ``None`` if it does."""
    layout: Callable[[Summary, float], Page]
    """Lays the figure out on paper of a width in points; callers use `page`."""

    def caption(self, summary: Summary) -> str:
        """Return the caption: how to read the marks, and how values were treated."""
        parts = [self.reading(summary)]
        if summary.values is ValueKind.LOG_NORMALISED:
            parts.append("The matrix is log-normalised; its values were exponentiated first.")
        elif summary.values is not ValueKind.COUNTS:
            parts.append(f"The matrix holds {noun(summary)}, not whole-number counts.")
        if summary.demo:
            parts.append("The data are simulated.")
        return " ".join(parts)

    def page(self, summary: Summary, width: float = WIDE) -> Page:
        """Return the figure as data; the summary stays as it is.

        Raises:
            ValueError: The summary lacks numbers of the figure; the message says which.
        """
        reason = self.needs(summary)
        if reason is not None:
            raise ValueError(f"no figure {self.slug}: {reason}")
        return self.layout(summary, width)

    def draw(self, summary: Summary) -> matplotlib.figure.Figure:
        """Draw the figure with matplotlib; the summary stays as it is.

        Raises:
            ValueError: The summary lacks numbers of the figure.
            MissingExtraError: matplotlib, which an extra brings, is not installed.
        """
        from dpss.figures.elements.style import theme
        from dpss.figures.mpl import draw_page

        page = self.page(summary)
        with theme():
            return draw_page(page)


def noun(summary: Summary) -> str:
    """Return the noun for the values in titles of axes."""
    return {
        ValueKind.EXPECTED_COUNTS: "expected counts",
        ValueKind.NORMALISED: "normalised counts",
        ValueKind.LOG_NORMALISED: "exponentiated values",
    }.get(summary.values, "counts")


def needs_counts(summary: Summary) -> str | None:
    """Return the reason why there is no figure, if no cell or no count was kept."""
    if summary.n_cells_kept == 0:
        return "no cells were kept"
    if summary.n_nonzero == 0:
        return "the kept cells have no counts"
    return None
