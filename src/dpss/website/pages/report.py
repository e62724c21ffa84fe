"""Reports: a matrix's page as one file that contains its style and figures."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from dpss.website.pages.environment import environment, style_sheet
from dpss.website.pictures import FigureImages
from dpss.website.records import MatrixRecord

MAX_BYTES = 2_000_000
"""Largest size of a report, in bytes: mail programs and repositories accept it."""
_MARK = b"\0"
"""Delimiter of the placeholders of images; it is stripped from all texts of a page."""
_RESERVE = 150_000
"""Room for everything but the figures."""


def report_page(
    pictures: Mapping[str, FigureImages], record: MatrixRecord, view: Mapping[str, Any]
) -> bytes:
    """Return a matrix's report: one HTML file that loads nothing, below 2 MB.

    Figures are embedded as SVG: half of the PNG's bytes, a tenth once a server compresses
    them, sharp on paper, in the colours of the reader's theme, and narrow ones for phones.

    Args:
        pictures: The figures, by slug.
        record: The matrix.
        view: Result of `dpss.website.pages.environment.matrix_view`.
    """
    images: dict[str, Mapping[str, Markup]] = {}
    data_urls: dict[bytes, bytes] = {}
    room = MAX_BYTES - _RESERVE
    for slug, picture in pictures.items():
        # A figure that doesn't fit is named, with where it is; the others still come.
        found = _data_urls(picture)
        n_bytes = sum(map(len, found.values()))
        if found and n_bytes <= room:
            images[slug] = {name: _placeholder(slug, name) for name in found}
            data_urls |= {f"{slug} {name}".encode(): data for name, data in found.items()}
            room -= n_bytes
    style, digest = embedded_style()
    page = environment().get_template("report.html.j2")
    text = page.render(
        root="",
        view=view,
        record=record,
        images=images,
        style=style,
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'",
    )
    # Images come in last, as bytes: as text they would be copied several times.
    parts = text.encode().split(_MARK)
    parts[1::2] = map(data_urls.__getitem__, parts[1::2])
    return b"".join(parts)


@cache
def embedded_style() -> tuple[str, str]:
    """Return the style sheet, and its checksum for the content security policy."""
    style = style_sheet()
    return style, base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _placeholder(slug: str, name: str) -> Markup:
    """Return the placeholder of an image; no text contains its delimiting character."""
    return Markup(f"\0{slug} {name}\0")  # noqa: S704 - a name of ours


def _data_urls(picture: FigureImages) -> dict[str, bytes]:
    """Return the data URLs of a figure: ``wide``, and ``narrow`` if there is one."""
    if picture.svg is None:
        return {"wide": _data_url("png", picture.png)} if picture.png else {}
    drawings = {"wide": picture.svg, "narrow": picture.narrow}
    return {name: _data_url("svg+xml", data) for name, data in drawings.items() if data}


def _data_url(kind: str, image: bytes) -> bytes:
    """Return an image as a data URL, which has no characters to escape."""
    return b"data:image/%b;base64,%b" % (kind.encode(), base64.b64encode(image))
