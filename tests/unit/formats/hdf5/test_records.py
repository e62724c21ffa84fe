"""Records of the family hdf5: they recognise its own files, and no others."""

from __future__ import annotations

from dpss.formats.hdf5 import FORMATS
from tests.laws.record_laws import RecordLaws


class TestRecords(RecordLaws):
    """The laws of records."""

    family, formats = "hdf5", FORMATS
