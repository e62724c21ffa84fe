"""The table of formats tells what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.formats.base import Matrix
from dpss.formats.discovery import iter_matrices
from dpss.formats.hdf5.file import Hdf5File
from dpss.formats.hdf5.layouts import LAYOUTS
from dpss.formats.record import Format, FormatInfo
from dpss.formats.registry import FORMATS, format_of, format_of_folder
from dpss.storage.archives.zip import ZipTree
from dpss.storage.base import Blob
from dpss.storage.locations import Source
from tests.summarise import source_of

KNOWN = [
    (known, info, name) for known in FORMATS for info in known.infos for name in info.real_files
]


def first_format(source: Source) -> Format:
    """Return the first format that recognises a file or folder."""
    known = format_of(source) if isinstance(source, Blob) else None
    if known is None:
        tree = ZipTree(source) if isinstance(source, Blob) else source
        known = format_of_folder(tree)
        assert known is not None
    return known


@pytest.mark.slow
@pytest.mark.parametrize(("known", "info", "name"), KNOWN, ids=[name for *_, name in KNOWN])
def test_a_real_file_is_of_the_format_that_names_it(
    known: Format, info: FormatInfo, name: str, real_data: Path
) -> None:
    """It is recognised as that format before any other, and opens."""
    source = source_of(real_data / name)
    assert first_format(source) is known
    if info in [layout.info for layout in LAYOUTS]:
        assert isinstance(source, Blob)
        file = Hdf5File(source)
        assert next(each.info for each in LAYOUTS if each.functions.recognises(file)) is info
    assert all(isinstance(found, Matrix) for found in iter_matrices(source))
