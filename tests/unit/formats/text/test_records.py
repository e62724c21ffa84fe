"""Records of the family text: they recognise text, and no binary files."""

from __future__ import annotations

from dpss.formats.text import FORMATS
from tests.laws.record_laws import RecordLaws


class TestRecords(RecordLaws):
    """The laws of records; other text may be recognised, so that the family is tried last."""

    family, formats = "text", FORMATS
    others = ("hdf5", "r")
