"""All published files of a summary: figures, tables, ``summary.json``.

A second thread draws and packs PNG files, mostly without the GIL, while the calling thread lays
out pages and writes SVG files and tables.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from dpss.job.tables import Files, tables_of, with_summary
from dpss.summary.manifest import NOTHING, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from dpss.engine.progress import Progress
    from dpss.summary.record import Summary

    Render = Callable[[Summary, Progress, Manifest], Files]
    """Returns all published files of a summary, as `render_files` does."""


def render_files(summary: Summary, progress: Progress, more: Manifest = NOTHING) -> Files:
    """Return all published files of a summary by name, ``summary.json`` last.

    Safe in several threads.

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
