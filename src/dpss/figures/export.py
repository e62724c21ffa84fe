"""Figures as bytes: the same figure gives the same bytes.

PNG is written here rather than by matplotlib: libdeflate packs the flat colours of a
figure better and in a quarter of the time, and no program name or date gets in.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

from dpss.figures.base import Figure
from dpss.figures.elements.layout import NARROW
from dpss.figures.elements.style import theme
from dpss.figures.svg import svg_bytes

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary

_RGB, _BITS = 2, 8
_LEVEL = 6
_INCHES_PER_METRE = 1 / 0.0254


def render_png(fig: matplotlib.figure.Figure) -> bytes:
    """Return a figure as PNG, at the resolution it was drawn for."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with theme():
        canvas: Any = FigureCanvasAgg(fig)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
        height, width, _ = pixels.shape
        # A row starts with the number of its filter: 0, none.
        rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
        rows[:, 1:] = pixels.reshape(height, 3 * width)
    return png_bytes(rows.tobytes(), width, height, fig.dpi)


def png_bytes(rows: bytes, width: int, height: int, dpi: float) -> bytes:
    """Put a PNG file together (W3C, "Portable Network Graphics", third edition, 2025).

    Args:
        rows: For each row a filter number and its pixels, three bytes each.
        width: In pixels.
        height: In pixels.
        dpi: Pixels per inch.
    """
    import deflate

    per_metre = round(dpi * _INCHES_PER_METRE)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, _BITS, _RGB, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        (b"IDAT", bytes(deflate.zlib_compress(rows, _LEVEL))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def figure_files(figure: Figure, summary: Summary) -> dict[str, bytes]:
    """Return the files of one figure by name: PNG, SVG, and a narrow SVG for phones.

    Raises:
        ValueError: The summary lacks what the figure needs.
    """
    from dpss.figures.mpl import draw_page

    page = figure.page(summary)
    with theme():
        picture = render_png(draw_page(page))
    return {
        f"{figure.slug}.png": picture,
        f"{figure.slug}.svg": svg_bytes(page),
        f"{figure.slug}.narrow.svg": svg_bytes(figure.page(summary, NARROW)),
    }
