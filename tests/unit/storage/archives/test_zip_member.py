"""The name of a zip archive's first member, from the first bytes of a file."""

from __future__ import annotations

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.archives import first_name

NAMES = st.text(st.characters(exclude_categories=("C",), exclude_characters="/\\"), min_size=1)


def zip_of(*names: str) -> bytes:
    """Return an archive with a short member of each name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


@given(NAMES, NAMES)
def test_the_first_member_is_named(first: str, second: str) -> None:
    """Whatever the names; of a longer one than the head has, its beginning."""
    data = zip_of(first, second) if first != second else zip_of(first)
    assert first_name(data) == first
    if first.isascii():
        assert first_name(data[:34]) == first[:4]


@given(st.binary(max_size=80))
def test_what_is_no_zip_has_none(data: bytes) -> None:
    """An empty file, a short one, another format, an archive without members."""
    if not data.startswith(b"PK\x03\x04"):
        assert first_name(data) is None
    assert first_name(zip_of()) is None
