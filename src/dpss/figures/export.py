"""Figures as files: the same summary gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.base import Figure
from dpss.figures.elements.layout import NARROW
from dpss.figures.elements.marks import Page
from dpss.figures.raster.png import png_of
from dpss.figures.svg import svg_bytes

if TYPE_CHECKING:
    from dpss.summary.record import Summary

__all__ = ["figure_files", "png_of", "svg_files"]


def figure_files(figure: Figure, summary: Summary) -> dict[str, bytes]:
    """Return the files of one figure by name: PNG, SVG, and a narrow SVG for phones.

    Raises:
        ValueError: The summary lacks numbers of the figure.
    """
    page = figure.page(summary)
    return {f"{figure.slug}.png": png_of(page), **svg_files(figure, summary, page)}


def svg_files(figure: Figure, summary: Summary, page: Page) -> dict[str, bytes]:
    """Return a figure's SVG files by name, wide (``page``) and narrow."""
    return {
        f"{figure.slug}.svg": svg_bytes(page),
        f"{figure.slug}.narrow.svg": svg_bytes(figure.page(summary, NARROW)),
    }
