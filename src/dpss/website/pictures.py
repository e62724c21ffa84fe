"""Pictures of a matrix, as its pages show them."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from dpss.figures.elements.layout import DPI
from dpss.website.records import MatrixRecord
from dpss.website.writer import Publisher

MAX_DRAWING_BYTES = 400_000
"""Largest SVG in a report, in bytes; instead of a larger one, the PNG is used, which is smaller."""
_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD = 2_000
_POINTS = re.compile(rb'<svg\b[^>]*?\swidth="([\d.]{1,9})pt" height="([\d.]{1,9})pt"')


@dataclass(frozen=True)
class FigureImages:
    """The files of a figure that pages read."""

    size: tuple[int, int] | None
    """Width and height of the PNG in pixels; ``None`` if unknown."""
    svg: bytes | None = None
    """The drawing, if it is small enough for a report."""
    narrow: bytes | None = None
    """The drawing for phones; read on demand."""
    png: bytes | None = None
    """The picture in pixels, read where there is no such drawing."""


def read_pictures(
    publisher: Publisher, record: MatrixRecord, *, narrow: bool = False
) -> dict[str, FigureImages]:
    """Return the figures of a matrix by slug.

    Args:
        publisher: Reads the files.
        record: The matrix.
        narrow: Whether to read the drawings for phones as well.

    Raises:
        ReplacedError: The matrix is being replaced.
    """
    found = {}
    for slug in record.figures:
        picture = _read(publisher, record, slug, narrow=narrow)
        if picture.svg or picture.png:
            found[slug] = picture
    return found


def _read(publisher: Publisher, record: MatrixRecord, slug: str, *, narrow: bool) -> FigureImages:
    svg = publisher.read_listed(record, f"{slug}.svg")
    size = svg_size(svg) if svg else None
    if svg and size and len(svg) <= MAX_DRAWING_BYTES:
        small = publisher.read_listed(record, f"{slug}.narrow.svg") if narrow else None
        return FigureImages(size, svg, small)
    png = publisher.read_listed(record, f"{slug}.png")
    return FigureImages(png_size(png) if png else None, png=png)


def png_size(data: bytes) -> tuple[int, int] | None:
    """Return a picture's size, so that the page does not jump when it arrives."""
    if len(data) < 24 or not data.startswith(_PNG):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def svg_size(data: bytes) -> tuple[int, int] | None:
    """Return the width and height in pixels that the PNG of a drawing has.

    >>> svg_size(b'<svg width="470pt" height="366.5pt" viewBox="0 0 470 366.5">')
    (1077, 839)
    """
    found = _POINTS.search(data[:_HEAD])
    if found is None:
        return None
    try:
        width, height = (int(float(points) / 72 * DPI) for points in found.groups())
    except ValueError:
        return None
    return (width, height) if width and height else None
