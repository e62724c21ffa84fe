"""A page written as SVG, in the colours of the reader's theme.

Every mark carries its colour for light paper, which all programs know. A rule in the file
gives browsers the colours for dark ground where the reader prefers dark. Text is text, in
the type that the layout was measured with or one of its width (Verdana), so that it can be
read aloud and searched. Clouds of dots are one path of points with round ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from html import escape

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.layout import axis_texts
from dpss.figures.elements.marks import (
    Area,
    Curve,
    Dots,
    Mark,
    Page,
    Panel,
    Rectangles,
    Segments,
    Text,
)
from dpss.figures.elements.palette import DARK, LIGHT, Theme, colour_of

_FEW = 60
"""Up to this many dots, each is an element."""
_PER_POINT = 4
"""Places per point of the grid on which the dots of a cloud lie."""
_OVERLAPS = ((1, 1.0), (2, 1.45), (4, 1.9))
"""Least number of dots in one place, and the factor of their opacity."""
_DASHES = ' stroke-dasharray="4 3"'
_FONT = "DejaVu Sans,Verdana,sans-serif"


def svg_bytes(page: Page) -> bytes:
    """Return a page as SVG; the same page gives the same bytes."""
    body: list[str] = []
    texts = list(page.texts)
    for panel in page.panels:
        body.extend(_frame(panel))
        for mark in panel.marks:
            body.extend(_mark(panel, mark))
        texts.extend(axis_texts(panel))
    body.extend(_swatch(*swatch) for swatch in page.swatches)
    body.extend(_text(text) for text in texts)
    width, height = _n(page.width), _n(page.height)
    drawn = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="{_FONT}">\n'
        f"<title>{_escaped(page.title)}</title>\n<style>{_dark_rules(drawn)}</style>\n"
        f'<rect width="{width}" height="{height}" {_fill("background")}/>\n{drawn}\n</svg>\n'
    ).encode()


def _dark_rules(drawn: str) -> str:
    """Return the rules with colours for dark ground, of the roles in use."""
    used = {kind for kinds in re.findall(r'class="([^"]+)"', drawn) for kind in kinds.split()}
    rules = [
        f".{prefix}-{field.name}{{{name}:{getattr(DARK, field.name)}}}"
        for field in fields(Theme)
        for prefix, name in (("f", "fill"), ("s", "stroke"))
        if f"{prefix}-{field.name}" in used | {"f-background"}
    ]
    return "@media screen and (prefers-color-scheme:dark){" + "".join(rules) + "}"


def _fill(role: str, stroke: str = "") -> str:
    """Return the attributes of a colour, and of an outline's."""
    found = f'fill="{colour_of(LIGHT, role)}"'
    if stroke:
        found += f' stroke="{colour_of(LIGHT, stroke)}"'
    kinds = [
        f"{prefix}-{name}"
        for prefix, name in (("f", role), ("s", stroke))
        if name and not name.startswith("#")
    ]
    return found + (f' class="{" ".join(kinds)}"' if kinds else "")


def _stroke(role: str, width: float) -> str:
    kind = "" if role.startswith("#") else f' class="s-{role}"'
    return f'fill="none" stroke="{colour_of(LIGHT, role)}"{kind} stroke-width="{_n(width)}"'


def _frame(panel: Panel) -> Iterable[str]:
    """Draw grid, axis lines and tick marks."""
    box = panel.box
    across = [box.left + float(f) * box.width for f in panel.x.fractions(_values(panel.x.ticks))]
    up = [box.bottom - float(f) * box.height for f in panel.y.fractions(_values(panel.y.ticks))]
    grid = "".join(f"M{_n(x)} {_n(box.top)}V{_n(box.bottom)}" for x in across if "x" in panel.grid)
    grid += "".join(f"M{_n(box.left)} {_n(y)}H{_n(box.right)}" for y in up if "y" in panel.grid)
    if grid:
        yield f'<path d="{grid}" {_stroke("grid", 0.8)}/>'
    lines = ""
    if "x" in panel.frame:
        lines += f"M{_n(box.left)} {_n(box.bottom)}H{_n(box.right)}"
        lines += "".join(f"M{_n(x)} {_n(box.bottom)}v3" for x in across)
    if "y" in panel.frame:
        lines += f"M{_n(box.left)} {_n(box.top)}V{_n(box.bottom)}"
        lines += "".join(f"M{_n(box.left)} {_n(y)}h-3" for y in up)
    if lines:
        yield f'<path d="{lines}" {_stroke("line", 0.8)}/>'


def _values(ticks: tuple[tuple[float, str], ...]) -> list[float]:
    return [value for value, _ in ticks]


def _mark(panel: Panel, mark: Mark) -> Iterable[str]:
    if isinstance(mark, Dots):
        yield from _dots(panel, mark)
    elif isinstance(mark, Rectangles):
        left, top = panel.place(mark.left, mark.top)
        right, bottom = panel.place(mark.right, mark.bottom)
        path = "".join(
            f"M{_n(a)} {_n(b)}H{_n(c)}V{_n(d)}H{_n(a)}Z"
            for a, b, c, d in zip(left, top, right, bottom, strict=True)
        )
        rim = ' stroke-width=".9"' if mark.rim else ' shape-rendering="crispEdges"'
        yield f'<path d="{path}" {_fill(mark.colour, mark.rim)}{rim}/>'
    elif isinstance(mark, Segments):
        starts, ends = panel.place(mark.x0, mark.y0), panel.place(mark.x1, mark.y1)
        path = "".join(
            f"M{_n(a)} {_n(b)}L{_n(c)} {_n(d)}" for a, b, c, d in zip(*starts, *ends, strict=True)
        )
        more = _DASHES if mark.dashed else ' stroke-linecap="round"' if mark.round_ends else ""
        yield f'<path d="{path}" {_stroke(mark.colour, mark.width)}{more}/>'
    elif isinstance(mark, Curve):
        path = _line(panel, mark)
        more = ' stroke-linejoin="round" stroke-linecap="round"'
        yield f'<path d="{path}" {_stroke(mark.colour, mark.width)}{more}/>'
    else:
        yield f'<path d="{_line(panel, mark)}Z" {_fill(mark.colour, mark.rim)}/>'


def _line(panel: Panel, mark: Curve | Area) -> str:
    x, y = panel.place(mark.x, mark.y)
    return "M" + "L".join(f"{_n(a)} {_n(b)}" for a, b in zip(x, y, strict=True))


def _dots(panel: Panel, mark: Dots) -> Iterable[str]:
    x, y = panel.place(mark.x, mark.y)
    if mark.rim or mark.diamond or len(x) <= _FEW:
        rim = f' stroke-width="{_n(mark.rim_width)}"' if mark.rim else ""
        alpha = f' fill-opacity="{_n(mark.alpha)}"' if mark.alpha < 1 else ""
        yield f"<g {_fill(mark.colour, mark.rim)}{rim}{alpha}>"
        r, d = _n(mark.radius), _n(mark.radius * 1.3)
        for across, down in zip(x, y, strict=True):
            if mark.diamond:
                yield f'<path d="M{_n(across)} {_n(down)}m0-{d}l{d} {d}l-{d} {d}l-{d}-{d}z"/>'
            else:
                yield f'<circle cx="{_n(across)}" cy="{_n(down)}" r="{r}"/>'
        yield "</g>"
        return
    grid = np.round(np.stack([y, x], axis=1) * _PER_POINT).astype(np.int64)
    places, counts = np.unique(grid[:, 0] << 32 | grid[:, 1], return_counts=True)
    for n, (least, more) in enumerate(_OVERLAPS):
        most = _OVERLAPS[n + 1][0] if n + 1 < len(_OVERLAPS) else np.inf
        chosen = places[(counts >= least) & (counts < most)]
        if len(chosen):
            opacity = min(mark.alpha * more, 1.0)
            yield (
                f'<path d="{_cloud(chosen)}" transform="scale({1 / _PER_POINT})" '
                f"{_stroke(mark.colour, 2 * mark.radius * _PER_POINT)} "
                f'stroke-linecap="round" stroke-opacity="{_n(opacity)}"/>'
            )


def _cloud(places: NDArray[np.int64]) -> str:
    """Return dots as a path of points, each told from the one before."""
    y, x = places >> 32, places & 0xFFFFFFFF
    steps_x, steps_y = np.diff(x, prepend=0).tolist(), np.diff(y, prepend=0).tolist()
    parts = [f"m{a}{' ' if b >= 0 else ''}{b}h0" for a, b in zip(steps_x, steps_y, strict=True)]
    return "".join(parts)


def _swatch(x: float, y: float, mark: str, role: str) -> str:
    if mark in ("median", "limit"):
        more = _DASHES if mark == "limit" else ""
        return f'<path d="M{_n(x - 5)} {_n(y)}h10" {_stroke(role, 1.2)}{more}/>'
    if mark == "bin":
        return f'<rect x="{_n(x - 3.5)}" y="{_n(y - 3.5)}" width="7" height="7" {_fill(role)}/>'
    if mark == "diamond":
        return f'<path d="M{_n(x)} {_n(y)}m0-3l3 3l-3 3l-3-3z" {_fill(role)}/>'
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="2.4" {_fill(role)}/>'


def _text(text: Text) -> str:
    more = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
    if text.bold:
        more += ' font-weight="bold"'
    if text.upward:
        more += f' transform="rotate(-90 {_n(text.x)} {_n(text.y)})"'
    colour = _fill(text.colour)
    if text.halo:
        colour = (
            _fill(text.colour, "background") + ' stroke-width="2.5" stroke-opacity=".75" '
            'paint-order="stroke" stroke-linejoin="round"'
        )
    return (
        f'<text x="{_n(text.x)}" y="{_n(text.y)}" font-size="{_n(text.size)}" {colour}{more}>'
        f"{_escaped(text.text)}</text>"
    )


def _escaped(text: str) -> str:
    """Return a text as XML can hold it."""
    kept = "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff" and c < "\ufffe")
    return escape(kept, quote=False)


def _n(value: float) -> str:
    """Return a length as short text, to a hundredth of a point."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
