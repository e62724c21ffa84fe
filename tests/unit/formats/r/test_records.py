"""Records of the family r: they recognise its own files, and no others."""

from __future__ import annotations

from dpss.formats.r import FORMATS
from tests.laws.record_laws import RecordLaws


class TestRecords(RecordLaws):
    """The laws of records."""

    family, formats = "r", FORMATS
