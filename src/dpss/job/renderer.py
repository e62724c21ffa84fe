"""All published files of a summary: figures, tables, ``summary.json``.

A second thread draws and packs PNG files, mostly without the GIL, while the calling thread lays
out pages and writes SVG files and tables.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from dpss.job.tables import Files, tables_of, with_summary
from dpss.summary.manifest import NOTHING, Manifest

if TYPE_CHECKING:
    from dpss.engine.progress import Progress
    from dpss.summary.record import Summary


class Drawing(Protocol):
    """Draws the figures of a summary."""

    def files_of(self, summary: Summary, progress: Progress, more: Manifest = NOTHING) -> Files:
        """Return all published files of a summary by name, ``summary.json`` last.

        Args:
            summary: The summary.
            progress: Receives the progress.
            more: Files that are made elsewhere, which ``summary.json`` lists, too.
        """


class Renderer:
    """Draws figures in this process; can be used by several threads."""

    def files_of(self, summary: Summary, progress: Progress, more: Manifest = NOTHING) -> Files:
        """Return all published files of a summary by name, ``summary.json`` last.

        Args:
            summary: The summary.
            progress: Receives the progress.
            more: Files that are made elsewhere, which ``summary.json`` lists, too.

        Raises:
            CorruptMatrixError: The summary does not match its schema.
        """
        from dpss.figures.export import png_of, svg_files
        from dpss.figures.registry import figures_of

        figures = [figure for figure in figures_of(summary) if figure.needs(summary) is None]
        drawn: dict[str, bytes] = {}
        pictures: dict[str, Future[bytes]] = {}
        progress.begin("drawing", len(figures))
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="dpss-figures") as pool:
                for figure in figures:
                    page = figure.page(summary)
                    pictures[f"{figure.slug}.png"] = pool.submit(png_of, page)
                    drawn |= svg_files(figure, summary, page)
                    progress.advance(1)
                tables = tables_of(summary)
                drawn |= {name: picture.result() for name, picture in pictures.items()}
        finally:
            progress.end()
        return with_summary(summary, dict(sorted(drawn.items())) | tables, more)
