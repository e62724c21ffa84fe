"""Sizes of pictures: read from the file's head, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.website.pictures import png_size
from tests.unit.website.portal import png


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_size_is_the_picture_s_own(width: int, height: int) -> None:
    """Any width and height are read again."""
    assert png_size(png(width, height)) == (width, height)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(60), png()[:20]])
def test_another_file_has_no_size(data: bytes) -> None:
    """An empty, a cut and another file: the page then leaves the size to the browser."""
    assert png_size(data) is None
