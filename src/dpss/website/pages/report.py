"""One file to send: a matrix's page with everything inside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from dpss.website.pages.environment import environment, style_sheet
from dpss.website.records import MatrixRecord

MAX_BYTES = 2_000_000
"""Largest size of a report, in bytes: mail programs and repositories accept it."""
_RESERVE = 150_000
"""Room for everything but the figures."""


def report_page(
    pictures: Mapping[str, bytes], record: MatrixRecord, view: Mapping[str, Any]
) -> bytes:
    """Return a matrix's report: one HTML file that loads nothing, below 2 MB.

    Args:
        pictures: The figures as PNG, by slug.
        record: The matrix.
        view: As `dpss.website.pages.environment.matrix_view` returns it.
    """
    images: dict[str, str] = {}
    room = MAX_BYTES - _RESERVE
    for slug, picture in pictures.items():
        # A figure that doesn't fit is named, with where it is; the others still come.
        if len(picture) * 4 / 3 <= room:
            images[slug] = _address(picture)
            room -= len(images[slug])
    style, digest = _style()
    page = environment().get_template("report.html.j2")
    return page.render(
        root="",
        view=view,
        record=record,
        images=images,
        style=style,
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'",
    ).encode()


@cache
def _style() -> tuple[str, str]:
    """Return the style sheet and its checksum, as a policy names it."""
    style = style_sheet()
    return style, base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _address(image: bytes) -> Markup:
    """Return a picture as a data address, which holds nothing to escape."""
    return Markup(f"data:image/png;base64,{base64.b64encode(image).decode()}")  # noqa: S704
