"""The table of formats tells what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.formats.base import Matrix
from dpss.formats.discovery import iter_matrices
from dpss.formats.hdf5.file import Hdf5File, is_hdf5
from dpss.formats.registry import FORMATS, HDF5_FORMATS
from dpss.storage.base import Blob
from tests.summarise import source_of

KNOWN = [(known, name) for known in (*HDF5_FORMATS, *FORMATS) for name in known.about.real_files]


@pytest.mark.parametrize(("known", "name"), KNOWN, ids=[name for _, name in KNOWN])
def test_a_real_file_is_of_the_format_that_names_it(known, name: str, real_data: Path) -> None:
    """It is recognised as that format before any other, and opens."""
    source = source_of(real_data / name)
    if isinstance(source, Blob) and is_hdf5(source.read_range(0, 8)):
        file = Hdf5File(source)
        assert next(each for each in HDF5_FORMATS if each.recognises(file)) is known
    else:
        assert next(each for each in FORMATS if each.recognises(source)) is known
    assert all(isinstance(found, Matrix) for found in iter_matrices(source))
