"""Pictures of a matrix, as its pages show them."""

from __future__ import annotations

import struct

from dpss.website.records import MatrixRecord
from dpss.website.writer import Publisher

_PNG = b"\x89PNG\r\n\x1a\n"


def read_pictures(publisher: Publisher, record: MatrixRecord) -> dict[str, bytes]:
    """Return the figures of a matrix as PNG, by slug.

    Raises:
        ReplacedError: The matrix is being replaced.
    """
    found = {slug: publisher.read_listed(record, f"{slug}.png") for slug in record.figures}
    return {slug: data for slug, data in found.items() if data}


def png_size(data: bytes) -> tuple[int, int] | None:
    """Return a figure's width and height, so that the page needn't jump when it arrives."""
    if len(data) < 24 or not data.startswith(_PNG):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height
