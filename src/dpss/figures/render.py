"""Figures as bytes: the same figure gives the same bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from dpss.figures.style import theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def render_png(fig: Figure) -> bytes:
    """Return a figure as PNG, at the resolution it was drawn for."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    out = io.BytesIO()
    with theme():
        FigureCanvasAgg(fig).print_png(out, metadata={"Software": None})
    return out.getvalue()


def render_svg(fig: Figure) -> bytes:
    """Return a figure as SVG: glyphs as shapes, clouds of points as one embedded image."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with theme():
        FigureCanvasSVG(fig).print_svg(out, metadata=nothing)
    return out.getvalue()
